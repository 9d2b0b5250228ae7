"""Closed loops: what of a predicted distribution becomes the next input, and the loop itself."""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from socialmd import distributions
from socialmd.types import States, Tensor

__all__ = ["FEEDBACKS", "check_feedback", "feed_back", "run_loop"]

FEEDBACKS = ("mean", "most_likely", "sample")


def check_feedback(feedback: str) -> None:
    """Refuse what is none of `FEEDBACKS`."""
    if feedback not in FEEDBACKS:
        raise ValueError(f"feedback: expected one of {FEEDBACKS}, found {feedback!r}")


def feed_back(
    distribution: distributions.Distribution,
    parameters: Tensor,
    feedback: str,
    seed: Tensor,
    step: Tensor,
) -> Tensor:
    """The next step's positions [..., D], from parameters [..., P].

        "mean"          of the predicted distribution. Of all points it is the one of least expected
                        squared error, it moves smoothly with the weights, and it is the same
                        whenever it is computed: the default.
        "most_likely"   mean of the mixture's component of largest weight. Never lies between two
                        ways that a particle may go, but jumps where two weights are equal.
        "sample"        one draw, in training another one in every step. Even then a likelihood asks
                        each step's density for that of the step given the past alone, whatever was
                        drawn before. Losses of futures (`EnergyScore`) ask for trajectories.

    The seed of draws and the step ahead are integers or tensors; every step draws afresh.
    """
    if feedback == "mean":
        return distribution.mean(parameters)
    if feedback == "most_likely":
        return distribution.most_likely_mean(parameters)
    seed_of_step = distributions.stateless_seed(seed, step)
    return distribution.from_parameters(parameters).sample(seed=seed_of_step)


def run_loop(
    advance: Callable[[States, Tensor], States], start: States, inputs: Tensor
) -> tuple[States, States]:
    """Apply `advance(state, input)` to each of [T, ...] inputs: the last state, and all, [T, ...].

    On TensorFlow, `ops.scan` collects only outputs that are structured as the carry is.
    """
    return ops.scan(lambda state, each: (advance(state, each),) * 2, start, inputs)
