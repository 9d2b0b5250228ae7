"""The neighbour search against comparing all with all."""

import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers.cell_list import _candidates, neighbour_pairs
from socialmd.layers.grid import find_neighbours

REACH = 0.7  # no float32 has this value
FAR = 3e38
AXES = [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)]


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def dims(request):
    return request.param


def all_pairs(positions, reach, mask=None):
    """Owner and neighbour of every pair in reach, from a matrix of all with all."""
    positions = np.asarray(positions, "float32")
    particles = positions.shape[1]
    with np.errstate(over="ignore", invalid="ignore"):  # neither inf nor nan is in reach
        offsets = positions[:, None, :] - positions[:, :, None]
    in_reach = np.all(np.abs(offsets) <= np.float32(reach), axis=-1)  # [B, N, N]
    in_reach &= ~np.eye(particles, dtype=bool)
    if mask is not None:
        in_reach &= mask[:, None, :]
    b, i, j = np.nonzero(in_reach)
    return np.array([b * particles + i, b * particles + j], "int32")


def assert_finds_all(positions, reach=REACH, mask=None, at_least=1):
    expected = all_pairs(positions, reach, mask)
    found = neighbour_pairs(positions, reach, mask)
    assert len(expected[0]) >= at_least
    assert found[0].dtype == found[1].dtype == "int32"
    np.testing.assert_array_equal(found, expected)


def uniform(rng, batch, particles, density, dims=2):
    """Positions around the origin, in a square or cube with `density` particles per REACH**D."""
    half = 0.5 * REACH * (particles / density) ** (1 / dims)
    return rng.uniform(-half, half, size=(batch, particles, dims)).astype("float32")


@pytest.mark.parametrize("density", [0.05, 0.5, 3.0, 1e6], ids="{} per cell".format)
@pytest.mark.parametrize("batch", [1, 3])
def test_uniform_particles(rng, batch, density, dims):
    assert_finds_all(uniform(rng, batch, 50, density, dims))


def test_clusters_in_empty_space(rng, dims):
    centres = rng.uniform(-1e4, 1e4, size=(2, 6, 1, dims))
    positions = centres + rng.normal(scale=REACH, size=(2, 6, 8, dims))
    assert_finds_all(positions.reshape(2, 48, dims))


@pytest.mark.parametrize("reach", [0.5, 0.1, REACH, 1e-3, 7.3, 1e4])
@pytest.mark.parametrize("start", [0.0, -1.0, 0.3, 1e5])
def test_lattices_whose_spacing_is_the_reach(rng, reach, start, dims):
    """Every neighbour is at exactly the reach, or beyond it by the rounding of its coordinates."""
    lattice = np.stack(np.meshgrid(*dims * [np.arange(-3, 4)]), axis=-1).reshape(-1, dims)
    for spacing in (np.float32(reach), np.float32(reach / 2)):
        positions = (rng.permutation(lattice) + start) * spacing
        assert_finds_all(positions[None], reach)


@pytest.mark.parametrize(("dims", "axis"), AXES)
@pytest.mark.parametrize("origin", [0.0, 1e-9, -1e-9, 0.1, -0.7, 12.3, 1e5, 1e7])
def test_pairs_within_a_rounding_of_the_reach(rng, origin, dims, axis):
    """Whether float32 rounds their distance to the reach decides, nothing else."""
    positions = np.zeros((20, 5, dims), "float32")
    one = np.float32(origin) * rng.uniform(0.5, 1.0, size=20).astype("float32")
    other = one + rng.choice([-1, 1], size=20).astype("float32") * np.float32(REACH)
    positions[:, 0, axis] = one
    positions[:, 1, axis] = other
    positions[:, 2, axis] = np.nextafter(other, np.float32(np.inf))
    positions[:, 3, axis] = np.nextafter(other, np.float32(-np.inf))
    positions[:, 4, axis] = -one
    assert_finds_all(positions, at_least=20)


@pytest.mark.parametrize(("dims", "axis"), AXES)
def test_distance_that_rounds_to_the_reach_is_in_reach(dims, axis):
    """The particles are three cells apart if cells are as wide as the reach."""
    positions = np.zeros((1, 2, dims), "float32")
    positions[0, :, axis] = -1e-9, REACH
    np.testing.assert_array_equal(neighbour_pairs(positions, REACH), [(0, 1), (1, 0)])


@pytest.mark.parametrize(("dims", "axis"), AXES)
@pytest.mark.parametrize("side", [-1, 1])
def test_just_beyond_the_reach(dims, axis, side):
    positions = np.zeros((1, 2, dims), "float32")
    positions[0, 1, axis] = side * np.nextafter(np.float32(REACH), np.float32(1.0))
    assert len(neighbour_pairs(positions, REACH)[0]) == 0


def test_coincident_particles(rng, dims):
    positions = uniform(rng, 2, 12, 0.5, dims)
    positions = np.concatenate([positions, positions[:, ::-1], np.zeros((2, 6, dims))], axis=1)
    assert_finds_all(positions, at_least=2 * 6 * 5)


def test_zeros_of_either_sign_coincide():
    assert_finds_all(np.float32([[(0.0, -0.0), (-0.0, 0.0), (0.0, 0.0)]]), at_least=6)


def test_particles_flung_far_away(rng, dims):
    positions = uniform(rng, 2, 70, 0.5, dims)
    distances = np.float32([1e5, 1e9, 1e20, FAR])
    positions[:, :20] = rng.choice([-1, 1], (2, 20, dims)) * rng.choice(distances, (2, 20, dims))
    for axis, distance in enumerate((-1e15, 1e15, -1e15)[:dims]):
        positions[:, 20 + 10 * axis : 30 + 10 * axis, axis] = distance
    assert_finds_all(positions)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("dims", "axis"), AXES)
