import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import StackedStatePooling
from tests import reference
from tests.layers.save_and_load import save_and_load

SIDES = (5.0, 2.5, 1.25)


@pytest.fixture
def particles(rng):
    """Two systems of five particles within reach of each other, with states of three numbers."""
    positions = rng.uniform(-1.5, 1.5, size=(2, 5, 2)).astype("float32")
    return positions, rng.normal(size=(2, 5, 3)).astype("float32")


@pytest.mark.parametrize("distance_filter", [True, False])
@pytest.mark.parametrize("grid_cells", [1, 4, 7])
@pytest.mark.parametrize("sides", [SIDES, SIDES[:1]], ids=["stacked", "mono-grid"])
def test_pooling_equals_loops_over_particles_and_grids(
    particles, sides, grid_cells, distance_filter
):
    layer = StackedStatePooling(sides, grid_cells, distance_filter)
    expected = reference.pool_states(*particles, sides, grid_cells, distance_filter)
    np.testing.assert_allclose(layer(*particles), expected, rtol=1e-5, atol=1e-6)


def test_hand_placed_states_land_where_they_are_written_down():
    """Cells of side 1 on the large grid and 1/2 on the small one, around the first particle."""
    positions = np.float32([[(0, 0), (0.75, 0.25), (-1.5, 0), (0, 0), (9, 9)]])
    states = np.float32([[[1], [2], [4], [8], [16]]])
    expected = np.zeros((4, 4))
    expected[2, 2] += 2 + 8  # (0.75, 0.25) and (0, 0) on the large grid
    expected[0, 2] += 4  # (-1.5, 0) on the large grid; outside the small one
    expected[3, 2] += 2  # (0.75, 0.25) on the small grid
    expected[2, 2] += 8  # (0, 0) on the small grid
    pooled = StackedStatePooling((4.0, 2.0), 4)(positions, states)
    np.testing.assert_array_equal(pooled[0, 0, :, :, 0], expected)


def test_stacked_grids_are_the_sum_of_mono_grids(particles):
    stacked = StackedStatePooling(SIDES, 6)(*particles)
    mono = [StackedStatePooling((side,), 6)(*particles) for side in SIDES]
    np.testing.assert_allclose(stacked, sum(mono), rtol=1e-5, atol=1e-6)
    assert not np.allclose(mono[0], mono[1])


def test_exchanging_particles_exchanges_outputs(particles, rng):
    positions, states = particles
    order = rng.permutation(5)
    layer = StackedStatePooling(SIDES, 8)
    exchanged = layer(positions[:, order], states[:, order])
    np.testing.assert_allclose(exchanged, layer(*particles).numpy()[:, order], rtol=1e-5, atol=1e-6)


def test_translating_all_particles_changes_nothing(rng):
    """Positions are multiples of 1/256, so that the translated ones are exact in float32."""
    positions = (rng.integers(-400, 400, size=(2, 5, 2)) / 256).astype("float32")
    states = rng.normal(size=(2, 5, 3)).astype("float32")
    layer = StackedStatePooling(SIDES, 8)
    moved = layer(positions + np.float32([100.0, -37.5]), states)
    np.testing.assert_array_equal(moved, layer(positions, states))
    assert np.any(moved)


def test_padded_particles_are_nobody_s_neighbours(particles, rng):
    positions, states = particles
    padding = rng.uniform(-1.5, 1.5, size=(2, 2, 2)).astype("float32")
    mask = np.array([[True] * 5 + [False] * 2] * 2)
    layer = StackedStatePooling(SIDES, 8)
    padded = layer(
        np.concatenate([positions, padding], axis=1),
        np.concatenate([states, np.full((2, 2, 3), 1e6, "float32")], axis=1),
        mask,
    )
    np.testing.assert_array_equal(padded[:, :5], layer(*particles))


def test_each_system_has_its_own_mask(particles):
    mask = np.array([[True, True, False, True, True], [False, True, True, True, False]])
    pooled = StackedStatePooling(SIDES, 4)(*particles, mask)
    expected = reference.pool_states(*particles, SIDES, 4, mask=mask)
    np.testing.assert_allclose(pooled, expected, rtol=1e-5, atol=1e-6)


def test_states_have_the_gradient_of_a_sum_and_positions_have_none(particles, rng):
    positions, states = particles
    positions[:, 1] = positions[:, 0]  # two particles in the same place
    positions, states = tf.constant(positions), tf.constant(states)
    upstream = rng.normal(size=(2, 5, 4, 4, 3))
    with tf.GradientTape() as tape:
        tape.watch([positions, states])
        pooled = StackedStatePooling(SIDES, 4)(positions, states)
        value = tf.reduce_sum(pooled * tf.cast(upstream, "float32"))
    by_position, by_state = tape.gradient(value, [positions, states])
    by_state = by_state.numpy()
    # The pooling is linear: its gradient is its value on each state by itself.
    for b, j, e in np.ndindex(2, 5, 3):
        one = np.zeros((2, 5, 3))
        one[b, j, e] = 1.0
        pooled_one = reference.pool_states(positions.numpy(), one, SIDES, 4)
        assert by_state[b, j, e] == pytest.approx(np.sum(upstream * pooled_one), rel=1e-4, abs=1e-5)
    assert by_position is None or not np.any(by_position)


def test_positions_stay_float32_under_mixed_precision():
    """Cells of side 1/16, 100 from the origin, where bfloat16 only knows multiples of 1/2."""
    positions = np.float32([[(100.0, 0.0), (100.21875, 0.0), (99.84375, 0.0)]])
    states = np.float32([[[1], [2], [4]]])
    layer = StackedStatePooling((1.0,), 16, dtype="mixed_bfloat16")
    pooled = tf.cast(layer(positions, states), "float32").numpy()
    expected = reference.pool_states(positions, states, (1.0,), 16)
    np.testing.assert_array_equal(pooled, expected)
    assert pooled.sum() > 0


def test_layer_survives_saving(particles, tmp_path):
    layer = StackedStatePooling(SIDES, 6, distance_filter=False)
    data = [*particles, np.array([[True, False, True, True, True]] * 2)]
    assert save_and_load(layer, data, tmp_path) == (None, None, 6, 6, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid_sizes": ()}, "grid_sizes: expected positive side lengths"),
        ({"grid_sizes": (1.0, 0.0)}, r"grid_sizes: expected positive .*\(1\.0, 0\.0\)"),
        ({"grid_sizes": (-1.0,)}, "grid_sizes: expected positive side lengths"),
        ({"grid_sizes": (float("nan"),)}, "grid_sizes: expected positive side lengths"),
        ({"grid_sizes": (float("inf"),)}, "grid_sizes: expected"),
        ({"grid_sizes": (1.0,), "grid_cells": 0}, "grid_cells: expected a positive integer"),
    ],
)
def test_impossible_grids_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        StackedStatePooling(**arguments)
