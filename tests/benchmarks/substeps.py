"""Substeps of a learned law as a loop of the graph, and one after the other.

    python tests/benchmarks/substeps.py

Run by hand. A model with a radial law is trained on batches of ten frames of five particles, with
the truth fed back. The first step builds the graph, which is timed; so are later ones, in turns of
both. Times are processor time of one thread, in seconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from socialmd.layers import NeighbourFilter
from socialmd.losses import NegativeLogLikelihood
from socialmd.models import InteractionLSTM

SUBSTEPS = (4, 16, 32)
SHAPE = (128, 10, 5, 4)  # windows, frames, particles, and features: places in space, and charge
TURNS = 5
LOOP, ROW = "a loop", "in a row"


def one_after_the_other(first: int, last: int, body: Callable[[int, Any], Any], carry: Any) -> Any:
    """What a loop of the graph does."""
    for number in range(first, last):
        carry = body(number, carry)
    return carry


def make_step(substeps: int) -> Callable[[], float]:
    """One step of a training, in processor time."""
    rng = np.random.default_rng(0)
    frames = rng.normal(size=SHAPE).astype("float32")
    steps = 0.01 * rng.normal(size=SHAPE).astype("float32")
    frames[..., :3] = frames[:, :1, :, :3] + np.cumsum(steps, axis=1)[..., :3]
    frames[..., 3] = frames[:, :1, :, 3]
    interaction = NeighbourFilter("radial", cutoff=16.0)
    model = InteractionLSTM(1, interaction, spatial_dims=3, substeps=substeps, memory_in_law=False)
    inputs, truth = frames[:, :-1], frames[:, 2:, :, :3]
    model.adapt([(inputs, truth[:, -1:])])
    model.begin_training("truth")
    model.compile("nadam", loss=NegativeLogLikelihood(model.distribution_name))

    def step() -> float:
        begun = time.process_time()
        model.train_on_batch(inputs, truth)
        return time.process_time() - begun

    return step


def measure(substeps: int) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The first step of each form, and later ones."""
    steps = {name: make_step(substeps) for name in (LOOP, ROW)}
    first = {LOOP: steps[LOOP]()}
    with mock.patch.object(keras.ops, "fori_loop", one_after_the_other):
        first[ROW] = steps[ROW]()
    later: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(TURNS):
        for name, step in steps.items():
            later[name].append(step())
    return first, later


def main() -> None:
    """Measure all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--substeps", type=int, nargs="*", default=list(SUBSTEPS))
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print(f"| substeps | first, {LOOP} (s) | {ROW} / {LOOP} | later, {LOOP} (s) | {ROW} / {LOOP} |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for substeps in parser.parse_args().substeps:
        first, later = measure(substeps)
        ratio = statistics.median(np.divide(later[ROW], later[LOOP]))
        print(
            f"| {substeps} | {first[LOOP]:.1f} | {first[ROW] / first[LOOP]:.1f} "
            f"| {statistics.median(later[LOOP]):.2f} | {ratio:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
