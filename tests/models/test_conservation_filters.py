"""Forecasts that conserve what the true motion does, and forecasts of windows that are turned."""

import itertools

import keras
import numpy as np
import pytest
from scipy.linalg import lstsq

from socialmd.config import FixedChargesConfig, ManyBodySystem
from socialmd.data import FeatureLayout
from socialmd.layers import NeighbourFilter
from socialmd.models import ConservationFilters, FilteredModel, InteractionLSTM, SequenceLSTM
from socialmd.models.random_turns import RandomTurns
from tests.tiny_models import interacting_inputs, interacting_model, tiny_inputs, tiny_model

LAYOUT = FeatureLayout.of_scalars(("x", "y", "mass", "charge"), 2)
LAW = ManyBodySystem(num_particles=4, coulomb_constant=2.0, gravitational_constant=1.0)
HIDDEN_MASS = LAYOUT.hiding("mass")
AMONG_FIXED = LAW.model_copy(update={"fixed_charges": FixedChargesConfig(count=2)})
LIMITED = LAW.model_copy(update={"force_limit": 9.0, "limit_magnitude": True})
SPACING = 0.5
STEPS = 6
KINDS = ("position", "displacement", "acceleration", "sequence", "interaction")

pytestmark = pytest.mark.usefixtures("eagerly")


def make_model(rng, kind, **arguments):
    if kind == "interaction":
        model = interacting_model(rng, **arguments)
        for weight in model.trainable_weights:  # others magnify rounding within a few steps
            weight.assign(0.4 * weight)
        model.densities = ("conditional", "marginal")
    elif kind == "sequence":
        model = SequenceLSTM(3, mlp_units=(6,), lstm_units=(5,), dropout=0.0)
        model.build((None, None, 4, 4))
        for weight in model.trainable_weights:
            weight.assign(rng.normal(scale=0.4, size=weight.shape))
    else:
        model = tiny_model(rng, prediction=kind)
    model.layout = LAYOUT
    return model


def oriented(rng):
    """A model of particles that point somewhere, and its inputs."""
    layer = NeighbourFilter("radial", cutoff=4.0, minimum_distance=0.2)
    sizes = {"units": 4, "channels": 3, "hidden_units": 4, "substeps": 2}
    model = InteractionLSTM(3, layer, orientation=True, **sizes)
    model.build((None, None, None, 6))
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.1, size=weight.shape))
    inputs = interacting_inputs(rng, num_static=4)
    angles = rng.uniform(0, 6, inputs.shape[:3])
    inputs[..., 2:4] = inputs[:, :1, :, 2:4]
    inputs[..., -2:] = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return model, inputs


def make_inputs(rng, **sizes):
    inputs = tiny_inputs(rng, **{"batch": 3, "steps": 4, **sizes})
    inputs[..., 2] = rng.uniform(0.5, 1.5, inputs.shape[0:3:2])[:, None]
    return inputs


def center_of_mass(positions, masses):
    """Of positions [..., T, N, D] with masses [B, N], [..., T, D]."""
    weights = masses[:, None, :, None].astype(float)
    return (weights * positions).sum(-2) / weights.sum(-2)


def straight_line(inputs, steps, mask=None):
    """Where the centre of mass goes, [B, steps, D]."""
    masses = inputs[:, -1, :, 2] * (1.0 if mask is None else mask)
    path = center_of_mass(inputs[..., :2].astype(float), masses)
    ahead = np.arange(1, steps + 1)[:, None]
    return path[:, -1:] + ahead * (path[:, -1:] - path[:, -2:-1]), masses


# === Momentum ===


@pytest.mark.parametrize("kind", KINDS)
def test_momentum_is_conserved_by_every_model(rng, kind):
    model, inputs = make_model(rng, kind), make_inputs(rng)
    free, of_free = model.rollout(inputs, STEPS)
    kept, parameters = model.rollout(inputs, STEPS, filters="momentum")
    expected, masses = straight_line(inputs, STEPS)
    assert np.abs(center_of_mass(free, masses) - expected).max() > 1e-2
    np.testing.assert_allclose(center_of_mass(kept, masses), expected, atol=2e-5)
    # The first step's density is that of the unfiltered one, moved along.
    moved = kept[:, 0] - free[:, 0]
    shifted = model._distribution.move(of_free[:, 0], moved)
    np.testing.assert_allclose(parameters[:, 0], shifted, rtol=1e-4, atol=1e-5)
    if kind != "interaction":  # whose marginal densities may lie beside what is fed back
        mean = model._distribution.mean(parameters)
        np.testing.assert_allclose(mean, kept, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["acceleration", "interaction"])
