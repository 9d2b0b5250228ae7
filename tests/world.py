"""The tiny world of all tests: three particles that move on circles or straight on, [40, 3, 4] a
simulation, and an experiment that trains in seconds."""

from pathlib import Path

import numpy as np

from socialmd import ExperimentConfig
from socialmd.data.dataset_description import describe_dataset, save_array, simulation_name

NUM_FRAMES, NUM_PARTICLES = 40, 3
FEATURES = ("x", "y", "mass", "charge")

EXPERIMENT = {
    "system": {"num_particles": 3, "box_size": 2.0},
    "simulation": {"num_steps": 40, "keep_every": 1},
    "data": {
        "subsample": 2,
        "num_phases": 2,
        "input_steps": 3,
        "target_steps": 4,
        "num_rotations": 1,
    },
    "model": {
        "prediction": "acceleration",
        "units": 6,
        "embedding_dim": 4,
        "grid_cells": 8,
        "grid_sizes": [4.0, 1.0],
        "filters": [2, 3],
    },
    "training": {"batch_size": 4, "epochs": 3, "gradient_clip_norm": 1.0},
}


# The same, of an experiment that is judged rather than trained.
JUDGED = ExperimentConfig.model_validate(
    {
        "simulation": EXPERIMENT["simulation"],
        "data": {**EXPERIMENT["data"], "window_shift": 3, "num_rotations": 10},
        "model": {
            "prediction": "displacement",
            "units": 8,
            "embedding_dim": 4,
            "grid_cells": 8,
            "filters": [3, 4],
        },
        "training": {"batch_size": 5},
    }
)


def on_circles(rng: np.random.Generator) -> np.ndarray:
    """Each particle on a circle of its own, with a mass and a charge: [40, 3, 4]."""
    start, step = rng.uniform(0, 6, NUM_PARTICLES), rng.uniform(0.05, 0.1, NUM_PARTICLES)
    angle = start + step * np.arange(NUM_FRAMES)[:, None]
    path = np.stack([np.cos(angle), np.sin(angle)], axis=-1) + rng.normal(size=(NUM_PARTICLES, 2))
    return with_constants(path, rng)


def straight_on(rng: np.random.Generator) -> np.ndarray:
    """Uniform motion, likewise."""
    start, velocity = rng.uniform(-2, 2, (2, NUM_PARTICLES, 2))
    return with_constants(start + velocity * 0.05 * np.arange(NUM_FRAMES)[:, None, None], rng)


def with_constants(path: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions [frames, N, 2] with masses and charges that stay: [frames, N, 4]."""
    constants = np.broadcast_to(rng.uniform(0.5, 1.5, path.shape[1:]), path.shape)
    return np.concatenate([path, constants], axis=-1)


def write_world(folder: Path, splits: dict[str, list[np.ndarray]], **description) -> Path:
    """A data set of these trajectories, numbered through the splits."""
    numbered = [(split, frames) for split, each in splits.items() for frames in each]
    for index, (split, frames) in enumerate(numbered):
        save_array(folder / split / simulation_name(index), frames)
    describe_dataset(folder, features=FEATURES, **description)
    return folder


def write_circles(folder: Path, seed: int = 1) -> Path:
    """Four simulations of particles on circles, of which two are to train on."""
    rng = np.random.default_rng(seed)
    counts = {"train": 2, "validation": 1, "test": 1}
    splits = {split: [on_circles(rng) for _ in range(n)] for split, n in counts.items()}
    return write_world(folder, splits, frame_spacing=0.1)
