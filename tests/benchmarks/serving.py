"""Latency and throughput of the exported model beside Keras.

    python tests/benchmarks/serving.py

Run by hand. The shipped model `acceleration` forecasts systems of constant density, that of its
training data, by `rollout` of its SavedModel and by `model.rollout`, which take turns in one
process. Both are compiled before, for any shape, as a service needs them. Times are those on the
clock: of one system alone, and of as many in one batch as make 240 000 particle-steps, at most 32.
Ratios are medians over turns, of time on the clock and of processor time, which depends less on
what else the machine does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence

import numpy as np

from socialmd.models import ForecastModel, export_saved_model, load

DENSITY = 25 / 6.5**2
INPUT_STEPS = 5
LARGEST_BATCH = 32
PARTICLE_STEPS = 240_000

Call = Callable[[np.ndarray, int], object]


def make_inputs(batch: int, num_particles: int, displacement: float) -> np.ndarray:
    """Uniform motion of particles at constant density: float32 [B, T, N, 4]."""
    generator = np.random.default_rng(0)
    side = (num_particles / DENSITY) ** 0.5
    start = generator.uniform(-side / 2, side / 2, size=(batch, 1, num_particles, 2))
    velocity = generator.normal(scale=displacement, size=start.shape)
    positions = start + velocity * np.arange(INPUT_STEPS)[:, None, None]
    features = generator.uniform([0.5, -1.0], [1.5, 1.0], size=start.shape)
    features = features.repeat(INPUT_STEPS, axis=1)
    return np.concatenate([positions, features], axis=-1).astype("float32")


def make_calls(model: ForecastModel) -> dict[str, Call]:
    import tensorflow as tf  # after `socialmd`, which switches its faster convolutions on

    with tempfile.TemporaryDirectory() as folder:
        export_saved_model(model, f"{folder}/exported")
        loaded = tf.saved_model.load(f"{folder}/exported")
    return {
        "Keras": lambda inputs, num_steps: model.rollout(inputs, num_steps)[0].numpy(),
        "exported": lambda inputs, num_steps: loaded.rollout(inputs, num_steps)[
            "positions"
        ].numpy(),
    }


def measure(
    calls: dict[str, Call], inputs: np.ndarray, num_steps: int, repetitions: int
) -> dict[str, np.ndarray]:
    """Seconds on the clock and of the processor, [turns, 2], by name."""
    seconds: dict[str, list[list[float]]] = {name: [] for name in calls}
    for call in calls.values():
        call(inputs, 2)  # memory, and kernels for these shapes
    for _ in range(repetitions):
        for name, call in calls.items():
            starts = time.perf_counter(), time.process_time()
            call(inputs, num_steps)
            ends = time.perf_counter(), time.process_time()
            seconds[name].append([end - start for start, end in zip(starts, ends, strict=True)])
    return {name: np.array(turns) for name, turns in seconds.items()}


def row(batch: int, num_particles: int, num_steps: int, seconds: dict[str, np.ndarray]) -> str:
    clock = {name: np.median(turns[:, 0]) for name, turns in seconds.items()}
    rates = {name: batch * num_particles * num_steps / time for name, time in clock.items()}
    ratios = np.median(seconds["exported"] / seconds["Keras"], axis=0)
    return (
        f"| {num_particles} | {num_steps} | {batch} | {clock['Keras']:.3g} "
        f"| {clock['exported']:.3g} | {rates['Keras']:,.0f} | {rates['exported']:,.0f} "
        f"| {ratios[0]:.2f} | {ratios[1]:.2f} |"
    )


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--particles", type=int, nargs="+", default=[25, 100, 1000])
    parser.add_argument("--steps", type=int, nargs="+", default=[30, 300])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="three turns, a quarter of the batch")
    arguments = parser.parse_args(argv)
    repetitions = 3 if arguments.quick else arguments.repetitions
    budget = PARTICLE_STEPS // 4 if arguments.quick else PARTICLE_STEPS

    model = load("acceleration")
    displacement = float(model.displacement_scale)
    calls = make_calls(model)
    for batch in (1, 2):  # the second shape makes Keras' function one for all
        for call in calls.values():
            call(make_inputs(batch, 2 + batch, displacement), 2 + batch)

    print("| N | steps | B | Keras, s | exported, s | Keras, 1/s | exported, 1/s | time | CPU |")
    print("|---|---|---|---|---|---|---|---|---|")
    for num_particles in arguments.particles:
        for num_steps in arguments.steps:
            most = max(1, min(LARGEST_BATCH, budget // (num_particles * num_steps)))
            for batch in sorted({1, most}):
                inputs = make_inputs(batch, num_particles, displacement)
                seconds = measure(calls, inputs, num_steps, repetitions)
                print(row(batch, num_particles, num_steps, seconds), flush=True)


if __name__ == "__main__":
    main()
