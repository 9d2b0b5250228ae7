"""A distribution of somebody's own: what it has to say, and that a model is saved with it."""

import keras
import numpy as np
import pytest
import scipy.stats
from keras import ops

from socialmd import distributions
from socialmd.distributions import Distribution
from socialmd.losses import NegativeLogLikelihood
from tests.tiny_models import interacting_inputs, interacting_model


@keras.saving.register_keras_serializable("tests")
class TwoRings(Distribution):
    """Two Gaussians about one place, of which the second is wider by a factor."""

    def __init__(self, factor):
        self.factor = factor

    def parameter_size(self, num_components=5, spatial_dims=2):
        return spatial_dims

    def to_parameters(self, outputs, origin, mean_scale, sigma_scale):
        return origin + mean_scale * outputs

    def mean(self, parameters):
        return parameters

    def scale_sigma(self, parameters, factor):
        return parameters

    def components(self, parameters):
        parameters = ops.cast(parameters, "float32")
        shape = (*ops.shape(parameters)[:-1], 2)
        sigmas = ops.stack([ops.ones(shape), self.factor * ops.ones(shape)], axis=-2)
        means = ops.repeat(parameters[..., None, :], 2, axis=-2)
        return ops.zeros(shape) - np.log(2), means, sigmas[..., None] * ops.eye(2)

    def get_config(self):
        return {"factor": self.factor}


def test_components_are_all_that_a_density_takes(rng):
    own, parameters = TwoRings(3.0), rng.normal(size=(4, 2)).astype("float32")
    x = rng.normal(size=(4, 2)).astype("float32")
    normal = scipy.stats.multivariate_normal
    expected = [
        (normal.pdf(point, mean, np.eye(2)) + normal.pdf(point, mean, 9.0 * np.eye(2))) / 2
        for point, mean in zip(x, parameters, strict=True)
    ]
    np.testing.assert_allclose(own.from_parameters(parameters).prob(x), expected, rtol=1e-5)
    np.testing.assert_array_equal(own.most_likely_mean(parameters), parameters)
    assert own.initial_outputs(spatial_dims=3) == [0.0] * 3


def test_a_model_is_saved_with_it(rng, tmp_path):
    model = interacting_model(rng, distribution=TwoRings(3.0))
    model.compile("sgd", NegativeLogLikelihood(TwoRings(3.0)))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = interacting_inputs(rng)
    batch = inputs, inputs[:, :3, :, :2]
    assert loaded.evaluate(*batch, verbose=0) == model.evaluate(*batch, verbose=0)
    for part, expected in zip(loaded.rollout(inputs), model.rollout(inputs), strict=True):
        np.testing.assert_array_equal(part, expected)


def test_one_that_does_not_say_all_cannot_be_made():
    class Unfinished(Distribution):
        def mean(self, parameters):
            return parameters

    with pytest.raises(TypeError, match=r"components.*parameter_size.*scale_sigma.*to_parameters"):
        Unfinished()


@pytest.mark.parametrize("name", ["gaussian", "mixture", "correlated_mixture", "student_t"])
def test_ours_are_saved_as_objects_too(name):
    own = distributions.get(name)
    with keras.saving.custom_object_scope({type(own).__name__: type(own)}):
        saved = keras.saving.serialize_keras_object(own)
        assert keras.saving.deserialize_keras_object(saved).get_config() == own.get_config()
