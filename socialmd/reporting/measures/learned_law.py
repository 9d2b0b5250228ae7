"""The interaction that models have learned, beside the law of the data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from socialmd.data import DatasetDescription, Windows
from socialmd.evaluation import LearnedInteraction, NotPossibleError
from socialmd.models import ForecastModel
from socialmd.plots import draw_learned_interaction
from socialmd.reporting import Drawing, FigureFolder, ForecastEvaluation, Section, fill
from socialmd.reporting.measure import Measure, register_measure
from socialmd.simulation import pair_law

__all__ = ["LearnedLaw", "draw_interaction"]

# === Words ===
HEADING = "What has been learned of the interaction"
INTRODUCTION = """
Asked for two particles alone, at rest until now, a model shows the law that it has found in
trajectories; no force was given to it.
"""
CAPTION = """
Acceleration of a particle by one neighbour, as learned (red)
{%- if has_law %} and by the law of the data set (dashed){% endif %}, over their distance: positive
where they repel, negative where they attract each other
{%- if has_maps %}, a mean over directions{% endif %}. In parentheses, static features of the
particle and of its neighbour; grey, distances beyond which one pair in a thousand lies.
{% if error is not none -%}
Right: relative error of the learned law, median and quartiles over pairs of the data that are moved
to each distance; between {{ "%.2g" % seen[0] }} and {{ "%.2g" % seen[1] }} length units the median
is typically {{ "%.2g" % (100 * error) }} %.
{% endif -%}
{% if has_maps -%}
Bottom: the same acceleration of the first pair by where the neighbour is, red where it repels, blue
where it attracts.
{% endif -%}
"""
RULE = """
the extreme and the median ones of 20000 pairs of the test split at their median distance,
{{ "%.2g" % half }} length units
"""


@register_measure
class LearnedLaw(Measure):
    """The interaction that models have learned, of those that give accelerations of pairs.

    Numbers, for pictures: `"interactions"`, a `LearnedInteraction` by model.
    """

    name = "learned interaction"
    place = 50
    for_pictures = ("interactions",)

    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        forecasts = evaluation.forecasts
        of_data = (forecasts.windows, forecasts.description, forecasts.spacing)
        seen = {
            name: _look(model, *of_data)
            for name, model in forecasts.models.items()
            if name not in forecasts.filtered  # whose law is the same
        }
        found = {name: each for name, each in seen.items() if each is not None}
        return {"interactions": found} if found else None

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        pictures = []
        for number, (name, each) in enumerate(evaluation.numbers["interactions"].items(), start=1):
            figure, file = draw_learned_interaction(**each._asdict()), f"interaction_{number}"
            caption, alt = f"{name}: {_describe(each)}", f"Learned interaction of {name}"
            pictures.append(figures.picture(figure, file, caption, alt))
        return [Section(HEADING, [fill(INTRODUCTION)], pictures=pictures)]


def draw_interaction(
    model: ForecastModel, windows: Windows, description: DatasetDescription, spacing: float
) -> Drawing:
    """The same as a figure of its own; pairs are those of the last frames that are given.

    Raises:
        NotPossibleError: the model has learned no law, or there are no pairs.
    """
    interaction = _look(model, windows, description, spacing)
    if interaction is None:
        raise NotPossibleError("the model gives no acceleration of pairs, or there are no pairs")
    figure = draw_learned_interaction(**interaction._asdict())
    return Drawing(figure, fill(RULE, half=interaction.half), _describe(interaction))


def _look(
    model: ForecastModel, windows: Windows, description: DatasetDescription, spacing: float
) -> LearnedInteraction | None:
    if not hasattr(model, "pair_acceleration") or getattr(model, "bonds", None) == "inferred":
        return None  # a pair's strength is then another one in every system
    return LearnedInteraction.from_frames(
        model.pair_acceleration,
        windows.inputs[:, -1],
        description.spatial_dims,
        pair_law(description, spacing),
        windows.mask,
    )


def _describe(interaction: LearnedInteraction) -> str:
    return fill(
        CAPTION,
        has_law=len(interaction.curves) == 2,
        has_maps=interaction.maps is not None,
        error=interaction.typical_error,
        seen=interaction.seen,
    )
