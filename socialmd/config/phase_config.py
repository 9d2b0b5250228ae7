"""`[[training.phases]]`: one phase of a training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from socialmd.config.section import (
    ConfigSection,
    Integer,
    Listed,
    NonEmpty,
    PositiveFloat,
    PositiveInt,
)
from socialmd.config.social_lstm_config import Feedback

__all__ = ["PhaseConfig"]

Exponent = Annotated[float, Field(gt=0, lt=2)]


class PhaseConfig(ConfigSection):
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
    exponents: NonEmpty[Exponent] = (1.0,)
    fairness: Annotated[float, Field(ge=0, le=1)] = 1.0
    num_samples: Annotated[int, Field(ge=2, lt=2**31)] = 4
    frozen: Listed[tuple[str, ...]] = ()
    substeps: PositiveInt | None = None
