"""Springs against formulas, and a tied oscillator against its exact motion."""

import keras
import numpy as np
import pytest

from socialmd.data import FeatureBlock, FeatureLayout
from socialmd.layers import NeighbourFilter, Restraints
from socialmd.losses import NegativeLogLikelihood
from socialmd.models import InteractionLSTM

PLACE = FeatureBlock(name="position", size=2, kind="coordinate", predicted=True)
ANCHOR = FeatureBlock(name="anchor", size=2, kind="vector", static=True)
MASS = FeatureBlock(name="mass", static=True)
TIED = FeatureLayout(
    features=("x", "y", "mass", "anchor_x", "anchor_y"), blocks=(PLACE, MASS, ANCHOR)
)


pytestmark = pytest.mark.usefixtures("eagerly")


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def test_the_pull_is_that_of_a_spring(rng):
    layer = Restraints(stiffness=0.7, rest_length=2.0, damping=0.3)
    springs = layer(np.ones((2, 5, 1), "float32"))
    d = rng.normal(size=(2, 5, 3))
    length = np.linalg.norm(d, axis=-1, keepdims=True)
    found = numbers(layer.pull(d.astype("float32"), springs))
    np.testing.assert_allclose(found, -0.7 * (length - 2) * d / length, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numbers(layer.decay(0.5, springs)), np.exp(-0.15), rtol=1e-6)
    assert np.isfinite(numbers(layer.pull(np.zeros((2, 5, 3), "float32"), springs))).all()


def test_learned_constants_start_as_given_and_are_of_each_kind():
    layer = Restraints(stiffness=0.5, rest_length=2.0, damping=0.0, learned=True)
    kinds = np.eye(2, dtype="float32")[None]  # one of each
    np.testing.assert_allclose(numbers(layer(kinds)), [[[0.5, 2.0, 0.0]] * 2])
    layer.logarithms.kernel.assign([[0.0, np.log(3.0), 9.0], [1.0, 0.0, 0.0]])
    expected = [[[0.5, 6.0, 0.0], [0.5 * np.e, 2.0, 0.0]]]
    np.testing.assert_allclose(numbers(layer(kinds)), expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["stiffness", "rest_length", "damping"])
def test_impossible_constants_are_refused(name):
    with pytest.raises(ValueError, match=f"{name}: expected a finite number of 0 or more"):
        Restraints(**{"stiffness": 1.0, name: -1.0})


def make_model(restraints, layout=TIED, **changes):
    arguments = {"target_steps": 20, "units": 0, "channels": 2, "hidden_units": 3, "substeps": 8}
    interaction = NeighbourFilter(cutoff=1.0, num_intervals=4)
    model = InteractionLSTM(
        interaction=interaction,
        restraints=restraints,
        memory_in_law=False,
        **{**arguments, **changes},
    )
    model.learn_layout(layout)
    return model


def oscillation(times, stiffness, damping, anchors, rng):
    """x and y of damped harmonic oscillators of no rest length, [times, N, 2]."""
    start, speed = rng.normal(size=(2, *anchors.shape))
    w = np.sqrt(stiffness - damping**2 / 4)
    t = np.asarray(times, float)[:, None, None]
    swing = start * np.cos(w * t) + (speed + damping / 2 * start) / w * np.sin(w * t)
    return anchors + np.exp(-damping / 2 * t) * swing


def test_tied_particles_swing_as_oscillators_do(rng):
    """Far apart from each other, so that the law is nothing; known to the model from two frames."""
    k, damping = 0.04, 0.05
    anchors = 50.0 * np.arange(3)[:, None] * [1.0, 1.0]
    paths = oscillation(range(22), k, damping, anchors, rng)
    static = np.concatenate([np.ones((3, 1)), anchors], axis=-1)
    inputs = np.concatenate([paths, np.broadcast_to(static, (22, 3, 3))], axis=-1)[None]
    model = make_model(Restraints(k, damping=damping))
    model.adapt([(inputs[:, :2], inputs[:, 2:, :, :2])])
    for weight in model.cell.law.weights + model.conditional.weights:
        weight.assign(0 * weight)
    positions, _ = model.rollout(inputs[:, :2].astype("float32"), 20)
    # The velocity of the first step is that of half a frame later.
    free = make_model(None)
    free.adapt([(inputs[:, :2], inputs[:, 2:, :, :2])])
    for weight in free.cell.law.weights + free.conditional.weights:
        weight.assign(0 * weight)
    straight, _ = free.rollout(inputs[:, :2].astype("float32"), 20)
    error, without = (np.abs(each - inputs[:, 2:, :, :2]).mean() for each in (positions, straight))
    assert error < 0.05 * without


