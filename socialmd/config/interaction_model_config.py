"""`[model]` with `kind = "interaction_lstm"`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from socialmd.config.section import ConfigSection, Integer, NonEmpty, PositiveFloat, PositiveInt
from socialmd.config.social_lstm_config import GRID_SIZES, Feedback, GridCells

__all__ = ["InteractionModelConfig"]


class InteractionModelConfig(ConfigSection):
    """A learned law of motion: `kind = "interaction_lstm"` (see `InteractionLSTM`).

    Args:
        kind: of network.
        filter: what neighbours are seen through, `"radial"` or `"grid"` (see `NeighbourFilter`).
        cutoff, minimum_distance, num_intervals: of a radial filter.
        grid_sizes, grid_cells, shared_table, interpolation: of a grid filter.
        units: H, LSTM units; 0 leaves the LSTM out.
        channels: C, of what particles emit.
        hidden_units: of the MLPs.
        substeps: of the integration, for one frame.
        gate, linear_path, residual_correction, memory_in_law: parts that can be left out (see
            `InteractionLSTM`).
        distribution: what is predicted.
        num_components: K, components of a mixture.
        feedback: what of it becomes the next step's input.

    Raises:
        ValueError: a value is out of its range, or the minimum distance is not below the cutoff.

    Example:
        >>> InteractionModelConfig(kind="interaction_lstm", cutoff=16.0).channels
        8
    """

    kind: Literal["interaction_lstm"]
    filter: Literal["radial", "grid"] = "radial"
    cutoff: PositiveFloat = 16.0
    minimum_distance: PositiveFloat = 0.01
    num_intervals: PositiveInt = 64
    grid_sizes: NonEmpty[PositiveFloat] = GRID_SIZES
    grid_cells: GridCells = 16
    shared_table: bool = False
    interpolation: Literal["linear", "nearest"] = "linear"
    units: Annotated[Integer, Field(ge=0)] = 32
    channels: PositiveInt = 8
    hidden_units: PositiveInt = 32
    substeps: PositiveInt = 8
    gate: bool = True
    linear_path: bool = True
    residual_correction: bool = True
    memory_in_law: bool = True
    distribution: Literal["student_t", "gaussian", "mixture", "correlated_mixture"] = "student_t"
    num_components: PositiveInt = 5
    feedback: Feedback = "mean"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.minimum_distance >= self.cutoff:
            raise ValueError(
                f"minimum_distance: expected less than cutoff = {self.cutoff}, "
                f"found {self.minimum_distance}"
            )
        return self
