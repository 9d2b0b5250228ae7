import inspect

import keras
import numpy as np
import pytest

from socialmd.losses import NegativeLogLikelihood
from socialmd.models import SequenceLSTM
from socialmd.models.recalibration import scale_sigma

SMALL = {
    "target_steps": 4,
    "mlp_units": (7, 5),
    "lstm_units": (6, 3),
    "length_scale": 2.0,
    "dropout": 0.5,
}
PARTICLES, FEATURES = 5, 2


def small_model(rng, spatial_dims=2):
    model = SequenceLSTM(**{**SMALL, "spatial_dims": spatial_dims})
    model.build((None, None, PARTICLES, spatial_dims + FEATURES))
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.4, size=weight.shape))
    return model


def inputs_of(rng, spatial_dims=2, batch=3):
    positions = rng.normal(scale=2.0, size=(batch, 3, PARTICLES, spatial_dims))
    features = rng.integers(0, 2, size=(batch, 1, PARTICLES, FEATURES)).repeat(3, axis=1)
    return np.concatenate([positions, features], axis=-1).astype("float32")


@pytest.fixture(params=[2, 3])
def dims(request):
    return request.param


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(model, inputs):
    """Frame by frame and layer by layer, equations (1)-(6) written out: means [B, T', N, D]."""
    weights = {
        "/".join(weight.path.split("/")[-2:]): np.array(weight.value, float)
        for weight in model.trainable_weights
    }
    dims, forecasts = model.spatial_dims, []
    for sample in inputs.astype(float):
        h = [np.zeros(units) for units in model.lstm_units]
        c = [np.zeros(units) for units in model.lstm_units]
        frames = list(sample[:, :, :dims])
        for step in range(len(sample) + model.target_steps - 1):
            vector = np.concatenate([frames[step] / 2.0, sample[-1, :, dims:]], axis=1).ravel()
            for i in range(2):
                kernel, bias = weights[f"encoder_{i}/kernel"], weights[f"encoder_{i}/bias"]
                vector = np.maximum(vector @ kernel + bias, 0.0)
            for i in range(2):
                name = f"lstm_{i}"
                z = vector @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]
                z += h[i] @ weights[f"{name}/recurrent_kernel"]
                input_gate, forget_gate, candidate, output_gate = np.split(z, 4)
                c[i] = sigmoid(forget_gate) * c[i] + sigmoid(input_gate) * np.tanh(candidate)
                vector = h[i] = sigmoid(output_gate) * np.tanh(c[i])
            for i in range(2):
                kernel, bias = weights[f"decoder_{i}/kernel"], weights[f"decoder_{i}/bias"]
                vector = np.maximum(vector @ kernel + bias, 0.0)
            raw = vector @ weights["output_layer/kernel"] + weights["output_layer/bias"]
            if step >= len(sample) - 1:
                frames.append(2.0 * raw.reshape(PARTICLES, dims))
        forecasts.append(frames[len(sample) :])
    return np.array(forecasts)


def test_forecast_is_that_of_the_reference(rng, dims):
    model, inputs = small_model(rng, dims), inputs_of(rng, dims)
    parameters = np.asarray(model(inputs))
    np.testing.assert_allclose(
        parameters[..., :dims], reference(model, inputs), rtol=2e-4, atol=1e-5
    )
    np.testing.assert_array_equal(parameters[..., dims:], 2.0)  # sigma is constant


