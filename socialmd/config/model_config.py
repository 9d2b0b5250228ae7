"""`[model]`, one table for each kind of network."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from socialmd.config.section import (
    ConfigSection,
    Fraction,
    Integer,
    Listed,
    NonEmpty,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
)

__all__ = [
    "Feedback",
    "FieldConfig",
    "InteractionModelConfig",
    "ModelConfig",
    "RestraintsConfig",
    "SequenceModelConfig",
]

GRID_SIZES = (11.0, 5.5, 2.75, 1.375)
WIDEST_GRID = 4.0  # times the extent of the data: nearly all cells of a wider grid stay empty
GridCells = Annotated[int, Field(ge=2, le=256)]
Feedback = Literal["mean", "most_likely", "sample"]


class ModelConfig(ConfigSection):
    """The network; the defaults are the reference model of the thesis (section 4.4).

    Args:
        kind: of network; the others are `SequenceModelConfig` and `InteractionModelConfig`.
        units, embedding_dim: H, LSTM units; and E, width of the three embeddings.
        grid_cells: G, cells along a side of each pooling grid; 32 in the plane, and 16 in space,
            where 32 cost gigabytes, if none are given.
        grid_sizes: side lengths of the stacked grids, in units of length. Without any there is no
            pooling: particles do not see each other, and the keys of cells and filters are unused.
        distance_filter: whether to cut each grid to its inscribed circle.
        filters, kernel_size: kernels of each convolution, and cells along a side of each kernel.
        downsampling: how each layer halves the grid: by stride, or by max or average pooling.
        prediction: what the output is relative to (see `SocialLSTM`).
        distribution: what is predicted, one Gaussian or a mixture of Gaussians, whose components
            have correlations or not.
        num_components: K, components of a mixture.
        feedback: what of it becomes the next step's input (see `SocialLSTM`).
        length_scale: length in units of which the network reads positions.
        absolute_position: whether it reads them at all; in a periodic box it must not.
        orientation: whether particles point somewhere, and where is forecast as well.

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
    grid_cells: GridCells | None = None
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
    absolute_position: bool = True
    orientation: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        grid_cells = self.grid_cells or 32  # in the plane
        if self.grid_sizes and max(self.grid_sizes) > 1000 * min(self.grid_sizes):
            raise ValueError(
                "grid_sizes: expected sides within a factor 1000 of each other, "
                f"found {list(self.grid_sizes)}"
            )
        if self.kernel_size > grid_cells:
            raise ValueError(
                f"kernel_size: expected at most grid_cells = {grid_cells}, found {self.kernel_size}"
            )
        if 2 ** len(self.filters) > grid_cells:
            raise ValueError(
                f"filters: {len(self.filters)} layers halve the grid {len(self.filters)} times, "
                f"which needs grid_cells >= {2 ** len(self.filters)}, found {grid_cells}"
            )
        if self.prediction == "position" and not self.absolute_position:
            raise ValueError(
                "absolute_position: expected true with prediction = 'position', found false"
            )
        return self


class SequenceModelConfig(ConfigSection):
    """The baseline of the thesis' first experiment (section 3.3): `kind = "sequence_lstm"`.

    Args:
        mlp_units: widths of the MLP that reads frames; that which writes them has them in reverse.
        lstm_units: widths of the stacked LSTMs.
        dropout: rate, after every hidden layer.
        length_scale: length in units of which positions are read and written.

    Example:
        >>> SequenceModelConfig(kind="sequence_lstm", length_scale=30.0).lstm_units
        (256, 256)
    """

    kind: Literal["sequence_lstm"]
    mlp_units: NonEmpty[PositiveInt] = (256,)
    lstm_units: NonEmpty[PositiveInt] = (256, 256)
    dropout: Fraction = 0.2
    length_scale: PositiveFloat = 1.0


class RestraintsConfig(ConfigSection):
    """`[model.restraints]`: springs between particles and their anchors (see `Restraints`).

    Args:
        stiffness, rest_length, damping: in units of length and frames.
        learned: whether these are where learning begins, or known.

    Example:
        >>> RestraintsConfig(stiffness=0.01, rest_length=12.0, learned=True).damping
        0.0
    """

    stiffness: NonNegativeFloat
    rest_length: NonNegativeFloat = 0.0
    damping: NonNegativeFloat = 0.0
    learned: bool = False


class FieldConfig(ConfigSection):
    """`[model.field]`: a learned external field (see `ExternalField`).

    Args:
        width: side of the square or cube about the origin in which it is told, in units of length.
        cells: along a side of its finest table.

    Example:
        >>> FieldConfig(width=12.0).cells
        128
    """

    width: PositiveFloat
    cells: Annotated[Integer, Field(ge=4, le=1024)] = 128


class InteractionModelConfig(ConfigSection):
    """A learned law of motion: `kind = "interaction_lstm"` (see `InteractionLSTM`).

    Args:
        filter: what neighbours are seen through, `"radial"` or `"grid"` (see `NeighbourFilter`).
        cutoff, minimum_distance, num_intervals, power: of a radial filter.
        grid_sizes, grid_cells, shared_table, interpolation: of a grid filter.
        units: H, LSTM units; 0 leaves the LSTM out.
        channels, hidden_units: C, of what particles emit, and width of the MLPs.
        substeps: of the integration, for one frame.
        gate, linear_path, residual_correction, memory_in_law: parts that can be left out (see
            `InteractionLSTM`).
        orientation: whether particles point somewhere, and where is forecast as well.
        multipole_order: of what they then feel of each other, through a radial filter.
        bonds: whether pairs may be tied to each other, as the data say, or, `"inferred"`, as their
            motion does.
        wall: distance from the origin of walls that reflect particles; none if absent.
        acceleration_limit: largest component of accelerations, in lengths per frame squared, where
            a simulator cuts forces off; none if absent.
        restraints: what ties particles to anchors; nothing if absent.
        field: an external one; none if absent.
        distribution, num_components, feedback: as of `ModelConfig`.

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
    power: Annotated[Integer, Field(ge=-6, le=6)] = -1
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
    orientation: bool = False
    multipole_order: Literal[1, 2] = 1
    bonds: bool | Literal["inferred"] = False
    wall: PositiveFloat | None = None
    acceleration_limit: PositiveFloat | None = None
    restraints: RestraintsConfig | None = None
    field: FieldConfig | None = None
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
        if self.bonds and (self.orientation or self.filter != "radial"):
            raise ValueError("bonds: expected a radial filter and no orientation, found others")
        is_of_pairs = self.gate and self.linear_path and not self.memory_in_law
        if self.bonds == "inferred" and not (is_of_pairs and self.restraints is None):
            raise ValueError(
                "bonds: expected memory_in_law = false, a gate, a linear path and no restraints "
                "with inferred ones, found others"
            )
        if self.power != -1 and (self.orientation or self.filter != "radial"):
            raise ValueError(
                f"power: expected -1 with orientation or a grid filter, found {self.power}"
            )
        if self.field is not None and self.orientation:
            raise ValueError("field: expected no orientation with an external one, found some")
        if self.multipole_order > 1 and not (self.orientation and self.filter == "radial"):
            raise ValueError(
                "multipole_order: expected 1 without orientation and a radial filter, found "
                f"{self.multipole_order}"
            )
        return self


def used_grid_sizes(model: Any) -> tuple[float, ...]:
    """Sides of the grids that a configured model sees through; none where it uses no grids."""
    return () if getattr(model, "filter", "grid") == "radial" else getattr(model, "grid_sizes", ())
