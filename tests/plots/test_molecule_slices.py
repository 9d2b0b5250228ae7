"""What figures of molecules show, read back from their artists."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import StepPatch

from socialmd.plots import molecule_slices, new_figure

NAMES = ["OQL", "ONC", "ONC", "OQL"]
CHOSEN = np.array([True, True, False, True])
POSITIONS = np.array([[1, 0, 0.5], [0, 2, -0.5], [0, 1, 3], [-4, 0, 0]], float)


@pytest.fixture
def ax():
    return new_figure(4, 4)[1]


def labels(ax):
    return ax.get_legend_handles_labels()[1]


def dots(ax):
    """Places of all dots by colour, in any order of drawing."""
    places = {}
    for collection in ax.collections:
        if len(offsets := collection.get_offsets()):
            color = tuple(collection.get_facecolor()[0][:3])
            places.setdefault(color, []).extend(map(tuple, np.asarray(offsets).round(9)))
    return {color: sorted(found) for color, found in places.items()}


def color_of(ax, label):
    handles, names = ax.get_legend_handles_labels()
    return tuple(handles[names.index(label)].get_facecolor()[0][:3])


def test_means_are_curves_in_bands_of_their_spread(ax):
    mean, spread = {"ONC": [40.0, 41.0], "OQL": [45.0, 30.0]}, {"ONC": [2.0, 3.0], "OQL": [1.0, 5]}
    molecule_slices.plot_radial_means(ax, [0.0, 10.0], mean, spread, "nanosecond")
    for name, line, band in zip(mean, ax.lines, ax.collections, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([[0, 10], mean[name]]))
        low, high = np.subtract(mean[name], spread[name]), np.add(mean[name], spread[name])
        corners = {tuple(corner) for corner in band.get_paths()[0].vertices}
        assert corners == {(0, low[0]), (10, low[1]), (0, high[0]), (10, high[1])}
        assert to_rgb(band.get_facecolor()[0][:3]) == to_rgb(line.get_color())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ONC", "OQL"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (nanosecond)", "distance (angstrom)")


def test_first_histogram_is_dashed_and_last_one_filled(ax):
    edges, first, last = [0.0, 1.0, 2.0], {"ONC": [3, 1]}, {"ONC": [0, 4]}
    molecule_slices.plot_radial_counts(ax, edges, first, last)
    steps = [patch for patch in ax.patches if isinstance(patch, StepPatch)]
    assert [list(step.get_data().values) for step in steps] == [[3, 1], [0, 4], [0, 4]]
    assert all(list(step.get_data().edges) == edges for step in steps)
    assert [step.get_linestyle() == "--" for step in steps] == [True, False, False]
    assert [step.get_fill() for step in steps] == [False, True, False]
    assert labels(ax) == ["ONC, first frame", "ONC, last frame"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("distance (angstrom)", "molecules")


def test_flattened_slice_shows_its_molecules_only(ax):
    molecule_slices.plot_flattened_slice(ax, POSITIONS, CHOSEN, NAMES)
    assert labels(ax) == ["ONC", "OQL", "centre"]
    shown = dots(ax)
    assert shown[color_of(ax, "ONC")] == [(0, 2)]
    assert shown[color_of(ax, "OQL")] == [(-4, 0), (1, 0)]
    assert shown[color_of(ax, "centre")] == [(0, 0)]
    assert len(shown) == 3
    assert "3 molecules" in ax.get_title()


def test_edge_shows_the_band_that_molecules_are_chosen_from(ax):
    molecule_slices.plot_slice_edge_on(ax, POSITIONS, CHOSEN, NAMES, half_thickness=0.75)
    shown = dots(ax)
    assert shown[color_of(ax, "ONC")] == [(0, -0.5)]
    assert shown[color_of(ax, "OQL")] == [(-4, 0), (1, 0.5)]
    assert shown[color_of(ax, "not in the slice")] == [(0, 3)]
    (band,) = ax.patches
    assert (band.get_y(), band.get_height()) == (-0.75, 1.5)
    assert ax.get_ylabel() == "distance from the plane (angstrom)"


def test_flattened_and_edge_on_views_have_one_scale():
    _, axes = new_figure(8, 4, columns=2)
    molecule_slices.plot_slice_edge_on(axes[0], POSITIONS, CHOSEN, NAMES, half_thickness=0.75)
    molecule_slices.plot_flattened_slice(axes[1], POSITIONS, CHOSEN, NAMES)
    assert axes[0].get_xlim() == axes[1].get_xlim() == axes[0].get_ylim()
    assert axes[0].get_xlim()[1] > 4


def test_oblique_view_is_a_projection(ax):
    """Seen along one direction: lengths across it survive, and heights point upwards."""
    right, up, towards = molecule_slices.VIEW.T
    np.testing.assert_allclose(molecule_slices.VIEW.T @ molecule_slices.VIEW, np.eye(3), atol=1e-15)
    np.testing.assert_allclose(np.cross(right, up), towards, atol=1e-15)
    assert right[2] == 0  # the horizon is level
    assert up[2] > 0
    molecule_slices.plot_slice_in_space(ax, POSITIONS, CHOSEN, NAMES, normal=[0, 0, 1])
    expected = [(right @ x, up @ x) for x in POSITIONS[[0, 3]]]
    np.testing.assert_allclose(dots(ax)[color_of(ax, "OQL")], sorted(expected))
    assert [text.get_text() for text in ax.texts] == ["x", "y", "z"]


@pytest.mark.parametrize("normal", [[0, 0, 1], [0, 0, -2], [0.3, 0, -0.9]])
def test_molecules_behind_the_plane_are_covered_by_it(ax, normal):
    positions = np.array([[0, 0, 5], [1, 0, 5], [0, 1, -5], [0, 0, -5]], float)
    molecule_slices.plot_slice_in_space(ax, positions, CHOSEN, NAMES, normal)
    (plane,) = ax.patches
    above = {tuple(place) for place in (positions[:2] @ molecule_slices.VIEW[:, :2]).round(9)}
    for collection in ax.collections:
        for place in map(tuple, np.asarray(collection.get_offsets()).round(9)):
            if place != (0, 0):
                assert (collection.get_zorder() > plane.get_zorder()) == (place in above)


def test_plane_is_a_circle_about_the_centre_across_its_normal(ax):
    normal = np.array([0.6, 0.0, 0.8])
    molecule_slices.plot_slice_in_space(ax, POSITIONS, CHOSEN, NAMES, normal)
    (plane,) = ax.patches
    rim = plane.get_xy()  # [.., 2]
    # Back to space: right and up are known, depth follows from normal . x = 0.
    right, up, towards = molecule_slices.VIEW.T
    depth = -(rim @ [normal @ right, normal @ up]) / (normal @ towards)
    radii = np.sqrt((rim**2).sum(axis=1) + depth**2)
    np.testing.assert_allclose(radii, radii[0])
    assert radii[0] > np.linalg.norm(POSITIONS, axis=1).max()
