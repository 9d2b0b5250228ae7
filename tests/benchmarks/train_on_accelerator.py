"""Minutes on somebody's accelerator for a training: on JAX, without TensorFlow. Run by hand:

    python tests/benchmarks/train_on_accelerator.py prepare models/interaction.toml DATA ready.npz
    KERAS_BACKEND=jax python tests/benchmarks/train_on_accelerator.py train ready.npz \
        --minutes 10 --output OUTPUT
    socialmd train models/interaction.toml DATA OUTPUT

`prepare` writes all that `train` needs to one file: trajectories as float32 (each phase cuts
windows of its own out of them), configuration, and weights before the first step, scales of the
data included. `train` goes as far as minutes allow, through the phases of the configuration, and
leaves the folder that `socialmd train` leaves when it is interrupted, backup included; called
again, either of them goes on. Losses and early stopping are those of `socialmd train`; order
and rotations are drawn by NumPy, from the configuration's seed, so they are others.

An environment for `train` needs this repository (`PYTHONPATH=.`) and

    python -m pip install "jax[cuda12]>=0.10.2" keras==3.15.1 tensorflow-probability==0.25.0 \
        filelock numba pydantic tomli_w tqdm

of which JAX 0.10.2 and 0.11.2 have been tried, on CPUs. TensorFlow Probability comes without
TensorFlow, which some of this repository's packages import. What `train` needs of them does not.
So, where Keras runs on JAX, three packages are replaced by ones that import nothing by themselves:
a name is looked for in its module when it is asked for. TensorFlow is then out of reach even where
it is installed.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import re
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import socialmd

ON_JAX = os.environ.get("KERAS_BACKEND") == "jax"


def look_up_late(package: str) -> None:
    """Replace a package of `from MODULE import NAME as NAME` by one that does so when asked."""
    folder = Path(socialmd.__file__).parent / package
    lines = (folder / "__init__.py").read_text("utf-8")
    modules = {name: of for of, name in re.findall(r"^from (\S+) import (\w+) as", lines, re.M)}

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"{package} has no {name}")
        return getattr(importlib.import_module(modules[name]), name)

    replacement: Any = types.ModuleType(f"socialmd.{package}")
    replacement.__path__ = [str(folder)]
    replacement.__getattr__ = find
    sys.modules[f"socialmd.{package}"] = replacement


if ON_JAX:
    # TensorFlow Probability asks for more digits of pi than JAX gives.
    warnings.filterwarnings("ignore", "Explicitly requested dtype float64")
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # to import it is an error
    for each in ("data", "models", "training"):
        look_up_late(each)

import keras  # noqa: E402

from socialmd.config import DataConfig, ExperimentConfig, PhaseConfig, load_config  # noqa: E402
from socialmd.data.dataset_description import DESCRIPTION_FILE, read_description  # noqa: E402
from socialmd.data.feature_layout import FeatureLayout  # noqa: E402
from socialmd.data.load_trajectories import load_trajectories  # noqa: E402
from socialmd.data.windows import first_frames, sample_rows, window_offsets  # noqa: E402
from socialmd.files import write_atomically  # noqa: E402
from socialmd.models.build_model import build_model  # noqa: E402
from socialmd.models.forecast_model import ForecastModel  # noqa: E402
from socialmd.training.history import keep_epochs, of_phase, read_history  # noqa: E402
from socialmd.training.phase import (  # noqa: E402
    begin_phase,
    check_phases,
    end_phase,
    is_improving,
    phase_samples,
)
from socialmd.training.phase_callbacks import (  # noqa: E402
    Files,
    NumberedCallbacks,
    phase_callbacks,
)
from socialmd.training.training_backup import TrainingBackup, last_backup  # noqa: E402
from socialmd.training.training_folder import (  # noqa: E402
    check_same_experiment,
    load_without_optimizer,
    mark_folder,
)

SPLITS = ("train", "validation")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    preparing = commands.add_parser("prepare", help="with TensorFlow: write all that is needed")
    preparing.add_argument("config", help="experiment, a TOML file from models/")
    preparing.add_argument("data", type=Path, help="folder with train/ and validation/")
    preparing.add_argument("prepared", type=Path, help="file to write, .npz")
    training = commands.add_parser("train", help="with KERAS_BACKEND=jax: train, or go on")
    training.add_argument("prepared", type=Path)
    training.add_argument("--minutes", type=float, required=True, help="compiling included")
    training.add_argument("--output", type=Path, required=True, help="as of socialmd train")
    arguments = parser.parse_args(argv)
    is_training = arguments.command == "train"
    if is_training != ON_JAX:
        parser.error(f"{arguments.command}: found KERAS_BACKEND={keras.backend.backend()}")
    if arguments.command == "prepare":
        prepare(load_config(arguments.config), arguments.data, arguments.prepared)
    else:
        end = time.monotonic() + 60 * arguments.minutes
        train(arguments.prepared, arguments.output, end)


# === With TensorFlow, where the data are ===


def prepare(config: ExperimentConfig, data: Path, prepared: Path) -> None:
    """Everything up to the first training step, as `socialmd.training.fit` does it."""
    from socialmd.data import make_dataset

    arrays: dict[str, Any] = {
        "config": as_bytes(config.model_dump_json().encode()),
        "description": as_bytes((data / DESCRIPTION_FILE).read_bytes()),
    }
    for split in SPLITS:
        loaded = load_trajectories(data / split, config.data.minimum_frames)
        if loaded.boxes is not None or config.data.reflections:
            raise ValueError(f"{data}: expected neither periodic boxes nor reflections")
        arrays[f"{split}_frames"] = only_used(loaded.frames.astype("float32"), config)
        arrays[f"{split}_mask"] = loaded.mask
    model = new_model(config, read_description(data).layout, arrays["train_frames"])
    as_stored = config.data.model_copy(update={"num_rotations": 0})
    model.adapt(make_dataset(data / "train", as_stored, config.training.batch_size))
    check_phases(model, config.training)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "first.weights.h5"
        model.save_weights(weights)
        arrays["weights"] = as_bytes(weights.read_bytes())
    write_atomically(prepared, lambda file: np.savez_compressed(file, **arrays))
    print(f"{prepared}: {prepared.stat().st_size / 1e6:.0f} MB")


def only_used(frames: NDArray[np.float32], config: ExperimentConfig) -> NDArray[np.float32]:
    """Frames [S, frames, N, F], zero where no window of any phase has one: files are smaller."""
    used = np.zeros(frames.shape[1], bool)
    for phase in config.training.schedule:
        of_phase = phase_samples(phase, config.data)
        rows = first_frames(frames.shape[1], of_phase)
        used[rows[:, np.newaxis] + window_offsets(of_phase)] = True
    return np.where(used[:, np.newaxis, np.newaxis], frames, np.float32(0))


def as_bytes(text: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(text, np.uint8)


def new_model(
    config: ExperimentConfig, layout: FeatureLayout, frames: NDArray[Any]
) -> ForecastModel:
    keras.utils.set_random_seed(config.training.seed)
    model = build_model(config, layout.spatial_dims)
    model.learn_layout(layout)
    model.build((None, config.data.input_steps, frames.shape[2], len(layout.inputs)))
    return model


# === On JAX, where the accelerator is ===


class OutOfTimeError(Exception):
    """Raised where `model.fit` is to be left at once: it would complete the epoch otherwise."""


class TimedBackup(TrainingBackup):
    """Backs up as training does, and once more when time is up.

    Args:
        end: when that is, on the monotonic clock.
    """

    def __init__(self, *arguments: Any, end: float) -> None:
        super().__init__(*arguments)
        self.end = end

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if time.monotonic() > self.end and batch + 1 < self.params["steps"]:
            self._save(self.epoch, batch + 1)
            raise OutOfTimeError

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        if time.monotonic() > self.end:
            raise OutOfTimeError

    def _save(self, epochs: int, steps: int) -> None:
        self.model.jax_state_sync()  # between two steps, variables are empty on JAX
        super()._save(epochs, steps)


class Samples(keras.utils.PyDataset):
    """Batches as `socialmd.data.input_pipeline` gives them, in NumPy.

    Args:
        frames, mask: of a split, as `load_trajectories` gives them.
        layout: of their columns.
        config, batch_size, teacher_forcing, seed, shuffle: as for `make_dataset`.
        first_batch: of the only epoch that these are for.
    """

    def __init__(
        self,
        frames: NDArray[np.float32],
        mask: NDArray[np.bool_],
        layout: FeatureLayout,
        config: DataConfig,
        batch_size: int,
        teacher_forcing: bool,
        seed: int,
        shuffle: bool = False,
        first_batch: int = 0,
    ) -> None:
        super().__init__()
        self.frames = frames.reshape(-1, *frames.shape[2:])  # [S * frames, N, F]
        self.mask = None if mask.all() else mask
        self.frames_each = frames.shape[1]
        self.layout = layout
        self.config = config
        self.batch_size = batch_size
        self.teacher_forcing = teacher_forcing
        self.seed = seed
        self.shuffle = shuffle
        self.first_batch = first_batch
        self.rows = sample_rows(*frames.shape[:2], config)
        self.begin_epoch(0)

    def begin_epoch(self, epoch: int) -> None:
        """Draw what is a function of seed and epoch."""
        rng = np.random.default_rng([self.seed, epoch if self.shuffle else 0])
        count = len(self.rows)
        dims = self.layout.spatial_dims
        self.rotations = random_rotations(rng, count, dims)
        if self.config.num_rotations == 0:
            self.rotations[:] = np.eye(dims)
        self.backwards = np.zeros(count, bool)
        self.order = np.arange(count)
        if self.shuffle:
            self.order = rng.permutation(count)
            if self.config.time_reversal:
                self.backwards = rng.random(count) < 0.5

    def __len__(self) -> int:
        return self.steps_per_epoch - self.first_batch

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        first = (self.first_batch + index) * self.batch_size
        chosen = self.order[first : first + self.batch_size]
        rows = self.rows[chosen]
        offsets = window_offsets(self.config)
        steps = np.where(self.backwards[chosen, np.newaxis], offsets[::-1], offsets)
        windows = self.frames[rows[:, np.newaxis] + steps]  # [B, T + T', N, F]
        for columns in self.layout.vectors:
            windows[..., columns] = np.einsum(
                "bij,btnj->btni", self.rotations[chosen], windows[..., columns]
            )
        given, target = (-1, 2) if self.teacher_forcing else (self.config.input_steps,) * 2
        inputs = windows[:, :given][..., self.layout.inputs]
        targets = windows[:, target:][..., self.layout.targets]
        if self.mask is None:
            return inputs, targets
        return {"inputs": inputs, "mask": self.mask[rows // self.frames_each]}, targets


def random_rotations(rng: np.random.Generator, count: int, dims: int) -> NDArray[np.float32]:
    """Uniform over SO(D): [count, D, D]. Gram-Schmidt, signs made unique, one axis turned round."""
    matrices, upper = np.linalg.qr(rng.normal(size=(count, dims, dims)))
    matrices *= np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, np.newaxis]
    matrices[:, :, 0] *= np.linalg.det(matrices)[:, np.newaxis]
    return matrices.astype("float32")


def train(prepared: Path, output: Path, end: float) -> None:
    """Phase after phase, until all are complete or time is up."""
    with np.load(prepared) as file:
        arrays = dict(file)
    config = ExperimentConfig.model_validate_json(arrays["config"].tobytes())
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / DESCRIPTION_FILE).write_bytes(arrays["description"].tobytes())
        check_same_experiment(output, config, Path(folder))
        mark_folder(output, config, Path(folder))
        weights = Path(folder) / "first.weights.h5"
        weights.write_bytes(arrays["weights"].tobytes())
        layout = read_description(output).layout
        model = new_model(config, layout, arrays["train_frames"])
        model.load_weights(weights)
    files = Files(*(output / name for name in ("history.csv", "best.weights.h5", "backup")))
    keep_epochs(files.history, last_backup(files.backup)[0])
    print(f"on {keras.distribution.list_devices()}", flush=True)
    try:
        for number in range(len(config.training.schedule)):
            train_phase(model, layout, number, config, arrays, files, end)
        print("complete: socialmd train makes the model of it")
    except OutOfTimeError:
        print(f"time is up: {last_backup(files.backup)[2]}")
    finally:
        if sys.modules["tensorflow"] is not None:
            raise RuntimeError("train: expected to do without TensorFlow, found it imported")


def train_phase(
    model: ForecastModel,
    layout: FeatureLayout,
    number: int,
    config: ExperimentConfig,
    arrays: dict[str, Any],
    files: Files,
    end: float,
) -> None:
    """As `socialmd.training.fit` does it, on arrays and without TensorBoard."""
    phase = config.training.schedule[number]
    epochs_before = sum(of < number for of in read_history(files.history).get("phase", []))
    last = epochs_before + phase.epochs
    epoch, step, backup = last_backup(files.backup)
    is_begun = False
    while True:
        history = read_history(files.history)
        own = of_phase(history, number)
        is_later = any(of > number for of in history.get("phase", []))
        if is_later or epoch >= last or not is_improving(own, phase):
            break
        batches = {
            split: make_samples(
                config, phase, arrays, split, layout, step if split == "train" else 0
            )
            for split in SPLITS
        }
        if not is_begun:
            if step == 0 and not own.get("epoch"):
                backup = None  # if there is one, its optimizer is that of the phase before
                if number:
                    load_without_optimizer(model, files.best)
            # JAX compiles a step as a whole or not at all.
            compiled = config.training.model_copy(update={"jit_compile": True})
            steps = batches["train"].steps_per_epoch
            begin_phase(model, phase, compiled, *batches["train"][0], steps)
            is_begun = True
        begin_epoch = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs, train=batches["train"]: train.begin_epoch(epoch)
        )
        saving = TimedBackup(files.backup, config.training.backup_every, backup, end=end)
        own_callbacks = phase_callbacks(number, config.training, files, own, bool(history), saving)
        numbered = NumberedCallbacks(
            [begin_epoch, *own_callbacks],
            first_batch=step,
            add_history=True,
            add_progbar=True,
            model=model,
            verbose=2,
            epochs=last,
            steps=batches["train"].steps_per_epoch,
        )
        until = epoch + 1 if step else last  # the rest of an interrupted epoch by itself
        model.fit(
            batches["train"],
            validation_data=batches["validation"],
            epochs=until,
            initial_epoch=epoch,
            callbacks=numbered,
            shuffle=False,
        )
        epoch, step, backup = until, 0, None
    end_phase(model, config)


def make_samples(
    config: ExperimentConfig,
    phase: PhaseConfig,
    arrays: dict[str, Any],
    split: str,
    layout: FeatureLayout,
    first_batch: int,
) -> Samples:
    return Samples(
        arrays[f"{split}_frames"],
        arrays[f"{split}_mask"],
        layout,
        phase_samples(phase, config.data),
        config.training.batch_size,
        phase.feedback == "truth",
        config.training.seed,
        shuffle=split == "train",
        first_batch=first_batch,
    )


if __name__ == "__main__":
    main()
