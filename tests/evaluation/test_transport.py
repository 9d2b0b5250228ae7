"""Diffusion of walks whose diffusion is known, and MDAnalysis' own analyses."""

import numpy as np
import pytest

from socialmd.evaluation.transport import Transport, over_simulations


def everybody(walk):
    return np.ones((len(walk), walk.shape[2]), bool)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_random_walk_diffuses_as_einstein_says(rng, dims):
    """Steps of variance one per coordinate, h = 1/2: D = 1."""
    walk = rng.normal(size=(40, 21, 200, dims)).cumsum(axis=1)
    found = Transport.from_paths(walk[:, 0], walk[:, 1:], everybody(walk), np.arange(40) // 4, 0.5)
    assert found.num_simulations == 10
    assert found.diffusion == pytest.approx(1.0, abs=4 * found.diffusion_error)
    assert 0.001 < found.diffusion_error < 0.05
    np.testing.assert_allclose(found.displacement, dims * np.arange(1.0, 21), rtol=0.05)
    assert found.autocorrelation[0] == 1.0
    np.testing.assert_allclose(found.autocorrelation[1:], 0.0, atol=0.05)
    np.testing.assert_allclose(found.mean_square_step, 1.0, rtol=0.05)


def test_uniform_motion_never_forgets():
    path = np.arange(6.0)[None, :, None, None] * np.array([[1.0, 2.0], [2.0, -1.0]])
    found = Transport.from_paths(path[:, 0], path[:, 1:], everybody(path), [0])
    np.testing.assert_allclose(found.autocorrelation, 1.0)
    np.testing.assert_allclose(found.displacement, 5.0 * np.arange(1, 6) ** 2)
    assert found.diffusion_error is None
    assert found.displacement_error is None


def test_displacements_are_those_of_mdanalysis(rng):
    """Of the first frame as the only origin, the last lag is that of `EinsteinMSD`."""
    import MDAnalysis
    from MDAnalysis.analysis.msd import EinsteinMSD

    walk = rng.normal(size=(1, 12, 6, 3)).cumsum(axis=1)
    universe = MDAnalysis.Universe.empty(6, trajectory=True)
    universe.load_new(walk[0].astype("float32"))
    known = EinsteinMSD(universe, msd_type="xyz", fft=False).run().results.timeseries
    found = Transport.from_paths(walk[:, 0], walk[:, 1:], everybody(walk), [0])
    assert found.displacement[-1] == pytest.approx(known[-1], rel=1e-5)


def test_only_chosen_particles_count(rng):
    walk = rng.normal(size=(3, 5, 4, 2)).cumsum(axis=1)
    chosen = np.zeros((3, 4), bool)
    chosen[:2, 1] = chosen[0, 3] = True
    found = Transport.from_paths(walk[:, 0], walk[:, 1:], chosen, [0, 0, 1])
    squares = np.square(walk[:, 1:] - walk[:, :1]).sum(axis=-1)
    expected = (squares[0][:, [1, 3]].mean(axis=1) + squares[1][:, 1]) / 2
    np.testing.assert_allclose(found.displacement, expected)
    assert found.num_simulations == 1
    with pytest.raises(ValueError, match="positions, chosen: expected two steps or more, and some"):
        Transport.from_paths(walk[:, 0], walk[:, 1:], np.zeros((3, 4), bool), [0, 0, 1])


def test_every_simulation_counts_alike():
    mean, error = over_simulations(np.array([[1.0], [1.0], [1.0], [3.0]]), [5, 5, 5, 2])
    np.testing.assert_allclose(mean, [2.0])
    np.testing.assert_allclose(error, [1.0])
