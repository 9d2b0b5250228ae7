import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from socialmd.molecular.slices import cut_slices, slice_directions, turn_into_plane


def random_normal(rng):
    normal = rng.normal(size=3)
    return normal / np.linalg.norm(normal)


def matrix(normal):
    """The rotation that `turn_into_plane` applies, [3, 3]."""
    return turn_into_plane(np.eye(3), normal).T


@pytest.mark.parametrize(
    "normal",
    [
        [0, 0, 1],
        [0, 0, -1],
        [1, 0, 0],
        [0, -1, 0],
        [1e-9, 0, -1],
        [0, 1e-6, -1],
        [-2, 3, 0.5],
        [1, 1, -7],
    ],
)
def test_normal_becomes_z_by_a_proper_rotation(normal):
    rotation = matrix(normal)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-14)
    np.testing.assert_allclose(
        rotation @ (np.array(normal) / np.linalg.norm(normal)), [0, 0, 1], atol=1e-14
    )


def test_rotation_of_an_upward_normal_is_the_smallest(rng):
    """SciPy: about the axis n x z, by the angle between n and z."""
    for _ in range(20):
        normal = random_normal(rng)
        normal[2] = abs(normal[2])
        axis = np.cross(normal, [0, 0, 1])
        angle = np.arccos(normal[2])
        expected = Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle)
        np.testing.assert_allclose(matrix(normal), expected.as_matrix(), atol=1e-12)


def test_opposite_normal_shows_the_other_side(rng):
    points, normal = rng.normal(size=(4, 7, 3)), random_normal(rng)
    one, other = (turn_into_plane(points, sign * normal) for sign in (1, -1))
    np.testing.assert_allclose(one * [1, -1, -1], other, atol=1e-14)


def test_horizontal_plane_is_left_as_it_is(rng):
    points = rng.normal(size=(2, 5, 3))
    np.testing.assert_array_equal(turn_into_plane(points, [0, 0, 2]), points)


def test_slice_is_chosen_at_the_first_frame_and_kept():
    first = [[3, 0, 0.9], [0, 2, -1.0], [5, 5, 1.1], [1, 1, 0.0]]
    last = [[3, 0, 4.0], [0, 2, -3.0], [5, 5, 0.0], [1, 2, 0.0]]
    (piece,) = cut_slices([first, last], [[0, 0, 1]], half_thickness=1.0)
    assert piece.molecules.tolist() == [0, 1, 3]  # the third comes too late
    np.testing.assert_array_equal(
        piece.positions, [[[3, 0], [0, 2], [1, 1]], [[3, 0], [0, 2], [1, 2]]]
    )
    np.testing.assert_allclose(piece.rms_distance, np.sqrt([(0.81 + 1) / 3, (16 + 9) / 3]))
    np.testing.assert_array_equal(piece.largest_distance, [1.0, 4.0])


def test_distances_within_the_plane_survive(rng):
    """Pythagoras: what is lost is the difference of heights above the plane."""
    positions = rng.normal(size=(3, 30, 3))
    for piece in cut_slices(positions, slice_directions(6), half_thickness=0.8):
        chosen = positions[:, piece.molecules]
        heights = chosen @ piece.normal
        real = np.linalg.norm(chosen[:, :, None] - chosen[:, None], axis=-1)
        flat = np.linalg.norm(piece.positions[:, :, None] - piece.positions[:, None], axis=-1)
        lost = heights[:, :, None] - heights[:, None]
        np.testing.assert_allclose(flat**2 + lost**2, real**2, atol=1e-12)
        np.testing.assert_allclose(piece.largest_distance, np.abs(heights).max(axis=1))
        assert piece.largest_distance[0] <= 0.8
        assert set(np.nonzero(np.abs(positions[0] @ piece.normal) <= 0.8)[0]) == set(
            piece.molecules
        )


