"""The learned law of a pair is that of the motion."""

import numpy as np
import pytest

from tests.tiny_models import interacting_model

PAIRS = 6


def pairs(rng, dims, num_static):
    """Offsets within reach, features of both particles."""
    offsets = rng.normal(scale=0.6, size=(PAIRS, dims)).astype("float32")
    return offsets, *rng.uniform(-1, 1.5, size=(2, PAIRS, num_static)).astype("float32")


@pytest.mark.parametrize(
    ("filter", "dims", "num_static", "arguments"),
    [
        ("radial", 2, 2, {}),
        ("radial", 3, 1, {"gate": False}),
        ("radial", 2, 0, {}),
        ("grid", 2, 2, {"units": 0}),
        ("grid", 3, 2, {"gate": False, "linear_path": False}),
    ],
)
def test_it_is_what_accelerates_the_first_of_two_particles(
    rng, filter, dims, num_static, arguments
):
    model = interacting_model(rng, filter, dims, num_static, **arguments)
    offsets, own, neighbour = pairs(rng, dims, num_static)
    found = np.array(model.pair_acceleration(offsets, own, neighbour, frames_at_rest=2))
    assert found.shape == (PAIRS, dims)
    largest = np.abs(found).max()
    assert largest > 1e-4
    cell = model.cell
    for pair in range(PAIRS):
        place = rng.normal(size=dims).astype("float32")  # it does not matter where they are
        positions = np.stack([place, place + offsets[pair]])[None]
        known = cell.standardize(np.stack([own[pair], neighbour[pair]])[None])
        if cell.units:
            states, rest = np.zeros((2, 1, 2, cell.units), "float32"), 0 * positions
            for _ in range(2):
                states = cell.remember(positions, rest, known, rest, rest, tuple(states))
            known = np.concatenate([known, states[0]], axis=-1)
        response = cell.law.respond(known) if cell.law.gate else known
        expected = np.array(cell.law(positions, cell.law.emit(known), response))[0, 0]
        expected = expected * float(cell.acceleration_scale)
        np.testing.assert_allclose(found[pair], expected, rtol=1e-3, atol=1e-4 * largest)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_radial_law_lies_along_the_offset_and_turns_with_it(rng, dims):
    model = interacting_model(rng, "radial", dims)
    offsets, own, neighbour = pairs(rng, dims, 2)
    found = np.array(model.pair_acceleration(offsets, own, neighbour))
    unit = offsets / np.linalg.norm(offsets, axis=1, keepdims=True)
    along = (found * unit).sum(axis=1, keepdims=True)
    assert np.abs(along).max() > 1e-4
    np.testing.assert_allclose(found, along * unit, rtol=1e-4, atol=1e-6)
    rotation, _ = np.linalg.qr(rng.normal(size=(dims, dims)))
    turned = np.array(model.pair_acceleration(offsets @ rotation, own, neighbour))
    np.testing.assert_allclose(turned, found @ rotation, rtol=1e-4, atol=1e-6)
