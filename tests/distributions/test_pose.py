"""Densities of position and direction together: made of their parts, saved and loaded."""

import keras
import numpy as np
import pytest

from socialmd.distributions import Direction, Pose, StudentT, get, stateless_seed
from socialmd.losses import EnergyScore, NegativeLogLikelihood, StudentTError
from socialmd.metrics import OrientationError, PositionError


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.fixture
def poses(rng):
    place, direction = rng.normal(size=(2, 2, 3, 4, 2))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return np.concatenate([place, direction], axis=-1).astype("float32")


@pytest.fixture
def parameters(rng, poses):
    raw = rng.normal(size=(2, 3, 4, 8)).astype("float32")
    return Pose("student_t").to_parameters(raw, poses, (0.1, 0.2), (0.3, 0.4))


def test_it_is_the_product_of_its_parts(poses, parameters):
    position, direction = parameters[..., :4], parameters[..., 4:]
    parts = (
        StudentT().from_parameters(position).log_prob(poses[..., :2]),
        Direction(2).from_parameters(direction).log_prob(poses[..., 2:]),
    )
    density = Pose("student_t").from_parameters(parameters)
    np.testing.assert_allclose(density.log_prob(poses), parts[0] + parts[1], rtol=1e-5)
    np.testing.assert_allclose(density.prob(poses), np.exp(parts[0] + parts[1]), rtol=1e-4)
    assert density.event_shape == (4,)
    assert tuple(density.batch_shape) == (2, 3, 4)
    np.testing.assert_allclose(density.variance(), StudentT().from_parameters(position).variance())
    np.testing.assert_allclose(density.mean(), Pose("student_t").mean(parameters), rtol=1e-6)
    drawn = numbers(density.sample(5, seed=stateless_seed(0, 0)))
    assert drawn.shape == (5, 2, 3, 4, 4)
    np.testing.assert_allclose(np.linalg.norm(drawn[..., 2:], axis=-1), 1.0, atol=1e-6)


def test_components_are_those_of_the_position(parameters):
    for found, expected in zip(
        Pose("student_t").components(parameters),
        StudentT().components(parameters[..., :4]),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_widths_are_scaled_together_or_apart(parameters):
    pose = Pose("student_t")
    both, apart = pose.scale_sigma(parameters, 2.0), pose.scale_sigma(parameters, (2.0, 1.0))
    position = StudentT().scale_sigma(parameters[..., :4], 2.0)
    np.testing.assert_allclose(both[..., :4], position)
    np.testing.assert_allclose(apart[..., :4], position)
    np.testing.assert_allclose(apart[..., 4:], parameters[..., 4:], rtol=1e-5)
    assert (numbers(both)[..., 6] > numbers(parameters)[..., 6]).all()


@pytest.mark.parametrize("position", ["gaussian", "mixture", StudentT()])
def test_it_is_what_it_was_when_it_is_loaded(position):
    if isinstance(position, StudentT):
        keras.saving.register_keras_serializable("tests_of_pose")(StudentT)
    pose = Pose(position, spatial_dims=3)
    again = get(keras.saving.serialize_keras_object(pose), 3)
    assert isinstance(again, Pose)
    assert again.parameter_size(2, 3) == pose.parameter_size(2, 3)
    assert type(again.position) is type(pose.position)


def test_the_mixture_has_most_likely_means(rng):
    pose = Pose("mixture")
    raw = rng.normal(size=(3, pose.parameter_size(5))).astype("float32")
    found = pose.to_parameters(raw, 0.0, (1.0, 1.0), (1.0, 1.0))
    position, direction = pose.split(found)
    expected = np.concatenate(
        [get("mixture").most_likely_mean(position), direction[..., :2]], axis=-1
    )
    np.testing.assert_allclose(pose.most_likely_mean(found), expected)


def test_losses_add_up_over_place_and_direction(poses, parameters):
    pose = Pose("student_t")
    nll = NegativeLogLikelihood(pose)(poses, parameters)
    density = pose.from_parameters(parameters)
    assert float(nll) == pytest.approx(-float(np.mean(density.log_prob(poses))), rel=1e-5)
    error = numbers(pose.mean(parameters)) - poses
    expected = sum(
        2.5 * np.log1p(np.square(part / scale).sum(-1) / 3).mean()
        for part, scale in ((error[..., :2], 0.5), (error[..., 2:], 0.1))
    )
    found = StudentTError((0.5, 0.1), pose)(poses, parameters)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_score_of_futures_is_that_of_places_and_that_of_directions(rng, poses):
    futures = poses[..., None, :] + rng.normal(scale=0.1, size=(2, 3, 4, 5, 4)).astype("float32")
    found = EnergyScore(radian=2.0)(poses, futures)
    parts = [
        EnergyScore()(scale * poses[..., part], scale * futures[..., part])
        for part, scale in ((slice(2), 1.0), (slice(2, 4), 2.0))
    ]
    assert float(found) == pytest.approx(float(parts[0] + parts[1]), rel=1e-5)


def test_metrics_are_a_length_and_an_angle(poses, parameters):
    pose = Pose("student_t")
    place, angle = PositionError(pose), OrientationError(pose)
    for metric in (place, angle):
        metric.update_state(poses, parameters)
    mean = numbers(pose.mean(parameters))
    assert float(place.result()) == pytest.approx(np.abs(mean - poses)[..., :2].mean(), rel=1e-5)
    cosine = (mean[..., 2:] * poses[..., 2:]).sum(-1).astype(float)
    expected = np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()
    assert float(angle.result()) == pytest.approx(expected, rel=1e-3)
    again = OrientationError.from_config(angle.get_config())
    again.update_state(poses, np.repeat(poses[..., None, :], 3, axis=-2))  # futures, all true
    assert float(again.result()) == pytest.approx(0.0, abs=1e-2)
