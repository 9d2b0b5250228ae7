import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import find_pairs as module
from socialmd.layers.find_pairs import compares_all, find_pairs


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
