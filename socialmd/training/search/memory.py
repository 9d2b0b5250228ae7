"""How much memory a training will need, and how much there is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from socialmd.config import (
    ExperimentConfig,
    InteractionModelConfig,
    ModelConfig,
    SequenceModelConfig,
)
from socialmd.data.dataset_description import read_description

__all__ = ["available_memory", "check_memory", "estimate_memory", "largest_system"]

FloatArray = NDArray[np.floating]

FLOAT, GIBIBYTE = 4, 2**30
# Fitted to peaks of trainings on TensorFlow for CPUs (see `estimate_memory`).
PROCESS = 1.1 * GIBIBYTE  # libraries, compiled graphs, batches
PER_OUTPUT = 1.1  # numbers kept for each one that a convolution puts out
PER_UNIT = 8.0  # for each unit of an LSTM or MLP: gates, states, activations
PER_CHANNEL = 6.0  # numbers kept for each channel of each pair of an interaction
PER_ENTRY = 32  # bytes for each neighbour, grid and filter cell: indices and values


def check_memory(config: ExperimentConfig, system: FloatArray, limit: float | None = None) -> None:
    """Refuse a training that would not fit into memory, before it starts.

    Args:
        config: the experiment.
        system: [N, F], from `largest_system`.
        limit: GiB that there are; if absent, what this machine has available. A GPU's memory
            cannot be asked for before it is taken: where one is used, nothing is refused then.

    Raises:
        ValueError: it is estimated to need more.
    """
    uses_gpu = config.training.device != "cpu" and tf.config.list_physical_devices("GPU")
    if limit is None and uses_gpu:
        return
    found = available_memory() / GIBIBYTE if limit is None else limit
    needed = estimate_memory(config, system) / GIBIBYTE
    if needed > found:
        raise ValueError(
            f"memory: training is estimated to need {needed:.1f} GiB, found {found:.1f} GiB; "
            "fewer or smaller filters, fewer cells or a smaller batch_size need less"
        )


def estimate_memory(config: ExperimentConfig, system: FloatArray) -> float:
    """Peak resident memory of a training process.

    What grows is what each step of the closed loop keeps for its gradient: of each particle the
    outputs of the convolutions, the gates of the LSTM and, for each neighbour in each grid, the
    cells that it adds to. Within a quarter of what trainings of eight different networks took.
    Futures of an energy score count as one: where the law is frozen, little is kept of each.

    Args:
        config: the experiment; its arithmetic is taken for float32.
        system: [N, F], from `largest_system`.

    Returns:
        Bytes.

    Example:
        >>> estimate_memory(load_config("models/thesis.toml"), largest_system("data/monopoles"))
    """
    steps = config.data.window - 1
    if isinstance(config.model, SequenceModelConfig):
        units = sum(config.model.lstm_units) + 2 * sum(config.model.mlp_units)
        of_step = FLOAT * PER_UNIT * (units + system.size)
    elif isinstance(config.model, InteractionModelConfig):
        of_step = len(system) * _of_interacting_particle(config.model, system)
    else:
        of_step = len(system) * _of_particle(config.model, system)
    return PROCESS + config.training.batch_size * steps * of_step


def largest_system(data: str | Path) -> FloatArray:
    """A configuration of the training simulation of most particles.

    Args:
        data: folder of the data set.

    Returns:
        [N, F], its last frame.

    Raises:
        FileNotFoundError: there is no training simulation.
    """
    names = [name for name in read_description(data).files if name.startswith("train/")]
    if not names:
        raise FileNotFoundError(f"{Path(data) / 'train'}: found no simulation")
    arrays = [np.load(Path(data) / name, mmap_mode="r", allow_pickle=False) for name in names]
    return np.asarray(max(arrays, key=lambda array: array.shape[1])[-1])


def available_memory() -> float:
    """Memory that this process may still take, in bytes: of the machine, or of its control group.

    Infinite where the system does not say.
    """
    limits = []
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        fields = dict(line.split(":") for line in meminfo.read_text().splitlines())
        limits.append(1024.0 * int(fields["MemAvailable"].split()[0]))
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        paths = [Path("/sys/fs/cgroup") / name for name in (limit, used)]
        if all(path.is_file() for path in paths):
            values = [path.read_text().strip() for path in paths]
            if values[0] != "max":
                limits.append(float(values[0]) - float(values[1]))
    return min(limits, default=float("inf"))


def _of_particle(model: ModelConfig, system: FloatArray) -> float:
    """Bytes that one particle keeps of one step."""
    halves = model.downsampling == "stride"
    outputs, cells = 0.0, model.grid_cells
    if model.grid_sizes:
        for filters in model.filters:
            outputs += 0 if halves else cells**2 * filters  # before pooling
            cells = -(-cells // 2)
            outputs += cells**2 * filters
    touched = (model.kernel_size / (2 if halves else 1)) ** 2
    entries = touched * _neighbours(system[:, :2], model.grid_sizes)
    return FLOAT * (PER_OUTPUT * outputs + PER_UNIT * model.units) + PER_ENTRY * entries


def _of_interacting_particle(model: InteractionModelConfig, system: FloatArray) -> float:
    """Bytes that one particle keeps of one frame: its pairs, each time forces are evaluated."""
    sizes = (2 * model.cutoff,) if model.filter == "radial" else model.grid_sizes
    of_pair = PER_CHANNEL * model.channels * (1 if model.filter == "radial" else 4)
    pairs = _neighbours(system[:, :2], sizes)
    evaluations = model.substeps + 1
    return FLOAT * (evaluations * pairs * of_pair + PER_UNIT * (model.units + model.hidden_units))


def _neighbours(positions: FloatArray, grid_sizes: tuple[float, ...]) -> float:
    """Mean number of neighbours of a particle, summed over the grids that they lie in."""
    distances = np.linalg.norm(positions[:, None] - positions, axis=-1)  # [N, N]
    within = sum(int(np.sum(distances <= size / 2)) - len(positions) for size in grid_sizes)
    return within / len(positions)
