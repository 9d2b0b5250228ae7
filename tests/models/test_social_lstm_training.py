"""Scales from data, compiled loops, and a fit."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.losses import NegativeLogLikelihood
from socialmd.metrics import PositionError
from socialmd.models import SocialLSTM
from tests.tiny_models import tiny_inputs, tiny_model


def samples(rng, batch=8):
    """Inputs [B, 3, N, 4] and targets [B, 3, N, 2] of particles that wander about."""
    frames = tiny_inputs(rng, batch=batch, steps=6)
    return frames[:, :3], frames[:, 3:, :, :2]


def one_particle(path):
    """A batch of one particle that moves along x, half of its way given, half to predict."""
    frames = np.zeros((1, len(path), 1, 4))
    frames[0, :, 0, 0] = path
    return frames[:, : len(path) // 2], frames[:, len(path) // 2 :, :, :2]


def scales(model):
    return float(model.displacement_scale.numpy()), float(model.acceleration_scale.numpy())


@pytest.fixture
def untrained():
    return SocialLSTM(prediction="acceleration", units=2, grid_cells=8, filters=(2,))


def test_scales_are_root_mean_squares_per_step_and_coordinate(untrained):
    """Steps 1, 2, 3 along x and 0 along y; second differences 1, 1 and 0."""
    untrained.adapt([one_particle([0, 1, 3, 6])])
    assert scales(untrained) == pytest.approx((np.sqrt(14 / 6), np.sqrt(2 / 4)), rel=1e-6)


def test_scales_weigh_all_batches_and_stop_after_the_steps_asked_for(untrained):
    """The second batch: steps 0, 4, 0; second differences 4 and -4."""
    dataset = [one_particle([0, 1, 3, 6]), one_particle([5, 5, 9, 9])]
    untrained.adapt(dataset)
    assert scales(untrained) == pytest.approx((np.sqrt(30 / 12), np.sqrt(34 / 8)), rel=1e-6)
    untrained.adapt(dataset, steps=1)
    assert scales(untrained) == pytest.approx((np.sqrt(14 / 6), np.sqrt(2 / 4)), rel=1e-6)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ([], "adapt: expected batches .*found none"),
        ([one_particle([1, 1, 1, 1])], r"adapt: expected particles that move .*\[0\.0, 0\.0\]"),
        (
            [one_particle([0, 1, 2, 3])],
            r"adapt: .* not all uniformly, found scales \[0\.7.*, 0\.0\]",
        ),
        ([one_particle([0, 1, np.nan, 3])], "batches: expected finite trajectories .*nan"),
    ],
    ids=["nothing", "no motion", "uniform motion", "no numbers"],
)
def test_data_without_scale_are_refused(untrained, dataset, message):
    with pytest.raises(ValueError, match=message):
        untrained.adapt(dataset)


def test_uniform_motion_has_the_scale_that_displacements_need():
    model = SocialLSTM(prediction="displacement", units=2, grid_cells=8, filters=(2,))
    model.adapt([one_particle([0, 1, 2, 3])])
    model.check_adapted()
    assert scales(model)[0] > 0


@pytest.mark.parametrize("prediction", ["displacement", "acceleration"])
def test_fit_without_adapt_is_refused(rng, prediction):
    model = SocialLSTM(prediction=prediction, units=2, grid_cells=8, filters=(2,))
    model.compile("sgd", loss=NegativeLogLikelihood())
    with pytest.raises(ValueError, match=f"'{prediction}'.*call `model.adapt"):
        model.fit(*samples(rng), verbose=0)


def test_fit_lowers_the_loss(rng):
    """With Keras' default compilation, which must leave the loops to TensorFlow, not XLA."""
    inputs, targets = samples(rng)
    dataset = tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(8).repeat(30)
    model = tiny_model(rng, prediction="acceleration")
    model.adapt(dataset.take(1))
    adapted = scales(model)
    assert adapted != (0.5, 0.2)
    model.compile("nadam", loss=NegativeLogLikelihood(), metrics=[PositionError()])
    assert not model.jit_compile
    before = [np.array(weight.value) for weight in model.trainable_weights]
    history = model.fit(dataset, epochs=3, steps_per_epoch=10, verbose=0).history
    assert history.keys() == {"loss", "mae"}
    assert history["loss"][2] < history["loss"][1] < history["loss"][0]
    for weight, value in zip(model.trainable_weights, before, strict=True):
        assert np.abs(np.array(weight.value) - value).max() > 0, weight.path
    assert scales(model) == adapted


def test_fit_accepts_data_whose_scale_is_exactly_one(rng):
    """Particles that take a unit step back and forth along both axes."""
    frames = np.zeros((2, 6, 4, 4), "float32")
    frames[:, 1::2, :, :2] = 1.0
    inputs, targets = frames[:, :3], frames[:, 3:, :, :2]
    model = SocialLSTM(3, "displacement", units=2, grid_cells=4, filters=(2,))
    model.adapt([(inputs, targets)])
    assert scales(model) == (1.0, 2.0)
    model.compile("sgd", loss=NegativeLogLikelihood(), run_eagerly=True)
    assert np.isfinite(model.fit(inputs, targets, verbose=0).history["loss"]).all()


def test_loops_over_time_are_compiled_not_unrolled(rng):
    """The graph of loss and gradient has loops, and is no larger for more steps."""
    inputs, _ = samples(rng, batch=1)
    sizes = set()
    for target_steps in (2, 12):
        graph = training_graph(tiny_model(rng, target_steps=target_steps), inputs, target_steps)
        # Warm-up and closed loop, each forward and backward.
        assert sum(node.op in ("While", "StatelessWhile") for node in graph.node) >= 4
        sizes.add(len(graph.node) + sum(len(body.node_def) for body in graph.library.function))
    assert len(sizes) == 1


def training_graph(model, inputs, target_steps):
    @tf.function
    def gradients(inputs, targets):
        with tf.GradientTape() as tape:
            loss = NegativeLogLikelihood()(targets, model(inputs))
        return tape.gradient(loss, [weight.value for weight in model.trainable_weights])

    targets = tf.zeros((1, target_steps, 4, 2))
    return gradients.get_concrete_function(tf.constant(inputs), targets).graph.as_graph_def()
