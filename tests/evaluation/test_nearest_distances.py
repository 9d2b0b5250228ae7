import dataclasses
import itertools
import json

import numpy as np
import pytest

from socialmd.evaluation import (
    around_close_approaches,
    closest_approach,
    error_by_closest_approach,
    nearest_distances,
)


@pytest.fixture
def walks(rng):
    """Random walks of six particles, [W, T', N, 2]."""
    return rng.normal(size=(12, 9, 6, 2)).cumsum(axis=1)


def meeting(steps=9, meeting_step=4, closest=0.05):
    """One window, [1, T', 4, 2]: two particles meet, two others stay where they are, far away."""
    gap = closest + np.abs(np.arange(steps) - meeting_step)
    truth = np.zeros((1, steps, 4, 2))
    truth[0, :, 0, 0], truth[0, :, 1, 0] = -gap / 2, gap / 2
    truth[0, :, 2], truth[0, :, 3] = [50.0, 0.0], [50.0, 7.0]
    return truth


def test_hand_placed_particles_have_the_expected_nearest_distances():
    positions = [[0.0, 0.0], [3.0, 4.0], [3.0, 6.0], [-1.0, 0.0]]
    np.testing.assert_allclose(nearest_distances(positions), [1.0, 2.0, 2.0, 1.0])


def test_coincident_particles_are_at_distance_zero():
    np.testing.assert_array_equal(
        nearest_distances([[1.0, 2.0], [1.0, 2.0], [9.0, 2.0]]), [0, 0, 8]
    )


def test_nearest_distances_agree_with_explicit_loops(walks):
    expected = np.full(walks.shape[:3], np.inf)
    for *frame, i, j in np.ndindex(*walks.shape[:3], 6):
        if i != j:
            here = tuple(frame)
            distance = np.sqrt(((walks[(*here, i)] - walks[(*here, j)]) ** 2).sum())
            expected[(*here, i)] = min(expected[(*here, i)], distance)
    np.testing.assert_allclose(nearest_distances(walks), expected)


def test_closest_approach_says_how_close_and_when():
    distances, steps = closest_approach(meeting(meeting_step=6))
    np.testing.assert_allclose(distances, [[0.05, 0.05, 7.0, 7.0]])
    np.testing.assert_array_equal(steps, [[6, 6, 0, 0]])  # the first of equal ones


def test_closest_approach_is_the_minimum_over_steps_of_every_particle(walks):
    distances, steps = closest_approach(walks)
    nearest = nearest_distances(walks)
    for w, i in np.ndindex(12, 6):
        assert distances[w, i] == min(nearest[w, :, i])
        assert nearest[w, steps[w, i], i] == distances[w, i]


def test_in_a_plane_of_space_everything_is_as_in_the_plane(rng, walks):
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0][:2]
    forecast, values = walks + rng.normal(size=walks.shape), rng.uniform(1, 2, walks.shape[:3])
    in_space = walks @ turn
    np.testing.assert_allclose(nearest_distances(in_space), nearest_distances(walks))
    np.testing.assert_array_equal(closest_approach(in_space)[1], closest_approach(walks)[1])
    pairs = (
        (
            error_by_closest_approach(x, y, [0.05, 0.3, 0.8, 2.0])
            for x, y in ((walks, forecast), (in_space, forecast @ turn))
        ),
        (around_close_approaches(values, x, 0.25, 2) for x in (walks, in_space)),
    )
    for plane, space in pairs:
        for key, expected in dataclasses.asdict(plane).items():
            np.testing.assert_allclose(getattr(space, key), expected, err_msg=key)


