"""A data set and an experiment small enough to train in seconds."""

from pathlib import Path

import numpy as np

from socialmd.data.dataset_description import describe_dataset, save_array, simulation_name

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


def write_circles(directory: Path, seed: int = 1) -> Path:
    """Four simulations of three particles on circles: [40, 3, 4] each."""
    rng = np.random.default_rng(seed)
    for index, split in enumerate(("train", "train", "validation", "test")):
        angle = rng.uniform(0, 6, 3) + rng.uniform(0.05, 0.1, 3) * np.arange(40)[:, None]
        path = np.stack([np.cos(angle), np.sin(angle)], axis=-1) + rng.normal(size=(3, 2))
        constant = np.broadcast_to(rng.uniform(0.5, 1.5, (3, 2)), (40, 3, 2))
        frames = np.concatenate([path, constant], axis=-1)
        save_array(directory / split / simulation_name(index), frames)
    describe_dataset(directory, features=("x", "y", "mass", "charge"), frame_spacing=0.1)
    return directory