def test_each_sampled_future_conserves_it(rng, kind):
    model, inputs = make_model(rng, kind), make_inputs(rng)
    model.densities = ("conditional",)
    how = {"seed": 1, "num_samples": 3}
    futures, _ = model.rollout(inputs, STEPS, "sample", filters=["momentum"], **how)
    expected, masses = straight_line(inputs, STEPS)
    assert futures.shape == (3, 3, STEPS, 4, 2)
    assert np.ptp(futures, axis=0).min() > 0
    for future in futures:
        np.testing.assert_allclose(center_of_mass(future, masses), expected, atol=5e-5)


@pytest.mark.parametrize("kind", ["acceleration", "sequence", "interaction"])
def test_padded_particles_do_not_count(rng, kind):
    model, inputs = make_model(rng, kind), make_inputs(rng)
    mask = np.array([[True, True, True, False]] * 3)
    inputs[:, :, 3] = 0.0
    found, _ = model.rollout({"inputs": inputs, "mask": mask}, STEPS, filters="momentum")
    alone, _ = model.rollout(inputs[:, :, :3], STEPS, filters="momentum")
    np.testing.assert_allclose(found[:, :, :3], alone, rtol=2e-4, atol=2e-5)
    expected, masses = straight_line(inputs, STEPS, mask)
    np.testing.assert_allclose(center_of_mass(found, masses), expected, atol=2e-5)


def test_masses_are_equal_where_there_are_none(rng):
    model, inputs = make_model(rng, "acceleration"), make_inputs(rng)
    model.layout = FeatureLayout.of_scalars(("x", "y", "size", "charge"), 2)
    kept, _ = model.rollout(inputs, STEPS, filters="momentum")
    inputs[..., 2] = 1.0  # read by nobody here but `straight_line`
    expected, masses = straight_line(inputs, STEPS)
    np.testing.assert_allclose(center_of_mass(kept, masses), expected, atol=2e-5)


def test_it_is_conserved_across_walls_of_a_periodic_box(rng):
    model = make_model(rng, "interaction")
    # A jump by the box length is exact then: encounters would make much of its rounding.
    inputs = np.round(make_inputs(rng) * 1024) / np.float32(1024)
    expected, masses = straight_line(inputs, STEPS)
    box = np.tile(9.0 * np.eye(2), (3, 1, 1))
    there = {"inputs": inputs, "box": box}
    kept, _ = model.rollout(there, STEPS, filters="momentum")
    np.testing.assert_allclose(center_of_mass(kept, masses), expected, atol=2e-5)
    jumped = inputs.copy()
    jumped[:, :2, 0, 0] += 9.0
    again, _ = model.rollout({"inputs": jumped, "box": box}, STEPS, filters="momentum")
    np.testing.assert_allclose(again, kept, atol=2e-4)


def test_orientations_stay_and_places_are_moved(rng):
    model, inputs = oriented(rng)
    free, _ = model.rollout(inputs, 2)
    kept, _ = model.rollout(inputs, 2, filters="momentum")
    np.testing.assert_allclose(kept[:, 0, :, 2:], free[:, 0, :, 2:], atol=1e-6)
    masses = np.ones(inputs.shape[0:3:2])
    path = center_of_mass(inputs[..., :2].astype(float), masses)
    expected = 2 * path[:, -1] - path[:, -2]
    np.testing.assert_allclose(center_of_mass(kept[..., :2], masses)[:, 0], expected, atol=1e-5)


def test_correction_is_the_likeliest_one(rng):
    """Least squares, weighted by variance, under the constraint: by SciPy, coordinate-wise."""
    inputs = make_inputs(rng)
    following = inputs[:, -1, :, :2] + rng.normal(scale=0.2, size=(3, 4, 2))
    following, variance = following.astype("float32"), rng.uniform(0.01, 1.0, (3, 4))
    correct = ConservationFilters.of("momentum", LAYOUT).begin(inputs, None, 2)
    change = correct(inputs[:, -1, :, :2], following, variance.astype("float32"))
    for window, (masses, own) in enumerate(zip(inputs[:, -1, :, 2], variance, strict=True)):
        given = inputs[window, -1, :, :2] - inputs[window, -2, :, :2]
        lack = masses @ (given - (following - inputs[:, -1, :, :2])[window])
        # The shortest solution for moves in units of their standard deviations.
        scaled, *_ = lstsq((masses * np.sqrt(own))[None].astype(float), lack[None])
        np.testing.assert_allclose(change[window], np.sqrt(own)[:, None] * scaled, atol=1e-5)


