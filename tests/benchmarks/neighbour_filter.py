"""What a particle learns of its neighbours: a filter of their offsets, or grids read by a CNN.

    python tests/benchmarks/neighbour_filter.py
    python tests/benchmarks/neighbour_filter.py --profile radial  # where the time of one goes

Run by hand. Compared are `NeighbourFilter` on grids and radial, with as many channels as
`InteractionCell` has by default, and what `SocialLSTMCell` does with its default network: stacked
pooling, convolutions and an embedding. Grids are the same; radial filters reach as far as they do,
and as far as by default. Density is that of the reference experiment, 25 particles in a square of
side 6.5. Each number is of forward and backward pass of one frame, in weights and states, and of
filters in positions as well; grids of a CNN have no such gradient. Time is the median over turns
that all take in one process, ratios are medians over turns. Peak memory is that of a process for
each case alone, above what it had before.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

# The measuring process imports TensorFlow, the one that starts it must not: a process inherits the
# peak memory of the one that started it.

SIZES = {25: 32, 1000: 1}  # batch by number of particles
SIDES = (11.0, 5.5, 2.75, 1.375)
DENSITY = 25 / 6.5**2
CHANNELS = 8
UNITS = 32
FILTERS = {
    "grid": {"filter": "grid", "grid_sizes": SIDES},
    "radial": {"filter": "radial", "cutoff": SIDES[0] / 2},
    "radial, default cutoff": {"filter": "radial"},
}
CNN = "pooling and CNN"
CASES = (*FILTERS, CNN)


def make_case(name: str, num_particles: int) -> Callable[[], Any]:
    """What is timed."""
    import tensorflow as tf

    batch = SIZES[num_particles]
    side = (num_particles / DENSITY) ** 0.5
    shape = (batch, num_particles)
    positions = side * tf.random.stateless_uniform((*shape, 2), seed=(0, 0))
    width = UNITS if name == CNN else CHANNELS
    states = tf.random.stateless_normal((*shape, width), seed=(0, 1))
    function, variables = make_cnn() if name == CNN else make_filter(name)
    watched = [states, *([] if name == CNN else [positions])]

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(watched)
            result = function(positions, states)
        gradients = tape.gradient(result, [*watched, *(v.value for v in variables)])
        # The result as well: TensorFlow would leave out what nobody asks for.
        return result, [tf.convert_to_tensor(gradient) for gradient in gradients]

    return step


def make_filter(name: str) -> tuple[Callable[[Any, Any], Any], list[Any]]:
    from socialmd.layers import NeighbourFilter

    layer = NeighbourFilter(**FILTERS[name])
    layer.build((None, None, 2), (None, None, CHANNELS))
    return layer, layer.trainable_variables


def make_cnn() -> tuple[Callable[[Any, Any], Any], list[Any]]:
    from socialmd.layers import SocialLSTMCell

    cell = SocialLSTMCell(UNITS, output_dim=5, grid_sizes=SIDES)
    cell.build((None, None, 4), (None, None, 2), (None, None, UNITS))
    layers = (cell.state_embedding, cell.pooling, *cell.convolutions, cell.pooling_embedding)
    variables = [variable for layer in layers for variable in layer.trainable_variables]
    return lambda positions, states: cell._pool(positions, states, None), variables


# === One process ===


def measure(names: Sequence[str], num_particles: int, repetitions: int) -> dict[str, Any]:
    """Seconds of every turn of each case, and what peak memory grew by."""
    steps = {name: make_case(name, num_particles) for name in names}
    before = peak_memory()
    for step in steps.values():
        step()  # compiles
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repetitions):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    return {"seconds": seconds, "megabytes": (peak_memory() - before) / 1e6}


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def measure_in_new_process(*arguments: Any) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", json.dumps(arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--profile", choices=CASES, help="list operations by time, 25 particles")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.measure:
        print(json.dumps(measure(*json.loads(arguments.measure))))
        return
    if arguments.profile:
        from training_step import print_operations

        step = make_case(arguments.profile, min(SIZES))
        step()
        print_operations(step)
        return
    for num_particles, batch in SIZES.items():
        print(f"\nN = {num_particles}, B = {batch}")
        seconds = measure_in_new_process(CASES, num_particles, arguments.repetitions)["seconds"]
        memory = {
            name: measure_in_new_process([name], num_particles, 1)["megabytes"] for name in CASES
        }
        for name in CASES:
            ratios = [a / b for a, b in zip(seconds[name], seconds[CNN], strict=True)]
            print(
                f"  {name + ':':<24}{1e3 * statistics.median(seconds[name]):8.1f} ms "
                f"{memory[name]:6.0f} MB   of the CNN's: time {statistics.median(ratios):.3f} "
                f"({min(ratios):.3f} to {max(ratios):.3f}), memory "
                f"{memory[name] / memory[CNN]:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