def test_what_nothing_pulls_slows_down_evenly():
    cell = make_model(Restraints(0.0, damping=0.3)).cell
    cell.build((None, None, 2), 1)
    for weight in cell.law.weights:
        weight.assign(0 * weight)
    place, velocity = np.zeros((1, 1, 2), "float32"), np.array([[[2.0, 0.0]]], "float32")
    arguments = (np.ones((1, 1, 1), "float32"), np.zeros((1, 1, 1), "float32"))
    found = cell.advance(place, velocity, *arguments, anchors=place + 5.0)
    forward = np.array([[[1.0, 0.0]]])
    np.testing.assert_allclose(numbers(found.velocity), 2 * np.exp(-0.3) * forward, rtol=1e-5)
    way = 2 * (1 - np.exp(-0.3)) / 0.3
    np.testing.assert_allclose(numbers(found.position), way * forward, rtol=1e-3)


def test_anchors_are_nearest_images_in_a_box(rng):
    model = make_model(Restraints(0.1))
    anchors = np.array([[[[9.9, 5.0], [1.0, 5.0]]]])
    x = anchors + 0.3 * rng.normal(size=(1, 3, 2, 2))
    static = np.concatenate([np.ones((1, 3, 2, 1)), np.broadcast_to(anchors, x.shape)], axis=-1)
    model.adapt([(np.concatenate([x, static], axis=-1), x[:, :1])])
    box = 10 * np.eye(2)[None]
    forecasts = []
    for places in (x, x % 10):
        inputs = np.concatenate([places, static], axis=-1).astype("float32")
        forecasts.append(model.rollout({"inputs": inputs, "box": box}, 5)[0])
    images = (np.asarray(forecasts[1]) - forecasts[0]) / 10
    np.testing.assert_allclose(images, np.round(images), atol=1e-5)
    assert np.abs(np.asarray(forecasts[0]) - anchors).max() < 5


def test_springs_learn_while_the_law_does_not(rng):
    model = make_model(Restraints(0.1, 1.0, learned=True), units=3)
    inputs = rng.normal(size=(2, 4, 4, 5)).astype("float32")
    inputs[..., 2:] = inputs[:, :1, :, 2:]
    model.adapt([(inputs, inputs[:, :1, :, :2])])
    model.begin_training("truth")
    model.cell.law.trainable = False
    model.compile("sgd", loss=NegativeLogLikelihood(model.distribution_name))
    before = [numbers(weight) for weight in model.restraints.weights]
    model.fit(inputs, inputs[:, -3:, :, :2], verbose=0)
    after = [numbers(weight) for weight in model.restraints.weights]
    assert all((a != b).any() for a, b in zip(after, before, strict=True))


def test_damped_velocities_cannot_be_those_of_displacements():
    with pytest.raises(ValueError, match="residual_correction: expected it with springs that damp"):
        make_model(Restraints(0.1, damping=0.1), residual_correction=False)


def test_forecasts_turn_with_places_and_anchors(rng):
    model = make_model(Restraints(0.1, 1.0, learned=True), units=3)
    x, anchors = rng.normal(size=(1, 3, 4, 2)), rng.normal(size=(1, 1, 4, 2))
    mass, angle = np.ones((1, 3, 4, 1)), 0.7
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def inputs(places, ties):
        ties = np.broadcast_to(ties, (1, 3, 4, 2))
        return np.concatenate([places, mass, ties], axis=-1).astype("float32")

    model.adapt([(inputs(x, anchors), x[:, :1])])
    here, _ = model.rollout(inputs(x, anchors), 5)
    there, _ = model.rollout(inputs(x @ turn, anchors @ turn), 5)
    np.testing.assert_allclose(there, np.asarray(here) @ turn, atol=1e-4)
    elsewhere, _ = model.rollout(inputs(x, anchors + 1.0), 5)
    assert np.abs(np.asarray(elsewhere) - here).max() > 1e-3
    untied = make_model(None, units=3)
    untied.adapt([(inputs(x, anchors), x[:, :1])])
    one, other = (untied.rollout(inputs(x, each), 5)[0] for each in (anchors, anchors + 1.0))
    np.testing.assert_array_equal(one, other)  # the law does not know directions
    features = inputs(x, anchors)[0, 0, :2, 2:]
    laws = [each.pair_acceleration(x[0, 0, :2], features, features) for each in (model, untied)]
    assert np.isfinite(laws).all()  # of all features, as evaluations have them


def test_a_model_with_restraints_is_saved(tmp_path, rng):
    model = make_model(Restraints(0.1, 1.0, 0.2, learned=True), units=3)
    inputs = rng.normal(size=(1, 3, 4, 5)).astype("float32")
    inputs[:, :, :, 2:] = inputs[:, :1, :, 2:]
    model.adapt([(inputs, inputs[:, :1, :, :2])])
    model.restraints.logarithms.bias.assign([0.3, 0.2, 0.1])
    expected, _ = model.rollout(inputs, 5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    found, _ = again.rollout(inputs, 5)
    np.testing.assert_array_equal(found, expected)
    assert again.restraints.damping == 0.2


def test_restraints_need_anchors():
    layout = FeatureLayout(features=("x", "y", "mass"), blocks=(PLACE, MASS))
    with pytest.raises(ValueError, match=r"restraints: .* found position \(x, y\), mass"):
        make_model(Restraints(0.1), layout).build((None, 3, 4, 3))
