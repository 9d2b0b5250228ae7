"""`[training]`: the fit, and `[[training.phases]]`, the parts of it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from socialmd.config.model_config import Feedback
from socialmd.config.section import (
    ConfigSection,
    Fraction,
    Integer,
    Listed,
    NonEmpty,
    PositiveFloat,
    PositiveInt,
    Seed,
)

__all__ = ["PhaseConfig", "TrainingConfig"]


class PhaseConfig(ConfigSection):
    """One phase of a training, `[[training.phases]]`; what is absent is as `[training]` has it.

    Args:
        feedback: what is the next step's input: `"truth"` (teacher forcing: every frame is a
            target, and densities become conditional on the one before), or in closed loop the
            `"mean"`, the mean of the `"most_likely"` component, or a `"sample"`; as `[model]` says
            if absent.
        window: frames of one sample, given and predicted; T + T' if absent.
        epochs, patience: as of `TrainingConfig`.
        learning_rate: at its beginning.
        decay: how it falls to a hundredth until the last epoch: not at all or as a `"cosine"`.
        loss: `"negative_log_likelihood"`; `"student_t"`, the error of the predicted mean on the
            scale of a Student-t distribution, of which outliers are a part; or `"energy_score"` of
            futures that are drawn, with `feedback = "sample"`.
        error_scale: scale of `"student_t"`, in units of the typical change of displacements.
        exponents, fairness: of `"energy_score"` (see `EnergyScore`).
        num_samples: futures of each past for `"energy_score"`; time grows with them, and memory,
            though less where the law is frozen.
        frozen: names of layers that are not trained.
        substeps: of the integration in this phase, for models that have one.

    Example:
        >>> PhaseConfig(feedback="truth", window=8, epochs=10).decay
        'none'
    """

    feedback: Literal["truth", Feedback] | None = None
    window: Annotated[Integer, Field(ge=3)] | None = None
    epochs: PositiveInt | None = None
    patience: PositiveInt | None = None
    learning_rate: PositiveFloat | None = None
    decay: Literal["none", "cosine"] = "none"
    loss: Literal["negative_log_likelihood", "student_t", "energy_score"] = (
        "negative_log_likelihood"
    )
    error_scale: PositiveFloat = 0.03
    exponents: NonEmpty[Annotated[float, Field(gt=0, lt=2)]] = (1.0,)
    fairness: Annotated[float, Field(ge=0, le=1)] = 1.0
    num_samples: Annotated[int, Field(ge=2, lt=2**31)] = 4
    frozen: Listed[tuple[str, ...]] = ()
    substeps: PositiveInt | None = None


class TrainingConfig(ConfigSection):
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
        jit_compile: whether XLA compiles the training step, which takes longer than building a
            graph, for each shape of a batch anew. All particles are then compared with all.
        backup_every: training steps from one backup to the next; an interruption costs no more.
        phases: one after the other, each from the best weights of the one before; without any,
            there is one, of which all of the above is true.

    Raises:
        ValueError: a value is out of its range, or replicas do not go with batches, precision or
            XLA.

    Example:
        >>> TrainingConfig(epochs=5).patience
        4
    """

    batch_size: PositiveInt = 32
    epochs: PositiveInt = 50
    patience: PositiveInt = 4
    learning_rate: PositiveFloat = 0.001
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: PositiveFloat = 1e-7
    gradient_clip_norm: PositiveFloat | None = None
    seed: Seed = 0
    device: Literal["auto", "cpu", "gpu"] = "auto"
    replicas: PositiveInt = 1
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit_compile: bool = False
    backup_every: PositiveInt = 100
    phases: Listed[tuple[PhaseConfig, ...]] = ()

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
        if self.replicas > 1 and self.jit_compile:
            raise ValueError(
                f"jit_compile: expected false for replicas = {self.replicas}, found true"
            )
        return self

    @property
    def schedule(self) -> tuple[PhaseConfig, ...]:
        """The phases with nothing absent but `feedback`, `window` and `substeps`; at least one."""
        names = ("epochs", "patience", "learning_rate")
        return tuple(
            phase.model_copy(
                update={name: getattr(phase, name) or getattr(self, name) for name in names}
            )
            for phase in self.phases or (PhaseConfig(),)
        )