def test_velocity_follows_the_place_and_the_residual_is_that_of_the_motion(rng):
    model, inputs = make_model(rng, "interaction"), make_inputs(rng)
    given = model._unpack(inputs)
    state, _ = model._warm_up(given)
    motion, known = model._advance(state, given.features, given.fixed, None)
    following = model._distribution.mean(model._expect(motion, state, known))
    shift = rng.normal(size=(3, 4, 2)).astype("float32")
    plain = model._observe(state, motion, following, given.features)
    moved = model._observe(state, motion, following, given.features, shift=shift)
    for number in (0, 1):
        np.testing.assert_allclose(moved[number], plain[number] + shift, atol=1e-6)
    np.testing.assert_array_equal(moved[3], plain[3])


# === Energy ===


def energy_of(law, positions, velocities, masses, charges):
    """Kinetic plus potential energy of one frame [N, D], pair by pair."""
    total = 0.5 * (masses * np.square(velocities).sum(-1)).sum()
    for i in range(len(masses)):
        for j in range(i):
            coupling = law.coulomb_constant * charges[i] * charges[j]
            coupling -= law.gravitational_constant * masses[i] * masses[j]
            square = np.square(positions[i] - positions[j]).sum() + law.softening**2
            total += coupling / np.sqrt(square)
    return total


def orbit(gain, filters, steps=60, spacing=0.1):
    """Two bodies about each other, whose forecast makes every displacement longer by a factor.

    Returns:
        Energies of steps, of displacements and the places halfway.
    """
    law = ManyBodySystem(num_particles=2, coulomb_constant=0.0, gravitational_constant=1.0)
    masses, charges = np.array([1.0, 2.0]), np.zeros(2)
    radius, rate = 2.0, np.sqrt(3.0 / 8.0)
    angles = rate * spacing * np.arange(-3, 1)
    around = radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    places = np.stack([around * 2 / 3, -around / 3], axis=1)  # [T, N, D]
    given = np.concatenate([places, np.broadcast_to([[1.0, 0.0], [2.0, 0.0]], places.shape)], -1)
    chosen = ConservationFilters.of(filters, LAYOUT, law, spacing)
    correct = chosen.begin(given[None].astype("float32"), None, 2)
    path, one = list(places), np.ones((1, 2), "float32")
    for _ in range(steps):
        away = path[-1][0] - path[-1][1]
        pull = -np.stack([2 * away, -away]) / np.linalg.norm(away) ** 3
        following = path[-1] + gain * (path[-1] - path[-2] + pull * spacing**2)
        now, then = (x[None].astype("float32") for x in (path[-1], following))
        path.append(following + np.asarray(correct(now, then, one))[0])
    return np.array(
        [
            energy_of(law, (a + b) / 2, (b - a) / spacing, masses, charges)
            for a, b in itertools.pairwise(path)
        ]
    )


def test_energy_stays_where_it_would_drift():
    kinetic = 0.5 * (2 / 3) * 4 * 3 / 8  # of the reduced mass
    free, kept = orbit(1.01, ()), orbit(1.01, "energy")
    assert abs(free[-1] - free[0]) > 0.2 * kinetic
    assert np.abs(kept - kept[0]).max() < 0.03 * kinetic
    exact = orbit(1.0, "energy")
    assert np.abs(exact - exact[0]).max() < 0.01 * kinetic


def test_it_leaves_the_momentum_as_it_is(rng):
    inputs = make_inputs(rng)
    following = inputs[:, -1, :, :2] + 1.001 * (inputs[:, -1, :, :2] - inputs[:, -2, :, :2])
    variance = rng.uniform(0.5, 1.0, (3, 4)).astype("float32")
    weak = LAW.model_copy(update={"coulomb_constant": 1e-6, "gravitational_constant": 1e-6})
    correct = ConservationFilters.of("energy", LAYOUT, weak, SPACING).begin(inputs, None, 2)
    change = np.asarray(correct(inputs[:, -1, :, :2], following, variance))
    assert np.abs(change).max(axis=(1, 2)).min() > 1e-5
    moved = (inputs[:, -1, :, 2, None] * change).sum(axis=1)
    np.testing.assert_allclose(moved, 0.0, atol=1e-6)


def test_nothing_is_done_where_positions_do_not_tell_the_energy(rng):
    inputs = make_inputs(rng)
    strong = LAW.model_copy(update={"gravitational_constant": 500.0})
    correct = ConservationFilters.of("energy", LAYOUT, strong, SPACING).begin(inputs, None, 2)
    following = inputs[:, -1, :, :2] * np.float32(1.1)
    following[:, 0] = following[:, 1]  # on top of each other
    change = correct(inputs[:, -1, :, :2], following, np.ones((3, 4), "float32"))
    np.testing.assert_array_equal(change, np.zeros((3, 4, 2)))


