"""What an `InteractionLSTM` may be given beside places: velocities, bonds and walls."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from socialmd.data import FeatureLayout
from socialmd.data.dataset_description import DatasetDescription
from socialmd.data.feature_layout import BONDS, VELOCITY, FeatureBlock
from socialmd.data.windows import Windows
from socialmd.evaluation import NotPossibleError
from socialmd.layers import ExternalField, NeighbourFilter
from socialmd.losses import StudentTError
from socialmd.models import InteractionLSTM, SocialLSTM, export_saved_model
from socialmd.reporting.measures.learned_law import draw_interaction

SPACING = 0.25
POSITION = FeatureBlock(name="position", size=2, kind="coordinate", predicted=True)
WITH_VELOCITIES = FeatureLayout(
    features=("x", "y", "mass", "velocity_x", "velocity_y"),
    blocks=(
        POSITION,
        FeatureBlock(name="mass", static=True),
        FeatureBlock(name=VELOCITY, size=2, kind="vector"),
    ),
)
WITH_BONDS = FeatureLayout(
    features=("x", "y", "bond_0", "bond_1", "bond_2"),
    blocks=(POSITION, FeatureBlock(name=BONDS, size=3, static=True)),
)


def make_model(rng, layout, force=0.3, **arguments):
    """Built, with random forces of moderate size, and nothing that corrects where they lead."""
    layer = NeighbourFilter("radial", cutoff=4.0, minimum_distance=0.1, num_intervals=8)
    model = InteractionLSTM(
        target_steps=4,
        interaction=layer,
        units=0,
        channels=3,
        hidden_units=4,
        substeps=8,
        memory_in_law=False,
        **arguments,
    )
    model.learn_layout(layout, SPACING)
    model.build((None, None, None, len(layout.features)))
    for weight in model.cell.trainable_weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    model.cell.acceleration_scale.assign(force)
    model.is_adapted.assign(1.0)
    return model


def frames_with_velocities(rng, batch=2, steps=3, particles=3):
    frames = rng.uniform(-1, 1, (batch, steps, particles, 5))
    frames[..., 2] = frames[:, :1, :, 2]
    return frames.astype("float32")


def test_the_last_place_and_velocity_are_all_that_a_forecast_depends_on(rng):
    model = make_model(rng, WITH_VELOCITIES)
    inputs = frames_with_velocities(rng)
    others = inputs.copy()
    others[:, :-1, :, [0, 1, 3, 4]] += 0.1
    positions, velocities = map(np.asarray, model.trajectory(inputs, 4))
    again, _ = model.trajectory(others, 4)
    np.testing.assert_allclose(again, positions, rtol=1e-6, atol=1e-6)
    rolled_out, _ = model.rollout(inputs, feedback="mean")
    np.testing.assert_allclose(rolled_out, positions, rtol=1e-5, atol=1e-6)
    inputs[:, -1, :, 3] += 0.1
    faster, _ = model.trajectory(inputs, 4)
    assert np.abs(faster - positions)[..., 0].min() > 1e-3
    inputs[:, -1, :, 3] -= 0.1
    # Started from where the forecast has come, it goes on as it did.
    middle = inputs.copy()
    middle[:, -1, :, :2], middle[:, -1, :, 3:] = positions[:, 1], velocities[:, 1]
    later, _ = model.trajectory(middle, 2)
    np.testing.assert_allclose(later, positions[:, 2:], rtol=1e-4, atol=1e-5)


def test_without_forces_particles_go_on_as_they_did(rng):
    model = make_model(rng, WITH_VELOCITIES, force=1e-8)
    inputs = frames_with_velocities(rng)
    positions, velocities = map(np.asarray, model.trajectory(inputs, 4))
    last = inputs[:, -1]
    times = SPACING * np.arange(1, 5)[:, None, None]
    expected = last[:, None, :, :2] + times * last[:, None, :, 3:]
    np.testing.assert_allclose(positions, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(velocities[:, 2], last[..., 3:], rtol=1e-5, atol=1e-6)


def test_walls_reflect(rng):
    model = make_model(rng, WITH_VELOCITIES, force=1e-8, wall=1.5)
    inputs = frames_with_velocities(rng)
    inputs[:, -1, :, :2], inputs[:, -1, :, 3:] = [1.0, 0.0], [4.0, -1.0]
    positions, velocities = map(np.asarray, model.trajectory(inputs, 4))
    # Straight on it would come to 2, 3, 4 and 5; walls stand at 1.5 and -1.5.
    np.testing.assert_allclose(positions[0, :, 0, 0], [1.0, 0.0, -1.0, -1.0], atol=1e-5)
    np.testing.assert_allclose(positions[0, :, 0, 1], [-0.25, -0.5, -0.75, -1.0], atol=1e-5)
    np.testing.assert_allclose(velocities[0, :, 0, 0], [-4.0, -4.0, -4.0, 4.0], atol=1e-5)


def test_accelerations_are_cut_off_component_by_component(rng):
    """Under constant ones particles at rest move by half of that in a frame, along either axis."""
    model = make_model(rng, WITH_VELOCITIES, force=1e6, acceleration_limit=0.01)
    inputs = frames_with_velocities(rng)
    inputs[..., 3:] = 0.0
    inputs[..., :2] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    moved = np.asarray(model.trajectory(inputs, 1)[0])[0, 0] - inputs[0, -1, :, :2]
    assert np.abs(moved).max() <= 0.005 * (1 + 1e-4)
    assert np.isclose(np.abs(moved), 0.005).sum() >= 5  # forces of one particle balance


def test_only_those_that_are_tied_feel_bonds(rng):
    model = make_model(rng, WITH_BONDS, bonds=True)
    model.cell.law.mixing.assign(np.zeros((3, 1)))  # none but bonds
    inputs = np.zeros((1, 3, 3, 5), "float32")
    inputs[..., :2] = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]  # at rest
    inputs[..., 0, 3] = inputs[..., 1, 2] = 1.0  # particles 0 and 1
    moved = np.asarray(model.rollout(inputs, feedback="mean")[0])[0] - inputs[0, -1, :, :2]
    np.testing.assert_allclose(moved[:, 2], 0, atol=1e-6)
    np.testing.assert_allclose(moved[:, :2, 1], 0, atol=1e-6)
    assert np.abs(moved[-1, :2, 0]).min() > 5e-5


@pytest.mark.parametrize(
    ("layout", "arguments"),
    [(WITH_VELOCITIES, {"wall": 2.0, "acceleration_limit": 0.1}), (WITH_BONDS, {"bonds": True})],
)
def test_saved_and_loaded_it_is_the_same(rng, tmp_path, layout, arguments):
    model = make_model(rng, layout, **arguments)
    inputs = frames_with_velocities(rng)
    if layout is WITH_BONDS:
        inputs[..., 2:] = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for one, other in zip(
        model.rollout(inputs, feedback="mean"), again.rollout(inputs, feedback="mean"), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    if layout is WITH_VELOCITIES:
        np.testing.assert_array_equal(
            again.trajectory(inputs, 3)[1], model.trajectory(inputs, 3)[1]
        )


def test_refuses_what_it_is_not_given(rng):
    with pytest.raises(ValueError, match="bonds: expected 'bonds' among the features"):
        make_model(rng, WITH_VELOCITIES, bonds=True)
    with pytest.raises(ValueError, match="spacing: expected the time between frames"):
        InteractionLSTM().learn_layout(WITH_VELOCITIES)
    with pytest.raises(ValueError, match="layout: expected no velocities"):
        SocialLSTM().learn_layout(WITH_VELOCITIES, SPACING)
    with pytest.raises(ValueError, match="spacing: expected a model that is given velocities"):
        make_model(rng, WITH_BONDS, bonds=True).trajectory(np.zeros((1, 2, 3, 5)), 1)
    with pytest.raises(ValueError, match="bonds: expected them with a radial filter and"):
        InteractionLSTM(interaction=NeighbourFilter("grid"), bonds=True)
    with pytest.raises(ValueError, match="wall: expected a positive number, found -1"):
        InteractionLSTM(wall=-1.0)
    with pytest.raises(ValueError, match="acceleration_limit: expected a positive number, found 0"):
        InteractionLSTM(acceleration_limit=0.0)
    with pytest.raises(ValueError, match=r"bonds: expected .* no orientation, found others"):
        InteractionLSTM(bonds=True, orientation=True)


@pytest.mark.parametrize("num_static", [0, 1])
def test_identical_particles_can_be_learned(rng, num_static):
    """Of a product that begins at zero, no factor has a gradient."""
    model = InteractionLSTM(target_steps=2, units=0, memory_in_law=False, substeps=1)
    windows = rng.normal(size=(8, 5, 3, 2 + num_static))
    windows[..., 2:] = 1.0
    inputs, targets = windows[:, :-1].astype("float32"), windows[:, 2:, :, :2].astype("float32")
    model.adapt([(inputs, targets)])
    model.begin_training("truth")
    model.compile("sgd", loss=StudentTError(model.typical_change()))
    before = [np.array(weight) for weight in model.cell.law.trainable_weights]
    model.fit(inputs, targets, epochs=1, verbose=0)
    moved = [
        np.abs(np.array(weight) - old).max()
        for weight, old in zip(model.cell.law.trainable_weights, before, strict=True)
    ]
    assert max(moved) > 0
    assert keras.ops.shape(model(inputs[:, :3]))[1] == 2


def test_a_changed_integration_changes_trajectories(rng):
    model = make_model(rng, WITH_VELOCITIES, force=3.0)
    inputs = frames_with_velocities(rng)
    before, _ = model.trajectory(inputs, 4)
    model.cell.substeps = 1
    model.begin_training("truth")  # as a phase of a training does, which has its own
    model.end_training()
    assert np.abs(model.trajectory(inputs, 4)[0] - before).max() > 1e-4


# === Bonds that are inferred, and an external field ===


def coupled_model(rng, **arguments):
    """Of particles whose bonds, and couplings to a field if there is one, motion alone tells."""
    return make_model(rng, WITH_VELOCITIES, force=0.05, bonds="inferred", **arguments)


def coupled_motion(rng, model, bonds, frames=12, substeps=8):
    """Frames [B, T, N, 5] of particles that move as the model's own laws say, given the bonds."""
    features = np.ones((*bonds.shape[:2], 1), "float32")  # the mass, standardized
    x, w = rng.uniform(-1, 1, (2, *bonds.shape[:2], 2)).astype("float32") * [[[[1.0]]], [[[0.1]]]]
    x, w = (keras.ops.convert_to_tensor(each, "float32") for each in (x, w))
    couplings = None
    if model.cell.field is not None:
        couplings = np.diagonal(bonds, axis1=1, axis2=2)[..., None]
    kept = []
    for _ in range(frames):
        velocities = np.asarray(w) / SPACING
        kept.append(np.concatenate([np.asarray(x), features, velocities], axis=-1))
        motion = model.cell.advance(x, w, features, None, bonds=bonds, couplings=couplings)
        x, w = motion.position, motion.velocity
    return np.stack(kept, axis=1).astype("float32")


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("has_field", [False, True])
def test_what_is_inferred_forecasts_the_motion(rng, has_field):
    field = ExternalField(width=6.0, cells=8, hidden_units=3) if has_field else None
    model = coupled_model(rng, field=field)
    bonds = rng.choice([-1.0, 1.0], (4, 3, 3))
    bonds = np.triu(bonds) + np.triu(bonds, 1).swapaxes(1, 2)
    if not has_field:
        bonds *= 1 - np.eye(3)
    bonds = bonds.astype("float32")
    frames = coupled_motion(rng, model, bonds)
    inputs, truth = frames[:, :8], frames[:, 8:]
    found = model.infer_bonds(inputs)
    np.testing.assert_allclose(found, bonds, atol=0.05)
    positions, velocities = model.trajectory(inputs, 4)
    np.testing.assert_allclose(positions, truth[..., :2], atol=0.01)
    others = model.trajectory(coupled_motion(rng, model, -bonds)[:, :8], 4)[0]
    assert np.abs(others - truth[..., :2]).max() > 0.1
    assert np.isfinite(velocities).all()


