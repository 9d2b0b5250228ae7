"""Bonds inferred from motion, against simulations in which they are known."""

import numpy as np
import pytest
from keras import ops

from socialmd.layers.infer_bonds import infer_bonds

STEP = 0.02  # of a frame


def pull_of_pairs(x):
    """Accelerations of i by j of unit strength, towards it, [M, N, N, D]."""
    offsets = x[:, None] - x[:, :, None]
    return 0.02 * offsets / (0.1 + ops.sum(offsets**2, axis=-1, keepdims=True))


def pull(x):
    """And, of i by itself, towards the origin."""
    return pull_of_pairs(x) - 0.01 * ops.eye(x.shape[1], dtype=x.dtype)[..., None] * x[:, :, None]


def accelerate(x, bonds):
    pulled = ops.convert_to_numpy(pull(ops.convert_to_tensor(x)))
    return (bonds[..., None] * pulled).sum(axis=2)


def simulate(rng, bonds, frames):
    """Positions and velocities [T, B, N, 2] of particles under both, by velocity Verlet."""
    x, v = rng.normal(size=(2, *bonds.shape[:2], 2)) * [[[[1.0]]], [[[0.1]]]]
    kept = []
    a = accelerate(x, bonds)
    for step in range(round((frames - 1) / STEP) + 1):
        if step % round(1 / STEP) == 0:
            kept.append((x, v))
        v = v + a * STEP / 2
        x = x + v * STEP
        a = accelerate(x, bonds)
        v = v + a * STEP / 2
    positions, velocities = (np.array(each, "float32") for each in zip(*kept, strict=True))
    return positions, velocities


def draw_bonds(rng, batch=3, particles=4):
    bonds = rng.choice([-1.0, 0.0, 1.0], (batch, particles, particles))
    bonds = np.triu(bonds, 1)
    return bonds + bonds.swapaxes(1, 2) + np.eye(particles)


def infer(positions, velocities):
    tensors = (
        None if each is None else ops.convert_to_tensor(each) for each in (positions, velocities)
    )
    return ops.convert_to_numpy(infer_bonds(*tensors, pull))


@pytest.mark.parametrize(("has_velocities", "tolerance"), [(True, 0.003), (False, 0.03)])
def test_strengths_are_those_that_made_the_motion(rng, has_velocities, tolerance):
    bonds = draw_bonds(rng)
    positions, velocities = simulate(rng, bonds, frames=40)
    found = infer(positions, velocities if has_velocities else None)
    np.testing.assert_allclose(found, bonds, atol=tolerance)
    assert np.ptp(bonds) == 2.0


def test_frames_that_no_law_explains_do_not_count(rng):
    """As where a particle hits a wall: one velocity of all is turned round from a frame on."""
    bonds = draw_bonds(rng)
    positions, velocities = simulate(rng, bonds, frames=40)
    velocities[20, :, 0] *= -3.0
    positions[30, :, 1] += 1.0
    np.testing.assert_allclose(infer(positions, velocities), bonds, atol=0.02)


def test_of_pairs_that_tell_nothing_the_prior_is_left(rng):
    """Particles that are far apart do not feel each other, whatever their bond."""
    bonds = draw_bonds(rng, particles=3)
    positions, velocities = simulate(rng, bonds, frames=20)
    positions, velocities = (
        np.concatenate([each, each[:, :, :1] * 0 + shift], axis=2)
        for each, shift in ((positions, 1e6), (velocities, 0.0))
    )
    found = ops.convert_to_numpy(
        infer_bonds(*map(ops.convert_to_tensor, (positions, velocities)), pull_of_pairs)
    )
    assert np.abs(found[:, 3]).max() < 0.5
    assert np.isfinite(found).all()


def test_does_not_depend_on_the_order_of_particles(rng):
    positions, velocities = simulate(rng, draw_bonds(rng), frames=12)
    order = [2, 0, 3, 1]
    found = infer(positions, velocities)
    turned = infer(positions[:, :, order], velocities[:, :, order])
    np.testing.assert_allclose(turned, found[:, order][:, :, order], atol=1e-4)
    np.testing.assert_array_equal(found, found.swapaxes(1, 2))


@pytest.mark.parametrize(("particles", "frames"), [(5, 3), (12, 4), (12, 8)])
@pytest.mark.parametrize("has_velocities", [True, False])
def test_few_equations_leave_strengths_small_and_finite(rng, particles, frames, has_velocities):
    positions, velocities = simulate(rng, draw_bonds(rng, particles=particles), frames=frames)
    found = infer(positions, velocities if has_velocities else None)
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 2.0
