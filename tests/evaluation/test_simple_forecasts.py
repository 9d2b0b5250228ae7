import numpy as np
import pytest

from socialmd.evaluation import LinearAutoregression, constant_position, constant_velocity
from socialmd.evaluation.baselines.simple_forecasts import SIMPLE_FORECASTS, simple_forecasts


@pytest.mark.parametrize("dims", [2, 3])
def test_they_are_those_of_their_names(rng, dims):
    inputs = rng.normal(size=(6, 4, 3, dims + 1))
    train = [(inputs[:3], rng.normal(size=(3, 5, 3, dims)))]
    autoregression = LinearAutoregression(5, dims)
    autoregression.fit(train)
    expected = (
        constant_position(inputs, 5, dims),
        constant_velocity(inputs, 5, dims),
        autoregression.forecast(inputs, 5),
    )
    found = simple_forecasts(inputs, 5, dims, train)
    assert tuple(found) == SIMPLE_FORECASTS
    for ours, theirs in zip(found.values(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_nothing_is_fitted_without_a_training_split(rng):
    found = simple_forecasts(rng.normal(size=(2, 4, 3, 2)), 5)
    assert tuple(found) == SIMPLE_FORECASTS[:2]
