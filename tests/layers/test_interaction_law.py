"""Forces through tables of pairs and of pairs that are kept, against those through all channels."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import InteractionLaw, NeighbourFilter
from tests.layers.test_neighbour_filter import (
    KINDS,
    SEARCHES,
    assert_equal_to_rounding,
    make_particles,
)

RADIAL = [kind for kind in KINDS if kind.startswith("radial")]


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def dims(request):
    return request.param


def make_law(rng, kind, dims, search="all_pairs", **arguments):
    law = InteractionLaw(NeighbourFilter(**KINDS[kind], neighbour_search=search), **arguments)
    law.build((None, None, dims), 3)
    for weight in law.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return law


def value_and_gradients_of(force, law, positions, features):
    """Of the sum of squares, in positions, features and all weights."""
    positions, features = tf.constant(positions), tf.constant(features)
    weights = [weight.value for weight in law.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch([positions, features])
        pushed = force(positions, *law.read(features, None))
        total = tf.reduce_sum(pushed**2)
    gradients = tape.gradient(total, [positions, features, *weights], unconnected_gradients="zero")
    return [pushed.numpy(), *(tf.convert_to_tensor(each).numpy() for each in gradients)]


def value_and_gradients(law, positions, features, by_tables, mask=None, box=None, bonds=None):
    def force(positions, emitted, response):
        tables = law.tabulate(emitted, response, bonds) if by_tables else None
        return law(positions, emitted, response, mask, box, tables)

    return value_and_gradients_of(force, law, positions, features)


def near_value_and_gradients(law, start, positions, features, mask=None, box=None):
    """Of the law near some other places."""

    def force(positions, emitted, response):
        return law.near(tf.constant(start), emitted, response, mask, box)(positions)

    return value_and_gradients_of(force, law, positions, features)


def assert_as_good_as(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert np.all(np.isfinite(one))
        if np.any(other):
            assert_equal_to_rounding(one, other, 1e-4)
        else:
            assert not np.any(one)


@pytest.mark.parametrize("kind", RADIAL)
@pytest.mark.parametrize("linear_path", [True, False])
@pytest.mark.parametrize("search", SEARCHES)
def test_tables_of_pairs_change_nothing(rng, kind, dims, linear_path, search):
    law = make_law(rng, kind, dims, search, linear_path=linear_path)
    positions, features = make_particles(rng, dims)
    some = np.array([[True] * 3 + [False, True, True], [False] + [True] * 5])
    for mask in (None, some):
        by_channels, by_tables = (
            value_and_gradients(law, positions, features, each, mask) for each in (False, True)
        )
        assert_as_good_as(by_tables, by_channels)


@pytest.mark.parametrize("kind", RADIAL)
@pytest.mark.parametrize("step", [0.0, 0.01, 3.0], ids=["there", "near", "far"])
@pytest.mark.parametrize("arguments", [{}, {"linear_path": False}, {"gate": False}])
def test_pairs_that_are_kept_change_nothing(rng, kind, dims, step, arguments):
    """Wherever particles have been when pairs were looked for."""
    law = make_law(rng, kind, dims, "cell_list", **arguments)
    positions, features = make_particles(rng, dims)
    start = positions + step * rng.uniform(-1, 1, size=positions.shape).astype("float32")
    some = np.array([[True] * 3 + [False, True, True], [False] + [True] * 5])
    for mask in (None, some):
        expected = value_and_gradients(law, positions, features, False, mask)
        assert_as_good_as(near_value_and_gradients(law, start, positions, features, mask), expected)


@pytest.mark.parametrize("width", [6.0, 30.0])
def test_pairs_that_are_kept_are_nearest_images(rng, dims, width):
    law = make_law(rng, "radial", dims, "cell_list")
    positions, features = make_particles(rng, dims)
    box = np.tile(width * np.eye(dims, dtype="float32"), (2, 1, 1))
    start = positions + rng.uniform(-0.01, 0.01, size=positions.shape).astype("float32")
    expected = value_and_gradients(law, positions, features, False, box=box)
    found = near_value_and_gradients(law, start, positions, features, box=box)
    assert_as_good_as(found, expected)


@pytest.mark.parametrize("kind", RADIAL)
def test_tables_of_pairs_see_nearest_images(rng, kind, dims):
    law = make_law(rng, kind, dims)
    positions, features = make_particles(rng, dims)
    box = np.tile(6.0 * np.eye(dims, dtype="float32"), (2, 1, 1))
    moved = positions + 6 * rng.integers(-2, 3, positions.shape).astype("float32")
    expected = value_and_gradients(law, positions, features, False, box=box)
    assert_as_good_as(value_and_gradients(law, moved, features, True, box=box), expected)


def test_bonds_weigh_what_neighbours_emit(rng, dims):
    law = make_law(rng, "radial", dims)
    positions, features = make_particles(rng, dims, particles=4)
    bonds = rng.normal(size=(2, 4, 4)).astype("float32")
    found = value_and_gradients(law, positions, features, True, bonds=bonds)[0]
    expected = np.zeros((2, 4, dims))
    for b, i, j in np.ndindex(2, 4, 4):
        if i != j:
            pair = law(positions[b : b + 1, [i, j]], *law.read(features[b : b + 1, [i, j]], None))
            expected[b, i] += bonds[b, i, j] * pair[0, 0].numpy()
    assert_equal_to_rounding(found, expected, 1e-4)


@pytest.mark.parametrize("arguments", [{"gate": False}, {"interaction": "grid"}])
def test_bonds_need_a_radial_filter_and_a_gate(rng, arguments):
    law = make_law(rng, arguments.pop("interaction", "radial"), 2, **arguments)
    read = law.read(rng.normal(size=(2, 4, 3)).astype("float32"), None)
    with pytest.raises(ValueError, match="bonds: expected a radial filter"):
        law.tabulate(*read, np.ones((2, 4, 4)))


@pytest.mark.parametrize("kind", RADIAL)
def test_tables_of_pairs_are_finite_where_nobody_is_near(rng, kind, dims):
    law = make_law(rng, kind, dims)
    positions, features = make_particles(rng, dims)
    positions[1] = positions[1, 0]  # all in one place
    flung = np.zeros((2, 4, dims), "float32")
    flung[..., 0], flung[..., 1] = [3e38, np.inf, np.nan, -1e30], [-3e38, 0, 0, np.nan]
    many = np.concatenate([positions, flung], axis=1)
    many_features = np.concatenate([features, np.ones((2, 4, 3), "float32")], axis=1)
    found = value_and_gradients(law, many, many_features, True)
    expected = value_and_gradients(law, positions, features, True)
    assert not np.any(found[0][:, 6:])
    assert_as_good_as([each[:, :6] for each in found[:3]], expected[:3])
    assert_as_good_as(found[3:], expected[3:])


def test_forces_are_tabulated_where_all_pairs_are_compared(rng):
    """A law without a gate has no weights of pairs, and a neighbour search no tables."""
    emitted = np.ones((1, 4, 8), "float32")
    radial = KINDS["radial"]
    assert InteractionLaw(NeighbourFilter(**radial)).can_tabulate(emitted)
    searches = NeighbourFilter(**radial, neighbour_search="cell_list")
    assert not InteractionLaw(searches).can_tabulate(emitted)
    assert not InteractionLaw(NeighbourFilter(**radial), gate=False).can_tabulate(emitted)
    assert not InteractionLaw(NeighbourFilter(**KINDS["grid"])).can_tabulate(emitted)
    assert not InteractionLaw(NeighbourFilter(**radial)).can_tabulate(np.ones((1, 500, 8)))


@pytest.mark.parametrize(("batch", "times"), [(2, 3), (0, 3), (1, 1)])
def test_places_of_many_times_are_read_in_the_tables_of_their_systems(rng, batch, times):
    law = make_law(rng, "radial", 2)
    features = rng.normal(size=(batch, 4, 3)).astype("float32")
    positions = rng.uniform(-1, 1, (times * batch, 4, 2)).astype("float32")
    tables = law.tabulate(*law.read(features, None))
    pairs = tf.function(law.interaction.of_pairs)(positions, tables)
    found = np.stack(np.sum(pairs, axis=-1), axis=-1)
    expected = law(positions, *law.read(np.tile(features, (times, 1, 1)), None))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
