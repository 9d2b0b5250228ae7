"""What a training step costs, against what its arithmetic must cost. Run by hand:

    python tests/benchmarks/training_step.py                  # everything, about ten minutes
    python tests/benchmarks/training_step.py floor --profile  # where the time of a step goes

Each case runs in a process of its own, so that peak memory is that case's alone, and measures this
machine's rate of matrix products before and after. The floor is the time that the multiply-adds of
forward and backward pass take at this rate, nothing else counted; memory traffic is printed beside
it. Times are medians; ratios are between cases of one run.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from socialmd.config import ExperimentConfig, load_config
from socialmd.training.comparisons import REFERENCE, read_comparisons

MODELS = Path(__file__).parents[2] / "models"
COMPARISONS = {
    "floor": [{"model": "thesis"}],
    "forms": [{"form": "fused"}, {"form": "dense"}],
    "grids": [{"model": "thesis"}, {"model": "mono_grid"}],
    "precision": [{"precision": "float32"}, {"precision": "mixed_bfloat16"}],
    "particles": [{"form": "cell", "batch": 4, "particles": n} for n in (25, 50, 100, 200, 400)],
    "variants": [  # of the comparison: their own times are those of whatever else was running
        {"model": "comparison_base", "variant": name}
        for name in ("reference", "grids_6", "grids_8", "squares", "max_pooling", "mixture")
    ],
    "batch": [{"form": "cell", "batch": b} for b in (4, 8, 16, 32, 64)],
}


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("comparisons", nargs="*", default=[], help=f"of {', '.join(COMPARISONS)}")
    parser.add_argument("--profile", action="store_true", help="list operations by time")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.case:
        print(json.dumps(measure(**json.loads(arguments.case))))
        return
    for name in arguments.comparisons or COMPARISONS:
        print(f"\n{name}")
        first: dict[str, Any] = {}
        for case in COMPARISONS[name]:
            case = {**case, "profile": arguments.profile}
            command = [sys.executable, __file__, "--case", json.dumps(case)]
            environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}
            done = subprocess.run(
                command, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            *operations, result = done.stdout.splitlines()
            found = json.loads(result)
            first = first or found
            print(describe(case, found, first), *operations, sep="\n    ", flush=True)


def describe(case: dict[str, Any], found: dict[str, Any], first: dict[str, Any]) -> str:
    what = ", ".join(f"{key} {value}" for key, value in case.items() if key != "profile")
    return (
        f"  {what}: {1e3 * found['seconds']:.1f} ms, {found['seconds'] / found['floor']:.2f} times "
        f"the floor of {1e3 * found['floor']:.1f} ms at {found['rate'] / 1e9:.0f} GFLOP/s "
        f"(moves at least {found['bytes'] / 1e6:.0f} MB), peak {found['peak'] / 1e6:.0f} MB above "
        f"start, {found['seconds'] / first['seconds']:.2f} times the first's time"
    )


# === One case, in a process of its own ===


def measure(
    form: str = "model",
    model: str = "thesis",
    batch: int = 32,
    particles: int = 25,
    precision: str = "float32",
    profile: bool = False,
    variant: str = REFERENCE,
) -> dict[str, float]:
    """Median time of a step, its floor and its peak memory."""
    import keras

    keras.config.set_dtype_policy(precision)
    config = load_config(MODELS / f"{model}.toml")
    if variant != REFERENCE:
        comparisons = read_comparisons(MODELS / "comparisons.toml", config).values()
        (config,) = (c.experiments[variant] for c in comparisons if variant in c.experiments)
    step = {"model": training_step, "cell": cell_step}.get(form, pooling_step)
    run, time_steps = step(config, systems(config, batch, particles), form)
    before, rates = peak_memory(), [matrix_rate()]
    run()
    times = [timed(run) for _ in range(5 if form == "model" else 15)]
    rates.append(matrix_rate())
    if profile:
        print_operations(run)
    rate = statistics.mean(rates)
    count, activations = ideal_step(config, form)
    per_step = batch * particles * time_steps
    return {
        "seconds": statistics.median(times),
        "rate": rate,
        # A product in the forward pass has two in the backward pass, each of two operations a time.
        "floor": 3 * 2 * count * per_step / rate,
        # Written and read forward, read again backward; its gradient written and read: float32.
        "bytes": 5 * 4 * activations * per_step,
        "peak": peak_memory() - before,
    }


def ideal_step(config: ExperimentConfig, form: str) -> tuple[int, int]:
    """Multiply-adds and activations of one particle's forward step; sums over pairs not counted."""
    model = config.model
    features, parameters = 4 + 2 * (model.prediction != "position"), 5
    taps = model.kernel_size**2
    count = model.embedding_dim * taps * model.filters[0]
    side, channels = -(-model.grid_cells // 2), model.filters[0]
    activations = side**2 * channels
    if form in ("fused", "dense"):
        return count, activations
    for filters in model.filters[1:]:
        side = -(-side // 2)
        count += side**2 * taps * channels * filters
        channels = filters
        activations += side**2 * channels
    hidden, width = model.units, model.embedding_dim
    count += (features + hidden + side**2 * channels) * width  # embeddings
    count += (2 * width + hidden) * 4 * hidden + (hidden + width) * parameters
    return count, activations + 3 * width + 6 * hidden


def systems(config: ExperimentConfig, batch: int, particles: int) -> Any:
    """Windows of simulated trajectories, [B, T + T', N, F], at the default density."""
    from socialmd.simulation import simulate

    system = config.system.model_copy(
        update={
            "num_particles": particles,
            "box_size": config.system.box_size * (particles / config.system.num_particles) ** 0.5,
        }
    )
    every = config.simulation.keep_every * config.data.subsample // 10
    frames = simulate(system, batch, config.data.window * every, 1e-6, every, seed=0)
    return frames.astype("float32")


def training_step(
    config: ExperimentConfig, frames: Any, form: str
) -> tuple[Callable[[], Any], int]:
    """Forward, backward and update of the whole model."""
    from socialmd.models import build_model
    from socialmd.training import compile_model

    inputs, targets = frames[:, :5], frames[:, 5:, :, :2]
    model = build_model(config)
    model.build(inputs.shape)
    model.adapt([(inputs, targets)])
    compile_model(model, config.training)
    return lambda: model.train_on_batch(inputs, targets), config.data.window - 1


def cell_step(config: ExperimentConfig, frames: Any, form: str) -> tuple[Callable[[], Any], int]:
    """Forward and backward of one time step."""
    from socialmd.models import build_model

    model = build_model(config)
    model.build(frames.shape)
    positions, state = frames[:, 0, :, :2], random(*frames[:, 0, :, 0].shape, config.model.units)
    return differentiate(
        lambda state: model.cell(frames[:, 0], positions, (state, state))[0],
        state,
        lambda: model.cell.trainable_variables,
    ), 1


def pooling_step(config: ExperimentConfig, frames: Any, form: str) -> tuple[Callable[[], Any], int]:
    """Forward and backward of pooling and the convolution that reads it, fused or one by one."""
    import keras

    from socialmd.layers import StackedPoolingConv2D, StackedStatePooling

    model, positions = config.model, frames[:, 0, :, :2]
    states = random(*positions.shape[:2], model.embedding_dim)
    grids = {"grid_sizes": model.grid_sizes, "grid_cells": model.grid_cells}
    size = (model.filters[0], model.kernel_size)
    fused = StackedPoolingConv2D(*size, strides=2, **grids)
    pool = StackedStatePooling(**grids)
    convolution = keras.layers.Conv2D(*size, strides=2, padding="same")

    def dense(states: Any) -> Any:
        pooled = pool(positions, states)
        return convolution(keras.ops.reshape(pooled, (-1, *pooled.shape[2:])))

    if form == "fused":
        return differentiate(
            lambda states: fused(positions, states), states, lambda: fused.variables
        ), 1
    return differentiate(dense, states, lambda: convolution.variables), 1


def differentiate(
    function: Callable[[Any], Any], argument: Any, variables: Callable[[], list[Any]]
) -> Callable[[], Any]:
    import tensorflow as tf

    function(argument)  # builds

    @tf.function
    def step() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(argument)
            result = function(argument)
        # The result as well: TensorFlow would leave out what nobody asks for.
        return result, tape.gradient(result, [argument, *(v.value for v in variables())])

    return step


def random(*shape: int) -> Any:
    import tensorflow as tf

    return tf.random.stateless_normal(shape, seed=(0, 0))


def matrix_rate(size: int = 2048) -> float:
    """Operations per second of a large float32 matrix product, two for each multiply-add."""
    import tensorflow as tf

    matrix = random(size, size)
    product = tf.function(lambda: tf.matmul(matrix, matrix))
    product()
    return 2 * size**3 / statistics.median(timed(product) for _ in range(9))


def timed(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def print_operations(run: Callable[[], Any], most: int = 15) -> None:
    """Operations of one run by the time they took, from TensorFlow's profiler."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as directory:
        with tf.profiler.experimental.Profile(directory):
            run()
        space = xplane_pb2.XSpace()
        for path in Path(directory).rglob("*.xplane.pb"):
            space.MergeFromString(path.read_bytes())
    times: collections.Counter[str] = collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            if ":" in name and "::" not in name and "Execute" not in name:
                times[name.rsplit(":")[-1]] += event.duration_ps
    total = sum(times.values())
    for name, duration in times.most_common(most):
        print(f"{duration / 1e9:9.1f} ms {duration / total:6.1%} {name}")


if __name__ == "__main__":
    main()
