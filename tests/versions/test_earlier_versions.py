"""What earlier versions have written is read by this one, and means the same.

`write_files.py` has written it. A file that cannot be read any more is no reason to write it anew:
those of users cannot be written anew.
"""

from pathlib import Path

import numpy as np
import pytest

from socialmd.data import read_windows
from socialmd.data.dataset_description import SPLITS, read_description
from socialmd.models import load
from tests.versions.write_files import MODELS

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/data"))
FORECASTS = [path.parent for folder in FOLDERS for path in sorted(folder.glob("*/model.keras"))]


def test_every_kind_of_model_is_there():
    assert {path.name for path in FORECASTS} >= MODELS.keys()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_data_sets_are_read(folder):
    description = read_description(folder / "data")
    assert description.features == ("x", "y", "mass", "charge")
    assert description.frame_spacing == 0.1
    assert {Path(name).parts[0] for name in description.files} == {*SPLITS}
    assert all((folder / "data" / name).is_file() for name in description.files)


@pytest.mark.parametrize("folder", FORECASTS, ids=lambda path: "/".join(path.parts[-2:]))
def test_models_forecast_what_they_forecast_then(folder):
    model = load(folder)
    past = read_windows(folder.parent / "data", "test", model.experiment.data).past
    positions, parameters = model.rollout(past, recalibrated=True)
    expected = np.load(folder / "forecast.npz")
    np.testing.assert_allclose(positions, expected["positions"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(parameters, expected["parameters"], rtol=1e-3, atol=1e-4)
