"""How fast the input pipeline feeds, against how fast a model eats. Run by hand:

    python tests/benchmarks/input_pipeline.py --consumed 16

The default configuration on random trajectories [100, 1000, 25, 4]: speed does not depend on the
numbers. `--consumed` is what a training step consumes, in samples per second; the default is
about that of the reference model on two CPU cores. Since the pipeline shares these with the
training, its processor time counts as well, which also depends less on what else is running.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from socialmd.config import DataConfig
from socialmd.data import describe_dataset, make_dataset
from socialmd.data.dataset_description import save_array


def write_trajectories(directory: Path, num_simulations: int) -> None:
    generator = np.random.default_rng(0)
    for index in range(num_simulations):
        frames = generator.normal(size=(1000, 25, 4))
        frames[..., 2:] = frames[0, :, 2:]  # mass and charge stay the same
        save_array(directory / f"train/{index}.npy", frames)
    describe_dataset(directory, features=["x", "y", "mass", "charge"], frame_spacing=1e-4)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--consumed", type=float, default=16.0, help="samples per second")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=5, help="measured ones; their median counts")
    arguments = parser.parse_args(argv)

    with tempfile.TemporaryDirectory() as directory:
        write_trajectories(Path(directory), num_simulations=100)
        start = time.perf_counter()
        dataset = make_dataset(
            Path(directory) / "train", DataConfig(), arguments.batch_size, shuffle=True
        )
        print(f"load and validate: {time.perf_counter() - start:.2f} s")
    next(iter(dataset))  # builds what is built once
    rates, costs = [], []
    for epoch in range(arguments.epochs):
        start, processor_start = time.perf_counter(), time.process_time()
        num_samples = sum(int(inputs.shape[0]) for inputs, _ in dataset)
        rates.append(num_samples / (time.perf_counter() - start))
        costs.append((time.process_time() - processor_start) / num_samples)
        print(
            f"epoch {epoch}: {num_samples} samples, {rates[-1]:,.0f} samples/s, "
            f"{1e6 * costs[-1]:.0f} microseconds of processor time per sample"
        )
    rate, cost = np.median(rates), np.median(costs)
    print(f"median: {rate:,.0f} samples/s, {rate / arguments.consumed:,.0f} times what is consumed")
    print(f"feeding what is consumed takes {cost * arguments.consumed:.2%} of one core")


if __name__ == "__main__":
    main()
