"""What a pair's law says is what the simulation does in a step."""

import numpy as np
import pytest

from socialmd.config import FixedChargesConfig, ManyBodySystem
from socialmd.data import FeatureLayout
from socialmd.data.dataset_description import DatasetDescription
from socialmd.evaluation import KnownData, KnownLaw, NotPossibleError
from socialmd.simulation import (
    accelerations,
    integrate,
    law_of,
    layout_of_law,
    pair_law,
    simulate,
)

SYSTEM = ManyBodySystem(num_particles=2)
SPACING = 0.002


def describe(law, features=("x", "y", "mass", "charge")):
    return DatasetDescription(features=features, frame_spacing=1.0, law=law, versions={}, files={})


@pytest.fixture
def law():
    return pair_law(describe(SYSTEM.model_dump()), SPACING)


def test_it_is_the_acceleration_in_lengths_per_step_squared(law, rng):
    offsets, own, neighbour = rng.uniform(0.5, 1.5, size=(3, 5, 2))
    found = law(offsets, own, neighbour)
    for pair in range(5):
        masses, charges = np.stack([own[pair], neighbour[pair]]).T
        positions = np.stack([np.zeros(2), offsets[pair]])
        expected = accelerations(SYSTEM, positions, masses, charges)[0] * SPACING**2
        np.testing.assert_allclose(found[pair], expected)


def test_a_particle_at_rest_falls_by_half_of_it_in_a_step(law):
    offset, mass, charge = np.array([3.0, 1.0]), np.array([[0.8, 1.3]]), np.array([[0.9, -0.7]])
    trajectory = integrate(
        SYSTEM,
        np.array([[np.zeros(2), offset]]),
        np.zeros((1, 2, 2)),
        mass,
        charge,
        num_steps=200,
        time_step=SPACING / 100,
        keep_every=100,
    ).positions[0, :2, 0]
    (acceleration,) = law(offset[None], [[0.8, 0.9]], [[1.3, -0.7]])
    np.testing.assert_allclose(trajectory[1] - trajectory[0], acceleration / 2, rtol=1e-4)


@pytest.mark.parametrize("kind", ["dipole", "quadrupole"])
def test_of_particles_that_turn_it_knows_where_they_point(rng, kind):
    system = ManyBodySystem(num_particles=2, softening=0.3, **{f"{kind}_range": (0.1, 0.3)})
    layout = layout_of_law(system)
    description = DatasetDescription(
        features=layout.features,
        blocks=layout.blocks,
        frame_spacing=1.0,
        law=system.describe(),
        versions={},
        files={},
    )
    offsets, own, neighbour = rng.uniform(0.5, 1.5, size=(3, 5, 6))
    for each in (own, neighbour):
        each[:, 4:] /= np.linalg.norm(each[:, 4:], axis=-1, keepdims=True)
    found = pair_law(description, SPACING)(offsets[:, :2], own, neighbour)
    for pair in range(5):
        masses, charges, moments, _, *turned = np.stack([own[pair], neighbour[pair]]).T
        positions = np.stack([np.zeros(2), offsets[pair, :2]])
        dipoles = moments[:, None] * np.stack(turned, axis=-1)
        expected = accelerations(system, positions, masses, charges, dipoles)[0]
        np.testing.assert_allclose(found[pair], expected * SPACING**2)


def test_without_a_law_or_with_other_features_there_is_none():
    assert pair_law(describe(None), SPACING) is None
    assert pair_law(describe(SYSTEM.model_dump(), ("x", "y", "mass")), SPACING) is None


def test_masses_that_models_are_not_given_are_no_law_for_them():
    """Stored, but hidden: nothing takes another column for the mass."""
    blocks = FeatureLayout.of_scalars(("x", "y", "mass", "charge"), 2).blocks
    hidden = (blocks[0], blocks[1].model_copy(update={"given": False}), blocks[2])
    description = DatasetDescription(
        features=("x", "y", "mass", "charge"),
        blocks=hidden,
        law=ManyBodySystem().model_dump(mode="json"),
        frame_spacing=1.0,
        versions={},
        files={},
    )
    assert law_of(description) is None
    assert pair_law(description, 1.0) is None
    with pytest.raises(NotPossibleError, match="the law needs the features mass and charge"):
        KnownLaw.for_data(KnownData(5, description=description))


def test_the_known_law_forecasts_in_space():
    system = ManyBodySystem(num_particles=4, spatial_dims=3, wall=4.0)
    frames = simulate(system, 1, 20_000, 1e-6, 1000, seed=1)
    description = DatasetDescription(
        features=("x", "y", "z", "mass", "charge"),
        spatial_dims=3,
        law=system.describe(),
        frame_spacing=1e-3,
        versions={},
        files={},
    )
    law = KnownLaw.for_data(KnownData(5, 3, description=description, spacing=1e-3))
    assert law.system == system
    forecast, _ = law.rollout(frames[:, :10], 5)
    moved = np.abs(frames[:, 14, :, :3] - frames[:, 9, :, :3]).max()
    np.testing.assert_allclose(forecast, frames[:, 10:15, :, :3], atol=0.01 * moved)


def test_fixed_charges_are_no_part_of_it(law):
    among = SYSTEM.model_copy(update={"fixed_charges": FixedChargesConfig(count=9)})
    same = pair_law(describe(among.model_dump()), SPACING)
    pair = [[2.0, 0.0]], [[1.0, 0.5]], [[1.0, -0.5]]
    np.testing.assert_array_equal(same(*pair), law(*pair))


def test_a_law_whose_features_are_hidden_is_known_of_the_data_alone():
    description = describe(SYSTEM.model_dump())
    blocks = layout_of_law(SYSTEM).hiding("charge").blocks
    hidden = description.model_copy(update={"blocks": blocks})
    assert law_of(hidden) is None
    assert law_of(hidden, is_given=False) == SYSTEM == law_of(description)
