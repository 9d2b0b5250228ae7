"""`[training]`: the fit."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from socialmd.config.phase_config import PhaseConfig
from socialmd.config.section import (
    ConfigSection,
    Fraction,
    Listed,
    PositiveFloat,
    PositiveInt,
    Seed,
)

__all__ = ["TrainingConfig"]


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
