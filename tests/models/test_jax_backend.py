"""The same models on Keras' JAX backend: one training step against that of TensorFlow.

Keras chooses its backend when it is imported, so each one gets a process of its own, which runs
this file for all distributions.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BACKENDS = ("tensorflow", "jax")
# Heads of the social LSTM, and those of the sequence LSTM and of the interaction LSTM.
DISTRIBUTIONS = ("gaussian", "mixture", "correlated_mixture", "isotropic_gaussian", "student_t")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for each distribution, with what each backend made of the same weights."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("needs the extra socialmd[jax]")
    folder = tmp_path_factory.mktemp("steps")
    for distribution in DISTRIBUTIONS:
        write_start(folder / distribution, distribution)
    processes = {
        backend: subprocess.Popen(
            [sys.executable, __file__, folder],
            cwd=ROOT,
            env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for backend in BACKENDS
    }
    for process in processes.values():
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    return folder


@pytest.fixture(params=DISTRIBUTIONS)
def steps(request, folder):
    """By backend: forecast, loss and gradients of one step from the same weights."""
    files = {backend: folder / request.param / f"{backend}.npz" for backend in BACKENDS}
    return {backend: dict(np.load(path)) for backend, path in files.items()}


def make_model(distribution, inputs):
    """Built for these inputs."""
    from socialmd.models import SequenceLSTM, SocialLSTM
    from tests.tiny_models import TINY, interacting_model

    if distribution == "student_t":
        return interacting_model(np.random.default_rng(3))
    if distribution == "isotropic_gaussian":
        model = SequenceLSTM(3, mlp_units=(6,), lstm_units=(5, 4), dropout=0.0, length_scale=2.0)
    else:
        model = SocialLSTM(**TINY, prediction="displacement", distribution=distribution)
    model.build(inputs.shape)
    return model


def write_start(folder, distribution):
    """Weights, and positions that differ enough for every grid to have neighbours on it."""
    from tests.tiny_models import SCALES, tiny_inputs

    rng = np.random.default_rng(4)
    model = make_model(distribution, tiny_inputs(rng))
    if distribution != "student_t":
        for weight in model.trainable_weights:
            weight.assign(rng.normal(scale=0.4, size=weight.shape))
    if distribution not in ("isotropic_gaussian", "student_t"):
        for name, scale in SCALES.items():
            getattr(model, name).assign(scale)
        model.is_adapted.assign(1.0)
    model.sigma_factors.assign([0.5, 1.0, 2.0])
    folder.mkdir()
    model.save_weights(folder / "start.weights.h5")
    np.savez(folder / "frames.npz", tiny_inputs(rng, steps=6))


def take_one_step(folder, distribution):
    """Leave what this process' backend makes of it; a plain step of one is the gradient."""
    import keras

    from socialmd.losses import EnergyScore, NegativeLogLikelihood
    from socialmd.metrics import PositionError
    from socialmd.training.training_backup import build_state

    frames = np.load(folder / "frames.npz")["arr_0"]
    inputs, targets = frames[:, :3], frames[:, 3:, :, :2]
    model = make_model(distribution, inputs)
    model.load_weights(folder / "start.weights.h5")
    arrays = {"forecast": model(inputs)}
    for name in ("sample", "same sample"):
        arrays[name], _ = model.rollout(inputs, 3, feedback="sample", seed=1)
    before = [np.array(weight) for weight in model.trainable_weights]
    arrays["recalibrated"] = model.rollout(inputs, 5, recalibrated=True)[1]
    futures, _ = model.rollout(inputs, 2, feedback="sample", seed=1, num_samples=3)
    assert futures.shape == (3, *inputs.shape[:1], 2, *inputs.shape[2:3], 2)
    if distribution == "student_t":
        model.begin_training("mean")
    model.compile(
        keras.optimizers.SGD(1.0),
        NegativeLogLikelihood(distribution),
        metrics=[PositionError(distribution)],
    )
    build_state(model, targets, arrays["forecast"])
    values = model.record_steps()
    arrays["loss"], arrays["error"] = model.train_on_batch(inputs, targets)
    arrays.update({f"{name} of the step": value for name, value in values.read().items()})
    for value, weight in zip(before, model.trainable_weights, strict=True):
        arrays[f"gradient of {weight.path}"] = value - np.array(weight)
    if distribution == "student_t":
        model.begin_training("sample", num_samples=2)
        model.compile(keras.optimizers.SGD(1.0), EnergyScore())
        assert np.isfinite(model.train_on_batch(inputs, targets)).all()
    np.savez(folder / f"{keras.backend.backend()}.npz", **arrays)


def test_one_training_step_is_the_same(steps):
    expected, found = (steps[backend] for backend in BACKENDS)
    assert found.keys() == expected.keys()
    for name in expected.keys() - {"sample", "same sample"}:
        array = expected[name]
        scale = np.abs(array).max()
        assert scale > 0, name
        atol = max(1e-5 * scale, 1e-7)  # float32 sums of what is of order one
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=atol, err_msg=name)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_step_s_numbers_are_its_own(steps, backend):
    found = steps[backend]
    squares = [np.sum(array**2) for name, array in found.items() if name.startswith("gradient of")]
    assert len(squares) > 3
    assert found["gradient_norm of the step"] == pytest.approx(np.sqrt(sum(squares)), rel=1e-4)
    assert found["loss of the step"] == pytest.approx(found["loss"], rel=1e-6)
    assert found["mae of the step"] == pytest.approx(found["error"], rel=1e-6)
    assert found["learning_rate of the step"] == 1.0


def test_samples_are_repeatable(steps):
    """They differ from backend to backend, whose random numbers are others."""
    found = steps["jax"]
    assert np.isfinite(found["sample"]).all()
    np.testing.assert_array_equal(found["same sample"], found["sample"])
    assert np.abs(found["sample"] - steps["tensorflow"]["sample"]).max() > 0.01


if __name__ == "__main__":
    for name in DISTRIBUTIONS:
        take_one_step(Path(sys.argv[1]) / name, name)
