"""Forecasts -> every number of a report."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from socialmd.evaluation import (
    AroundCloseApproaches,
    Calibration,
    Conservation,
    ErrorByClosestApproach,
    ForecastMetrics,
    LearnedInteraction,
    PredictiveDensity,
    SampleMetrics,
    Verdict,
    around_close_approaches,
    closest_approach,
    error_by_closest_approach,
    known_law,
)
from socialmd.evaluation.baselines.simple_forecasts import SIMPLE_FORECASTS
from socialmd.models import ForecastModel
from socialmd.models.recalibration import scale_sigma, scale_spread
from socialmd.reporting.forecasts import Forecasts
from socialmd.reporting.interaction import measure_interaction
from socialmd.simulation import law_of, total_energy

__all__ = ["Measurements", "measure", "sigma_and_error_around"]

LONG = 10  # times T': far beyond what models were trained for
NUM_LONG_WINDOWS = 20
CLOSE = 0.3  # of all particles of all windows, those with the closest approach
AROUND = 1 / 6  # of T', before and after a close approach

Energy = Callable[[Any, Any], NDArray[Any]]


@dataclass
class Measurements:
    """All numbers, by name of the forecast; `to_json` gives them as they are stored.

    Args:
        errors: of all forecasts.
        verdict: of trained models, whether they beat the best of the simple forecasts.
        calibration: of trained models: the densities `"as trained"`, `"recalibrated"` ones, and of
            `"sampled"` futures, whose NLL is that of the mixture of their densities; and of
            `"sampled, recalibrated"` ones, if the model knows how.
        samples: errors of sampled futures, those of recalibrated ones as `"<name>, recalibrated"`.
        conservation: drifts of the forecasts, and of the truth as yardstick.
        long_conservation: the same over ten times T' steps.
        closest_approach: errors by how close particles come to each other.
        around_close_approaches: `"sigma"` and `"error"` of each trained model.
        long_positions: of the long forecasts, [W, 10 T', N, 2]; for pictures, not stored.
        interactions: of the models that have learned one; likewise.
        num_sampled_windows: windows that futures were sampled for.
        left_out: what was not possible, with the reason.
        cautions: what not to trust, by name of the model.
    """

    errors: dict[str, ForecastMetrics]
    verdict: dict[str, Verdict] = field(default_factory=dict)
    calibration: dict[str, dict[str, Calibration]] = field(default_factory=dict)
    samples: dict[str, SampleMetrics] = field(default_factory=dict)
    conservation: dict[str, Conservation] = field(default_factory=dict)
    long_conservation: dict[str, Conservation] = field(default_factory=dict)
    closest_approach: dict[str, ErrorByClosestApproach] = field(default_factory=dict)
    around_close_approaches: dict[str, dict[str, AroundCloseApproaches]] = field(
        default_factory=dict
    )
    long_positions: dict[str, NDArray[Any]] = field(default_factory=dict)
    interactions: dict[str, LearnedInteraction] = field(default_factory=dict)
    num_sampled_windows: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    cautions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What `metrics.json` holds, the errors of all forecasts as `"forecasts"`."""
        tables = dataclasses.asdict(dataclasses.replace(self, long_positions={}, interactions={}))
        del tables["long_positions"], tables["interactions"]
        return {"forecasts": tables.pop("errors"), **tables}


def measure(forecasts: Forecasts, num_samples: int = 20, max_sampled: int = 40) -> Measurements:
    """Measure everything that can be measured.

    Args:
        forecasts: of models and baselines.
        num_samples: S, futures to draw from each model for each past; 0 for none.
        max_sampled: windows to draw them for, evenly spread.

    Returns:
        The numbers.

    Raises:
        ValueError: there is one sample only, of which no spread can be told.
    """
    if num_samples == 1 or num_samples < 0:
        raise ValueError(f"num_samples: expected 0, or at least 2, found {num_samples}")
    of_particles = forecasts.of_particles()
    windows = of_particles.windows
    log_probabilities = {
        name: keras.ops.convert_to_numpy(
            model.distribution(of_particles.parameters[name]).log_prob(windows.truth)
        )
        for name, model in forecasts.models.items()
    }
    result = Measurements(
        errors={
            name: ForecastMetrics.from_arrays(
                windows.truth, positions, log_probabilities.get(name), windows.simulations
            )
            for name, positions in of_particles.positions.items()
        },
        left_out=dict(forecasts.left_out),
    )
    result.verdict = {
        name: Verdict.from_metrics(result.errors, name, SIMPLE_FORECASTS)
        for name in forecasts.models
    }
    _measure_calibration(result, of_particles)
    for name, model in forecasts.models.items():
        interaction = measure_interaction(
            model, forecasts.windows, forecasts.description, forecasts.spacing
        )
        if interaction is not None:
            result.interactions[name] = interaction
    parts: dict[str, Callable[[], None]] = {
        "conservation": lambda: _measure_conservation(result, forecasts),
        "long forecasts": lambda: _measure_long_forecasts(result, forecasts),
        "close approaches": lambda: _measure_close_approaches(result, forecasts),
    }
    if num_samples:
        parts["sampled futures"] = lambda: _measure_samples(
            result, forecasts, num_samples, max_sampled
        )
    for name, measure_part in parts.items():
        try:
            measure_part()
        except (ValueError, FloatingPointError) as error:  # the other parts are worth having
            result.left_out[name] = str(error)
    return result


def sigma_and_error_around(forecasts: Forecasts, name: str) -> dict[str, AroundCloseApproaches]:
    """Predicted `"sigma"` and `"error"` of a model before and after close approaches.

    Those are the closest approaches of the 30 % of all particles, in all windows, that come closest
    to another one; a sixth of T' is looked at on each side.

    Args:
        forecasts: of the model and its windows.
        name: of the model.

    Returns:
        Both per coordinate, in units of length.

    Raises:
        ValueError: no approach has so many steps on each side, or no particle stays away.
    """
    truth = forecasts.windows.truth
    threshold = float(np.quantile(closest_approach(truth)[0], CLOSE))
    half_width = max(1, round(AROUND * truth.shape[1]))
    errors = np.sqrt(np.square(forecasts.positions[name] - truth).mean(axis=-1))  # [W, T', N]
    tiny = np.finfo(np.float32).tiny  # an exact hit has no ratio to what follows
    values = {
        "sigma": _predicted_sigma(forecasts.models[name], forecasts.parameters[name]),
        "error": np.maximum(errors, tiny),
    }
    return {
        quantity: around_close_approaches(series, truth, threshold, half_width)
        for quantity, series in values.items()
    }


def _predicted_sigma(model: ForecastModel, parameters: NDArray[Any]) -> NDArray[Any]:
    """Predicted standard deviation per coordinate, sqrt(trace(Sigma) / 2): [..., P] -> [...]."""
    variance = keras.ops.convert_to_numpy(model.distribution(parameters).variance())
    return np.asarray(np.sqrt(variance.mean(axis=-1)))


def _density(model: ForecastModel, parameters: Any) -> tuple[Any, ...]:
    """Arguments of a `PredictiveDensity`, covariances in float64."""
    log_weights, means, factors = map(keras.ops.convert_to_numpy, model.components(parameters))
    factors = factors.astype(np.float64)
    return log_weights, means, factors @ np.swapaxes(factors, -1, -2)


def _measure_calibration(result: Measurements, forecasts: Forecasts) -> None:
    windows = forecasts.windows
    for name, model in forecasts.models.items():
        parameters = forecasts.parameters[name]
        recalibrated = scale_sigma(model, parameters)
        result.calibration[name] = {
            kind: Calibration.from_density(
                PredictiveDensity(*_density(model, each)), windows.truth, windows.simulations
            )
            for kind, each in (("as trained", parameters), ("recalibrated", recalibrated))
        }


def _measure_samples(
    result: Measurements, forecasts: Forecasts, num_samples: int, max_sampled: int
) -> None:
    count = len(forecasts.windows.truth)
    chosen = np.unique(np.linspace(0, count - 1, max_sampled).round().astype(int))
    windows = forecasts.windows.at(chosen)
    result.num_sampled_windows = len(chosen)
    of_particles = windows.of_particles()
    for name, model in forecasts.models.items():
        if model.reason_against_samples:
            result.cautions[name] = model.reason_against_samples
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "the model holds marginal densities")  # is told
            futures = model.rollout(
                windows.past,
                windows.truth.shape[1],
                "sample",
                seed=0,
                num_samples=num_samples,
                progress=f"{name}, sampled",
            )
        samples, parameters = (
            np.stack([windows.real(future) for future in each]) for each in futures
        )
        density = PredictiveDensity.from_samples(*_density(model, parameters))
        kinds = {"": samples}
        if model.spread_factors is not None:
            kinds[", recalibrated"] = scale_spread(model, samples)
        for suffix, each in kinds.items():
            result.samples[name + suffix] = SampleMetrics.from_samples(each, of_particles.truth)
            result.calibration[name]["sampled" + suffix] = Calibration.from_density(
                density, of_particles.truth, of_particles.simulations, samples=each
            )


