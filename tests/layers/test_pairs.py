import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import pairs as module
from socialmd.layers.pairs import (
    compares_all,
    find_pairs,
    pair_sum,
    portable_pair_sum,
    portable_select,
    select,
)


def counted(found):
    owner, neighbour, weights = (np.asarray(array) for array in found)
    return list(zip(owner[weights > 0], neighbour[weights > 0], strict=True))


def expected(positions, reach, mask):
    batch, particles, _ = positions.shape
    return [
        (b * particles + i, b * particles + j)
        for b in range(batch)
        for i in range(particles)
        for j in range(particles)
        if i != j
        and mask[b, j]
        and np.all(np.abs(positions[b, j] - positions[b, i]) <= np.float32(reach))
    ]


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("search", ["all_pairs", "cell_list", "auto"])
def test_pairs_are_those_of_a_loop_in_its_order(search, dims, rng):
    positions = rng.uniform(0, 3, (3, 9, dims)).astype("float32")
    mask = rng.uniform(size=(3, 9)) < 0.8
    assert counted(find_pairs(positions, 1.0, mask, search)) == expected(positions, 1.0, mask)


@pytest.mark.parametrize("particles", [3, 12])
@pytest.mark.parametrize("known", [True, False])
def test_auto_chooses_by_the_number_of_particles(particles, known, monkeypatch, rng):
    monkeypatch.setattr(module, "CROSSOVER", 6)
    used = []

    def search(name, function):
        def recorded(*arguments):
            owner, neighbour, weights = function(*arguments)
            tf.py_function(lambda: used.append(name), [], [])
            return owner, neighbour, weights

        return recorded

    for name in ("_all_pairs", "_cell_list"):
        monkeypatch.setattr(module, name, search(name, getattr(module, name)))
    positions = rng.uniform(0, 4, (2, particles, 2)).astype("float32")
    shape = [2, particles, 2] if known else [None, None, 2]
    compiled = tf.function(
        lambda points: find_pairs(points, 1.0),
        input_signature=[tf.TensorSpec(shape, tf.float32)],
        autograph=False,
    )
    mask = np.ones((2, particles), bool)
    assert counted(compiled(positions)) == expected(positions, 1.0, mask)
    assert used == ["_all_pairs" if particles == 3 else "_cell_list"]


@pytest.mark.parametrize(
    ("search", "particles", "expected"),
    [
        ("all_pairs", 12, True),
        ("all_pairs", None, True),
        ("cell_list", 3, False),
        ("cell_list", None, False),
        ("auto", 5, True),
        ("auto", 6, False),  # the crossover
        ("auto", None, False),  # may be few, but is not known to be
    ],
)
def test_whether_all_are_compared_is_known_beforehand(search, particles, expected, monkeypatch):
    monkeypatch.setattr(module, "CROSSOVER", 6)
    answers = []
    tf.function(
        lambda positions: answers.append(compares_all(positions, search)),
        input_signature=[tf.TensorSpec([None, particles, 3], tf.float32)],
        autograph=False,
    ).get_concrete_function()
    assert answers == [expected]


# === Sums ===


@pytest.fixture
def pairs(rng):
    """30 entries, some of weight zero, many in the same row; row 6 of 7 stays empty."""
    rows, columns = rng.integers(0, 6, 30), rng.integers(0, 5, 30)
    weights = rng.integers(0, 3, 30).astype("float32")
    return np.stack([rows, columns], axis=1).astype("int32"), weights


@pytest.mark.parametrize("form", [pair_sum, portable_pair_sum])
def test_sum_and_gradient_equal_explicit_loops(form, pairs, rng):
    values = rng.normal(size=(5, 3)).astype("float32")
    upstream = rng.normal(size=(7, 3)).astype("float32")
    expected, expected_gradient = np.zeros((7, 3)), np.zeros((5, 3))
    for (row, column), weight in zip(*pairs, strict=True):
        expected[row] += weight * values[column]
        expected_gradient[column] += weight * upstream[row]

    variable = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        result = form(*pairs, variable, 7)
    gradient = tape.gradient(result, variable, output_gradients=tf.constant(upstream))
    gradient = tf.convert_to_tensor(gradient)  # a gather has a sparse one
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", [pair_sum, portable_pair_sum])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_sum_keeps_the_dtype_of_the_values(form, dtype, pairs):
    values = tf.cast(np.arange(15.0).reshape(5, 3), dtype)
    result = form(*pairs, values, 7)
    assert result.dtype == dtype
    exact = portable_pair_sum(*pairs, tf.cast(values, "float64"), 7)
    tolerance = {"float16": 2e-2, "bfloat16": 0.1, "float64": 1e-12}[dtype]
    np.testing.assert_allclose(tf.cast(result, "float64"), exact, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("form", [select, portable_select])
def test_selected_entries_are_the_counted_ones(form, rng):
    counts = rng.uniform(size=(2, 3, 4)) < 0.4
    index, weights = (np.asarray(array) for array in form(counts))
    assert index.dtype == "int32"
    assert set(weights) <= {0.0, 1.0}
    np.testing.assert_array_equal(index[weights == 1.0], np.flatnonzero(counts))


@pytest.mark.parametrize("form", [select, portable_select])
def test_nothing_may_count(form):
    nothing = np.zeros((2, 2), bool)
    index, weights = form(nothing)
    for total in (pair_sum, portable_pair_sum):
        entries = np.stack([index, index], axis=1)
        result = total(entries, weights, np.ones((4, 3), "float32"), 4)
        np.testing.assert_array_equal(result, np.zeros((4, 3)))
