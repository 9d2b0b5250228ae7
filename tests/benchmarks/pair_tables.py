"""Forces of one frame through tables of pairs, through all channels, and of pairs that are near.

    python tests/benchmarks/pair_tables.py

Run by hand. A law with a radial filter, as `InteractionCell` has it by default, is integrated over
one frame: forward alone, as in a forecast, and forward and backward, in its weights, as in
training. Systems have the density of the reference experiment, 25 particles in a square of side
6.5. Times are processor time of one thread, medians over turns that all take in one process;
ratios are medians over turns.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from socialmd.layers import InteractionLaw, NeighbourFilter

DENSITY = 25 / 6.5**2
SIZES = {25: 32, 100: 4, 200: 1, 400: 1}  # batch by number of particles
CUTOFFS = (16.0, 4.0)
SUBSTEPS = 8
TURNS = 7
TABLES, CHANNELS, NEAR = "tables of pairs", "all channels", "pairs that are near"


def make_frame(name: str, particles: int, cutoff: float, trains: bool) -> Callable[[], Any]:
    """What is timed: all forces of one frame, and their gradient if it trains."""
    search = "cell_list" if name == NEAR else "all_pairs"
    law = InteractionLaw(NeighbourFilter("radial", cutoff=cutoff, neighbour_search=search))
    law.build((None, None, 2), 2)
    shape, side = (SIZES[particles], particles), (particles / DENSITY) ** 0.5
    start = side * tf.random.stateless_uniform((*shape, 2), seed=(0, 0))
    features = tf.random.stateless_normal((*shape, 2), seed=(0, 1))

    def integrate() -> tf.Tensor:
        read = law.read(features, None)
        tables = law.tabulate(*read) if name == TABLES else None
        forces = law.near(start, *read) if name == NEAR else None
        positions = start
        for _ in range(SUBSTEPS):
            pushed = forces(positions) if forces else law(positions, *read, None, None, tables)
            positions = positions + 1e-3 * pushed
        return tf.reduce_sum(positions)

    @tf.function
    def train() -> Any:
        with tf.GradientTape() as tape:
            total = integrate()
        return tape.gradient(total, law.trainable_variables)

    return train if trains else tf.function(integrate)


def measure(particles: int, cutoff: float, trains: bool) -> dict[str, list[float]]:
    """Milliseconds of each turn."""
    frames = {n: make_frame(n, particles, cutoff, trains) for n in (TABLES, CHANNELS, NEAR)}
    times: dict[str, list[float]] = {name: [] for name in frames}
    for frame in frames.values():
        frame()
    for _ in range(TURNS):
        for name, frame in frames.items():
            begun = time.process_time()
            frame()
            times[name].append(1e3 * (time.process_time() - begun))
    return times


def main() -> None:
    """Measure all sizes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--particles", type=int, nargs="*", default=list(SIZES), choices=SIZES)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print(f"| N | cutoff | pass | {TABLES} (ms) | {CHANNELS} / tables | {NEAR} / tables |")
    print("| ---: | ---: | --- | ---: | ---: | ---: |")
    for particles in parser.parse_args().particles:
        for cutoff in CUTOFFS:
            for trains in (False, True):
                times = measure(particles, cutoff, trains)
                ratios = [
                    statistics.median(a / b for a, b in zip(times[n], times[TABLES], strict=True))
                    for n in (CHANNELS, NEAR)
                ]
                print(
                    f"| {particles} | {cutoff:g} | {'both' if trains else 'forward'} "
                    f"| {statistics.median(times[TABLES]):.3g} "
                    f"| {ratios[0]:.2f} | {ratios[1]:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
