"""Small data sets on disk, written without the package's own writer."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

WriteDataset = Callable[..., Path]


def numbered_trajectories(num_simulations: int, num_frames: int, num_features: int = 4):
    """[S, frames, N=3, F]: every number says which simulation, frame, particle, feature it is.

    Features after the first two stay as they are, as those that are no coordinates have to.
    """
    shape = (num_simulations, num_frames, 3, num_features)
    simulation, frame, particle, feature = np.indices(shape)
    return 1 + simulation + (feature < 2) * frame / 1000 + particle / 10 + feature / 2


@pytest.fixture
def write_dataset(tmp_path: Path) -> WriteDataset:
    """Write `<split>/<number>.npy` for every trajectory and a `dataset.json` for all of them."""

    def write(splits: Mapping[str, np.ndarray], spatial_dims: int = 2) -> Path:
        root = tmp_path / "trajectories"
        checksums, num_features = {}, 0
        for split, trajectories in splits.items():
            (root / split).mkdir(parents=True)
            for index, trajectory in enumerate(trajectories):
                path = root / split / f"{index:03d}.npy"
                np.save(path, trajectory)
                checksums[f"{split}/{path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
                num_features = trajectory.shape[-1]
        description = {
            "format": "socialmd-trajectories-1",
            "features": ["x", "y", *(f"feature_{i}" for i in range(2, num_features))],
            "spatial_dims": spatial_dims,
            "frame_spacing": 0.5,
            "versions": {},
            "files": checksums,
        }
        (root / "dataset.json").write_text(json.dumps(description))
        return root

    return write


@pytest.fixture
def numbered() -> Callable[..., np.ndarray]:
    return numbered_trajectories


@pytest.fixture
def root(write_dataset, numbered):
    """Two training simulations and one for validation, [30, 3, 4]."""
    trajectories = numbered(3, 30)
    return write_dataset({"train": trajectories[:2], "validation": trajectories[2:]})
