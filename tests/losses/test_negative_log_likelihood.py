import keras
import numpy as np
import pytest
from scipy import stats

from socialmd.losses import NegativeLogLikelihood
from tests import reference


@pytest.fixture
def forecast(rng):
    """Targets [B, T', N, 2] and parameters [B, T', N, 5]."""
    parameters = np.concatenate(
        [
            rng.normal(size=(2, 3, 4, 2)),
            rng.uniform(0.3, 1.5, size=(2, 3, 4, 2)),
            rng.uniform(-1.0, 1.0, size=(2, 3, 4, 1)),
        ],
        axis=-1,
    ).astype("float32")
    return rng.normal(size=(2, 3, 4, 2)).astype("float32"), parameters


def test_loss_is_minus_the_mean_log_density(forecast):
    """Equations (18) and (24), with SciPy's density."""
    targets, parameters = forecast
    densities = [
        stats.multivariate_normal(
            parameters[index][:2], reference.covariance_matrix(parameters[index].astype(float))
        ).logpdf(targets[index])
        for index in np.ndindex(2, 3, 4)
    ]
    loss = NegativeLogLikelihood("gaussian")(targets, parameters)
    assert float(loss) == pytest.approx(-np.mean(densities), rel=1e-4)


def test_without_reduction_every_particle_and_step_has_its_loss(forecast):
    loss = NegativeLogLikelihood(reduction="none")(*forecast)
    np.testing.assert_allclose(
        loss, -reference.gaussian_log_density(*forecast), rtol=1e-3, atol=1e-4
    )


def test_weight_zero_leaves_a_padded_particle_out(forecast):
    targets, parameters = forecast
    weights = np.ones((2, 3, 4), "float32")
    weights[:, :, 3] = 0.0
    loss = NegativeLogLikelihood()
    padded = loss(targets, parameters, sample_weight=weights)
    alone = loss(targets[:, :, :3], parameters[:, :, :3])
    assert float(padded) == pytest.approx(float(alone), rel=1e-5)


def test_a_better_forecast_has_a_smaller_loss(forecast):
    targets, parameters = forecast
    better = parameters.copy()
    better[..., :2] = targets
    loss = NegativeLogLikelihood()
    assert loss(targets, better) < loss(targets, parameters)


def test_loss_survives_serialization(forecast):
    loss = NegativeLogLikelihood("gaussian", name="nll")
    copy = keras.losses.deserialize(keras.losses.serialize(loss))
    assert isinstance(copy, NegativeLogLikelihood)
    assert copy.get_config() == loss.get_config()
    assert copy(*forecast) == loss(*forecast)


def test_unknown_distribution_is_refused():
    with pytest.raises(ValueError, match=r"distribution: expected one of .*'student'"):
        NegativeLogLikelihood("student")