def test_through_the_walls_of_a_box_everything_is_as_beside_them(rng, walks):
    """Particles that are anywhere, in a box much larger than their distances."""
    forecast, values = walks + rng.normal(size=walks.shape), rng.uniform(1, 2, walks.shape[:3])
    box = np.array([[90.0, 0.0], [40.0, 80.0]])
    boxes = np.tile(box, (*walks.shape[:2], 1, 1))
    moved = rng.integers(-2, 3, (12, 1, 6, 2)) @ box
    bins, approach = [0.05, 0.3, 0.8, 2.0], closest_approach(walks + moved, boxes)
    pairs = (
        (
            error_by_closest_approach(walks, forecast, bins),
            error_by_closest_approach(walks + moved, forecast + moved, bins, approach),
        ),
        (
            around_close_approaches(values, walks, 0.25, 2),
            around_close_approaches(values, walks + moved, 0.25, 2, approach),
        ),
    )
    for beside, through in pairs:
        for key, expected in dataclasses.asdict(beside).items():
            np.testing.assert_allclose(getattr(through, key), expected, err_msg=key)


def test_errors_are_grouped_by_the_distance_in_the_truth():
    truth = meeting()
    forecast = truth.copy()
    forecast[0, :, 0, 1] = 1.0  # always wrong by 1
    forecast[0, -1, 1, 1] = 4.5  # right until the last of 9 steps
    forecast[0, :, 2, 0] += 0.5
    groups = error_by_closest_approach(truth, forecast, bins=[0.0, 1.0, 10.0])
    assert groups.edges == [0.0, 1.0, 10.0]
    assert groups.distances == pytest.approx([0.05, 7.0])
    assert groups.count == [2, 2]
    assert groups.median_fde == groups.mean_fde == pytest.approx([(1 + 4.5) / 2, 0.25])
    assert groups.median_ade == groups.mean_ade == pytest.approx([(1 + 0.5) / 2, 0.25])


def test_grouped_errors_agree_with_explicit_loops(rng, walks):
    forecast = walks + rng.normal(size=walks.shape)
    edges = [0.05, 0.3, 0.8, 2.0]
    groups = error_by_closest_approach(walks, forecast, edges)
    for index, (low, high) in enumerate(itertools.pairwise(edges)):
        average, final = [], []
        for w, i in np.ndindex(12, 6):
            others = np.delete(walks[w], i, axis=1)
            gaps = np.linalg.norm(others - walks[w, :, i : i + 1], axis=-1)
            if low <= gaps.min() < high:
                errors = np.linalg.norm(forecast[w, :, i] - walks[w, :, i], axis=-1)
                average.append(errors.mean())
                final.append(errors[-1])
        assert groups.count[index] == len(final) > 0
        assert groups.median_ade[index] == pytest.approx(np.median(average))
        assert groups.mean_ade[index] == pytest.approx(np.mean(average))
        assert groups.median_fde[index] == pytest.approx(np.median(final))
        assert groups.mean_fde[index] == pytest.approx(np.mean(final))


def test_quantile_bins_hold_every_particle_once(rng):
    truth = rng.normal(size=(40, 3, 4, 2))
    # Two of a pair have the same distance up to rounding: bins are even within a few.
    groups = error_by_closest_approach(truth, truth, bins=5)
    assert sum(groups.count) == 160
    assert max(groups.count) - min(groups.count) <= 4
    assert groups.median_ade == groups.mean_fde == [0.0] * 5
    assert all(np.diff(groups.distances) > 0)


def test_the_last_edge_belongs_to_the_last_bin():
    groups = error_by_closest_approach(meeting(), meeting(), bins=[0.0, 1.0, 7.0])
    assert groups.count == [2, 2]


