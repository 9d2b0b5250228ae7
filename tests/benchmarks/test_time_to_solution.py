"""The search for the largest step, and systems of constant density, against what is obvious."""

import numpy as np
import pytest

from socialmd.config import ExperimentConfig, ManyBodySystem
from socialmd.files import read_json
from socialmd.simulation import accelerations, draw_initial_state, integrate
from tests.benchmarks import time_to_solution
from tests.benchmarks.time_to_solution import (
    METRICS,
    PAST_STEPS,
    SEED,
    Attempt,
    Solution,
    at_same_density,
    cheapest,
    climb,
    main,
    make_problem,
    settles,
    time_all,
    verlet,
)

TRUTH = np.zeros((1, 2, 3, 2))  # [S, T', N, D]


def solve_by_second_order(setting, limit):
    """Off by 1 / setting**2 in x, in as many seconds as the setting."""
    return Solution(np.add(TRUTH, [1 / setting**2, 0.0]), setting)


@pytest.mark.parametrize("dims", [2, 3])
def test_density_stays_the_same(dims):
    system = ManyBodySystem(num_particles=8, box_size=10.0, spatial_dims=dims)
    larger = at_same_density(system, 200)
    assert 200 / larger.box_size**dims == pytest.approx(8 / 10.0**dims)
    assert larger.model_copy(update={"num_particles": 8, "box_size": 10.0}) == system


def test_settings_grow_until_it_is_enough():
    is_enough = lambda attempts: attempts[-1].solution.positions.max() < 0.01  # noqa: E731
    attempts = climb(solve_by_second_order, 2.0, is_enough, limit=1000.0)
    assert [setting for setting, _ in attempts] == [1, 2, 4, 8, 16]


def test_settings_grow_until_the_next_would_take_too_long():
    attempts = climb(solve_by_second_order, 2.0, lambda attempts: False, limit=10.0)
    assert [setting for setting, _ in attempts] == [1, 2, 4, 8]


def test_what_is_given_up_is_no_attempt():
    def solve(setting, limit):
        if setting > 100:
            raise TimeoutError
        return Solution(TRUTH, 0.0)

    attempts = climb(solve, 10.0, lambda attempts: False, limit=1.0)
    assert [setting for setting, _ in attempts] == [1, 10, 100]


def test_the_cheapest_is_the_first_that_is_good_enough_by_each_error():
    attempts = [Attempt(s, solve_by_second_order(s, np.inf)) for s in (1.0, 2.0, 4.0, 8.0)]
    # Half of the coordinates are off by 1 / s**2 and half are right: the median is half of that.
    found = cheapest(attempts, TRUTH, {"median": 0.13, "ade": 0.1})
    assert found["median"] == {"setting": 2.0, "seconds": 2.0, "error": pytest.approx(1 / 8)}
    assert found["ade"] == {"setting": 4.0, "seconds": 4.0, "error": pytest.approx(1 / 16)}
    assert cheapest(attempts, TRUTH, dict.fromkeys(METRICS, 1e-3)) == dict.fromkeys(METRICS)


def test_a_reference_has_settled_once_it_changes_little():
    forecast = Solution(TRUTH + 1.0, 0.0)
    attempts = [Attempt(s, solve_by_second_order(s, np.inf)) for s in (1.0, 2.0, 4.0, 8.0, 16.0)]
    assert [settles(attempts[:count], forecast) for count in range(1, 6)] == [False] * 4 + [True]


def test_every_system_is_timed_and_few_are_repeated():
    calls = []
    solution = time_all(lambda value: calls.append(value) or TRUTH[0] + value, [1, 2])
    assert calls == [1, 2, 1, 2, 1]
    assert solution.positions[:, 0, 0, 0].tolist() == [1, 2]


@pytest.fixture
def problem(monkeypatch):
    """Two systems of five particles."""
    monkeypatch.setattr(time_to_solution, "PARTICLES_IN_ALL", 10)
    return make_problem(ExperimentConfig(), 5)


def test_integrators_go_on_where_the_given_frames_end(problem):
    kept = verlet(problem, 3)(PAST_STEPS, np.inf).positions
    for index in range(2):
        batch = [each[None] for each in draw_initial_state(problem.system, SEED, index)]
        how = (8 * PAST_STEPS, problem.spacing / PAST_STEPS, PAST_STEPS)
        whole = integrate(problem.system, *batch, *how).positions[0]
        np.testing.assert_allclose(problem.past[index, ..., :2], whole[:5])
        np.testing.assert_allclose(kept[index], whole[5:])


def test_forces_in_rebound_are_those_of_the_law():
    pytest.importorskip("rebound")
    from tests.benchmarks.rebound_systems import compile_forces, new_simulation, places

    system = ManyBodySystem(num_particles=7)
    state = draw_initial_state(system, seed=0, index=0)
    forces = compile_forces(system)
    simulation = new_simulation(state, forces)
    np.testing.assert_array_equal(places(simulation), state.positions)
    simulation.integrator = "leapfrog"
    simulation.dt = 1e-6
    simulation.steps(1)
    found = [[each.ax, each.ay] for each in simulation.particles]
    halfway = state.positions + state.velocities * 0.5e-6
    expected = accelerations(system, halfway, state.masses, state.charges)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.filterwarnings("ignore:At least 10 predictor corrector loops:RuntimeWarning")
def test_a_whole_run(problem, monkeypatch, tmp_path):
    places = problem.past[..., :2]
    velocity = (places[:, -1] - places[:, -2])[:, None]
    ahead = np.arange(1, 5)[:, None, None]
    forecast = Solution(places[:, -1:] + velocity * ahead, seconds=1.0)
    monkeypatch.setattr(
        time_to_solution, "read_or_run_forecast", lambda number, folder: (problem, forecast)
    )
    monkeypatch.setattr(time_to_solution, "use_one_thread", lambda: None)
    main([str(tmp_path), "--particles", "5"])
    [row] = read_json(tmp_path / "time_to_solution.json")
    assert row["reference"]["has_settled"]
    for metric in METRICS:
        assert row["reference"]["half_as_many"][metric] < 0.02 * row["forecast"][metric]
        for found in row["integrators"].values():
            assert found[metric]["error"] <= row["forecast"][metric]
    assert "| 5 | ade |" in (tmp_path / "time_to_solution.md").read_text()
    assert (tmp_path / "time_to_solution.png").stat().st_size > 10_000
