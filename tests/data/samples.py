"""What the tests of the input pipeline share: small samples, and what can be read off them."""

import numpy as np

from socialmd.config import DataConfig

SMALL = DataConfig(
    subsample=3, num_phases=2, input_steps=2, target_steps=3, window_shift=2, num_rotations=4
)
PLAIN = SMALL.model_copy(update={"num_rotations": 0})


def one_pass(dataset):
    """All samples of one epoch: inputs [samples, T, N, F], targets [samples, T', N, D]."""
    inputs, targets = zip(*dataset.as_numpy_iterator(), strict=True)
    return np.concatenate(inputs), np.concatenate(targets)


def all_frames(dataset):
    """Coordinates of whole windows as complex numbers [samples, T + T', N]."""
    inputs, targets = one_pass(dataset)
    coordinates = np.concatenate([inputs[..., :2], targets], axis=1).astype(np.float64)
    return coordinates[..., 0] + 1j * coordinates[..., 1]


def angles_between(rotated, plain):
    """Angle in [0, 2 pi) that turns `plain` into `rotated`, by least squares [samples]."""
    return np.angle(np.sum(rotated * plain.conj(), axis=(1, 2))) % (2 * np.pi)


def nearest_windows(rotated, plain):
    """Which window each sample is of, told by distances from the origin, which rotation keeps."""
    distance = np.abs(np.abs(rotated)[:, np.newaxis] - np.abs(plain)).max(axis=(2, 3))
    return distance.argmin(axis=1)