@pytest.mark.usefixtures("eagerly")
def test_a_model_of_inferred_bonds_and_a_field_learns_and_comes_back(rng, tmp_path):
    field = ExternalField(width=6.0, cells=8, hidden_units=3)
    model = coupled_model(rng, field=field)
    bonds = np.ones((8, 3, 3), "float32")
    frames = coupled_motion(rng, model, bonds)
    model.compile("nadam", loss=StudentTError(0.1))
    before = [np.array(table) for table in model.field.tables]
    model.begin_training("truth")
    model.fit(frames[:, :-1], frames[:, 2:, :, :2], batch_size=4, verbose=0)
    model.end_training()
    assert any(
        (np.array(new) != old).any() for new, old in zip(model.field.tables, before, strict=True)
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    expected = model.trajectory(frames[:, :8], 3)[0]
    np.testing.assert_array_equal(loaded.trajectory(frames[:, :8], 3)[0], expected)
    assert loaded.reads_places


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bonds": "inferred"}, "memory_in_law=False, a gate, a linear path and no restraints"),
        ({"bonds": "inferred", "memory_in_law": False, "gate": False}, "memory_in_law=False, a"),
        ({"bonds": "guessed", "memory_in_law": False}, "bonds: expected one of"),
    ],
)
def test_what_cannot_be_inferred_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        InteractionLSTM(**arguments)


