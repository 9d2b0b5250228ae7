"""Forecasts that learn nothing, of particles that point somewhere."""

import numpy as np
import pytest

from socialmd.config import ManyBodySystem
from socialmd.data import DatasetDescription
from socialmd.evaluation import (
    ConstantPosition,
    ConstantVelocity,
    KnownData,
    KnownLaw,
    make_baselines,
)
from socialmd.simulation import integrate_rotors, layout_of_law
from socialmd.simulation.initial_states import draw_initial_state, draw_rotors

SPACING = 0.002


def make_frames(dims, num_frames=14):
    """Of two systems, [2, frames, N, F], and the law that moved them."""
    system = ManyBodySystem(
        num_particles=5, spatial_dims=dims, dipole_range=(0.1, 0.3), softening=0.3, box_size=4.0
    )
    frames = []
    for index in range(2):
        state, rotors = draw_initial_state(system, 0, index), draw_rotors(system, 0, index)
        one = [[each] for each in state], type(rotors)(*([each] for each in rotors))
        motion = integrate_rotors(
            system, *one[0], one[1], (num_frames + 1) * 400, SPACING / 400, 400, num_threads=1
        )
        constants = np.stack([state.masses, state.charges, rotors.moments, rotors.inertias], -1)
        constants = np.broadcast_to(constants, (num_frames + 1, *constants.shape))
        frames.append(
            np.concatenate([motion.positions[0], constants, motion.orientations[0]], axis=-1)
        )
    return system, np.stack(frames)


def describe(system, layout=None):
    layout = layout or layout_of_law(system)
    return DatasetDescription(
        features=layout.features,
        spatial_dims=layout.spatial_dims,
        blocks=layout.blocks,
        frame_spacing=SPACING,
        law=system.describe(),
        versions={},
        files={},
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_constant_rates_turn_by_the_same_angle_each_step(dims):
    angles = 0.3 + 0.2 * np.arange(6)
    frames = np.zeros((1, 6, 1, 2 * dims))
    frames[0, :, 0, 0] = np.arange(6)
    frames[0, :, 0, dims], frames[0, :, 0, dims + 1] = np.cos(angles), np.sin(angles)
    columns = list(range(dims, 2 * dims))
    found, _ = ConstantVelocity(dims, columns).rollout(frames[:, :2], 4)
    np.testing.assert_allclose(found, frames[:, 2:], atol=1e-12)
    still, _ = ConstantPosition(dims, columns).rollout(frames[:, :2], 4)
    np.testing.assert_array_equal(still, np.repeat(frames[:, 1:2], 4, axis=1))


@pytest.mark.parametrize("dims", [2, 3])
def test_the_known_law_forecasts_poses_far_better_than_constant_rates(dims):
    system, frames = make_frames(dims)
    data = KnownData(8, dims, None, describe(system), SPACING)
    given, followed = frames[:, :5], frames[:, 5:13, :, [*range(dims), *range(-dims, 0)]]
    errors = {}
    for name, baseline in make_baselines(data)[0].items():
        if isinstance(baseline, KnownLaw):
            baseline.integration_steps = 100
        forecast, _ = baseline.rollout(given, 8)
        errors[name] = np.abs(forecast - followed[..., : forecast.shape[-1]]).reshape(-1, 2, dims)
    assert set(errors) >= {"constant position", "constant velocity", "known law"}
    known, straight = (
        errors[name].mean(axis=(0, 2)) for name in ("known law", "constant velocity")
    )
    assert (known < 0.1 * straight).all()


def test_a_law_of_dipoles_needs_to_know_them():
    system, _ = make_frames(2, num_frames=1)
    hidden = describe(system, layout_of_law(ManyBodySystem()))
    _, left_out = make_baselines(KnownData(3, 2, None, hidden, SPACING))
    assert left_out["known law"] == (
        "the law needs the features mass, charge, dipole_moment, moment_of_inertia, "
        "orientation_x and orientation_y"
    )
