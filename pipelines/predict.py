"""Forecast one trajectory with a trained model.

    python pipelines/predict.py saved_models/thesis data/monopoles/test/simulation_00120.npy \
        --output forecast --num-steps 100

Writes, for OVITO, ASE and the like as well as for NumPy,

    forecast.npy       positions [steps, N, 2]
    parameters.npy     of the predicted distributions, [steps, N, P]
    forecast.xyz       extended XYZ; sigma is the predicted standard deviation per coordinate
    truth.xyz          the same particles and times as the file has them, if it goes on so far
    samples.npy        many futures for the one past [S, steps, N, 2], with --num-samples S
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from socialmd.command_line import positive_integer
from socialmd.config import DataConfig
from socialmd.data import DatasetDescription
from socialmd.dataset_folder import DESCRIPTION_FILE, read_description, save_array
from socialmd.evaluation import ForecastMetrics, overall_table
from socialmd.extended_xyz import write_extended_xyz
from socialmd.models import constant_velocity, load_model

LARGEST = float(np.finfo(np.float32).max)  # the model computes in float32


class Task(NamedTuple):
    """What to forecast, cut out of the file.

    Args:
        past: [T, N, F].
        truth: the file's own continuation, [0..steps, N, 2].
        last_frame: number of the file's frame that ends the past.
    """

    past: NDArray[Any]
    truth: NDArray[Any]
    last_frame: int


def main(argv: Sequence[str] | None = None) -> None:
    """Run the script.

    Args:
        argv: command line arguments; those of the process if none are given.
    """
    arguments = _parse(argv)
    model, config = load_model(arguments.model)
    steps = config.data.target_steps if arguments.num_steps is None else arguments.num_steps
    trajectory = read_trajectory(arguments.file, model.num_features)
    task = cut(arguments.file, trajectory, config.data, arguments.start_frame, steps)
    description = _description(arguments.file)

    positions, parameters = (
        keras.ops.convert_to_numpy(tensor)[0]
        for tensor in model.rollout(
            task.past[None],
            steps,
            arguments.feedback,
            arguments.seed,
            recalibrated=arguments.recalibrated,
        )
    )
    variance = keras.ops.convert_to_numpy(model.distribution(parameters).variance())
    sigma = np.sqrt(variance.mean(axis=-1))  # [steps, N]

    spacing = _spacing(arguments.frame_spacing, description)
    times = (task.last_frame + config.data.subsample * np.arange(1, steps + 1)) * spacing
    features = _features(description, task.past[-1])
    output: Path = arguments.output
    write_extended_xyz(output / "forecast.xyz", positions, times, {**features, "sigma": sigma})
    save_array(output / "forecast.npy", positions)
    save_array(output / "parameters.npy", parameters)
    print(f"Forecast of {steps} steps from frame {task.last_frame} on written to {output}")

    for name in ("truth.xyz", "samples.npy"):
        (output / name).unlink(missing_ok=True)  # of an earlier forecast
    if count := arguments.num_samples:
        samples, _ = model.rollout(
            task.past[None],
            steps,
            "sample",
            arguments.seed,
            num_samples=count,
        )
        save_array(output / "samples.npy", keras.ops.convert_to_numpy(samples)[:, 0])
    if known := len(task.truth):
        write_extended_xyz(output / "truth.xyz", task.truth, times[:known], features)
        log_probabilities = None
        if (arguments.feedback or model.feedback) != "sample":  # whose densities are no forecast's
            true_positions = task.truth.astype(np.float32)
            log_probabilities = model.distribution(parameters[:known]).log_prob(true_positions)
        print(f"The file goes on for {known} of these steps:\n")
        print(_compare(task, positions[:known], log_probabilities))


def read_trajectory(file: Path, num_features: int) -> NDArray[Any]:
    """Load and check a trajectory.

    Args:
        file: `.npy` file.
        num_features: F of the model.

    Returns:
        [frames, N, F].

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds no finite numbers [frames, N, F] with this F.
    """
    try:
        trajectory = np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{file}: not a .npy file of numbers: {error}") from None
    if not isinstance(trajectory, np.ndarray) or trajectory.dtype.kind not in "fiu":
        raise ValueError(f"{file}: expected a .npy file of real numbers")
    if trajectory.ndim != 3 or trajectory.shape[2] != num_features or trajectory.size == 0:
        raise ValueError(
            f"{file}: expected shape [frames, N, {num_features}], found {trajectory.shape}"
        )
    if not (np.abs(trajectory) <= LARGEST).all():
        raise ValueError(f"{file}: expected finite float32 numbers, found some that are not")
    return trajectory


def cut(
    file: Path, trajectory: NDArray[Any], config: DataConfig, start_frame: int | None, steps: int
) -> Task:
    """Cut the past and its continuation out of a trajectory.

    Args:
        file: where it is from, for messages.
        trajectory: [frames, N, F].
        config: T and how the model's frames are subsampled.
        start_frame: first frame of the past; such that the past ends with the last frame if none
            is given.
        steps: steps ahead.

    Returns:
        The task.

    Raises:
        ValueError: the trajectory has too few frames, or none left after `start_frame`.
    """
    span = (config.input_steps - 1) * config.subsample
    latest = len(trajectory) - 1 - span  # frame at which a past can begin
    if latest < 0:
        raise ValueError(
            f"{file}: a past of {config.input_steps} frames, {config.subsample} apart, needs "
            f"{span + 1} frames, found {len(trajectory)}"
        )
    start = latest if start_frame is None else start_frame
    if not 0 <= start <= latest:
        raise ValueError(f"start_frame: expected 0 to {latest} with {file}, found {start}")
    kept = trajectory[start :: config.subsample]
    past, future = np.split(kept, [config.input_steps])
    return Task(past, future[:steps, :, :2], start + span)


def _compare(task: Task, positions: NDArray[Any], log_probabilities: Any | None) -> str:
    truth = task.truth[None]
    simple = constant_velocity(task.past[None], len(task.truth))
    if log_probabilities is not None:
        log_probabilities = keras.ops.convert_to_numpy(log_probabilities)[None]
    metrics = {
        "model": ForecastMetrics.from_arrays(truth, positions[None], log_probabilities),
        "constant velocity": ForecastMetrics.from_arrays(truth, simple),
    }
    return overall_table(metrics)


def _description(file: Path) -> DatasetDescription | None:
    """That of the data set in whose split the file lies, if it does."""
    folder = file.resolve().parent.parent
    return read_description(folder) if (folder / DESCRIPTION_FILE).is_file() else None


def _spacing(given: float | None, description: DatasetDescription | None) -> float:
    if given is not None:
        return given
    return 1.0 if description is None else description.frame_spacing


def _features(
    description: DatasetDescription | None, frame: NDArray[Any]
) -> dict[str, NDArray[Any]]:
    """The columns after x and y, by name: F - 2 arrays [N]."""
    names = [f"feature_{index}" for index in range(frame.shape[1])]
    if description is not None:
        names = list(description.features)
    # Extended XYZ wants identifiers, and three of them are taken.
    names = [re.sub(r"\W", "_", name) for name in names]
    names = [f"{name}_" if name in ("species", "pos", "sigma") else name for name in names]
    return {name: frame[:, index] for index, name in enumerate(names) if index >= 2}


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path, help="folder that training wrote, or .keras file")
    parser.add_argument("file", type=Path, help="trajectory [frames, N, F] as in a data set, .npy")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--start-frame", type=int, help="first frame of the past; default: latest")
    parser.add_argument("--num-steps", type=int, help="default: as many as in training")
    parser.add_argument(
        "--feedback", choices=("mean", "most_likely", "sample"), help="default: as in training"
    )
    parser.add_argument("--num-samples", type=positive_integer, help="futures to draw as well")
    parser.add_argument(
        "--recalibrated",
        action="store_true",
        help="correct sigma step by step by what the validation split has shown",
    )
    parser.add_argument("--seed", type=int, default=0, help="of samples; default: 0")
    parser.add_argument(
        "--frame-spacing",
        type=float,
        help="time between two frames of the file; default: as its data set says, or else 1",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    main()
