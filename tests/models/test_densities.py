"""Which densities a model holds: what training makes of it, and what samples are refused."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.losses import NegativeLogLikelihood
from socialmd.models import SequenceLSTM, export_saved_model
from socialmd.models.social_lstm import SocialLSTM
from tests.run_eagerly import run_eagerly
from tests.tiny_models import interacting_inputs, interacting_model, tiny_inputs, tiny_model


def sequence_model(rng):
    model = SequenceLSTM(target_steps=3, mlp_units=(4,), lstm_units=(4,), dropout=0.0)
    model.build((None, None, 4, 4))
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    return model


MODELS = {
    "social": lambda rng: tiny_model(rng, prediction="acceleration"),
    "sequence": sequence_model,
}


@pytest.mark.parametrize("name", MODELS)
def test_one_step_is_the_first_of_a_rollout(rng, name):
    model, inputs = MODELS[name](rng), tiny_inputs(rng, steps=5)
    forced = np.asarray(model.one_step(inputs))
    assert forced.shape[:2] == (2, 4)
    for given in (2, 3, 5):
        _, parameters = model.rollout(inputs[:, :given], 1)
        np.testing.assert_allclose(
            forced[:, given - 2], np.asarray(parameters)[:, 0], rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("name", MODELS)
def test_no_frame_has_an_effect_on_densities_of_earlier_ones(rng, name):
    model, inputs = MODELS[name](rng), tiny_inputs(rng, steps=6)
    changed = inputs.copy()
    changed[:, 4, :, :2] += rng.normal(size=(2, 4, 2))
    before, after = (np.asarray(model.one_step(each)) for each in (inputs, changed))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert np.abs(before[:, 3] - after[:, 3]).max() > 0


@pytest.mark.parametrize(
    ("feedback", "densities"), [("truth", ("conditional",)), ("mean", ("marginal",))]
)
def test_training_decides_which_densities_there_are(rng, feedback, densities):
    model, inputs = tiny_model(rng, prediction="displacement", grid_sizes=()), tiny_inputs(rng)
    targets = inputs[..., :2]
    if feedback == "truth":
        targets = targets[:, 1:]
    model.begin_training(feedback)
    with run_eagerly():
        model.compile("nadam", NegativeLogLikelihood())
        model.fit(inputs, targets, verbose=0)
    model.end_training()
    assert model.densities == densities
    copy = SocialLSTM.from_config(model.get_config())
    assert copy.densities == densities
    assert (model.reason_against_samples is None) == (feedback == "truth")
    assert model(inputs).shape == (2, 3, 4, 5)


def test_models_from_before_densities_were_known_were_trained_in_closed_loop(rng):
    config = tiny_model(rng).get_config()
    del config["densities"]
    assert SocialLSTM.from_config(config).densities == ("marginal",)


def test_impossible_trainings_are_refused(rng):
    model = tiny_model(rng)
    with pytest.raises(ValueError, match=r"feedback: expected one of .*found 'past'"):
        model.begin_training("past")
    with pytest.raises(ValueError, match="steps: expected 1 to 3, found 4"):
        model.begin_training("mean", 4)
    with pytest.raises(ValueError, match=r"feedback: expected a model that was made with"):
        model.begin_training("sample")


def test_the_sample_endpoint_refuses_marginal_densities(rng, tmp_path):
    model = interacting_model(rng, substeps=1, units=0)
    model.densities = ("marginal",)
    export_saved_model(model, tmp_path / "exported")
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    inputs = tf.constant(interacting_inputs(rng))
    assert loaded.serve(inputs)["positions"].shape == (2, 3, 4, 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="holds marginal densities"):
        loaded.sample(inputs, tf.constant(3), tf.constant(5))
