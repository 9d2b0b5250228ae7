"""Forces and torques of particles that point somewhere: loops, symmetries, known physics."""

import keras
import numpy as np
import pytest
from scipy.stats import ortho_group

from socialmd.config import ManyBodySystem
from socialmd.layers import InteractionLaw, NeighbourFilter, PolarLaw
from socialmd.layers.polar_law import _Powers
from socialmd.simulation import accelerations, electric_field

CUTOFF, SHORTEST = 4.0, 0.2
LENGTH = (CUTOFF * SHORTEST) ** 0.5


pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def dims(request):
    return request.param


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor), float)


def make_law(rng, dims, search="auto", **arguments):
    interaction = NeighbourFilter(
        cutoff=CUTOFF, minimum_distance=SHORTEST, num_intervals=4, neighbour_search=search
    )
    law = PolarLaw(interaction, **{"channels": 8, "hidden_units": 3, **arguments})
    law.build((None, None, 2 * dims), 2)
    for weight in law.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return law


def make_particles(rng, dims, batch=2, particles=5):
    """Poses and features; all within reach of each other, in a box as wide as the reach twice."""
    x, u = rng.uniform(-1.3, 1.3, size=(2, batch, particles, dims))
    u /= np.linalg.norm(u, axis=-1, keepdims=True)
    features = rng.normal(size=(batch, particles, 2))
    return np.concatenate([x, u], axis=-1).astype("float32"), features.astype("float32")


def call(law, pose, features, *surroundings):
    return numbers(law(pose, *law.read(features, None), *surroundings))


def test_dipoles_feel_the_terms_that_the_docstring_names(rng, dims):
    law = make_law(rng, dims)
    pose, features = make_particles(rng, dims)
    emitted, response = map(numbers, law.read(features, None))
    expected = np.zeros(pose.shape)
    for b, i, j in np.ndindex(*pose.shape[:2], pose.shape[1]):
        if i == j:
            continue
        r, u, v = pose[b, j, :dims] - pose[b, i, :dims], pose[b, i, dims:], pose[b, j, dims:]
        r, u, v = r.astype(float), u.astype(float), v.astype(float)
        d = np.linalg.norm(r)
        e = r / d
        table = numbers(law.interaction.kernel(r[None].astype("float32")))[0] @ e * d / LENGTH
        product = table * emitted[b, j] * response[b, i]
        sizes = [8, *[2] * 8, 8, 2, 2]  # channels of each term
        k = [each.sum() for each in np.split(product, np.cumsum(sizes)[:-1])]
        a, c, o = e @ u, e @ v, u @ v
        n = LENGTH / d
        # In the order of the powers of the cosines: own and neighbour's direction, and both.
        force = n * k[0] * e + n**3 * k[1] * o * e + n**2 * k[2] * c * e + n**2 * k[3] * a * e
        force = force + n**3 * k[4] * a * c * e + n**2 * k[5] * v + n**3 * k[6] * a * v
        force = force + n**2 * k[7] * u + n**3 * k[8] * c * u
        torque = n * k[9] * e + n**2 * k[10] * c * e + n**2 * k[11] * v
        expected[b, i] += np.concatenate([force, torque])
    np.testing.assert_allclose(call(law, pose, features), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("order", "forces", "torques"), [(1, 9, 3), (2, 30, 13)])
def test_there_are_as_many_terms_as_multipoles_need(order, forces, torques):
    law = PolarLaw(NeighbourFilter(), order=order)
    of_torque = [column >= 3 for column in law._columns]
    assert (of_torque.count(False), of_torque.count(True)) == (forces, torques)
    assert len(set(zip(law._columns, law._terms, strict=True))) == forces + torques


@pytest.mark.parametrize("order", [1, 2])
def test_each_term_has_its_own_powers_of_distance_and_cosines(rng, order):
    numbers_of_pair = rng.normal(size=(4, 5))
    powers = _Powers(*numbers_of_pair)
    for term in PolarLaw(NeighbourFilter(), order=order)._terms:
        assert term.power <= 3  # or near pairs would fly apart before anything is learned
        exponents = np.array([[term.power], [term.own], [term.other], [term.both]])
        np.testing.assert_allclose(powers.of(term), np.prod(numbers_of_pair**exponents, axis=0))


@pytest.mark.parametrize("order", [1, 2])
def test_a_system_that_is_turned_or_mirrored_feels_turned_forces(rng, dims, order):
    law = make_law(rng, dims, order=order)
    pose, features = make_particles(rng, dims)
    turn = ortho_group.rvs(dims, random_state=1)  # with determinant -1 as well
    parts = np.split(pose.astype(float), 2, axis=-1)
    turned = np.concatenate([part @ turn.T for part in parts], axis=-1).astype("float32")
    before = np.concatenate(
        [part @ turn.T for part in np.split(call(law, pose, features), 2, axis=-1)], axis=-1
    )
    np.testing.assert_allclose(call(law, turned, features), before, rtol=1e-3, atol=2e-3)


def test_all_pairs_and_a_neighbour_search_are_the_same(rng, dims):
    pose, features = make_particles(rng, dims, particles=9)
    mask = rng.random((2, 9)) < 0.7
    law = make_law(rng, dims, "all_pairs")
    other = make_law(rng, dims, "cell_list")
    other.set_weights(law.get_weights())
    found = [call(each, pose, features, mask)[mask] for each in (law, other)]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-3, atol=1e-3)


