import numpy as np
import pytest

from socialmd.config import ExperimentConfig
from socialmd.data import load_trajectories
from socialmd.data.windows import cut_windows
from socialmd.reporting.forecasts import Forecasts
from socialmd.reporting.measures.conserved_quantities import _energy, _measure_near, _outside
from socialmd.simulation import write_dataset


def make_forecasts(path, **system):
    """The truth alone, of particles tied by springs that are far stiffer than other forces."""
    config = ExperimentConfig.model_validate(
        {
            "system": {
                "num_particles": 4,
                "coulomb_constant": 0.0,
                "gravitational_constant": 0.0,
                "spring_constant": 2e3,
                "spring_probability": 0.8,
                **system,
            },
            "simulation": {
                "num_train": 1,
                "num_validation": 1,
                "num_test": 3,
                "num_steps": 1200,
                "time_step": 1e-5,
                "keep_every": 20,
            },
            "data": {"subsample": 1, "num_phases": 1, "target_steps": 40, "window_shift": 90},
        }
    )
    write_dataset(config, path, progress=False)
    split = load_trajectories(path / "test")
    windows = cut_windows(split, config.data)
    return Forecasts(windows, split.description, 2e-4, {}, {}, {}, {}, {})


def test_energy_of_springs_is_conserved_by_the_truth(tmp_path):
    drift = _measure_near(make_forecasts(tmp_path / "data"))["truth"].energy_drift
    assert np.max(drift[:-1]) < 0.02  # what difference quotients resolve, but for the last


def test_forces_that_are_cut_off_have_no_energy(tmp_path):
    forecasts = make_forecasts(tmp_path / "data", force_limit=10.0)
    assert _energy(forecasts, forecasts.windows.inputs) is None
    assert _measure_near(forecasts)["truth"].energy_drift is None


def test_springs_hold_energy(tmp_path):
    forecasts = make_forecasts(tmp_path / "data")
    energy = _energy(forecasts, forecasts.windows.inputs)
    bare = forecasts.windows.inputs.copy()
    bare[..., 4:] = 0.0
    x = forecasts.windows.truth
    assert np.ptp(_energy(forecasts, bare)(x, np.zeros_like(x)), axis=-1).max() == pytest.approx(0)
    assert np.ptp(energy(x, np.zeros_like(x)), axis=-1).max() > 1.0


def test_what_acts_from_outside_is_told(tmp_path):
    assert not _outside(make_forecasts(tmp_path / "alone"))
    fixed = make_forecasts(tmp_path / "data", wall=9.0, fixed_charges={"count": 2})
    assert _outside(fixed) == "walls, fixed charges"
