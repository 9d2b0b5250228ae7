"""`[model]` of the reference model, and what other kinds share with it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from socialmd.config.section import ConfigSection, Listed, NonEmpty, PositiveFloat, PositiveInt

__all__ = ["GRID_SIZES", "Feedback", "GridCells", "ModelConfig"]

GRID_SIZES = (11.0, 5.5, 2.75, 1.375)
GridCells = Annotated[int, Field(ge=2, le=256)]
Feedback = Literal["mean", "most_likely", "sample"]


class ModelConfig(ConfigSection):
    """The network; the defaults are the reference model of the thesis (section 4.4).

    Args:
        kind: of network; the other one is a `SequenceModelConfig`.
        units: H, LSTM units.
        embedding_dim: E, width of the three embeddings.
        grid_cells: G, cells along a side of each pooling grid.
        grid_sizes: side lengths of the stacked grids, in units of length. Without any there is no
            pooling: particles do not see each other, and the keys of cells and filters are unused.
        distance_filter: whether to cut each grid to its inscribed circle.
        filters: kernels of each convolution; each layer halves the grid.
        kernel_size: cells along a side of each filter.
        downsampling: how layers halve the grid: by stride, or by max or average pooling.
        prediction: what the output is relative to (see `SocialLSTM`).
        distribution: what is predicted, one Gaussian or a mixture of Gaussians, whose components
            have correlations or not.
        num_components: K, components of a mixture.
        feedback: what of it becomes the next step's input (see `SocialLSTM`).
        length_scale: length in units of which the network reads positions.

    Raises:
        ValueError: a value is out of its range, a filter is larger than the grid, the layers halve
            it too often, or the grids' sizes differ more than a factor 1000.

    Example:
        >>> ModelConfig(grid_sizes=[11.0], grid_cells=64).grid_sizes
        (11.0,)
    """

    kind: Literal["social_lstm"] = "social_lstm"
    units: PositiveInt = 128
    embedding_dim: PositiveInt = 32
    grid_cells: GridCells = 32
    grid_sizes: Listed[tuple[PositiveFloat, ...]] = GRID_SIZES
    distance_filter: bool = True
    filters: NonEmpty[PositiveInt] = (16, 16, 32)
    kernel_size: PositiveInt = 4
    downsampling: Literal["stride", "max", "average"] = "stride"
    prediction: Literal["position", "displacement", "acceleration"] = "position"
    distribution: Literal["gaussian", "mixture", "correlated_mixture"] = "gaussian"
    num_components: PositiveInt = 5
    feedback: Feedback = "mean"
    length_scale: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.grid_sizes and max(self.grid_sizes) > 1000 * min(self.grid_sizes):
            raise ValueError(
                "grid_sizes: expected sides within a factor 1000 of each other, "
                f"found {list(self.grid_sizes)}"
            )
        if self.kernel_size > self.grid_cells:
            raise ValueError(
                f"kernel_size: expected at most grid_cells = {self.grid_cells}, "
                f"found {self.kernel_size}"
            )
        if 2 ** len(self.filters) > self.grid_cells:
            raise ValueError(
                f"filters: {len(self.filters)} layers halve the grid {len(self.filters)} times, "
                f"which needs grid_cells >= {2 ** len(self.filters)}, found {self.grid_cells}"
            )
        return self