def test_only_a_model_that_infers_bonds_tells_them(rng):
    model = make_model(rng, WITH_VELOCITIES)
    with pytest.raises(ValueError, match="bonds: expected inferred ones, found False"):
        model.infer_bonds(frames_with_velocities(rng))


@pytest.mark.usefixtures("eagerly")
def test_bonds_are_not_inferred_in_periodic_boxes(rng):
    model, frames = coupled_model(rng), frames_with_velocities(rng)
    box = np.tile(np.eye(2, dtype="float32") * 20, (2, 1, 1))
    with pytest.raises(ValueError, match="box: expected none with bonds that are inferred"):
        model.infer_bonds({"inputs": frames, "box": np.repeat(box[:, None], 3, axis=1)})


def test_models_that_are_given_velocities_take_other_numbers_of_particles(rng, tmp_path):
    field = ExternalField(width=6.0, cells=8, hidden_units=3)
    model = coupled_model(rng, field=field)
    model.cell.substeps = 1  # which is compiled eight times as fast
    export_saved_model(model, tmp_path / "exported")
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    for particles in (3, 1):
        frames = frames_with_velocities(rng, steps=6, particles=particles)
        positions, _ = model.rollout(frames, 4, feedback="mean")
        assert positions.shape == (2, 4, particles, 2)
        found = exported.rollout(tf.constant(frames), tf.constant(4))["positions"]
        np.testing.assert_allclose(found, positions, rtol=1e-4, atol=1e-5)
    nobody, _ = model.rollout(frames[:0], 4, feedback="mean")
    assert nobody.shape == (0, 4, 1, 2)


