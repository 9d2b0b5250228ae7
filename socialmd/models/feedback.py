"""What of a predicted distribution becomes the next step's input."""

from __future__ import annotations

from socialmd import distributions
from socialmd.types import Tensor

__all__ = ["FEEDBACKS", "check_feedback", "check_samples", "feed_back"]

FEEDBACKS = ("mean", "most_likely", "sample")


def check_feedback(feedback: str) -> None:
    """Refuse what is none of `FEEDBACKS`.

    Raises:
        ValueError: it is not.
    """
    if feedback not in FEEDBACKS:
        raise ValueError(f"feedback: expected one of {FEEDBACKS}, found {feedback!r}")


def check_samples(num_samples: int | None, feedback: str, recalibrated: bool) -> None:
    """Refuse to draw futures without drawing, or to recalibrate a single one.

    Raises:
        ValueError: arguments contradict each other.
    """
    if num_samples is not None and (
        num_samples < 1 or num_samples != int(num_samples) or feedback != "sample"
    ):
        raise ValueError(
            'num_samples: expected at least 1, and whole, and feedback="sample", found '
            f"{num_samples} and {feedback!r}"
        )
    if recalibrated and feedback == "sample" and (num_samples or 1) < 2:
        raise ValueError(
            'recalibrated: expected num_samples of at least 2 with feedback="sample", since '
            f"futures move about their mean, found {num_samples}"
        )


def feed_back(
    distribution: distributions.Distribution,
    parameters: Tensor,
    feedback: str,
    seed: Tensor,
    step: Tensor,
) -> Tensor:
    """The next step's positions.

        "mean"          of the predicted distribution. Of all points it is the one of least expected
                        squared error, it moves smoothly with the weights, and it is the same
                        whenever it is computed: the default.
        "most_likely"   mean of the mixture's component of largest weight. Never lies between two
                        ways that a particle may go, but jumps where two weights are equal.
        "sample"        one draw, in training another one in every step. Even then a likelihood asks
                        each step's density for that of the step given the past alone, whatever was
                        drawn before. Losses of futures (`EnergyScore`) ask for trajectories.

    Args:
        distribution: whose parameters they are.
        parameters: [..., P].
        feedback: one of the above.
        seed: of draws, integer; may be a tensor.
        step: steps ahead, likewise, so that every step draws afresh.

    Returns:
        Positions, [..., 2].
    """
    if feedback == "mean":
        return distribution.mean(parameters)
    if feedback == "most_likely":
        return distribution.most_likely_mean(parameters)
    seed_of_step = distributions.stateless_seed(seed, step)
    return distribution.from_parameters(parameters).sample(seed=seed_of_step)