def test_rollout_goes_on_beyond_the_training_horizon(rng, dims):
    model, inputs = small_model(rng, dims), inputs_of(rng, dims)
    positions, parameters = model.rollout(inputs, num_steps=9)
    assert positions.shape == (3, 9, PARTICLES, dims)
    np.testing.assert_allclose(parameters[:, :4], model(inputs), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(positions, parameters[..., :dims])


def test_it_does_not_know_that_particles_are_alike(rng):
    """Exchange two particles: the social LSTM's forecast is exchanged, this one's is another."""
    model, inputs = small_model(rng), inputs_of(rng)
    order = [1, 0, 2, 3, 4]
    exchanged = np.asarray(model(inputs[:, :, order]))[:, :, order]
    assert np.abs(exchanged - model(inputs)).max() > 1e-2


def test_padded_particles_change_nothing(rng, dims):
    """Whatever their numbers: masked, left away, or zero, it is the same configuration."""
    model, inputs = small_model(rng, dims), inputs_of(rng, dims)
    mask = np.array([[True, True, True, False, False]] * 3)
    expected = np.asarray(model(inputs[:, :, :3]))
    assert expected.shape == (3, 4, 3, dims + 1)
    for padded in (inputs, np.where(mask[:, None, :, None], inputs, 0.0)):
        actual = np.asarray(model({"inputs": padded, "mask": mask}))
        np.testing.assert_allclose(actual[:, :, :3], expected, rtol=1e-5, atol=1e-6)
        of_dictionary = model({"inputs": padded, "mask": mask})
        np.testing.assert_array_equal(of_dictionary, actual)


def test_dropout_acts_in_training_only(rng):
    model, inputs = small_model(rng), inputs_of(rng)
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))
    first, second = (np.asarray(model(inputs, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3


def test_training_lowers_the_squared_error(rng):
    """The likelihood of constant sigma is the squared error, and the loss goes down."""
    keras.utils.set_random_seed(1)
    model, inputs = SequenceLSTM(**{**SMALL, "dropout": 0.0}), inputs_of(rng, batch=8)
    targets = (3.0 + rng.normal(size=(8, 4, PARTICLES, 2))).astype("float32")
    loss = NegativeLogLikelihood("isotropic_gaussian")
    squared = np.square(np.asarray(model(inputs))[..., :2] - targets).sum(axis=-1).mean()
    constant = 2 * np.log(2.0) + np.log(2 * np.pi)
    assert float(loss(targets, model(inputs))) == pytest.approx(squared / 8 + constant, rel=1e-4)
    model.compile(keras.optimizers.Nadam(0.05), loss=loss, run_eagerly=True)
    history = model.fit(inputs, targets, epochs=10, verbose=0).history["loss"]
    assert history[-1] < history[0] - 1.0


def test_recalibration_finds_the_error_of_each_step(rng):
    """Sigma becomes the root mean square error per coordinate, whoever asks, and stays that."""
    model, inputs = small_model(rng), inputs_of(rng, batch=200)
    scales = np.array([0.5, 1.0, 2.0, 4.0])[:, None, None]
    truth = np.asarray(model(inputs))[..., :2] + scales * rng.normal(size=(200, 4, PARTICLES, 2))
    for _ in range(2):
        model.recalibrate([(inputs, truth)])
        parameters = np.asarray(model(inputs))
        np.testing.assert_allclose(parameters[0, :, 0, 2], scales[:, 0, 0], rtol=0.1)
    np.testing.assert_array_equal(scale_sigma(model, parameters), parameters)
    _, rolled_out = model.rollout(inputs, 6, recalibrated=True)
    np.testing.assert_allclose(rolled_out[:, :4], parameters, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(rolled_out[:, 4:, :, 2], parameters[:, -1:, :, 2].repeat(2, 1))


def test_save_and_load(rng, dims, tmp_path):
    model, inputs = small_model(rng, dims), inputs_of(rng, dims)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded(inputs), model(inputs), rtol=1e-6)
    arguments = inspect.signature(SequenceLSTM).parameters.keys() - {"kwargs"}
    assert arguments <= model.get_config().keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spatial_dims": 4}, "spatial_dims: expected 2 or 3, found 4"),
        ({"mlp_units": ()}, r"mlp_units: expected positive integers, found \[\]"),
        ({"lstm_units": (3, 0)}, r"lstm_units: expected positive integers, found \[3, 0\]"),
        ({"dropout": 1.0}, "dropout: expected 0 or more and less than 1, found 1.0"),
        ({"length_scale": 0.0}, "length_scale: expected a positive number, found 0.0"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        SequenceLSTM(**arguments)


def test_more_particles_than_it_was_built_for_are_refused(rng):
    model, inputs = small_model(rng), inputs_of(rng)
    for count in (4, 3, 2):  # after which a graph for any number of particles is compiled
        model.rollout(inputs[:, :, :count])
    with pytest.raises(ValueError, match=r"at most the 5 particles .* found 10"):
        model.rollout(np.concatenate([inputs, inputs], axis=2))
    with pytest.raises(ValueError, match="expected a known number of particles"):
        SequenceLSTM().build((None, 3, None, 4))
