"""Files of this version, for later ones to read: python -m tests.versions.write_files

Run it once for each version of which anything on disk looks different, and never again for that
version: what it has written are files as users have them.
"""

import tempfile
from pathlib import Path

import numpy as np

import socialmd
from socialmd import ExperimentConfig
from socialmd.data import read_windows
from socialmd.models import load
from socialmd.training import fit
from tests.run_eagerly import run_eagerly
from tests.training.no_log import no_log
from tests.world import EXPERIMENT, write_circles

INTERACTION = {"kind": "interaction_lstm", "units": 4, "channels": 2, "hidden_units": 4}
INTERACTION |= {"substeps": 2, "num_intervals": 8, "grid_sizes": [4.0], "grid_cells": 4}
MODELS = {
    "social_lstm": {**EXPERIMENT["model"], "distribution": "mixture", "num_components": 2},
    "sequence_lstm": {"kind": "sequence_lstm", "mlp_units": [4], "lstm_units": [4]},
    "radial_filter": INTERACTION,
    "grid_filter": {**INTERACTION, "filter": "grid", "distribution": "correlated_mixture"},
}
TRAINING = {"batch_size": 4, "epochs": 1, "gradient_clip_norm": 1.0}
TRUTH = [{"feedback": "truth", "window": 4}]


def write(folder: Path) -> None:
    """A data set, and of each kind of model one that was trained on it, with its forecast."""
    data = write_circles(folder / "data")
    for name, table in MODELS.items():
        phases = TRUTH if table.get("kind") == "interaction_lstm" else []
        training = {**TRAINING, "phases": phases}
        config = ExperimentConfig.model_validate(
            {**EXPERIMENT, "model": table, "training": training}
        )
        with tempfile.TemporaryDirectory() as run, run_eagerly(), no_log():
            fit(config, data, run, verbose=0)
            model = load(run)  # without the optimizer
        model.save_to_preset(folder / name)
        past = read_windows(data, "test", config.data).past
        positions, parameters = model.rollout(past, recalibrated=True)
        np.savez(folder / name / "forecast.npz", positions=positions, parameters=parameters)


if __name__ == "__main__":
    write(Path(__file__).with_name(socialmd.__version__))