def test_padded_particles_are_nobody_s_neighbours(rng, dims):
    law, (pose, features) = make_law(rng, dims), make_particles(rng, dims)
    mask = np.array([[True] * 3 + [False] * 2] * 2)
    alone = call(law, pose[:, :3], features[:, :3])
    np.testing.assert_allclose(call(law, pose, features, mask)[:, :3], alone, rtol=1e-4, atol=1e-4)


def test_in_a_box_neighbours_are_nearest_images(rng, dims):
    law, (pose, features) = make_law(rng, dims), make_particles(rng, dims)
    box = np.tile(8.5 * np.eye(dims, dtype="float32"), (2, 1, 1))
    moved = pose.copy()
    moved[:, 1, 0] += 8.5
    np.testing.assert_allclose(
        call(law, moved, features, None, box), call(law, pose, features), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("order", [1, 2])
def test_it_can_be_the_law_of_charges_and_dipoles(rng, dims, order):
    """Linear in products of what is emitted and how it is responded to, one of each term.

    At one distance, each term's table is a number: these follow from many pairs' true forces and
    torques by least squares, and leave nothing.
    """
    law = make_law(rng, dims, order=order, channels=1)
    system = ManyBodySystem(spatial_dims=dims, dipole_range=(0.1, 0.3), softening=0.3)
    count, terms = 400, len(law._terms)
    e, u, v = (
        each / np.linalg.norm(each, axis=-1, keepdims=True)
        for each in rng.normal(size=(3, count, dims))
    )
    charges, moments = rng.normal(size=(2, count, 2))
    positions = np.stack([np.zeros_like(e), 1.1 * e], axis=1)
    dipoles = moments[..., None] * np.stack([u, v], axis=1)
    unit = np.ones((count, 2))
    force = accelerations(system, positions, 0 * unit + 1, charges, dipoles)[:, 0]
    gravity = accelerations(system, positions, unit, 0 * unit)[:, 0]  # of unit masses
    torque = moments[:, :1] * electric_field(system, positions, charges, dipoles)[:, 0]
    torque -= (torque * u).sum(-1, keepdims=True) * u
    target = np.concatenate([force - gravity, torque], axis=-1)

    pose = np.concatenate([positions, np.stack([u, v], axis=1)], axis=-1).astype("float32")
    own, other = (np.stack([charges[:, i], moments[:, i]], -1) for i in (0, 1))
    rows = []
    for term in range(terms):  # with each product of a charge or moment with another
        chosen = np.zeros((count, 2, terms), "float32")
        chosen[..., term] = 1.0
        vector = numbers(law(pose, chosen, chosen))[:, 0]
        vector[:, dims:] -= (vector[:, dims:] * u).sum(-1, keepdims=True) * u
        rows += [vector * (own[:, a] * other[:, b])[:, None] for a, b in np.ndindex(2, 2)]
    matrix = np.reshape(rows, (len(rows), -1)).T
    coefficients = np.linalg.lstsq(matrix, target.ravel(), rcond=1e-6)[0]
    left = target.ravel() - matrix @ coefficients
    assert np.sqrt(np.mean(left**2)) < 1e-4 * np.sqrt(np.mean(target**2))


def test_it_is_what_it_was_when_it_is_loaded(rng, tmp_path, dims):
    law, (pose, features) = make_law(rng, dims, order=2), make_particles(rng, dims)
    again = PolarLaw.from_config(law.get_config())
    again.build((None, None, 2 * dims), 2)
    again.set_weights(law.get_weights())
    np.testing.assert_array_equal(call(again, pose, features), call(law, pose, features))


def test_on_grids_directions_are_features(rng, dims):
    """As for all tables on grids, a system that is turned is another one."""
    law = InteractionLaw(
        NeighbourFilter("grid", grid_sizes=(4.0,), grid_cells=4), channels=3, orientation=True
    )
    law.build((None, None, 2 * dims), 2)
    pose, features = make_particles(rng, dims)
    for weight in law.trainable_weights:
        weight.assign(rng.normal(size=weight.shape))
    found = call(law, pose, features)
    known = np.concatenate([pose[..., dims:], features], axis=-1)
    field = numbers(law.interaction(pose[..., :dims], law.emit(known)))
    expected = (numbers(law.respond(known)) * field) @ numbers(law.mixing)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert found.shape == pose.shape


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PolarLaw(NeighbourFilter("grid")), "interaction: expected a radial Neigh"),
        (
            lambda: PolarLaw(NeighbourFilter(power=1)),
            "interaction: expected power = -1",
        ),
        (lambda: PolarLaw(NeighbourFilter(), order=3), "order: expected 1, of dipoles, or 2"),
        (lambda: PolarLaw(NeighbourFilter(), channels=0), "channels: expected a positive integer"),
        (
            lambda: InteractionLaw(NeighbourFilter(), gate=False, orientation=True),
            "gate: expected true of particles that point",
        ),
        (
            lambda: InteractionLaw(NeighbourFilter(), orientation=True).build((None, 3, 4), 2),
            "interaction: expected one without vectors",
        ),
    ],
)
def test_impossible_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
