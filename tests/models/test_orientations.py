"""Models that also say which way particles point: motion, symmetries, densities, files."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import ortho_group

from socialmd.config import ManyBodySystem
from socialmd.data import FeatureLayout
from socialmd.evaluation import ConstantVelocity, angles_between
from socialmd.layers import InteractionLaw, NeighbourFilter, PolarLaw, Restraints
from socialmd.losses import EnergyScore, NegativeLogLikelihood, StudentTError
from socialmd.models import InteractionLSTM, SocialLSTM
from socialmd.models.estimate_scales import estimate_scales
from socialmd.pose_space import PoseSpace
from socialmd.simulation import layout_of_law, simulate

STEPS = 3
KINDS = ("radial", "grid", "social", "displacement", "position")


pytestmark = pytest.mark.usefixtures("eagerly")


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def make_data(dims=2, frames=7, particles=4, scale=0.05, num_simulations=3):
    """Particles with mass, charge, dipole moment and moment of inertia; orientations come last."""
    system = ManyBodySystem(
        num_particles=particles,
        spatial_dims=dims,
        dipole_range=(0.1, 0.3),
        softening=0.3,
        box_size=2.0,
    )
    every = round(scale * 200)
    return simulate(system, num_simulations, frames * every, 2e-4, every, seed=0).astype("float32")


def make_model(kind="radial", dims=2, **arguments):
    settings = {"target_steps": STEPS, "spatial_dims": dims, "orientation": True, "units": 6}
    if kind in ("radial", "grid"):
        layer = NeighbourFilter(
            kind, cutoff=4.0, minimum_distance=0.2, grid_sizes=(4.0, 2.0), grid_cells=4
        )
        settings |= {"channels": 4, "hidden_units": 5, "substeps": 2}
        return InteractionLSTM(interaction=layer, **{**settings, **arguments})
    prediction = "acceleration" if kind == "social" else kind
    small = {"embedding_dim": 4, "grid_sizes": (4.0, 2.0), "grid_cells": 8, "filters": (3, 4)}
    settings |= {"prediction": prediction, "kernel_size": 3, **small}
    return SocialLSTM(**{**settings, **arguments})


def adapted(rng, kind="radial", dims=2, weights=0.2, **arguments):
    frames = make_data(dims)
    model = make_model(kind, dims, **arguments)
    batch = frames[:, :-STEPS], frames[:, -STEPS:, :, [*range(dims), *range(-dims, 0)]]
    model.adapt([batch])
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=weights, size=weight.shape))
    return model, *batch


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_forecasts_are_poses_and_densities_are_of_both(rng, kind):
    model, inputs, targets = adapted(rng, kind)
    poses, parameters = model.rollout(inputs, 5)
    assert poses.shape == (3, 5, 4, 4)
    np.testing.assert_allclose(np.linalg.norm(poses[..., 2:], axis=-1), 1.0, atol=1e-5)
    direction = model.orientation_density(parameters[:, :STEPS])
    place = model.distribution(parameters[:, :STEPS])
    joint = model._distribution.from_parameters(parameters[:, :STEPS]).log_prob(targets)
    np.testing.assert_allclose(
        place.log_prob(targets[..., :2]) + direction.log_prob(targets[..., 2:]), joint, rtol=1e-4
    )
    assert model.sigma(parameters).shape == (3, 5, 4)
    log_weights, means, _ = model.components(parameters)
    assert means.shape == (*log_weights.shape, 2)
    futures, _ = (
        model.rollout(inputs, 2, "sample", seed=1, num_samples=2)
        if kind
        in (
            "radial",
            "grid",
        )
        else (poses, None)
    )
    np.testing.assert_allclose(np.linalg.norm(futures[..., 2:], axis=-1), 1.0, atol=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_without_forces_everything_goes_and_turns_on_as_it_did(rng, dims):
    model, inputs, _ = adapted(rng, dims=dims, memory_in_law=False)
    for weight in [*model.cell.law.weights, *model.conditional.weights]:
        weight.assign(0 * weight)
    found, _ = model.rollout(inputs[:, :2], 10, "mean")
    # Densities at first are around where the motion leads, so that is what is fed back.
    turning = list(range(inputs.shape[-1] - dims, inputs.shape[-1]))
    straight, _ = ConstantVelocity(dims, turning).rollout(inputs[:, :2], 10)
    np.testing.assert_allclose(found, straight, atol=2e-4)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_radial_law_turns_with_the_system(rng, dims):
    model, inputs, _ = adapted(rng, dims=dims, memory_in_law=False, units=0)
    turn = ortho_group.rvs(dims, random_state=2)
    turned = inputs.copy()
    for columns in (slice(dims), slice(-dims, None)):
        turned[..., columns] = inputs[..., columns] @ turn.T
    before, _ = model.rollout(inputs, 4)
    expected = np.concatenate([each @ turn.T for each in np.split(before, 2, axis=-1)], axis=-1)
    np.testing.assert_allclose(model.rollout(turned, 4)[0], expected, atol=2e-4)


def test_the_motion_converges_in_second_order(rng):
    """Against many more substeps; of forces and torques as they are drawn."""
    model, inputs, _ = adapted(rng, memory_in_law=False, weights=0.4)
    table = model.cell.law.interaction.table
    table.assign(np.ones(table.shape))  # without kinks
    ends = {}
    for substeps in (4, 8, 200):
        model.cell.substeps = substeps
        ends[substeps] = model.rollout(inputs, 1)[0].astype(float)
    coarse, fine = (np.abs(ends[n] - ends[200]).max() for n in (4, 8))
    assert coarse > 1e-5  # or there is nothing to see
    assert coarse / fine > 3.0


@pytest.mark.parametrize("kind", ["radial", "social"])
def test_no_frame_has_an_effect_on_densities_of_earlier_ones(rng, kind):
    model, inputs, _ = adapted(rng, kind)
    before = numbers(model.one_step(inputs))
    changed = inputs.copy()
    changed[:, -1, :, :2] += 0.3
    changed[:, -1, :, -2:] = changed[:, -1, :, :-3:-1]
    after = numbers(model.one_step(changed))
    np.testing.assert_array_equal(after[:, :-1], before[:, :-1])
    assert np.abs(after[:, -1] - before[:, -1]).max() > 1e-3
    assert before.shape == (3, inputs.shape[1] - 1, 4, model.parameter_size)


def test_the_first_of_a_rollout_is_that_of_teacher_forcing(rng, kind):
    model, inputs, _ = adapted(rng, kind)
    model.densities = ("conditional",)
    _, parameters = model.rollout(inputs, 1)
    np.testing.assert_allclose(
        parameters[:, 0], numbers(model.one_step(inputs))[:, -1], rtol=1e-4, atol=1e-5
    )


def test_what_points_differently_is_forecast_differently_and_exchanged_with_its_particle(rng, kind):
    model, inputs, _ = adapted(rng, kind, weights=0.6)
    before, _ = model.rollout(inputs)
    changed = inputs.copy()
    changed[:, :, 0, -2:] *= -1
    after, _ = model.rollout(changed)
    assert np.abs(after[:, :, 1:, :2] - before[:, :, 1:, :2]).max() > 1e-6  # the others feel it
    order = [2, 0, 3, 1]
    exchanged, _ = model.rollout(inputs[:, :, order])
    np.testing.assert_allclose(exchanged, before[:, :, order], atol=1e-4)


def test_padded_particles_change_nothing(rng, kind):
    model, inputs, _ = adapted(rng, kind)
    padded = np.concatenate([inputs, np.zeros_like(inputs[:, :, :2])], axis=2)
    mask = np.array([[True] * 4 + [False] * 2] * 3)
    before, after = (model.rollout(each)[0] for each in (inputs, {"inputs": padded, "mask": mask}))
    np.testing.assert_allclose(after[:, :, :4], before, atol=1e-4)


@pytest.mark.parametrize("kind", ["radial", "position"])
def test_it_is_what_it_was_when_it_is_loaded(rng, tmp_path, kind):
    model, inputs, _ = adapted(rng, kind)
    model.learn_layout(layout_of_law(ManyBodySystem(dipole_range=(0.1, 0.3))))
    model.turn_factors.assign([0.5, 1.0, 2.0])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.orientation
    assert again.layout == model.layout
    for found, expected in zip(
        again.rollout(inputs, recalibrated=True),
        model.rollout(inputs, recalibrated=True),
        strict=True,
    ):
        np.testing.assert_array_equal(found, expected)


def test_gradients_of_forces_and_torques_equal_finite_differences(rng):
    model, inputs, _ = adapted(rng, memory_in_law=False, units=0)
    for weight in model.conditional.weights:  # which reads what has no gradient
        weight.assign(0 * weight)
    targets = inputs[:, 2:, :, [0, 1, -2, -1]]
    scales = (model.typical_change(), model.typical_turn())

    def loss():
        mean = model._distribution.mean(model.one_step(inputs)[:, :-1])
        parts = tf.split(mean - targets, 2, axis=-1)
        return sum(tf.reduce_mean((part / s) ** 2) for part, s in zip(parts, scales, strict=True))

    weights = [model.cell.law.mixing, model.cell.law.interaction.table]
    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, [weight.value for weight in weights])
    for weight, gradient in zip(weights, map(numbers, gradients), strict=True):
        start, direction = numbers(weight), gradient / np.linalg.norm(gradient)
        ends = []
        for step in (1e-2, -1e-2):
            weight.assign(start + step * direction)
            ends.append(float(loss()))
        weight.assign(start)
        slope = float(np.linalg.norm(gradient))
        assert (ends[0] - ends[1]) / 2e-2 == pytest.approx(slope, rel=0.05)


def test_every_way_of_training_goes_down(rng):
    keras.utils.set_random_seed(0)
    model, inputs, targets = adapted(rng, weights=0.05)
    followed = np.concatenate([inputs[:, 2:, :, [0, 1, -2, -1]], targets[:, :1]], axis=1)
    radian = model.typical_change() / model.typical_turn()
    for feedback, samples, loss, goal in (
        ("truth", None, NegativeLogLikelihood(model.distribution_name), followed),
        ("sample", 3, EnergyScore(radian=radian), targets),
        ("mean", None, NegativeLogLikelihood(model.distribution_name), targets),
    ):
        model.begin_training(feedback, num_samples=samples)
        before = [numbers(weight) for weight in model.trainable_weights]
        model.compile(keras.optimizers.Adam(0.003), loss=loss)
        history = model.fit(inputs, goal, epochs=5, verbose=0).history["loss"]
        assert np.isfinite(history).all()
        assert samples or history[-1] < history[0]  # draws are others each time
        after = [numbers(weight) for weight in model.trainable_weights]
        assert any(np.any(x != y) for x, y in zip(before, after, strict=True))
    model.end_training()


def test_recalibration_finds_factors_of_angles_of_their_own(rng):
    model, inputs, targets = adapted(rng, weights=0.05)
    model.densities = ("marginal",)
    model.recalibrate([(inputs, targets)])
    _, plain = model.rollout(inputs)
    _, scaled = model.rollout(inputs, recalibrated=True)
    better = [
        float(np.mean(model.orientation_density(each).log_prob(targets[..., 2:])))
        for each in (plain, scaled)
    ]
    assert better[1] >= better[0] - 1e-4
    assert np.abs(numbers(model.turn_factors) - numbers(model.sigma_factors)).max() > 1e-3


@pytest.mark.parametrize("dims", [2, 3])
def test_scales_of_turns_are_those_of_angles(dims):
    """A turn of 0.1 in each frame, and one of 0.3 from then on."""
    angles = np.cumsum([0.0, 0.1, 0.1, 0.3, 0.3])
    frames = np.zeros((1, 5, 1, 2 * dims))
    frames[..., 0] = np.arange(5.0)[None, :, None] ** 2
    frames[0, :, 0, dims], frames[0, :, 0, dims + 1] = np.cos(angles), np.sin(angles)
    found = estimate_scales(
        [(frames[:, :3], frames[:, 3:])], dims, orientation=range(dims, 2 * dims)
    )
    root = np.sqrt(dims)  # per coordinate, of which most do not move
    assert found.turns.displacement == pytest.approx(np.sqrt(0.2 / 4) / root)
    assert found.turns.acceleration == pytest.approx(0.2 / np.sqrt(3) / root)
    np.testing.assert_allclose(found.turns.error_by_step, np.array([0.2, 0.4]) / root, rtol=1e-6)
    plain = estimate_scales([(frames[:, :3], frames[:, 3:, :, :dims])], dims)
    assert (plain.displacement, plain.turns) == (found.displacement, None)


@pytest.mark.parametrize("kind", ["radial", "social"])
def test_what_does_not_turn_cannot_be_learned(kind):
    frames = make_data()
    frames[..., -2:] = frames[:, :1, :, -2:]  # in float32
    with pytest.raises(ValueError, match="expected particles that turn, and not all evenly"):
        make_model(kind).adapt([(frames[:, :4], frames[:, 4:, :, [0, 1, -2, -1]])])
    with pytest.raises(ValueError, match="targets: expected 4 numbers, of a place and a unit vec"):
        make_model(kind).adapt([(frames[:, :4], frames[:, 4:, :, :2])])


def test_layouts_have_to_say_what_points(rng):
    dipoles = layout_of_law(ManyBodySystem(dipole_range=(0.1, 0.3)))
    plain = FeatureLayout.of_scalars(("x", "y", "mass", "charge"), 2)
    model = make_model()
    with pytest.raises(ValueError, match="places and a vector 'orientation', orientation = true"):
        model.learn_layout(plain)
    model.learn_layout(dipoles)
    assert model.orientation_columns == [6, 7]
    with pytest.raises(
        ValueError, match=r"places alone to be pred.*orientation = true in \[model\]"
    ):
        make_model(orientation=False).learn_layout(dipoles)


def test_inputs_have_to_point_somewhere(rng):
    model, inputs, _ = adapted(rng)
    inputs[1, 2, 3, -2:] *= 2
    with pytest.raises(
        ValueError, match=r"unit vectors in features \[6, 7\].* length 2 of part.* 3"
    ):
        model.rollout(inputs)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gate": False}, "gate, linear_path: expected true of particles that point"),
        ({"multipole_order": 3}, "order: expected 1, of dipoles, or 2"),
        ({"multipole_order": 2, "orientation": False}, "multipole_order: expected 1 without"),
        ({"restraints": Restraints(1.0)}, "restraints: expected none of particles that turn"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_model(**arguments)


def test_forces_are_those_of_the_filter():
    assert isinstance(make_model("radial").cell.law, PolarLaw)
    assert isinstance(make_model("grid").cell.law, InteractionLaw)
    with pytest.raises(ValueError, match="orientation: expected a model that forecasts it"):
        make_model(orientation=False).orientation_density(np.zeros((1, 4)))


def test_of_a_pair_the_law_tells_what_each_direction_does(rng):
    model, inputs, _ = adapted(rng, memory_in_law=False)
    features = inputs[0, 0, :2, 2:]
    offsets = np.array([[1.0, 0.5]], "float32")
    towards = numbers(model.pair_acceleration(offsets, features[:1], features[1:]))
    turned = features.copy()
    turned[1, -2:] *= -1
    away = numbers(model.pair_acceleration(offsets, turned[:1], turned[1:]))
    assert towards.shape == (1, 2)
    assert np.abs(towards - away).max() > 1e-6


def test_a_known_law_is_followed(rng):
    """Short teacher forcing learns forces and torques that constant turning does not know."""
    frames = make_data(frames=6, scale=0.04, num_simulations=48)
    goal = frames[:, 2:, :, [0, 1, -2, -1]]
    model = make_model(memory_in_law=False, units=0, channels=4)
    model.adapt([(frames[:, :3], frames[:, 3:, :, [0, 1, -2, -1]])])
    model.begin_training("truth")
    loss = StudentTError((model.typical_change(), model.typical_turn()), model.distribution_name)
    with_graph = {"jit_compile": False, "run_eagerly": False}
    tf.config.run_functions_eagerly(False)
    model.compile(keras.optimizers.Nadam(0.01), loss=loss, **with_graph)
    model.fit(frames[:, :-1], goal, batch_size=16, epochs=30, verbose=0)
    tf.config.run_functions_eagerly(True)
    space, poses = PoseSpace(2, True), frames[..., [0, 1, -2, -1]]
    model.end_training()
    forecast, _ = model.rollout(frames[:, :3], 3)
    straight, _ = ConstantVelocity(2, [6, 7]).rollout(frames[:, :3], 3)
    errors = [
        angles_between(each[..., 2:], poses[:, 3:, :, 2:]).mean() for each in (forecast, straight)
    ]
    assert errors[0] < 0.5 * errors[1]
    assert space.width == 4
