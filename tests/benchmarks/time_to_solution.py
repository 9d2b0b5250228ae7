"""Time to solution: a forecast beside integrators that are as wrong as it is. Run by hand:

    python -m tests.benchmarks.time_to_solution OUTPUT

The shipped model `interaction` forecasts systems of the law that it was trained on, at the density
of its training data, of more and more particles. Integrators of that law start from the exact
state at the last given frame, with fewer and fewer steps, as long as their error is no greater than
that of the forecast: once the median absolute error of coordinates, once the mean displacement
error (ADE). Both are measured against the same law in steps so small that twice as many change
nothing that matters here. All run in one thread and are timed in processor time, which other work
on the machine lengthens least; of the forecast that includes reading the given frames.

Integrators are velocity Verlet of this package, and REBOUND's leapfrog, in fixed steps, and IAS15,
in steps of its own, for a tolerance (the extra `benchmark`; without it there are none of these).
REBOUND knows gravity only; its gravity is therefore switched off, and the forces of the law are
additional ones, a compiled direct sum of this script over all pairs.

OUTPUT gets `time_to_solution.json`, `.md` and `.png`. Forecasts are kept there too, and rows of
numbers of particles that are not asked for stay as they are; `--particles` without any draws again.
In the table, what an integrator was told stands behind its time: steps per frame, or one over the
tolerance of IAS15.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from socialmd.config import ExperimentConfig, ManyBodySystem
from socialmd.evaluation import ForecastMetrics, KnownLaw
from socialmd.files import read_json, save_figure, write_json, write_text
from socialmd.models import ForecastModel, load
from socialmd.plots.style import curve_styles, finish_curves, new_figure
from socialmd.simulation import InitialState, draw_initial_state, integrate
from socialmd.types import FloatArray

NAME = "time_to_solution"
MODEL = "interaction"
PARTICLES = (25, 100, 400, 1600, 10_000)
PARTICLES_IN_ALL = 800  # of all systems of one size, at least
METRICS = {"median": "median absolute error", "ade": "mean displacement error"}
SETTLED = 0.02  # part of the forecast's error by which the reference may still change
REPETITIONS = 5
ENOUGH = 5.0  # seconds, after which nothing is repeated
SEED = 1  # the model was trained on systems of another one
PAST_STEPS = 128  # for each given frame; whatever they are, the last state is exact by definition
FAR = 1e3  # times which offsets are beyond the model's cutoff


class Problem(NamedTuple):
    """What forecasts and integrators are given, of S systems.

    Args:
        system: the law.
        spacing: time from one frame to the next.
        past: given frames, [S, T, N, 4].
        velocities: at the last of them, [S, N, 2].
    """

    system: ManyBodySystem
    spacing: float
    past: FloatArray
    velocities: FloatArray

    @property
    def states(self) -> list[InitialState]:
        """At the last given frame."""
        last = np.moveaxis(self.past[:, -1], -1, 0)  # [4, S, N]
        places = np.stack(last[:2], axis=-1)
        return list(map(InitialState, places, self.velocities, last[2], last[3]))


class Solution(NamedTuple):
    """Positions [S, T', N, 2], and the processor time of one system, the median over them."""

    positions: FloatArray
    seconds: float


class Attempt(NamedTuple):
    """What an integrator did with a setting: the larger, the more accurate and the slower."""

    setting: float
    solution: Solution


Solve = Callable[[float, float], Solution]  # of a setting, and seconds that a system may take


# === Systems ===


def at_same_density(system: ManyBodySystem, num_particles: int) -> ManyBodySystem:
    """The same law and density with another number of particles."""
    growth = (num_particles / system.num_particles) ** (1 / system.spatial_dims)
    size = {"num_particles": num_particles, "box_size": system.box_size * growth}
    return ManyBodySystem.model_validate(system.model_dump() | size)


def make_problem(experiment: ExperimentConfig, num_particles: int) -> Problem:
    system = at_same_density(experiment.system, num_particles)
    simulation, data = experiment.simulation, experiment.data
    spacing = simulation.time_step * simulation.keep_every * data.subsample
    num_systems = max(1, PARTICLES_IN_ALL // num_particles)
    states = [draw_initial_state(system, SEED, index) for index in range(num_systems)]
    batch = InitialState(*map(np.stack, zip(*states, strict=True)))
    num_steps = data.input_steps * PAST_STEPS
    kept = integrate(system, *batch, num_steps, spacing / PAST_STEPS, PAST_STEPS, num_threads=1)
    features = np.stack([batch.masses, batch.charges], axis=-1)[:, None]
    features = np.broadcast_to(features, kept.positions.shape)
    past = np.concatenate([kept.positions, features], axis=-1)
    return Problem(system, spacing, past, kept.velocities[:, -1])


# === Forecast ===


def run_forecast(model: ForecastModel, problem: Problem, num_steps: int) -> Solution:
    """One system after the other, once the forecast is compiled."""

    def run(past: FloatArray) -> FloatArray:
        rollout = model.rollout(past[None], num_steps, model.point_feedback, recalibrated=True)
        return rollout[0][0]

    spread = problem.past[0].copy()
    spread[..., :2] *= FAR
    run(spread)  # compiles, and takes no time otherwise, as no particle sees another
    return time_all(run, list(problem.past))


def read_or_run_forecast(num_particles: int, folder: Path) -> tuple[Problem, Solution]:
    """Kept in a file, since with many particles it takes long."""
    model = load(MODEL)
    file = folder / f"forecast_{num_particles}.npz"
    problem = make_problem(model.experiment, num_particles)
    if not file.is_file():
        solution = run_forecast(model, problem, model.experiment.data.target_steps)
        np.savez(file, past=problem.past, **solution._asdict())
    with np.load(file) as kept:
        if not np.array_equal(kept["past"], problem.past):
            raise ValueError(f"{file}: expected a forecast of these systems, found one of others")
        return problem, Solution(kept["positions"], float(kept["seconds"]))


def time_all(
    run: Callable[[Any], FloatArray],
    given: Sequence[Any],
    prepare: Callable[[Any], Any] = lambda each: each,
) -> Solution:
    """Run each of S, and again as long as there are few times and little time has passed.

    What prepares a run takes no part in its time.
    """
    positions, seconds = [], []
    while len(seconds) < len(given) or (len(seconds) < REPETITIONS and sum(seconds) < ENOUGH):
        prepared = prepare(given[len(seconds) % len(given)])
        start = time.process_time()
        found = run(prepared)
        seconds.append(time.process_time() - start)
        positions.append(found)
    return Solution(np.stack(positions[: len(given)]), float(np.median(seconds)))


# === Integrators ===


def verlet(problem: Problem, num_frames: int) -> Solve:
    """Velocity Verlet of this package; the setting is steps per frame."""

    def run(state: InitialState, num_steps: int, every: int) -> FloatArray:
        batch = (values[None] for values in state)
        how = (num_steps, problem.spacing / every, every)
        return integrate(problem.system, *batch, *how, num_threads=1).positions[0, 1:]

    run(problem.states[0], num_steps=2, every=1)  # compiles

    def solve(steps: float, limit: float) -> Solution:
        every = int(steps)
        return time_all(lambda state: run(state, (num_frames + 1) * every, every), problem.states)

    return solve


def rebound_leapfrog(problem: Problem, num_frames: int) -> Solve:
    """REBOUND's leapfrog; the setting is steps per frame."""

    def advance(simulation: Any, steps: float, frame: int) -> None:
        simulation.dt = problem.spacing / steps
        simulation.steps(int(steps))
        simulation.synchronize()

    return in_rebound(problem, num_frames, "leapfrog", advance)


def rebound_ias15(problem: Problem, num_frames: int) -> Solve:
    """IAS15, whose steps adapt; the setting is one over the tolerance."""

    def advance(simulation: Any, precision: float, frame: int) -> None:
        if not frame:
            simulation.integrator.epsilon = 1 / precision
            simulation.dt = problem.spacing
        simulation.integrate((frame + 1) * problem.spacing)

    return in_rebound(problem, num_frames, "ias15", advance)


def in_rebound(
    problem: Problem, num_frames: int, integrator: str, advance: Callable[[Any, float, int], None]
) -> Solve:
    from tests.benchmarks.rebound_systems import compile_forces, new_simulation, places

    forces = compile_forces(problem.system)

    def prepare(state: InitialState) -> Any:
        simulation = new_simulation(state, forces)
        simulation.integrator = integrator
        return simulation

    def solve(setting: float, limit: float) -> Solution:
        def run(simulation: Any) -> FloatArray:
            start, frames = time.process_time(), []
            for frame in range(num_frames):
                advance(simulation, setting, frame)
                frames.append(places(simulation))
                if time.process_time() - start > limit:
                    raise TimeoutError
            return np.stack(frames)

        return time_all(run, problem.states, prepare)

    return solve


OURS = "velocity Verlet"
INTEGRATORS = {
    OURS: (verlet, 2.0),
    "REBOUND, leapfrog": (rebound_leapfrog, 2.0),
    "REBOUND, IAS15": (rebound_ias15, 100.0),
}


def climb(
    solve: Solve, factor: float, is_enough: Callable[[list[Attempt]], bool], limit: float
) -> list[Attempt]:
    """Settings 1, `factor`, `factor`**2, ..., until it is enough or would take too long.

    Twice the time of the last one is what the next one is expected to take.
    """
    attempts: list[Attempt] = []
    while not attempts or 2 * attempts[-1].solution.seconds <= limit:
        setting = factor ** len(attempts)
        try:
            attempts.append(Attempt(setting, solve(setting, limit)))
        except TimeoutError:
            break
        if is_enough(attempts):
            break
    return attempts


def errors(truth: FloatArray, positions: FloatArray) -> dict[str, float]:
    """In units of length, over all systems, steps and particles."""
    metrics = ForecastMetrics.from_arrays(truth, positions)
    return {"median": metrics.median_error, "ade": metrics.ade}


def is_within(found: dict[str, float], allowed: dict[str, float], part: float = 1.0) -> bool:
    """Whether all errors are at most this part of those that are allowed."""
    return all(found[metric] <= part * allowed[metric] for metric in METRICS)


def settles(attempts: Sequence[Attempt], forecast: Solution) -> bool:
    """Whether the last two differ by little, as compared with the error of the forecast."""
    if len(attempts) < 2:
        return False
    before, last = (each.solution.positions for each in attempts[-2:])
    return is_within(errors(last, before), errors(last, forecast.positions), SETTLED)


def cheapest(
    attempts: Sequence[Attempt], truth: FloatArray, allowed: dict[str, float]
) -> dict[str, Any]:
    """By metric, the first whose error is no greater than allowed; none if there is none."""
    found: dict[str, Any] = dict.fromkeys(METRICS)
    for setting, solution in attempts:
        error = errors(truth, solution.positions)
        for metric in METRICS:
            if found[metric] is None and error[metric] <= allowed[metric]:
                seconds = solution.seconds
                found[metric] = {"setting": setting, "seconds": seconds, "error": error[metric]}
    return found


# === Rows ===


def known_law(problem: Problem, steps: int, num_frames: int) -> FloatArray:
    """The exact law, told of positions only: velocities are those of the last two frames."""
    law = KnownLaw(problem.system, problem.spacing, integration_steps=steps)
    return law.rollout(problem.past, num_frames)[0]


def measure(num_particles: int, folder: Path, limit: float) -> dict[str, Any]:
    """A row of the table."""
    problem, forecast = read_or_run_forecast(num_particles, folder)
    num_frames = forecast.positions.shape[1]
    makers = dict(INTEGRATORS)
    if importlib.util.find_spec("rebound") is None:
        print("REBOUND is not there (the extra `benchmark`): its columns are missing")
        makers = {OURS: makers[OURS]}
    make, factor = makers.pop(OURS)
    ours = climb(make(problem, num_frames), factor, lambda found: settles(found, forecast), limit)
    if len(ours) < 2:
        raise ValueError(f"limit: expected time for two integrations at least, found {limit:g} s")
    before, finest = ours[-2:]
    truth = finest.solution.positions
    allowed = errors(truth, forecast.positions)
    found = {OURS: cheapest(ours[:-1], truth, allowed)}
    for name, (make, factor) in makers.items():

        def is_enough(attempts: list[Attempt]) -> bool:
            return is_within(errors(truth, attempts[-1].solution.positions), allowed)

        attempts = climb(make(problem, num_frames), factor, is_enough, limit)
        found[name] = cheapest(attempts, truth, allowed)
    return {
        "particles": num_particles,
        "systems": len(truth),
        "spacing": problem.spacing,
        "forecast": {**allowed, "seconds": forecast.seconds},
        "reference": {
            "steps_per_frame": finest.setting,
            "half_as_many": errors(truth, before.solution.positions),
            "has_settled": settles(ours, forecast),
        },
        "two_frames": errors(truth, known_law(problem, int(before.setting), num_frames)),
        "integrators": found,
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Two lines for each number of particles, one for each error."""
    names = [name for name in INTEGRATORS if any(name in row["integrators"] for row in rows)]
    header = ["N", "error", "forecast's", "law's, of two frames", "forecast (s)"]
    header += [f"{name} (s)" for name in names] + ["forecast / fastest"]
    lines = [header, ["---"] * 2 + ["---:"] * (len(header) - 2)]
    for row in rows:
        for metric in METRICS:
            found = [row["integrators"].get(name, {}).get(metric) for name in names]
            seconds = row["forecast"]["seconds"]
            fastest = min((each["seconds"] for each in found if each), default=None)
            lines.append(
                [
                    f"{row['particles']}",
                    metric,
                    two_digits(row["forecast"][metric]),
                    two_digits(row["two_frames"][metric]),
                    two_digits(seconds),
                    *map(describe, found),
                    "-" if fastest is None else two_digits(seconds / fastest),
                ]
            )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def describe(found: dict[str, Any] | None) -> str:
    return "-" if found is None else f"{two_digits(found['seconds'])} ({found['setting']:g})"


def two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"


def describe_reference(row: dict[str, Any]) -> str:
    reference = row["reference"]
    change = ", ".join(f"{reference['half_as_many'][metric]:.1e} ({metric})" for metric in METRICS)
    settled = "" if reference["has_settled"] else ", which is more than it should be"
    return (
        f"N = {row['particles']}, {row['systems']} systems: reference in steps of "
        f"{row['spacing'] / reference['steps_per_frame']:.1e}; twice that changes {change}{settled}"
    )


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Time over N, log-log: at equal median error, left, and at equal mean error."""
    figure, axes = new_figure(9, 3.8, columns=len(METRICS))
    particles = [row["particles"] for row in rows]
    for ax, (metric, title) in zip(axes, METRICS.items(), strict=True):
        curves = {
            "forecast": [(row["particles"], row["forecast"]["seconds"]) for row in rows],
            **{
                name: [
                    (row["particles"], row["integrators"][name][metric]["seconds"])
                    for row in rows
                    if row["integrators"].get(name, {}).get(metric)
                ]
                for name in INTEGRATORS
            },
        }
        for name, style in curve_styles(curves).items():
            if curves[name]:
                ax.loglog(*np.transpose(curves[name]), marker="o", markersize=4, **style)
        ax.set_xticks(particles, list(map(str, particles)))
        ax.minorticks_off()
        finish_curves(ax, "N, particles", "processor time (s)", f"Equal {title}")
    save_figure(figure, path, dpi=110)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path, help="folder")
    parser.add_argument("--particles", type=int, nargs="*", default=list(PARTICLES))
    parser.add_argument(
        "--limit", type=float, default=100.0, help="seconds that an integration may take"
    )
    arguments = parser.parse_args(argv)
    arguments.output.mkdir(parents=True, exist_ok=True)
    use_one_thread()
    file = arguments.output / f"{NAME}.json"
    rows = {row["particles"]: row for row in (read_json(file) if file.is_file() else [])}
    for num_particles in arguments.particles:
        rows[num_particles] = measure(num_particles, arguments.output, arguments.limit)
        print(describe_reference(rows[num_particles]), flush=True)
        write_json(file, [rows[number] for number in sorted(rows)])
    ordered = [rows[number] for number in sorted(rows)]
    text = table(ordered)
    print(text)
    write_text(file.with_suffix(".md"), text)
    plot(ordered, file.with_suffix(".png"))


def use_one_thread() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


if __name__ == "__main__":
    main()
