"""A graph network to compare with, trained for some minutes. Run by hand:

    python tests/benchmarks/graph_network.py DATA --minutes 15 --output graph_network.json

Encode, pass messages, decode: particles are nodes with their static features and last two
displacements, all pairs of them are edges with their offset and distance, and what comes out is
each particle's acceleration. Trained to predict one step, with noise on the positions that it is
given; then rolled out 30 steps. Written from the paper, for few particles: all pairs, as dense
tensors [B, N, N, 64].

The file says how good forecasts are along the training, on validation windows, and at the end on
all test windows. Minutes are of processor time in training, which depends less on what else the
machine does; with one thread (`TF_NUM_INTRAOP_THREADS=1`) they are those of one core. Forecasts
along the training are not counted. `learning_curve.py` measures models of this package likewise.

Reference: A. Sanchez-Gonzalez et al., Learning to simulate complex physics with graph networks,
ICML 2020.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from socialmd.config import DataConfig
from socialmd.data import Windows, make_dataset, read_windows
from socialmd.evaluation import ForecastMetrics
from socialmd.files import write_text
from socialmd.losses.student_t_error import FREEDOM
from socialmd.models.estimate_scales import Scales, estimate_scales

GIVEN = 3  # frames that a step is computed from: two displacements
FARTHEST = 1e3  # where a forecast that has become unstable ends, in units of length
STEPS_AT_ONCE = 20  # from one look at the clock to the next
WARM_UP = 100  # steps in which the learning rate rises


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", help="data set, a folder with train/, validation/ and test/")
    parser.add_argument("--minutes", type=float, default=15.0, help="of training")
    parser.add_argument("--output", type=Path, help="JSON file for settings, curve and result")
    parser.add_argument("--rounds", type=int, default=2, help="of message passing")
    parser.add_argument("--shared", action="store_true", help="one set of weights for all rounds")
    parser.add_argument("--width", type=int, default=64, help="of all layers")
    parser.add_argument("--hidden-layers", type=int, default=1, help="of each MLP")
    parser.add_argument(
        "--edges",
        choices=("plain", "near"),
        default="near",
        help="offset and distance alone, as in the paper, or also their logarithm and direction",
    )
    parser.add_argument(
        "--noise", type=float, default=0.1, help="in units of the typical second difference"
    )
    parser.add_argument("--loss", choices=("student_t", "squared"), default="student_t")
    parser.add_argument("--error-scale", type=float, default=0.03, help="likewise, of student_t")
    parser.add_argument("--learning-rate", type=float, default=2e-3, help="at the beginning")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--curve-windows", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(argv)
    keras.utils.set_random_seed(arguments.seed)
    train = training_frames(arguments.data, arguments.batch_size, arguments.seed)
    scales = estimate_scales(train)
    model = GraphNetwork(
        scales,
        rounds=arguments.rounds,
        shared=arguments.shared,
        width=arguments.width,
        hidden_layers=arguments.hidden_layers,
        sees_near=arguments.edges == "near",
    )
    inputs, _ = next(iter(train))
    model(inputs)
    settings = {key: value for key, value in vars(arguments).items() if key not in OTHER_ARGUMENTS}
    weights = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    print(f"{weights} weights, {settings}", flush=True)
    report: dict[str, Any] = {"settings": settings, "weights": weights, "curve": []}
    validation = read_windows(arguments.data, "validation", DataConfig(), arguments.curve_windows)
    for point in train_model(model, train, scales, arguments):
        errors = measure(model, validation)
        report["curve"].append({**point, **errors})
        print(json.dumps(report["curve"][-1]), flush=True)
        write(report, arguments.output)
    report["test"] = measure(model, read_windows(arguments.data, "test", DataConfig()))
    print("test", json.dumps(report["test"]), flush=True)
    write(report, arguments.output)


OTHER_ARGUMENTS = ("data", "output", "minutes", "curve_windows")


def write(report: dict[str, Any], path: Path | None) -> None:
    if path is not None:
        write_text(path, json.dumps(report, indent=2) + "\n")


# === Network ===


class GraphNetwork(keras.Model):
    """Predicts where N particles are one step later, from three frames."""

    def __init__(
        self,
        scales: Scales,
        rounds: int = 2,
        shared: bool = False,
        width: int = 64,
        hidden_layers: int = 1,
        sees_near: bool = True,
    ) -> None:
        super().__init__()
        self.scales = scales
        self.sees_near = sees_near
        self.encode_nodes = mlp(width, width, hidden_layers)
        self.encode_edges = mlp(width, width, hidden_layers)
        sets = 1 if shared else rounds
        # The first layer of each edge's MLP reads the edge and both nodes: a sum of three products,
        # two of which are computed once for each node instead of for each pair.
        self.of_edge = [keras.layers.Dense(width) for _ in range(sets)]
        self.of_ends = [keras.layers.Dense(2 * width, use_bias=False) for _ in range(sets)]
        self.update_edges = [mlp(width, width, hidden_layers - 1, "relu") for _ in range(sets)]
        self.update_nodes = [mlp(width, width, hidden_layers) for _ in range(sets)]
        self.decode = mlp(width, scales_dims(scales), hidden_layers, normalize=False)
        self.order = [0] * rounds if shared else list(range(rounds))

    def call(self, frames: Any) -> Any:
        """[B, 3, N, F] -> [B, N, D]"""
        dims = scales_dims(self.scales)
        positions = frames[..., :dims]
        velocities = (positions[:, 1:] - positions[:, :-1]) / self.scales.displacement
        features = frames[:, -1, :, dims:] - self.scales.feature_mean.astype("float32")
        features = features / self.scales.feature_scale.astype("float32")
        nodes = self.encode_nodes(
            ops.concatenate([velocities[:, 0], velocities[:, 1], features], axis=-1)
        )  # [B, N, H]
        last = positions[:, -1]
        edges = self.encode_edges(self.describe_edges(last))  # [B, N, N, H]
        is_other = 1 - ops.eye(last.shape[1])[:, :, None]
        for number in self.order:
            of_receiver, of_sender = ops.split(self.of_ends[number](nodes), 2, axis=-1)
            messages = self.update_edges[number](
                self.of_edge[number](edges) + of_receiver[:, :, None] + of_sender[:, None]
            )
            received = ops.sum(messages * is_other, axis=2)
            edges = edges + messages
            nodes = nodes + self.update_nodes[number](ops.concatenate([nodes, received], axis=-1))
        change = self.scales.acceleration * self.decode(nodes)
        return 2 * last - positions[:, -2] + change

    def describe_edges(self, positions: Any) -> Any:
        """What is known of each pair, [B, N, N, ...], from receiver to sender."""
        offsets = positions[:, None, :, :] - positions[:, :, None, :]
        distances = ops.sqrt(ops.sum(ops.square(offsets), axis=-1, keepdims=True) + 1e-8)
        parts = [offsets, distances]
        if self.sees_near:
            parts += [offsets / distances, ops.log(distances)]
        return ops.concatenate(parts, axis=-1)

    def rollout(self, inputs: Any, num_steps: int) -> Any:
        """[B, T, N, F] -> [B, num_steps, N, D]"""
        dims = scales_dims(self.scales)
        frames, features = inputs[:, -GIVEN:], inputs[:, -1:, :, dims:]
        predicted = []
        for _ in range(num_steps):
            following = self.predict_step(frames)
            predicted.append(following)
            following = ops.concatenate([following[:, None], features], axis=-1)
            frames = ops.concatenate([frames[:, 1:], following], axis=1)
        return np.stack(predicted, axis=1)

    @tf.function(reduce_retracing=True)
    def predict_step(self, frames: Any) -> Any:
        return ops.clip(self(frames), -FARTHEST, FARTHEST)


def mlp(
    width: int,
    outputs: int,
    hidden_layers: int,
    before: str | None = None,
    normalize: bool = True,
) -> keras.Sequential:
    layers: list[Any] = [] if before is None else [keras.layers.Activation(before)]
    layers += [keras.layers.Dense(width, activation="relu") for _ in range(hidden_layers)]
    layers.append(keras.layers.Dense(outputs))
    if normalize:
        layers.append(keras.layers.LayerNormalization())
    return keras.Sequential(layers)


def scales_dims(scales: Scales) -> int:
    """D: of the features of a particle, those that are not static."""
    return scales.input_shape[-1] - len(scales.feature_mean)


# === Training ===


def training_frames(data: str, batch_size: int, seed: int) -> tf.data.Dataset:
    """Every run of four frames of the training split, rotated at random: (given, next)."""
    config = DataConfig(input_steps=GIVEN, target_steps=1, window_shift=1, num_rotations=1)
    return make_dataset(Path(data) / "train", config, batch_size, shuffle=True, seed=seed)


def train_model(
    model: GraphNetwork, train: tf.data.Dataset, scales: Scales, arguments: argparse.Namespace
) -> Iterator[dict[str, float]]:
    """Train; hand over ten times on the way, the last time at the end."""
    budget = 60 * arguments.minutes
    dims = scales_dims(scales)
    optimizer = keras.optimizers.Adam(arguments.learning_rate, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)
    error_scale = arguments.error_scale * scales.acceleration

    @tf.function(jit_compile=True)
    def step(inputs: Any, targets: Any, noise: Any) -> Any:
        following = targets[:, 0]
        if arguments.noise:
            inputs = ops.concatenate([inputs[..., :dims] + noise, inputs[..., dims:]], axis=-1)
            # The true displacement from where the particle seems to be: what is to be predicted
            # takes the noise back out of the velocity, but not out of the position.
            following = following + noise[:, -1]
        with tf.GradientTape() as tape:
            squares = ops.sum(ops.square((model(inputs) - following) / error_scale), axis=-1)
            if arguments.loss == "student_t":
                squares = (FREEDOM + dims) / 2 * ops.log1p(squares / FREEDOM)
            loss = ops.mean(squares)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(loss, [v.value for v in variables]), variables)
        return loss

    generator = tf.random.Generator.from_seed(arguments.seed)
    standard_deviation = arguments.noise * scales.acceleration
    steps, spent, started = 0, 0.0, 0.0
    losses: list[float] = []
    batches = endlessly(train)
    next_point = budget / 10
    while spent < budget:
        start, start_on_clock = time.process_time(), time.perf_counter()
        for _ in range(STEPS_AT_ONCE):
            inputs, targets = next(batches)
            noise = random_walk(generator, inputs.shape, dims, standard_deviation)
            loss = step(inputs, targets, noise)
            steps += 1
        losses.append(float(loss))
        if steps > STEPS_AT_ONCE:  # the first ones compile
            spent += time.process_time() - start
            started += time.perf_counter() - start_on_clock
        rate = arguments.learning_rate * (1 + math.cos(math.pi * min(1.0, spent / budget))) / 2
        optimizer.learning_rate = max(rate, 1e-6) * min(1.0, steps / WARM_UP)
        if spent >= min(next_point, budget):
            next_point += budget / 10
            recent = float(np.mean(losses[-50:]))
            yield {
                "seconds": round(spent, 1),
                "seconds_on_clock": round(started, 1),
                "steps": steps,
                "frames": steps * arguments.batch_size,
                "loss": recent,
            }


def random_walk(generator: Any, shape: Any, dims: int, standard_deviation: float) -> Any:
    """Noise on the given positions [B, T, N, D], whose last displacement has this deviation.

    Each displacement is off by what the one before was off by and more.
    """
    batch, frames, particles, _ = shape
    changes = generator.normal((batch, frames - 1, particles, dims))
    velocities = tf.cumsum(changes * standard_deviation / math.sqrt(frames - 1), axis=1)
    return tf.pad(tf.cumsum(velocities, axis=1), [[0, 0], [1, 0], [0, 0], [0, 0]])


def endlessly(dataset: tf.data.Dataset) -> Iterator[Any]:
    """Batches of one size, epoch by epoch."""
    size = None
    while True:
        for inputs, targets in dataset:
            size = size or inputs.shape[0]
            if inputs.shape[0] == size:
                yield inputs, targets


# === Measuring ===


def measure(model: GraphNetwork, windows: Windows, at_once: int = 50) -> dict[str, float]:
    """Errors of forecasts as long as the truth."""
    starts = range(0, len(windows.inputs), at_once)
    forecast = np.concatenate(
        [
            model.rollout(tf.constant(windows.inputs[start : start + at_once]), steps_of(windows))
            for start in starts
        ]
    )
    return errors(forecast, windows)


def errors(forecast: Any, windows: Windows) -> dict[str, float]:
    """What is said of forecasts."""
    metrics = ForecastMetrics.from_arrays(windows.truth, forecast)
    return {
        "windows": len(windows.inputs),
        "mae": metrics.mae,
        "median": metrics.median_error,
        "fde": metrics.fde,
        "mae_one_step": metrics.mae_per_step[0],
        "median_one_step": metrics.median_error_per_step[0],
    }


def steps_of(windows: Windows) -> int:
    return windows.truth.shape[1]


if __name__ == "__main__":
    main()