def test_a_rotated_particle_has_the_same_slices(rng):
    """Turning molecules and normal alike changes the slice by a rotation in its plane only."""
    positions, turn = rng.normal(size=(2, 40, 3)), Rotation.random(rng=rng)
    normal = random_normal(rng)
    turned = turn.apply(positions.reshape(-1, 3)).reshape(positions.shape)
    (one,) = cut_slices(positions, [normal], 0.5)
    (other,) = cut_slices(turned, [turn.apply(normal)], 0.5)
    np.testing.assert_array_equal(one.molecules, other.molecules)
    a, b = (piece.positions[..., 0] + 1j * piece.positions[..., 1] for piece in (one, other))
    phase = b[0, 0] / a[0, 0]
    np.testing.assert_allclose(a * phase, b, atol=1e-12)
    np.testing.assert_allclose(abs(phase), 1, atol=1e-12)


def test_direction_and_its_opposite_give_the_same_slice(rng):
    positions, normal = rng.normal(size=(2, 40, 3)), random_normal(rng)
    one, other = cut_slices(positions, [normal, -3 * normal], 0.5)
    np.testing.assert_array_equal(one.molecules, other.molecules)
    np.testing.assert_allclose(one.rms_distance, other.rms_distance)
    np.testing.assert_allclose(one.normal, -other.normal, atol=1e-15)


def test_too_thin_a_slice_is_named():
    positions = [[[1, 0, 0], [0, 1, 5], [0, 0, 9.0]]]
    with pytest.raises(
        ValueError, match=r"two molecules within 0\.5 .* normal \[0\.0, 0\.0, 1\.0\].* found 1 of 3"
    ):
        cut_slices(positions, [[1, 0, 0], [0, 0, 2.0]], half_thickness=0.5)


@pytest.mark.parametrize(
    ("positions", "directions", "half_thickness", "message"),
    [
        (np.zeros((2, 3)), [[0, 0, 1]], 1, r"positions: expected shape \[frames, N, 3\]"),
        (np.zeros((0, 2, 3)), [[0, 0, 1]], 1, r"positions: expected shape \[frames, N, 3\]"),
        (np.full((1, 2, 3), np.nan), [[0, 0, 1]], 1, "positions: expected finite"),
        (np.zeros((1, 2, 3)), [0, 0, 1], 1, r"directions: expected shape \[S, 3\], found \(3,\)"),
        (np.zeros((1, 2, 3)), [[0, 0, np.inf]], 1, "directions: expected finite"),
        (np.zeros((1, 2, 3)), [[0, 0, 0]], 1, "normal: expected a vector"),
        (np.zeros((1, 2, 3)), [[0, 0, 1]], 0, "half_thickness: .* found 0"),
        (np.zeros((1, 2, 3)), [[0, 0, 1]], np.nan, "half_thickness: .* found nan"),
    ],
)
def test_impossible_arguments_are_named(positions, directions, half_thickness, message):
    with pytest.raises(ValueError, match=message):
        cut_slices(positions, directions, half_thickness)


def test_points_need_three_coordinates():
    with pytest.raises(
        ValueError, match=r"positions: expected shape \[\.\.\., 3\], found \(4, 2\)"
    ):
        turn_into_plane(np.zeros((4, 2)), [0, 0, 1])


@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_directions_are_unit_vectors_of_the_upper_half(count):
    directions = slice_directions(count)
    assert directions.shape == (count, 3)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-14)
    assert (directions[:, 2] > 0).all()
    np.testing.assert_array_equal(directions, slice_directions(count))


@pytest.mark.parametrize("count", [5, 10, 100])
def test_planes_are_evenly_spread(count):
    """As squares, S planes in a half sphere of area 2 pi would be sqrt(2 pi/S) apart."""
    cosines = np.abs(slice_directions(count) @ slice_directions(count).T)
    nearest = np.arccos((cosines - 2 * np.eye(count)).max())
    assert nearest > 0.65 * np.sqrt(2 * np.pi / count)
    # An even spread has no preferred axis: the mean of n n^T is a third of the identity.
    second_moment = np.mean([np.outer(n, n) for n in slice_directions(count)], axis=0)
    np.testing.assert_allclose(second_moment, np.eye(3) / 3, atol=0.5 / count)


def test_no_direction_is_refused():
    with pytest.raises(ValueError, match="count: expected at least one direction, found 0"):
        slice_directions(0)