def test_a_position_that_is_not_finite_hides_nobody_else(rng, bad, dims, axis):
    positions = uniform(rng, 2, 30, 1.0, dims)
    positions[0, 7, axis] = positions[1, 0, axis] = positions[1, 1, axis] = bad
    assert_finds_all(positions)
    positions[...] = bad
    assert len(neighbour_pairs(positions, REACH)[0]) == 0


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_masked_particles_are_nobodys_neighbours(rng, share, dims):
    positions = uniform(rng, 3, 40, 2.0, dims)
    mask = rng.uniform(size=(3, 40)) >= share
    positions[~mask] = 0.0  # where padding often lies
    assert_finds_all(positions, mask=mask, at_least=0 if share == 1.0 else 1)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (4, 1), (1, 2), (4, 2)])
def test_few_or_no_particles(shape, dims):
    mask = np.ones(shape, bool)
    expected = shape[0] * (2 if shape[1] == 2 else 0)
    assert_finds_all(np.zeros((*shape, dims)), at_least=expected)
    assert_finds_all(np.zeros((*shape, dims)), mask=mask, at_least=expected)


@pytest.mark.parametrize("density", [0.2, 5.0])
def test_pairs_and_their_order_are_those_of_find_neighbours(rng, density, dims):
    positions = uniform(rng, 2, 400, density, dims)
    positions[0, :5] = np.nan
    mask = rng.uniform(size=(2, 400)) < 0.8
    _, counts = find_neighbours(positions, (2 * REACH,), distance_filter=False, mask=mask)
    b, i, j = np.nonzero(np.asarray(counts)[..., 0])
    found = neighbour_pairs(positions, REACH, mask)
    np.testing.assert_array_equal(found, [b * 400 + i, b * 400 + j])


class Search(tf.Module):
    """In a graph that knows neither B nor N."""

    def __init__(self, dims):
        super().__init__()
        signature = [
            tf.TensorSpec((None, None, dims), tf.float32),
            tf.TensorSpec((None, None), "bool"),
        ]
        self.search = tf.function(
            lambda positions, mask: neighbour_pairs(positions, REACH, mask), signature
        )


def test_graphs_of_unknown_size_and_their_saved_models(rng, tmp_path, dims):
    search = Search(dims)
    tf.saved_model.save(search, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for shape in ((1, 30), (3, 7), (2, 1), (0, 4), (2, 0)):
        positions, mask = uniform(rng, *shape, 1.0, dims), rng.uniform(size=shape) < 0.8
        expected = all_pairs(positions, REACH, mask)
        np.testing.assert_array_equal(search.search(positions, mask), expected)
        np.testing.assert_array_equal(loaded.search(positions, mask), expected)


def test_gradients_pass_it_by_in_compiled_loops(rng):
    """The factor counts once for every pair; that it also moves the particles does not count."""
    start = uniform(rng, 2, 20, density=1.0)

    @tf.function
    def run(factor):
        total = tf.constant(0.0)
        for step in tf.range(1, 4):
            positions = start * factor * tf.cast(step, tf.float32)
            _, neighbour = neighbour_pairs(positions, REACH)
            total += tf.reduce_sum(tf.gather(factor * tf.ones(40), neighbour))
        return total

    factor = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(factor)
        total = run(factor)
    expected = sum(len(all_pairs(start * step, REACH)[0]) for step in np.float32([1, 2, 3]))
    assert expected > 0
    assert total == expected
    assert tape.gradient(total, factor) == expected


def num_candidates(positions):
    return len(_candidates(tf.constant(positions), REACH, None, None)[0])


def test_what_is_compared_grows_as_the_number_of_particles(rng, dims):
    """Oneself, and who is in three (nine) strips as wide as the reach and twice as high."""
    density = 2.0
    for num_particles in (5_000, 20_000):
        positions = uniform(rng, 1, num_particles, density, dims)
        num_neighbours = 3 ** (dims - 1) * 2 * density
        assert num_candidates(positions) < 1.05 * num_particles * (1 + num_neighbours)


@pytest.mark.parametrize(("dims", "axis"), [(2, 0), (3, 0), (3, 2)])
def test_empty_space_between_particles_costs_nothing(rng, dims, axis):
    """Two columns as wide as a strip and far apart; a column lies in four strips at most."""
    num_particles, density = 4_000, 2.0
    positions = rng.uniform(0, REACH, size=(1, num_particles, dims)).astype("float32")
    positions[..., 1] *= num_particles / 2 / density
    positions[0, ::2, axis] += 1e3
    assert num_candidates(positions) < 1.05 * num_particles * (1 + 2 * density)


@pytest.mark.parametrize("distance", [1e6, 1e12, 1e25, 1e37])
@pytest.mark.parametrize(("dims", "axis"), [(2, 0), (3, 0), (3, 2)])
def test_diverging_particles_are_not_compared_with_each_other(rng, distance, dims, axis):
    """Side by side, each with its own speed, beyond the range of integers at last."""
    positions = rng.uniform(0, REACH, size=(1, 20_000, dims))
    positions[..., axis] = distance * rng.normal(size=(1, 20_000))
    assert num_candidates(positions.astype("float32")) < 2 * 20_000


@pytest.mark.parametrize("reach", [0.0, -1.0, np.inf, np.nan])
def test_impossible_reaches_are_refused(reach):
    with pytest.raises(ValueError, match=f"reach: expected a positive finite .* found {reach}"):
        neighbour_pairs(np.zeros((1, 2, 2)), reach)