def _measure_conservation(result: Measurements, forecasts: Forecasts) -> None:
    windows = forecasts.windows
    _require_masses(forecasts)
    moving = {**forecasts.positions, "truth": windows.truth}
    moving.pop("constant position")  # whose kinetic energy is zero
    energy = _energy(forecasts, windows.inputs)
    result.conservation = {
        name: Conservation.from_arrays(windows.inputs, positions, forecasts.spacing, energy)
        for name, positions in moving.items()
    }


def _measure_long_forecasts(result: Measurements, forecasts: Forecasts) -> None:
    windows = forecasts.windows
    _require_masses(forecasts)
    _, first = np.unique(windows.simulations, return_index=True)
    inputs = windows.inputs[first[:NUM_LONG_WINDOWS]]
    steps = LONG * windows.truth.shape[1]
    positions: dict[str, NDArray[Any]] = {
        name: model.rollout(
            inputs, steps, model.point_feedback, seed=0, progress=f"{name}, {steps} steps"
        )[0]
        for name, model in forecasts.models.items()
    }
    if law := law_of(forecasts.description):
        positions["known law"] = known_law(inputs, steps, law, forecasts.spacing)
    energy = _energy(forecasts, inputs)
    result.long_conservation = {
        name: Conservation.from_arrays(inputs, each, forecasts.spacing, energy)
        for name, each in positions.items()
    }
    result.long_positions = positions


def _require_masses(forecasts: Forecasts) -> None:
    names, frames = forecasts.description.features, forecasts.windows.inputs.shape[1]
    if names[2:3] != ("mass",) or frames < 3:
        raise ValueError(
            "expected mass as the third feature and three frames of past, found "
            f"{', '.join(names)} and {frames}"
        )


def _energy(forecasts: Forecasts, inputs: NDArray[Any]) -> Energy | None:
    """Total energy of frames of these windows, if the law is known."""
    law = law_of(forecasts.description)
    if law is None:
        return None
    masses, charges = inputs[:, -1:, :, 2], inputs[:, -1:, :, 3]  # [W, 1, N]
    return lambda positions, velocities: total_energy(law, positions, velocities, masses, charges)


def _measure_close_approaches(result: Measurements, forecasts: Forecasts) -> None:
    if forecasts.windows.mask is not None:
        raise ValueError("expected systems of equally many particles, found different numbers")
    truth = forecasts.windows.truth
    result.closest_approach = {
        name: error_by_closest_approach(truth, positions)
        for name, positions in forecasts.positions.items()
    }
    result.around_close_approaches = {
        name: sigma_and_error_around(forecasts, name) for name in forecasts.models
    }
