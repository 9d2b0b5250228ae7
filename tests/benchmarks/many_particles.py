"""Time and memory of the model from 25 to 10 000 particles, with either neighbour search.

    python tests/benchmarks/many_particles.py --plot many_particles.png

Run by hand. Density is constant, that of the reference experiment (25 particles in a square of side
6.5), and so are the grids, the largest of which holds about 25 neighbours. The network is the
reference model's with random weights; its particles hardly move, so that density stays what it is.
Time is that on the clock per particle and time step, without compilation; both searches take turns
in one process, and the ratio is the median over turns. Peak memory is that of a process for each
search alone, TensorFlow included. "forward" is `model(inputs)` in a compiled function, "rollout" is
`model.rollout`.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

# The measuring process imports TensorFlow, the one that starts it must not: a process inherits the
# peak memory of the one that started it.

SEARCHES = ("all_pairs", "cell_list")
MODES = ("forward", "rollout")
DENSITY = 25 / 6.5**2
NEIGHBOURS = 25
INPUT_STEPS = 2


def make_inputs(num_particles: int) -> np.ndarray:
    """One system in a square of constant density: float32 [1, T, N, 4], all at rest."""
    generator = np.random.default_rng(0)
    side = (num_particles / DENSITY) ** 0.5
    frame = generator.uniform(-1.0, 1.0, size=(1, 1, num_particles, 4))
    frame[..., :2] *= side / 2
    return np.repeat(frame, INPUT_STEPS, axis=1).astype("float32")


def grid_sizes() -> tuple[float, ...]:
    """Four grids, each half as wide as the one before; the largest circle holds 25 neighbours."""
    largest = 2 * (NEIGHBOURS / (math.pi * DENSITY)) ** 0.5
    return tuple(largest / 2**number for number in range(4))


def make_call(search: str, mode: str, num_particles: int, num_steps: int) -> Callable[[], Any]:
    """What is timed: `num_steps` forecast steps after the warm-up."""
    import tensorflow as tf

    from socialmd.models import SocialLSTM

    model = SocialLSTM(
        target_steps=num_steps,
        prediction="displacement",
        grid_sizes=grid_sizes(),
    )
    model.cell.pooling.neighbour_search = search
    inputs = tf.constant(make_inputs(num_particles))
    model.build(inputs.shape)
    model.displacement_scale.assign(1e-3)
    if mode == "rollout":
        return lambda: model.rollout(inputs, num_steps)[1].numpy()
    compiled = tf.function(model)
    return lambda: compiled(inputs).numpy()


def measure(
    searches: Sequence[str], mode: str, num_particles: int, num_steps: int, repetitions: int
) -> dict[str, Any]:
    """Seconds per particle and time step of every turn, and peak memory of this process."""
    calls = {search: make_call(search, mode, num_particles, num_steps) for search in searches}
    for call in calls.values():
        call()  # compiles
    seconds: dict[str, list[float]] = {search: [] for search in searches}
    for _ in range(repetitions):
        for search, call in calls.items():
            start = time.perf_counter()
            call()
            duration = time.perf_counter() - start
            seconds[search].append(duration / (INPUT_STEPS - 1 + num_steps) / num_particles)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "megabytes": megabytes}


def measure_in_new_process(searches: Sequence[str], *arguments: object) -> dict[str, Any] | None:
    """The same in a process of its own; nothing if that does not get through."""
    words = [",".join(searches), *map(str, arguments)]
    command = [sys.executable, __file__, "--measure", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    reason = (done.stderr.strip().splitlines() or ["killed"])[-1]
    print(f"  {' '.join(words)}: exit status {done.returncode}, {reason[:200]}")
    return None


def compare(
    mode: str, num_particles: int, num_steps: int, repetitions: int
) -> dict[str, dict[str, Any]]:
    """Memory of every search, then time of those that got through, by search."""
    results: dict[str, dict[str, Any]] = {}
    for search in SEARCHES:
        result = measure_in_new_process([search], mode, num_particles, num_steps, 0)
        if result is not None:
            results[search] = {"megabytes": result["megabytes"]}
    if results:
        timed = measure_in_new_process(list(results), mode, num_particles, num_steps, repetitions)
        for search, result in results.items():
            result["seconds"] = [math.nan] if timed is None else timed["seconds"][search]
    return results


def print_row(num_particles: int, mode: str, results: dict[str, dict[str, Any]]) -> None:
    cells = [f"{num_particles:>7}  {mode}"]
    for search, result in results.items():
        microseconds = 1e6 * np.median(result["seconds"])
        cells.append(f"{search} {microseconds:8.1f} us {result['megabytes']:6.0f} MB")
    if len(results) == 2:
        all_pairs, cell_list = results.values()
        ratios = np.divide(all_pairs["seconds"], cell_list["seconds"])
        cells.append(
            f"all pairs / cell list: time {np.median(ratios):.2f} "
            f"({ratios.min():.2f} to {ratios.max():.2f}), "
            f"memory {all_pairs['megabytes'] / cell_list['megabytes']:.2f}"
        )
    print("   ".join(cells), flush=True)


def plot(path: str, rows: Sequence[tuple[int, str, dict[str, dict[str, Any]]]]) -> None:
    """Both quantities over N, log-log, as a PNG."""
    from socialmd.plots import new_figure

    figure, axes = new_figure(10, 4, columns=2)
    quantities = {
        "seconds": "seconds per particle and time step",
        "megabytes": "peak memory of the process (MB)",
    }
    for ax, (quantity, label) in zip(axes, quantities.items(), strict=True):
        for search, color in zip(SEARCHES, ("#e0a030", "#2a7f9e"), strict=True):
            for mode, style in zip(MODES, ("-", "--"), strict=True):
                points = [
                    (num_particles, np.median(results[search][quantity]))
                    for num_particles, row_mode, results in rows
                    if row_mode == mode and search in results
                ]
                if not points:
                    continue
                name = f"{search.replace('_', ' ')}, {mode}"
                ax.loglog(*np.transpose(points), style, marker=".", color=color, label=name)
        ax.set_xlabel("N, particles")
        ax.set_ylabel(label)
        ax.grid(alpha=0.25)
    axes[0].legend(fontsize=8)
    figure.savefig(path)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--particles", type=int, nargs="+", default=[25, 100, 250, 1000, 2500, 10_000]
    )
    parser.add_argument("--steps", type=int, default=4, help="forecast steps of each call")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--plot", metavar="PNG", help="where to draw the curves")
    parser.add_argument("--measure", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.measure:
        searches, mode, *numbers = arguments.measure
        print(json.dumps(measure(searches.split(","), mode, *map(int, numbers))))
        return

    rows = []
    for num_particles in arguments.particles:
        for mode in MODES:
            results = compare(mode, num_particles, arguments.steps, arguments.repetitions)
            print_row(num_particles, mode, results)
            rows.append((num_particles, mode, results))
    if arguments.plot:
        plot(arguments.plot, rows)


if __name__ == "__main__":
    main()
