import numpy as np
import pytest

from socialmd.evaluation import ForecastMetrics
from socialmd.reporting import overall_table, step_table

NUM_STEPS = 30


@pytest.fixture
def metrics():
    """`model` is off by 0.5 n after n steps, with NLL n; `rival` by 0.25 and, once, by 40."""
    steps = np.arange(1.0, NUM_STEPS + 1)[:, None, None]
    truth = np.zeros((3, NUM_STEPS, 1, 2))
    model = truth + 0.5 * steps
    rival = truth + 0.25
    rival[0] = 40.0
    log_probabilities = np.broadcast_to(-steps[..., 0], truth.shape[:3])
    return {
        "model": ForecastMetrics.from_arrays(truth, model, log_probabilities),
        "rival": ForecastMetrics.from_arrays(truth, rival),
    }


def test_overall_table_has_one_row_for_each_forecast(metrics):
    rows = [line.split() for line in overall_table(metrics).splitlines()]
    assert rows == [
        ["forecast", "MAE", "median", "ADE", "FDE", "NLL"],
        ["model", "7.7500", "7.7500", "10.9602", "21.2132", "15.5000"],
        ["rival", "13.5000", "0.2500", "19.0919", "19.0919", "-"],
    ]


def test_columns_are_aligned(metrics):
    for table in (overall_table(metrics), step_table(metrics)):
        lines = table.splitlines()
        assert len({len(line) for line in lines}) == 1
        assert all(line == line.rstrip() for line in lines)


def test_step_table_shows_every_quantity_from_the_first_to_the_last_step(metrics):
    rows = [line.split("  ") for line in step_table(metrics, num_columns=4).splitlines()]
    assert [[cell.strip() for cell in row if cell] for row in rows] == [
        ["MAE at step", "1", "10", "20", "30"],
        ["model", "0.5000", "5.0000", "10.0000", "15.0000"],
        ["rival", "13.5000", "13.5000", "13.5000", "13.5000"],
        ["median at step", "1", "10", "20", "30"],
        ["model", "0.5000", "5.0000", "10.0000", "15.0000"],
        ["rival", "0.2500", "0.2500", "0.2500", "0.2500"],
        ["NLL at step", "1", "10", "20", "30"],
        ["model", "1.0000", "10.0000", "20.0000", "30.0000"],
    ]


def test_step_table_of_a_short_forecast_shows_each_step_once():
    truth = np.zeros((1, 2, 1, 2))
    table = step_table({"model": ForecastMetrics.from_arrays(truth, truth)})
    assert [line.split() for line in table.splitlines()] == [
        ["MAE", "at", "step", "1", "2"],
        ["model", "0.0000", "0.0000"],
        ["median", "at", "step", "1", "2"],
        ["model", "0.0000", "0.0000"],
    ]
