"""The verdict on a forecast: whether it is better than those that it has to beat."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from socialmd.evaluation.forecast_metrics import ForecastMetrics
from socialmd.types import FloatArray

__all__ = ["ErrorDifference", "Verdict", "comparison"]

MIN_SIMULATIONS = 5
LEVEL = 0.95
Outcome = Literal["lower", "higher", "cannot be told", "too few simulations"]
COMPARED: dict[Outcome, str] = {
    "lower": "better than",
    "higher": "behind",
    "cannot be told": "not clearly better or worse than",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ErrorDifference:
    """Error of a forecast beside a rival's, and an interval of the difference over simulations.

    Simulations are independent; windows, steps and particles of one are not. Both forecasts are of
    the same ones. With d_s the difference of their errors in simulation s of S, the interval is
    that of the paired t-test [1], as it is used to compare forecasts [2]:

        mean(d) -+ t(0.975, S - 1) std(d) / sqrt(S)

    Every simulation counts the same. Where they have different numbers of windows or particles,
    errors differ a little from those that `ForecastMetrics` takes over all of them at once.

    Args:
        rival: name of the other forecast.
        error, rival_error: means over simulations, in units of length.
        interval: of the difference, 95 %; `None` for fewer than five simulations.
        num_simulations: S.
        outcome: the error is `"lower"` or `"higher"` than the rival's, if all of the interval is,
            or else it `"cannot be told"`; or there are `"too few simulations"`.

    #### References
    [1] Student, The probable error of a mean, Biometrika 6, 1-25, 1908.
    [2] F. X. Diebold and R. S. Mariano, Comparing predictive accuracy, Journal of Business &
    Economic Statistics 13, 253-263, 1995.
    """

    rival: str
    error: float
    rival_error: float
    interval: tuple[float, float] | None
    num_simulations: int
    outcome: Outcome

    @classmethod
    def from_errors(cls, errors: ArrayLike, rival_errors: ArrayLike, rival: str) -> Self:
        """Compare two forecasts by their errors [S] in the same simulations, or a ValueError."""
        ours, theirs = np.asarray(errors, np.float64), np.asarray(rival_errors, np.float64)
        count = len(ours)
        if len(theirs) != count:
            raise ValueError(f"{rival}: expected {count} simulations, found {len(theirs)}")
        interval = _interval(ours - theirs)
        return cls(
            rival=rival,
            error=float(ours.mean()),
            rival_error=float(theirs.mean()),
            interval=interval,
            num_simulations=count,
            outcome=_outcome(interval),
        )

    def __str__(self) -> str:
        """The numbers in words."""
        text = f"{self.error:.4g} against {self.rival_error:.4g}"
        if self.rival_error:
            ratio = self.error / self.rival_error
            text += f", {ratio:.{2 if ratio < 10 else 0}f} times as large"
        if self.interval is not None:
            low, high = self.interval
            text += (
                f" ({100 * LEVEL:.0f} % interval of the difference over {self.num_simulations} "
                f"simulations: {low:.3g} to {high:.3g})"
            )
        return text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a model beats the best baseline; `dataclasses.asdict` makes JSON of it.

    The best baseline is the one of the lowest error in these very simulations, which favours the
    baselines a little. The interval of a step is for that step alone: where there is no difference
    at all, one step of twenty, on average, seems to show one.

    Args:
        overall: mean absolute errors over all steps, beside those of the best baseline.
        median: the same of median absolute errors, which close encounters hardly change.
        by_step: mean absolute errors at each step, beside those of the best baseline there, [T'].
        sentence: all of this in words.

    Example:
        >>> verdict = Verdict.from_metrics(metrics, "model", ["constant velocity"])
        >>> verdict.overall.rival, verdict.overall.outcome
        ('constant velocity', 'higher')
        >>> print(verdict.sentence)
        model does not beat constant velocity, the best baseline: do not use it. MAE 0.086 against
        0.001, 86 times as large (95 % interval of the difference over 20 simulations: 0.07 to 0.1).
        By step, against the best baseline at each: behind constant velocity at steps 1 to 30.
    """

    overall: ErrorDifference
    median: ErrorDifference
    by_step: list[ErrorDifference]
    sentence: str

    @classmethod
    def from_metrics(
        cls, metrics: Mapping[str, ForecastMetrics], name: str, baselines: Sequence[str]
    ) -> Self:
        """Compare a model with its baselines.

        Args:
            metrics: by name of the forecast, all of the same windows.
            name: of the model.
            baselines: forecasts that it has to beat, as far as they were measured; not one that
                knows what the model has to learn.

        Raises:
            ValueError: no baseline was measured, or one on other simulations than the model.
        """
        rivals = [baseline for baseline in baselines if baseline in metrics]
        if not rivals:
            raise ValueError(f"baselines: expected some of {', '.join(metrics)}, found {baselines}")
        of = {each: metrics[each] for each in (name, *rivals)}
        overall = _against_best({each: of[each].mae_per_simulation for each in of})
        median = _against_best({each: of[each].median_error_per_simulation for each in of})
        steps = (np.transpose(each.mae_per_simulation_and_step) for each in of.values())  # [T', S]
        by_step = [
            _against_best(dict(zip(of, each, strict=True))) for each in zip(*steps, strict=True)
        ]
        sentences = [_headline(name, overall, is_baseline=True)]
        if overall.outcome != "too few simulations":
            sentences.append(_steps_in_words(by_step))
            if median.outcome != overall.outcome:
                sentences.append(
                    "The median error of a simulation tells another story, "
                    f"{COMPARED[median.outcome]} {median.rival}: {median}."
                )
        return cls(overall=overall, median=median, by_step=by_step, sentence=" ".join(sentences))


