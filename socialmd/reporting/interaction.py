"""What a model has learned of the interaction of two particles, beside the law of the data set."""

from __future__ import annotations

from socialmd.data import DatasetDescription, Windows
from socialmd.evaluation import LearnedInteraction
from socialmd.models import ForecastModel
from socialmd.plots import draw_learned_interaction
from socialmd.reporting.drawing import Drawing, NothingToDrawError
from socialmd.simulation import pair_law

__all__ = ["draw_interaction", "interaction_caption", "measure_interaction"]


def measure_interaction(
    model: ForecastModel, windows: Windows, description: DatasetDescription, spacing: float
) -> LearnedInteraction | None:
    """Pairs of the last frames that are given, seen by a model.

    Args:
        model: any.
        windows: of a data set.
        description: of it.
        spacing: time from one step to the next.

    Returns:
        What is seen; nothing of a model without `pair_acceleration`, or without pairs.
    """
    if not hasattr(model, "pair_acceleration"):
        return None
    return LearnedInteraction.from_frames(
        model.pair_acceleration,
        windows.inputs[:, -1],
        description.spatial_dims,
        pair_law(description, spacing),
        windows.mask,
    )


def draw_interaction(
    model: ForecastModel, windows: Windows, description: DatasetDescription, spacing: float
) -> Drawing:
    """The same as a figure.

    Args:
        model, windows, description, spacing: see `measure_interaction`.

    Returns:
        The figure.

    Raises:
        NothingToDrawError: the model has learned no law, or there are no pairs.

    Example:
        >>> drawing = draw_interaction(model, windows, read_description(data), spacing=0.002)
    """
    interaction = measure_interaction(model, windows, description, spacing)
    if interaction is None:
        raise NothingToDrawError("the model gives no acceleration of pairs, or there are no pairs")
    rule = "the extreme and the median ones of 20000 pairs of the test split at their median "
    return Drawing(
        draw_learned_interaction(**interaction._asdict()),
        f"{rule}distance, {interaction.half:.2g} length units",
        interaction_caption(interaction),
    )


def interaction_caption(interaction: LearnedInteraction) -> str:
    """What is seen in the figure.

    Args:
        interaction: what it shows.

    Returns:
        Sentences.
    """
    has_law, has_maps = len(interaction.curves) == 2, interaction.maps is not None
    sentences = [
        "Acceleration of a particle by one neighbour, as learned (red)"
        + " and by the law of the data set (dashed)" * has_law
        + ", over their distance: positive where they repel, negative where they attract each other"
        + ", a mean over directions" * has_maps
        + ". In parentheses, static features of the particle and of its neighbour; grey, distances "
        "beyond which one pair in a thousand lies."
    ]
    if (error := interaction.typical_error) is not None:
        low, high = interaction.seen
        sentences.append(
            "Right: relative error of the learned law, median and quartiles over pairs of the data "
            f"that are moved to each distance; between {low:.2g} and {high:.2g} length units the "
            f"median is typically {100 * error:.2g} %."
        )
    if has_maps:
        sentences.append(
            "Bottom: the same acceleration of the first pair by where the neighbour is, red where "
            "it repels, blue where it attracts."
        )
    return " ".join(sentences)
