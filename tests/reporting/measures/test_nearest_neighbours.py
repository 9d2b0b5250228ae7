"""What the figures show, read back from their artists."""

from types import SimpleNamespace

import numpy as np

from socialmd.data import Windows
from socialmd.reporting.measures.nearest_neighbours import NearestNeighbours


def test_forecasts_with_all_particles_in_one_place_are_not_drawn():
    truth = np.arange(12.0).reshape(1, 2, 3, 2)
    windows = Windows(truth[:, :1], truth, np.arange(len(truth)))
    forecasts = SimpleNamespace(windows=windows, positions={"model": truth, "one": 0 * truth})
    evaluation = SimpleNamespace(forecasts=forecasts, numbers={"long_positions": {}})
    (near,) = NearestNeighbours().compute(evaluation)["nearest_distances"]
    assert list(near) == ["truth", "model"]