def test_a_quantity_that_jumps_at_the_meeting_is_seen_to_jump():
    truth = meeting()
    values = np.ones((1, 9, 4))
    values[0, 4:, :2] = [3.0, 5.0]  # from the meeting on
    values[0, :, 2:] = np.arange(1.0, 10.0)[:, None]  # grows with steps ahead
    around = around_close_approaches(values, truth, threshold=0.1, half_width=2)
    assert around.offsets == [-2, -1, 0, 1, 2]
    assert around.median == pytest.approx([1.0, 1.0, 4.0, 4.0, 4.0])
    assert around.lower == pytest.approx([1.0, 1.0, 3.5, 3.5, 3.5])
    assert around.upper == pytest.approx([1.0, 1.0, 4.5, 4.5, 4.5])
    assert around.control == pytest.approx([3.0, 4.0, 5.0, 6.0, 7.0])
    assert (around.count, around.control_count) == (2, 2)
    assert around.ratio == pytest.approx(4.0)
    assert around.control_ratio == pytest.approx(7 / 3)


def test_growth_with_steps_ahead_alone_is_no_more_than_the_control():
    truth = np.concatenate([meeting(meeting_step=step) for step in (2, 4, 5, 6)])
    values = np.exp(0.3 * np.arange(9.0))[None, :, None] * np.ones((4, 1, 4))
    values[..., 2:] *= 0.1  # easier to forecast
    around = around_close_approaches(values, truth, threshold=0.1, half_width=2)
    assert around.count == 8
    assert around.ratio == pytest.approx(np.exp(0.3 * 4))
    assert around.control_ratio == pytest.approx(around.ratio)
    np.testing.assert_allclose(around.control, 0.1 * np.array(around.median))


@pytest.mark.parametrize(("meeting_step", "count"), [(1, 2), (2, 4), (6, 4), (7, 2)])
def test_meetings_too_close_to_the_ends_of_their_window_are_left_out(meeting_step, count):
    truth = np.concatenate([meeting(), meeting(meeting_step=meeting_step)])
    around = around_close_approaches(np.ones((2, 9, 4)), truth, threshold=0.1, half_width=2)
    assert around.count == count


def test_particles_between_the_threshold_and_three_of_them_are_neither():
    truth = np.concatenate([meeting(), meeting(closest=0.25), meeting(closest=0.35)])
    around = around_close_approaches(np.ones((3, 9, 4)), truth, threshold=0.1, half_width=2)
    assert around.count == 2
    assert around.control_count == 2 + 2 + 4


def test_aligned_values_agree_with_explicit_loops(rng, walks):
    values = rng.uniform(0.5, 2.0, walks.shape[:3])
    threshold, k = 0.25, 2
    around = around_close_approaches(values, walks, threshold, k)
    distances, steps = closest_approach(walks)
    controls = [values[w, :, i] for w, i in np.ndindex(12, 6) if distances[w, i] > 3 * threshold]
    rows, control_rows, ratios, control_ratios = [], [], [], []
    for w, i in np.ndindex(12, 6):
        s = steps[w, i]
        if distances[w, i] < threshold and k <= s < 9 - k:
            rows.append([values[w, s + offset, i] for offset in range(-k, k + 1)])
            control_rows.append(
                [np.median([row[s + offset] for row in controls]) for offset in range(-k, k + 1)]
            )
            ratios.append(values[w, s + k, i] / values[w, s - k, i])
            control_ratios.append(np.median([row[s + k] / row[s - k] for row in controls]))
    assert (around.count, around.control_count) == (len(rows), len(controls))
    np.testing.assert_allclose(around.median, np.median(rows, axis=0))
    np.testing.assert_allclose(around.lower, np.percentile(rows, 25, axis=0))
    np.testing.assert_allclose(around.upper, np.percentile(rows, 75, axis=0))
    np.testing.assert_allclose(around.control, np.median(control_rows, axis=0))
    assert around.ratio == pytest.approx(np.median(ratios))
    assert around.control_ratio == pytest.approx(np.median(control_ratios))


