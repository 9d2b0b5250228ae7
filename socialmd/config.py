"""Experiment configuration: a TOML file -> typed, validated, immutable sections.

A file has up to six tables: `[system]` (the physics), `[simulation]` (the data set), `[data]` (the
input pipeline), `[model]`, `[training]` and, for a hyperparameter search, `[search]`. Every key has
a default, that of the reference experiment (`models/thesis.toml`), so a file states only what it
changes. Unknown keys and impossible values are errors.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from socialmd.files import read_text, write_atomically
from socialmd.search_space import Entry, parse_entry, set_value

__all__ = [
    "DataConfig",
    "ExperimentConfig",
    "InteractionModelConfig",
    "ManyBodySystem",
    "ModelConfig",
    "PhaseConfig",
    "SearchConfig",
    "SequenceModelConfig",
    "SimulationConfig",
    "TrainingConfig",
    "load_config",
    "save_config",
]

# TOML's integers have 64 bits; Keras and NumPy seed their global generators with 32.
PositiveInt = Annotated[int, Field(ge=1, lt=2**63)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
Exponent = Annotated[float, Field(gt=0, lt=2)]


class _Section(BaseModel):
    """One table of the file. Strict: `25.5` is no particle count and `"5"` is no number.

    Tuples alone are not strict, because TOML has lists only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ManyBodySystem(_Section):
    """Particles under gravity and Coulomb forces in two dimensions (thesis section 4.1).

    The force on particle i from particle j, with r_ij = x_i - x_j, is

        F_ij = (k q_i q_j - G m_i m_j) r_ij / (|r_ij|**2 + softening**2)**(3/2)

    The thesis prints no constants. These reproduce the facts that it prints of its data: largest
    separations about 11, smallest about 0.04, partial orbits within one frame. Units are
    arbitrary but consistent: lengths, masses, charges and times of order one.

    Args:
        num_particles: N, particles in one system.
        coulomb_constant: k; like charges repel.
        gravitational_constant: G; masses attract.
        softening: length below which the force stops growing. Without it most systems lose their
            energy in a close encounter.
        box_size: side of the square, centred on the origin, in which particles start.
        minimum_distance: smallest distance between two particles at the start.
        velocity_scale: standard deviation of each velocity component at the start.
        mass_range: smallest and largest mass, drawn uniformly.
        charge_range: smallest and largest charge, drawn uniformly.

    Raises:
        ValueError: a value is out of its range, or so many particles so far apart cannot be
            placed in the square.

    Example:
        >>> ManyBodySystem(num_particles=3).softening
        0.01
    """

    num_particles: PositiveInt = 25
    coulomb_constant: FiniteFloat = 500.0
    gravitational_constant: FiniteFloat = 125.0
    softening: PositiveFloat = 0.01
    box_size: PositiveFloat = 6.5
    minimum_distance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.4
    velocity_scale: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 10.0
    mass_range: Annotated[tuple[PositiveFloat, PositiveFloat], Field(strict=False)] = (0.5, 1.5)
    charge_range: Annotated[tuple[FiniteFloat, FiniteFloat], Field(strict=False)] = (-1.0, 1.0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in ("mass_range", "charge_range"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: expected the smaller value first, found {[low, high]}")
        # Discs of half the minimum distance; random placement jams well before 0.45 of the area.
        diameter = self.minimum_distance / (self.box_size + self.minimum_distance)
        if self.num_particles * math.pi * (diameter / 2) ** 2 > 0.45:
            raise ValueError(
                f"minimum_distance: {self.num_particles} particles at least "
                f"{self.minimum_distance} apart do not fit into a square of side {self.box_size}"
            )
        return self


class SimulationConfig(_Section):
    """How a data set is simulated (thesis section 4.1): [1000, 25, 4] for 100 / 20 / 20 systems.

    Args:
        num_train, num_validation, num_test: simulations in each split.
        num_steps: velocity Verlet steps of each simulation.
        time_step: dt, in units of time.
        keep_every: steps from one stored frame to the next.
        seed: of the initial states.

    Raises:
        ValueError: a value is out of its range, or `keep_every` does not divide `num_steps`.

    Example:
        >>> SimulationConfig(num_test=5).splits
        {'train': 100, 'validation': 20, 'test': 5}
    """

    num_train: PositiveInt = 100
    num_validation: PositiveInt = 20
    num_test: PositiveInt = 20
    num_steps: PositiveInt = 1_000_000
    time_step: PositiveFloat = 1e-7
    keep_every: PositiveInt = 1000
    seed: Seed = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.num_steps % self.keep_every:
            raise ValueError(
                f"keep_every: expected a divisor of num_steps = {self.num_steps}, "
                f"found {self.keep_every}"
            )
        return self

    @property
    def splits(self) -> dict[str, int]:
        """Number of simulations in each split, in the order in which they are numbered."""
        return {
            "train": self.num_train,
            "validation": self.num_validation,
            "test": self.num_test,
        }


class DataConfig(_Section):
    """How trajectories become samples (thesis section 4.3).

    Args:
        subsample: every how many frames one is kept.
        num_phases: subsampled sequences made of one trajectory; they start at different frames.
        input_steps: T, frames that the model sees.
        target_steps: T', frames that it predicts.
        window_shift: kept frames from the start of one window to the start of the next.
        num_rotations: randomly rotated samples made of one window; 0 gives every window once, not
            rotated.
        time_reversal: whether half of a training's samples run backwards, at random.

    Raises:
        ValueError: a value is out of its range, or there are more phases than first frames.

    Example:
        >>> DataConfig(num_rotations=0).phase_offsets
        (0, 4, 8, 12, 16)
    """

    subsample: PositiveInt = 20
    num_phases: PositiveInt = 5
    input_steps: Annotated[int, Field(ge=2, lt=2**63)] = 5
    target_steps: PositiveInt = 30
    window_shift: PositiveInt = 5
    num_rotations: Annotated[int, Field(ge=0, lt=2**63)] = 10
    time_reversal: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.num_phases > self.subsample:
            raise ValueError(
                f"num_phases: expected at most subsample = {self.subsample} different first "
                f"frames, found {self.num_phases}"
            )
        return self

    @property
    def window(self) -> int:
        """Frames in one sample, T + T'."""
        return self.input_steps + self.target_steps

    @property
    def phase_offsets(self) -> tuple[int, ...]:
        """First frames of the subsampled sequences, evenly spread over one subsampling step."""
        return tuple(phase * self.subsample // self.num_phases for phase in range(self.num_phases))

    @property
    def minimum_frames(self) -> int:
        """Frames that a trajectory needs for at least one window at every phase offset."""
        last_offset = (self.num_phases - 1) * self.subsample // self.num_phases
        return last_offset + (self.window - 1) * self.subsample + 1


class ModelConfig(_Section):
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
    grid_cells: Annotated[int, Field(ge=2, le=256)] = 32
    grid_sizes: Annotated[tuple[PositiveFloat, ...], Field(strict=False)] = (
        11.0,
        5.5,
        2.75,
        1.375,
    )
    distance_filter: bool = True
    filters: Annotated[tuple[PositiveInt, ...], Field(min_length=1, strict=False)] = (16, 16, 32)
    kernel_size: PositiveInt = 4
    downsampling: Literal["stride", "max", "average"] = "stride"
    prediction: Literal["position", "displacement", "acceleration"] = "position"
    distribution: Literal["gaussian", "mixture", "correlated_mixture"] = "gaussian"
    num_components: PositiveInt = 5
    feedback: Literal["mean", "most_likely", "sample"] = "mean"
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


class SequenceModelConfig(_Section):
    """The baseline of the thesis' first experiment (section 3.3): `kind = "sequence_lstm"`.

    Args:
        kind: of network.
        mlp_units: widths of the MLP that reads frames; that which writes them has them in reverse.
        lstm_units: widths of the stacked LSTMs.
        dropout: rate, after every hidden layer.
        length_scale: length in units of which positions are read and written.

    Raises:
        ValueError: a value is out of its range.

    Example:
        >>> SequenceModelConfig(kind="sequence_lstm", length_scale=30.0).lstm_units
        (256, 256)
    """

    kind: Literal["sequence_lstm"]
    mlp_units: Annotated[tuple[PositiveInt, ...], Field(min_length=1, strict=False)] = (256,)
    lstm_units: Annotated[tuple[PositiveInt, ...], Field(min_length=1, strict=False)] = (256, 256)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    length_scale: PositiveFloat = 1.0


class InteractionModelConfig(_Section):
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
    grid_sizes: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, strict=False)] = (
        11.0,
        5.5,
        2.75,
        1.375,
    )
    grid_cells: Annotated[int, Field(ge=2, le=256)] = 16
    shared_table: bool = False
    interpolation: Literal["linear", "nearest"] = "linear"
    units: Annotated[int, Field(ge=0, lt=2**63)] = 32
    channels: PositiveInt = 8
    hidden_units: PositiveInt = 32
    substeps: PositiveInt = 8
    gate: bool = True
    linear_path: bool = True
    residual_correction: bool = True
    memory_in_law: bool = True
    distribution: Literal["student_t", "gaussian", "mixture", "correlated_mixture"] = "student_t"
    num_components: PositiveInt = 5
    feedback: Literal["mean", "most_likely", "sample"] = "mean"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.minimum_distance >= self.cutoff:
            raise ValueError(
                f"minimum_distance: expected less than cutoff = {self.cutoff}, "
                f"found {self.minimum_distance}"
            )
        return self


def _kind_of(model: Any) -> Any:
    """What `[model]` says it describes; whatever is no table is left to the validation."""
    if isinstance(model, dict):
        return model.get("kind", "social_lstm")
    return getattr(model, "kind", "social_lstm")


KINDS: dict[str, type[_Section]] = {
    "social_lstm": ModelConfig,
    "sequence_lstm": SequenceModelConfig,
    "interaction_lstm": InteractionModelConfig,
}
AnyModelConfig = Annotated[
    Annotated[ModelConfig, Tag("social_lstm")]
    | Annotated[SequenceModelConfig, Tag("sequence_lstm")]
    | Annotated[InteractionModelConfig, Tag("interaction_lstm")],
    Discriminator(
        _kind_of,
        custom_error_type="kind",
        custom_error_message=f"kind: expected one of {', '.join(KINDS)}",
    ),
]


class PhaseConfig(_Section):
    """One phase of a training, `[[training.phases]]`; what is absent is as `[training]` has it.

    Args:
        feedback: what is the next step's input: `"truth"` (teacher forcing: every frame is a
            target, and densities become conditional on the one before), or in closed loop the
            `"mean"`, the mean of the `"most_likely"` component, or a `"sample"`; as `[model]` says
            if absent.
        window: frames of one sample, given and predicted; T + T' if absent.
        epochs: at most so many.
        patience: epochs without improvement after which the phase ends.
        learning_rate: at its beginning.
        decay: how it falls to a hundredth until the last epoch: not at all or as a `"cosine"`.
        loss: `"negative_log_likelihood"`; `"student_t"`, the error of the predicted mean on the
            scale of a Student-t distribution, of which outliers are a part; or `"energy_score"` of
            futures that are drawn, with `feedback = "sample"`.
        error_scale: scale of `"student_t"`, in units of the typical change of displacements.
        exponents: of distances in `"energy_score"`; see `EnergyScore`.
        fairness: likewise.
        num_samples: futures of each past for `"energy_score"`; time grows with them, and memory,
            though less where the law is frozen.
        frozen: names of layers that are not trained.
        substeps: of the integration in this phase, for models that have one.

    Raises:
        ValueError: a value is out of its range.

    Example:
        >>> PhaseConfig(feedback="truth", window=8, epochs=10).decay
        'none'
    """

    feedback: Literal["truth", "mean", "most_likely", "sample"] | None = None
    window: Annotated[int, Field(ge=3, lt=2**63)] | None = None
    epochs: PositiveInt | None = None
    patience: PositiveInt | None = None
    learning_rate: PositiveFloat | None = None
    decay: Literal["none", "cosine"] = "none"
    loss: Literal["negative_log_likelihood", "student_t", "energy_score"] = (
        "negative_log_likelihood"
    )
    error_scale: PositiveFloat = 0.03
    exponents: Annotated[tuple[Exponent, ...], Field(strict=False, min_length=1)] = (1.0,)
    fairness: Annotated[float, Field(ge=0, le=1)] = 1.0
    num_samples: Annotated[int, Field(ge=2, lt=2**31)] = 4
    frozen: Annotated[tuple[str, ...], Field(strict=False)] = ()
    substeps: PositiveInt | None = None


class TrainingConfig(_Section):
    """The fit (thesis section 4.5): Nadam, early stopping after 4 epochs without improvement.

    Args:
        batch_size: B, samples per training step.
        epochs: at most so many.
        patience: epochs without improvement of the validation loss after which training stops.
        learning_rate, beta_1, beta_2, epsilon: of the Nadam optimizer.
        gradient_clip_norm: largest norm of all gradients together; not clipped if absent.
        seed: of initial weights, order of samples and rotations.
        device: `"cpu"`, `"gpu"`, or `"auto"`: a GPU where there is one.
        replicas: devices of that kind, each of which computes an equal part of every batch. What
            comes out is the same as with one device, up to rounding and random numbers.
        precision: of the layers' arithmetic. Half precisions are mixed ones: weights, positions,
            distributions and losses stay float32.
        jit_compile: whether XLA compiles the training step.
        backup_every: training steps from one backup to the next; an interruption costs no more.
        phases: one after the other, each from the best weights of the one before; without any,
            there is one, of which all of the above is true.

    Raises:
        ValueError: a value is out of its range.

    Example:
        >>> TrainingConfig(epochs=5).patience
        4
    """

    batch_size: PositiveInt = 32
    epochs: PositiveInt = 50
    patience: PositiveInt = 4
    learning_rate: PositiveFloat = 0.001
    beta_1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    beta_2: Annotated[float, Field(ge=0, lt=1)] = 0.999
    epsilon: PositiveFloat = 1e-7
    gradient_clip_norm: PositiveFloat | None = None
    seed: Seed = 0
    device: Literal["auto", "cpu", "gpu"] = "auto"
    replicas: PositiveInt = 1
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit_compile: bool = False
    backup_every: PositiveInt = 100
    phases: Annotated[tuple[PhaseConfig, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.batch_size % self.replicas:
            raise ValueError(
                f"batch_size: expected a multiple of replicas = {self.replicas}, "
                f"found {self.batch_size}"
            )
        # Each device would find its own gradients finite or not, and scale its loss by itself.
        if self.replicas > 1 and self.precision == "mixed_float16":
            raise ValueError(
                "precision: expected float32 or mixed_bfloat16 for replicas = "
                f"{self.replicas}, found mixed_float16"
            )
        return self

    @property
    def schedule(self) -> tuple[PhaseConfig, ...]:
        """The phases with nothing absent but `feedback`, `window` and `substeps`; at least one."""
        common = {name: getattr(self, name) for name in ("epochs", "patience", "learning_rate")}
        return tuple(
            phase.model_copy(
                update={name: value for name, value in common.items() if not getattr(phase, name)}
            )
            for phase in self.phases or (PhaseConfig(),)
        )


class SearchConfig(_Section):
    """A search for better hyperparameters than those of `[model]` and `[training]`.

    Args:
        epochs: of each trial, at most; as many as `[training]` says if absent.
        minutes: that a trial may train, at most; what it has reached by then counts.
        memory_gib: that a trial may need, in GiB; what is available if absent. One that is
            estimated to need more is refused before it starts.
        model, training: by key of `[model]` and `[training]`, which values to try (see
            `socialmd.search_space`).

    Raises:
        ValueError: a value is out of its range, or nothing is varied.

    Example:
        >>> units = {"minimum": 32, "maximum": 256, "step": 32}
        >>> SearchConfig(model={"units": units}).entries["model.units"].examples
        (32, 256)
    """

    epochs: PositiveInt | None = None
    minutes: PositiveFloat | None = None
    memory_gib: PositiveFloat | None = None
    model: dict[str, Any] = {}
    training: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.entries:
            raise ValueError("expected keys of [model] or [training] to vary, found none")
        return self

    @property
    def entries(self) -> dict[str, Entry]:
        """What is varied, by `"table.key"`."""
        return {
            f"{table}.{key}": parse_entry(f"{table}.{key}", value)
            for table in ("model", "training")
            for key, value in getattr(self, table).items()
        }


class ExperimentConfig(_Section):
    """Everything that defines an experiment; one attribute per table of the file.

    Args:
        system, simulation, data, model, training: the tables; each has defaults.
        search: what a search varies; absent where none is meant.

    Raises:
        ValueError: a table is not valid, or the search varies a key that does not exist or tries
            a value that it cannot have.

    Example:
        >>> ExperimentConfig(model={"prediction": "acceleration"}).model.units
        128
    """

    system: ManyBodySystem = ManyBodySystem()
    simulation: SimulationConfig = SimulationConfig()
    data: DataConfig = DataConfig()
    model: AnyModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    search: SearchConfig | None = None

    @model_validator(mode="after")
    def _check_phases(self) -> Self:
        for number, phase in enumerate(self.training.phases):
            name = f"training.phases.{number}"
            least = 3 if phase.feedback == "truth" else self.data.input_steps + 1
            if phase.window and not least <= phase.window <= self.data.window:
                raise ValueError(
                    f"{name}.window: expected {least} to {self.data.window}, found {phase.window}"
                )
            _check_samples(name, phase, self.model)
            if phase.substeps and not hasattr(self.model, "substeps"):
                raise ValueError(
                    f"{name}.substeps: expected none for model.kind = {self.model.kind}, "
                    f"found {phase.substeps}"
                )
        return self

    @model_validator(mode="after")
    def _check_search(self) -> Self:
        for name, entry in {} if self.search is None else self.search.entries.items():
            table, key = name.split(".", 1)
            _check_entry(name, entry, key, getattr(self, table))
        return self

    def check_simulation(self) -> None:
        """Refuse to simulate a data set that the rest of the experiment cannot use.

        Not part of the validation, because trajectories may come from elsewhere.

        Raises:
            ValueError: the grids are much wider than the systems, or the simulations too short.
        """
        widest = max(getattr(self.model, "grid_sizes", ()), default=0.0)
        if widest > 4 * self.system.box_size:
            raise ValueError(
                "model.grid_sizes: expected sides of at most four times system.box_size = "
                f"{self.system.box_size}, found {widest}; its cells would be mostly empty"
            )
        frames = self.simulation.num_steps // self.simulation.keep_every
        if frames < self.data.minimum_frames:
            raise ValueError(
                f"simulation.num_steps: one window of {self.data.window} frames, every "
                f"{self.data.subsample}th kept, needs {self.data.minimum_frames} frames, "
                f"found {frames}"
            )


def load_config(path: str | Path) -> ExperimentConfig:
    """Read and validate an experiment's TOML file.

    Args:
        path: the file.

    Returns:
        The configuration, with the default for everything that the file leaves out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no TOML, has an unknown key or an impossible value. The message names
            the file and, for every fault, key, expectation and value found.

    Example:
        >>> config = load_config("models/thesis.toml")
        >>> config.model.grid_sizes
        (11.0, 5.5, 2.75, 1.375)
    """
    text = read_text(path)
    if not text.strip():
        raise ValueError(f"{path}: expected a configuration, found an empty file")
    try:
        return ExperimentConfig.model_validate(tomllib.loads(text))
    except ValidationError as error:
        faults = "\n".join(f"  {_describe(fault)}" for fault in error.errors())
        raise ValueError(f"{path}: not a valid configuration:\n{faults}") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not a TOML file: {error}") from None


def save_config(
    config: ExperimentConfig, path: str | Path, tables: Collection[str] | None = None
) -> None:
    """Write the resolved configuration, every key spelled out, as a TOML file.

    Args:
        config: the configuration.
        path: the file; `load_config` reads it back to an equal configuration.
        tables: names of those to write; all if none are given.

    Raises:
        OSError: the file cannot be written; nothing is left behind then.
    """
    include = None if tables is None else set(tables)
    content = config.model_dump(mode="json", exclude_none=True, include=include)
    write_atomically(path, lambda file: tomli_w.dump(content, file))


def _describe(fault: ErrorDetails) -> str:
    # Pydantic names the member of a union as if it were a table.
    location = [part for part in fault["loc"] if part not in KINDS]
    key = ".".join(str(part) for part in location)
    if fault["type"] == "extra_forbidden":
        known = ", ".join(_known_keys(fault["loc"]))
        return f"{key}: unknown key, expected one of {known}, found {fault['input']!r}"
    if fault["type"] == "value_error":  # written in this module: names key and value already
        message = str(fault["ctx"]["error"])
        return message if not key else f"{key}.{message}"
    if fault["type"] == "kind":
        return f"{key}.{fault['msg']}, found {fault['input']['kind']!r}"
    if fault["type"] == "model_type":
        return f"{key}: expected a table, found {fault['input']!r}"
    return f"{key}: {fault['msg'].lower()}, found {fault['input']!r}"


def _check_samples(name: str, phase: PhaseConfig, model: AnyModelConfig) -> None:
    """Refuse a phase whose loss and feedback do not go together, or are not for this model."""
    of_model = getattr(model, "feedback", "mean")
    feedback = phase.feedback or of_model
    if phase.loss == "energy_score" and feedback != "sample":
        raise ValueError(
            f'{name}.loss: expected feedback = "sample" beside energy_score, found {feedback!r}'
        )
    if model.kind == "interaction_lstm":
        if feedback == "sample" and phase.loss != "energy_score":
            raise ValueError(
                f'{name}.loss: expected energy_score beside feedback = "sample", found '
                f"{phase.loss!r}"
            )
    elif feedback == "sample" and of_model != "sample":
        raise ValueError(
            f'{name}.feedback: expected model.feedback = "sample" beside it, found {of_model!r}'
        )


def _check_entry(name: str, entry: Entry, key: str, section: _Section) -> None:
    """Refuse to try what the key of a section cannot be.

    Whether it goes with all other values that are tried is seen in each trial.
    """
    for example in entry.examples:
        table = section.model_dump(exclude={"kind"})
        try:
            set_value(table, key, [example] if entry.is_list else example)
        except LookupError as error:
            raise ValueError(f"search.{name}: unknown key, expected one of {error}") from None
        try:
            section.model_validate(table)
        except ValidationError as error:
            for fault in error.errors():
                if f"{'.'.join(map(str, fault['loc']))}.".startswith(f"{key}."):
                    message = fault["msg"].lower()
                    raise ValueError(f"search.{name}: {message}, found {example!r}") from None


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Keys of the table in which `location` points to an unknown one."""
    table: Any = ExperimentConfig
    for part in location[:-1]:
        annotation = table.model_fields[part].annotation if str(part) not in KINDS else None
        tables = (KINDS.get(str(part)), annotation, *get_args(annotation))  # `search` may be None
        table = next(each for each in tables if hasattr(each, "model_fields"))
    return list(table.model_fields)