def test_energy_with_padded_particles_is_that_of_the_others(rng):
    inputs = make_inputs(rng)
    inputs[:, :, 2:] = 0.0
    mask = np.array([[True, True, False, False]] * 3)
    weak = LAW.model_copy(update={"coulomb_constant": 1e-6, "gravitational_constant": 1e-6})
    filters = ConservationFilters.of("momentum+energy", LAYOUT, weak, SPACING)
    following = inputs[:, -1, :, :2] + 1.02 * (inputs[:, -1, :, :2] - inputs[:, -2, :, :2])
    variance = np.ones((3, 4), "float32")
    all_four = filters.begin(inputs, mask, 2)(inputs[:, -1, :, :2], following, variance)
    two = filters.begin(inputs[:, :, :2], None, 2)(
        inputs[:, -1, :2, :2], following[:, :2], variance[:, :2]
    )
    np.testing.assert_allclose(all_four[:, :2], two, atol=1e-6)
    np.testing.assert_array_equal(all_four[:, 2:], np.zeros((3, 2, 2)))


@pytest.mark.parametrize("kind", KINDS)
def test_both_go_with_every_model(rng, kind):
    model, inputs = make_model(rng, kind), make_inputs(rng)
    filters = ConservationFilters.of("energy+momentum", LAYOUT, LAW, SPACING)
    assert filters.names == ("momentum", "energy")
    kept, _ = model.rollout(inputs, STEPS, filters=filters)
    expected, masses = straight_line(inputs, STEPS)
    np.testing.assert_allclose(center_of_mass(kept, masses), expected, atol=5e-5)


# === Rotation ===


def test_forecast_of_a_model_without_directions_is_the_same(rng):
    """Forces along pairs; where the next position is expected, nothing else says."""
    model, inputs = make_model(rng, "interaction", memory_in_law=False), make_inputs(rng)
    for weight in model.conditional.trainable_weights:
        weight.assign(0.0 * weight)
    plain, _ = model.rollout(inputs, STEPS)
    for seed in (3, 4):
        turned, _ = model.rollout(inputs, STEPS, filters="rotation", seed=seed)
        np.testing.assert_allclose(turned, plain, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["acceleration", "sequence"])
def test_windows_are_turned_and_forecasts_turned_back(rng, kind):
    model, inputs = make_model(rng, kind), make_inputs(rng)
    places = rng.normal(size=(3, STEPS, 4, 2)).astype("float32")
    found, parameters = model.rollout(inputs, STEPS, filters="rotation", seed=5)
    matrices = RandomTurns.draw(3, 2, 5).matrices
    np.testing.assert_allclose(np.linalg.det(matrices), 1.0, rtol=1e-5)

    def turn(arrays):
        return np.einsum("bij,btnj->btni", matrices, arrays)

    there = np.concatenate([turn(inputs[..., :2]), inputs[..., 2:]], axis=-1)
    positions, of_turned = model.rollout(there, STEPS)
    np.testing.assert_allclose(turn(found), positions, rtol=1e-3, atol=1e-3)
    expected = model.distribution(of_turned).log_prob(turn(places))
    log_prob = keras.ops.convert_to_numpy(model.distribution(parameters).log_prob(places))
    np.testing.assert_allclose(log_prob, expected, rtol=2e-2, atol=2e-2)
    again, _ = model.rollout(inputs, STEPS, filters="rotation", seed=5)
    np.testing.assert_array_equal(again, found)
    other, _ = model.rollout(inputs, STEPS, filters="rotation", seed=6)
    assert np.abs(other - found).max() > 1e-3


def test_boxes_and_orientations_are_turned_as_well(rng):
    model, inputs = oriented(rng)
    there = {"inputs": inputs, "box": np.tile(9.0 * np.eye(2), (2, 1, 1))}
    poses, _ = model.rollout(there, 2)
    turned, _ = model.rollout(there, 2, filters="rotation", seed=2)
    np.testing.assert_allclose(np.linalg.norm(turned[..., 2:], axis=-1), 1.0, atol=1e-5)
    assert turned.shape == poses.shape


# === All of them ===