def test_order_of_windows_and_particles_does_not_matter(rng, walks):
    forecast = walks + rng.normal(size=walks.shape)
    values = rng.uniform(0.5, 2.0, walks.shape[:3])
    windows, particles = rng.permutation(12), rng.permutation(6)

    def shuffled(array):
        return array[windows][:, :, particles]

    groups = [
        error_by_closest_approach(walks, forecast, 3),
        error_by_closest_approach(shuffled(walks), shuffled(forecast), 3),
    ]
    arounds = [
        around_close_approaches(values, walks, 0.25, 2),
        around_close_approaches(shuffled(values), shuffled(walks), 0.25, 2),
    ]
    for one, other in (groups, arounds):
        for name, expected in dataclasses.asdict(one).items():
            np.testing.assert_allclose(getattr(other, name), expected, rtol=1e-9, err_msg=name)


def test_results_are_json_and_read_back_equal(walks):
    groups = error_by_closest_approach(walks, walks + 1.0, 3)
    around = around_close_approaches(np.ones(walks.shape[:3]), walks, 0.25, 2)
    for result in (groups, around):
        text = json.dumps(dataclasses.asdict(result), allow_nan=False)
        assert type(result)(**json.loads(text)) == result


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (np.zeros((4, 1, 2)), r"expected .* two particles, found shape \(4, 1, 2\)"),
        (np.zeros((4, 4)), "positions: expected"),
        (np.zeros(2), "positions: expected"),
        ([[0.0, np.nan], [1.0, 1.0]], "positions: expected finite numbers, found 1 of 4"),
    ],
)
def test_nearest_distances_refuse_wrong_positions(positions, message):
    with pytest.raises(ValueError, match=message):
        nearest_distances(positions)


def test_closest_approach_refuses_other_shapes():
    with pytest.raises(ValueError, match="truth: expected positions"):
        closest_approach(np.zeros((3, 4, 2)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"forecast": np.zeros((1, 8, 4, 2))}, r"forecast: expected shape \(1, 9, 4, 2\)"),
        ({"forecast": np.full((1, 9, 4, 2), np.inf)}, "forecast: expected finite"),
        ({"truth": np.zeros((9, 4, 2))}, "truth: expected positions"),
        ({"bins": 0}, "bins: expected at least 1, found 0"),
        ({"bins": [1.0]}, "bins: expected edges that increase"),
        ({"bins": [0.0, 2.0, 1.0]}, "bins: expected edges that increase"),
        ({"bins": [0.0, np.nan]}, "bins: expected finite"),
        ({"bins": [0.0, 1.0, 2.0, 8.0]}, "bins: expected particles in each bin, .* from 1 to 2"),
        ({"bins": 4}, "bins: expected edges that increase"),  # of two distances only
    ],
)
def test_wrong_arguments_of_errors_are_refused(changes, message):
    arguments = {"truth": meeting(), "forecast": meeting(), "bins": 1, **changes}
    with pytest.raises(ValueError, match=message):
        error_by_closest_approach(**arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.ones((1, 9, 3))}, r"values: expected shape \(1, 9, 4\)"),
        ({"values": np.zeros((1, 9, 4))}, "values: expected positive numbers, found 0.0"),
        ({"values": np.full((1, 9, 4), np.nan)}, "values: expected finite"),
        ({"truth": np.zeros((9, 4, 2))}, "truth: expected positions"),
        ({"threshold": 0.0}, "threshold: expected a positive length, found 0.0"),
        ({"threshold": np.nan}, "threshold: expected a positive length"),
        ({"threshold": 0.01}, "threshold: found 0 approaches below 0.01"),
        ({"threshold": 5.0}, "and 0 particles that never come below 15"),
        ({"half_width": 0}, "half_width: expected 1 to 4 for windows of 9 steps, found 0"),
        ({"half_width": 5}, "half_width: expected 1 to 4"),
    ],
)
def test_wrong_arguments_of_alignment_are_refused(changes, message):
    values = np.ones((1, 9, 4))
    arguments = {"values": values, "truth": meeting(), "threshold": 0.1, "half_width": 2}
    with pytest.raises(ValueError, match=message):
        around_close_approaches(**{**arguments, **changes})
