"""What XLA takes of a training step's time, phase by phase of a configuration.

    python tests/benchmarks/xla.py models/interaction.toml
    python tests/benchmarks/xla.py models/thesis.toml --batch-size 4

Run by hand. Particles wander about at random. The first step builds a graph or compiles, which is
timed; so are later ones, in turns of both. Times are processor time of one thread, in seconds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from socialmd import ExperimentConfig, load_config
from socialmd.config import PhaseConfig
from socialmd.models import build_model
from socialmd.training.phase import begin_phase, phase_samples

TURNS = 5
PLAIN, COMPILED = "plain", "XLA"


def make_batch(config: ExperimentConfig, phase: PhaseConfig, batch_size: int) -> tuple[Any, Any]:
    """Inputs [B, T, N, D + 2] and targets, of particles that wander about."""
    rng, dims = np.random.default_rng(0), config.system.spatial_dims
    data = phase_samples(phase, config.data)
    shape = (batch_size, data.input_steps + data.target_steps, config.system.num_particles)
    start = rng.normal(scale=4.0, size=(batch_size, 1, shape[2], dims))
    walk = np.cumsum(rng.normal(scale=0.02, size=(*shape, dims)), axis=1)
    static = rng.normal(size=(batch_size, 1, shape[2], 2)).repeat(shape[1], axis=1)
    frames = np.concatenate([start + walk, static], axis=-1).astype("float32")
    if phase.feedback == "truth":
        return frames[:, :-1], frames[:, 2:, :, :dims]
    return frames[:, : data.input_steps], frames[:, data.input_steps :, :, :dims]


def make_step(
    config: ExperimentConfig, phase: PhaseConfig, batch_size: int, jit_compile: bool
) -> Callable[[], float]:
    """One step of a training, in processor time."""
    keras.utils.set_random_seed(0)
    inputs, targets = make_batch(config, phase, batch_size)
    model = build_model(config, config.system.spatial_dims)
    model.adapt([(inputs, targets)])
    training = config.training.model_copy(update={"jit_compile": jit_compile})
    begin_phase(model, phase, training, inputs, targets, steps_per_epoch=100)

    def step() -> float:
        begun = time.process_time()
        model.train_on_batch(inputs, targets)
        return time.process_time() - begun

    return step


def measure(
    config: ExperimentConfig, phase: PhaseConfig, batch_size: int
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """The first step of each form, and later ones."""
    forms = {PLAIN: False, COMPILED: True}
    steps = {name: make_step(config, phase, batch_size, form) for name, form in forms.items()}
    first = {name: step() for name, step in steps.items()}
    later: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(TURNS):
        for name, step in steps.items():
            later[name].append(step())
    return first, later


def main() -> None:
    """Measure all phases and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("config", help="configuration, a file or a name")
    parser.add_argument("--batch-size", type=int, help="instead of the configuration's")
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    batch_size = arguments.batch_size or config.training.batch_size
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    print("| phase | first, plain (s) | XLA / plain | later, plain (s) | plain / XLA |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for number, phase in enumerate(config.training.schedule):
        first, later = measure(config, phase, batch_size)
        ratio = statistics.median(np.divide(later[PLAIN], later[COMPILED]))
        print(
            f"| {number}: {phase.feedback or 'closed loop'}, {phase.loss} | {first[PLAIN]:.1f} "
            f"| {first[COMPILED] / first[PLAIN]:.1f} | {statistics.median(later[PLAIN]):.2f} "
            f"| {ratio:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