@pytest.mark.parametrize("kind", KINDS)
def test_without_filters_nothing_changes(rng, kind):
    model, inputs = make_model(rng, kind), make_inputs(rng)
    before, config = model.rollout(inputs, STEPS), model.get_config()
    loop = model._compiled_loop
    model.rollout(inputs, STEPS, filters="momentum")
    for filters in ((), []):
        for ours, theirs in zip(model.rollout(inputs, STEPS, filters=filters), before, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert model._compiled_loop is loop
    assert model.get_config() == config


def test_a_filtered_model_is_the_model_but_for_its_forecasts(rng):
    model, inputs = make_model(rng, "acceleration"), make_inputs(rng)
    filtered = FilteredModel(model, ConservationFilters.of("momentum", LAYOUT))
    for ours, theirs in zip(
        filtered.rollout(inputs, 2), model.rollout(inputs, 2, filters="momentum"), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert filtered.num_trainable_parameters == model.num_trainable_parameters
    assert filtered.point_feedback == "mean"
    with pytest.raises(ValueError, match="filters: expected none of a trajectory with velocities"):
        filtered.trajectory(inputs, 2)


@pytest.mark.parametrize(
    ("names", "layout", "law", "message"),
    [
        ("angular", LAYOUT, LAW, r"filters: expected one of .*'rotation'\), found 'angular'"),
        ("energy", LAYOUT, None, "expected data whose law of motion is known"),
        ("energy", LAYOUT, LAW.model_copy(update={"force_limit": 1.0}), "found a force limit"),
        ("momentum", LAYOUT, LAW.model_copy(update={"wall": 9.0}), "momentum, found walls"),
        ("rotation", LAYOUT, LAW.model_copy(update={"wall": 9.0}), "rotation, found walls"),
        ("momentum", HIDDEN_MASS, LAW, "momentum, found masses that are not given"),
        ("momentum", LAYOUT, LAW.model_copy(update={"force_limit": 9.0}), "found a force limit"),
        ("momentum", LAYOUT, AMONG_FIXED, "momentum, found fixed charges"),
        ("momentum", LAYOUT, LIMITED, "momentum, found a force limit$"),
        ("rotation", LAYOUT, AMONG_FIXED, "rotation, found fixed charges"),
        ("rotation", LAYOUT, LAW.model_copy(update={"force_limit": 9.0}), "limit of components"),
        ("energy", LAYOUT, AMONG_FIXED, "for the energy, found fixed charges"),
        ("energy", FeatureLayout.of_scalars(("x", "y", "mass"), 2), LAW, "mass and charge"),
    ],
)
def test_filters_that_make_no_sense_with_data_are_refused(names, layout, law, message):
    with pytest.raises(ValueError, match=message):
        ConservationFilters.of(names, layout, law, SPACING)


def test_a_limit_of_magnitudes_prefers_no_direction():
    assert ConservationFilters.of("rotation", LAYOUT, LIMITED).rotates


def test_filters_that_make_no_sense_with_a_model_are_refused(rng):
    inputs = make_inputs(rng)
    mixture = tiny_model(rng, prediction="displacement", distribution="mixture")
    with pytest.raises(ValueError, match="expected one that can be turned"):
        mixture.rollout(inputs, 1, filters="rotation")
    for name in ("wall", "acceleration_limit"):
        bounded = interacting_model(rng, **{name: 9.0})
        with pytest.raises(ValueError, match=f"expected a model without {name}, found one"):
            bounded.rollout(inputs, 1, filters="momentum")
    model = make_model(rng, "acceleration")
    with pytest.raises(ValueError, match="law of motion is known"):
        model.rollout(inputs, 1, filters="energy")
    inputs[0, :, 0, 2] = -1.0
    with pytest.raises(ValueError, match="expected positive masses, found -1"):
        model.rollout(inputs, 1, filters="momentum")


def test_a_model_of_ones_own_says_whether_it_takes_filters(rng):
    class Own(SequenceLSTM):
        def closed_loop(self, inputs, steps, feedback=None, seed=0):
            return super().closed_loop(inputs, steps, feedback, seed)

    model, inputs = Own(3, mlp_units=(6,), lstm_units=(5,)), make_inputs(rng)
    model.build((None, None, 4, 4))
    with pytest.raises(ValueError, match="expected a model whose `closed_loop` takes them, found"):
        model.rollout(inputs, 1, filters="momentum")
    positions, _ = model.rollout(inputs, 1, filters="rotation")
    assert positions.shape == (3, 1, 4, 2)


def test_energy_in_a_periodic_box_is_refused(rng):
    model = make_model(rng, "interaction")
    there = {"inputs": make_inputs(rng), "box": np.tile(9.0 * np.eye(2), (3, 1, 1))}
    filters = ConservationFilters.of("energy", LAYOUT, LAW, SPACING)
    with pytest.raises(ValueError, match="expected no periodic box for the energy"):
        model.rollout(there, 1, filters=filters)