def test_two_frames_of_places_are_too_few_to_infer_bonds_from(rng):
    model = InteractionLSTM(bonds="inferred", memory_in_law=False, units=0)
    with pytest.raises(ValueError, match="inputs: expected 3 frames or more to infer bonds"):
        model(rng.normal(size=(1, 2, 3, 3)).astype("float32"))


@pytest.mark.usefixtures("eagerly")
def test_padded_particles_are_tied_to_nobody(rng):
    model, frames = coupled_model(rng), frames_with_velocities(rng, steps=6)
    mask = np.array([[True, True, False], [True, True, True]])
    found = model.infer_bonds({"inputs": frames, "mask": mask})
    assert not found[0, 2].any()
    assert not found[0, :, 2].any()
    assert found[0, 0, 1]
    alone = model.infer_bonds(frames[:1, :, :2])
    np.testing.assert_allclose(found[:1, :2, :2], alone, rtol=1e-3, atol=1e-5)


def test_a_learned_law_of_strengths_that_differ_is_not_drawn(rng):
    model = coupled_model(rng)
    windows = Windows(frames_with_velocities(rng), np.zeros((2, 1, 3, 2)), np.arange(2))
    description = DatasetDescription(
        features=WITH_VELOCITIES.features,
        blocks=WITH_VELOCITIES.blocks,
        frame_spacing=SPACING,
        versions={},
        files={},
    )
    with pytest.raises(NotPossibleError, match="no acceleration of pairs"):
        draw_interaction(model, windows, description, SPACING)