def comparison(metrics: Mapping[str, ForecastMetrics], name: str, rival: str) -> str:
    """One sentence that says whether a model is better than another, which is no baseline.

    Args:
        metrics: by name of the forecast, both of the same windows.
        name, rival: the model in question, and the other one.

    Raises:
        ValueError: they were measured on different numbers of simulations.

    Example:
        >>> comparison(metrics, "large", "small")
        'large beats small: MAE 0.183 against 0.195, 0.94 times as large (95 % interval ...).'
    """
    ours, theirs = (metrics[each].mae_per_simulation for each in (name, rival))
    return _headline(name, ErrorDifference.from_errors(ours, theirs, rival), is_baseline=False)


def _against_best(errors: Mapping[str, ArrayLike]) -> ErrorDifference:
    """The first forecast beside the best of the others; errors [S] by name."""
    (_, ours), *rivals = errors.items()
    differences = [ErrorDifference.from_errors(ours, theirs, rival) for rival, theirs in rivals]
    return min(differences, key=lambda each: each.rival_error)


def _headline(name: str, difference: ErrorDifference, is_baseline: bool) -> str:
    rival = difference.rival + (", the best baseline" if is_baseline else "")
    count = difference.num_simulations
    verdict = {
        "lower": f"{name} beats {rival}:",
        "higher": f"{name} does not beat {rival}{': do not use it.' if is_baseline else ':'}",
        "cannot be told": f"It cannot be told whether {name} beats {rival}:",
        "too few simulations": (
            f"{count} simulation{' is' if count == 1 else 's are'} too few to tell whether {name} "
            f"beats {rival}:"
        ),
    }
    return f"{verdict[difference.outcome]} MAE {difference}."


def _steps_in_words(by_step: Sequence[ErrorDifference]) -> str:
    """The steps of each outcome and best baseline."""
    steps: dict[str, list[int]] = {}
    for step, each in enumerate(by_step, start=1):
        steps.setdefault(f"{COMPARED[each.outcome]} {each.rival}", []).append(step)
    parts = [f"{outcome} at {_ranges(numbers)}" for outcome, numbers in steps.items()]
    return f"By step, against the best baseline at each: {', '.join(parts)}."


def _ranges(steps: Sequence[int]) -> str:
    """[1, 2, 3, 7] -> "steps 1 to 3 and 7"."""
    runs = np.split(steps, np.flatnonzero(np.diff(steps) > 1) + 1)
    *others, last = (f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"step{'s' if len(steps) > 1 else ''} {listed}"


def _interval(differences: FloatArray) -> tuple[float, float] | None:
    """Confidence interval of the mean, [S]."""
    if len(differences) < MIN_SIMULATIONS:
        return None
    count, mean = len(differences), differences.mean()
    half = stdtrit(count - 1, (1 + LEVEL) / 2) * differences.std(ddof=1) / np.sqrt(count)
    return float(mean - half), float(mean + half)


def _outcome(interval: tuple[float, float] | None) -> Outcome:
    if interval is None:
        return "too few simulations"
    low, high = interval
    return "lower" if high < 0 else "higher" if low > 0 else "cannot be told"
