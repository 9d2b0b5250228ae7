"""Periodic boxes against a search among images, and what does not depend on how one looks at it."""

import importlib
import itertools

import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import NeighbourFilter, StackedPoolingConv, StackedStatePooling
from socialmd.layers.cell_list import neighbour_pairs
from socialmd.layers.pairs import find_pairs
from socialmd.periodic_box import PeriodicBox, check_box, smallest_width, unwrap
from tests import reference
from tests.run_eagerly import run_eagerly
from tests.tiny_models import interacting_inputs, interacting_model, tiny_inputs, tiny_model

ORTHORHOMBIC = {2: np.diag([5.0, 6.5]), 3: np.diag([5.0, 6.5, 5.5])}
TRICLINIC = {
    2: np.array([[5.5, 0.0], [1.9, 6.0]]),
    3: np.array([[5.8, 0.0, 0.0], [1.4, 6.0, 0.0], [-1.2, 2.0, 6.5]]),
}
export = importlib.import_module("socialmd.models.saved_model")
SIDES = (4.0, 2.0)  # a reach of 2, less than half of any width


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def dims(request):
    return request.param


@pytest.fixture(params=[ORTHORHOMBIC, TRICLINIC], ids=["orthorhombic", "triclinic"])
def vectors(request, dims):
    return request.param[dims]


def scattered(rng, vectors, batch=2, particles=7, boxes=1):
    """Particles in whatever image, up to so many boxes away: [B, N, D]."""
    x = rng.uniform(0, 1, (batch, particles, len(vectors))) @ vectors
    return (x + rng.integers(-boxes, boxes + 1, x.shape) @ vectors).astype("float32")


def batch_of(vectors, batch=2):
    """Boxes [B, D, D], each another one."""
    return np.stack([vectors * (1 + 0.05 * b) for b in range(batch)]).astype("float32")


# === The box ===


def test_displacements_lead_to_the_nearest_image(rng, vectors, dims):
    """Of all images, within half of the smallest width: a search among 9**D of them."""
    offsets = rng.uniform(-2, 2, (300, dims)) @ vectors
    found = PeriodicBox.of(vectors).displacement(offsets)
    nearest = np.array([reference.nearest_image(offset, vectors) for offset in offsets])
    near = np.linalg.norm(nearest, axis=-1) <= smallest_width(vectors) / 2
    assert near.sum() > 50
    np.testing.assert_allclose(found[near], nearest[near], atol=1e-9)
    images = (offsets - found) @ np.linalg.inv(vectors)  # the others lead to an image as well
    np.testing.assert_allclose(images, np.round(images), atol=1e-9)


def test_tensors_and_arrays_agree_and_boxes_go_with_leading_axes(rng, vectors, dims):
    boxes = batch_of(vectors)
    x = scattered(rng, vectors)
    offsets = x[:, None] - x[:, :, None]  # [B, N, N, D]
    found = PeriodicBox.of(tf.constant(boxes)).displacement(tf.constant(offsets))
    expected = [
        PeriodicBox.of(box).displacement(each) for box, each in zip(boxes, offsets, strict=True)
    ]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_wrapped_positions_are_images_in_the_box(rng, vectors):
    box = PeriodicBox.of(vectors)
    x = scattered(rng, vectors).astype(float)
    wrapped = box.wrap(x)
    fractions = box.fractions(wrapped)
    assert (fractions > -1e-9).all()
    assert (fractions < 1 + 1e-9).all()
    images = box.fractions(x - wrapped)
    np.testing.assert_allclose(images, np.round(images), atol=1e-6)


def test_unwrapping_gives_back_a_walk_up_to_where_it_ends(rng, vectors, dims):
    walk = rng.normal(scale=0.4, size=(2, 60, 5, dims)).cumsum(axis=1)
    boxes = np.repeat(batch_of(vectors).astype(float)[:, None], 60, axis=1)
    wrapped = PeriodicBox.of(boxes).wrap(walk)
    assert np.abs(np.diff(wrapped, axis=1)).max() > 2.5  # it jumps
    found = unwrap(wrapped, boxes)
    np.testing.assert_allclose(found[:, -1], wrapped[:, -1])
    np.testing.assert_allclose(np.diff(found, axis=1), np.diff(walk, axis=1), atol=1e-9)


def test_neighbours_stay_neighbours_in_boxes_that_change(rng, vectors, dims):
    """Whatever has passed through walls before: pairs are as far apart as they were."""
    swelling = 1 + 0.02 * rng.normal(size=(1, 80, 1, 1))
    boxes = swelling * vectors
    box = PeriodicBox.of(boxes)
    walk = box.places(rng.normal(scale=0.1, size=(1, 80, 6, dims)).cumsum(axis=1))
    wrapped = box.wrap(walk)
    found = unwrap(wrapped, boxes)
    assert np.abs(found - wrapped).max() > 4  # some are many images away

    def displacements(x):
        return box.displacement(x[:, :, :, None] - x[:, :, None])

    near = np.linalg.norm(displacements(wrapped), axis=-1) < 2.0
    np.testing.assert_allclose(displacements(found)[near], displacements(wrapped)[near], atol=1e-9)
    steps = np.diff(box.fractions(found), axis=1)
    assert np.abs(steps).max() <= 0.5


def test_the_smallest_width_is_that_between_faces():
    assert smallest_width(ORTHORHOMBIC[3]) == pytest.approx(5.0)
    # A parallelogram: the height over each side.
    area = np.linalg.det(TRICLINIC[2])
    heights = area / np.linalg.norm(TRICLINIC[2], axis=1)
    assert smallest_width(TRICLINIC[2]) == pytest.approx(min(heights))


@pytest.mark.parametrize(
    ("box", "message"),
    [
        (np.zeros((2, 3)), r"expected box vectors \[..., 3, 3\], found shape \(2, 3\)"),
        (np.zeros((3, 3)), "span a volume"),
        (np.full((3, 3), np.nan), "expected finite"),
    ],
)
def test_what_is_no_box_is_refused(box, message):
    with pytest.raises(ValueError, match=rf"mine\.npy: .*{message}"):
        check_box("mine.npy", box, 3)


# === Pairs ===


def test_boxes_of_numpy_are_taken_by_layers(rng):
    x, values = rng.normal(size=(2, 1, 4, 2))
    layer, box = NeighbourFilter("radial", cutoff=2.0), 10 * np.eye(2)[None]  # float64
    expected = layer(x, values, None, box.astype("float32"))
    np.testing.assert_array_equal(layer(x, values, None, box), expected)


@pytest.mark.parametrize("search", ["all_pairs", "cell_list"])
def test_pairs_are_those_of_a_search_among_images(rng, vectors, dims, search):
    boxes, reach = batch_of(vectors), 1.9
    x = scattered(rng, vectors, particles=30)
    mask = rng.uniform(size=(2, 30)) < 0.8
    owner, neighbour, weights = find_pairs(x, reach, mask, search, PeriodicBox.of(boxes))
    found = np.stack([owner, neighbour])[:, np.asarray(weights) > 0].T.tolist()
    expected = [
        [b * 30 + i, b * 30 + j]
        for b, i, j in itertools.product(range(2), range(30), range(30))
        if i != j
        and mask[b, j]
        and np.abs(PeriodicBox.of(boxes[b]).displacement(x[b, j] - x[b, i])).max() <= reach
    ]
    assert len(expected) > 60
    assert found == expected


def test_cell_lists_compare_no_more_than_what_is_near(rng):
    vectors = np.diag([40.0, 40.0, 40.0])
    x = scattered(rng, vectors, batch=1, particles=4000, boxes=1)
    box = PeriodicBox.of(batch_of(vectors, 1))
    one, other = (
        sorted(zip(*map(np.asarray, pairs[:2]), strict=True))
        for pairs in (
            neighbour_pairs(x, 2.0, None, box),
            find_pairs(x, 2.0, None, "all_pairs", box),
        )
    )
    assert one == other
    assert len(one) > 4000


# === Layers ===


@pytest.mark.parametrize("filter", ["radial", "grid"])
@pytest.mark.parametrize("search", ["all_pairs", "cell_list"])
def test_filters_see_nearest_images(rng, vectors, dims, filter, search):
    layer = NeighbourFilter(
        filter,
        cutoff=2.0,
        minimum_distance=0.1,
        num_intervals=4,
        grid_sizes=SIDES,
        grid_cells=4,
        neighbour_search=search,
    )
    x, values = scattered(rng, vectors), rng.normal(size=(2, 7, 3)).astype("float32")
    boxes = batch_of(vectors)
    layer.build(x.shape, values.shape)
    layer.table.assign(rng.normal(size=layer.table.shape))
    table = np.asarray(layer.table, float)
    if filter == "radial":
        expected = reference.neighbour_filter_radial(x, values, [table], 2.0, 0.1, box=boxes)
    else:
        tables = table.reshape(2, *[4] * dims, 3)
        expected = reference.neighbour_filter_grid(x, values, tables, SIDES, box=boxes)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(layer(x, values, None, boxes), expected, rtol=2e-3, atol=2e-3)


def test_pooling_sees_nearest_images(rng, vectors, dims):
    x, states = scattered(rng, vectors), rng.normal(size=(2, 7, 3)).astype("float32")
    boxes = batch_of(vectors)
    expected = reference.pool_states(x, states, SIDES, 4, box=boxes)
    assert expected.any()
    pooled = StackedStatePooling(SIDES, 4)(x, states, None, boxes)
    np.testing.assert_allclose(pooled, expected, atol=1e-5)
    fused = StackedPoolingConv(dims, 2, 3, SIDES, strides=2, grid_cells=4)
    kernel = rng.normal(size=(*[3] * dims, 3, 2)).astype("float32")
    fused.build(x.shape, states.shape)
    fused.set_weights([kernel, np.ones(2, "float32")])
    images = expected.reshape(14, *[4] * dims, 3)
    expected = [reference.convolve(image, kernel, np.ones(2), 2) for image in images]
    found = np.asarray(fused(x, states, None, boxes)).reshape(np.shape(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


# === Models ===


@pytest.fixture
def walls(dims):
    return {2: ORTHORHOMBIC, 3: TRICLINIC}[dims][dims]


def make_interacting(rng, dims):
    model = interacting_model(rng, dims=dims)
    model.interaction.cutoff = 2.0
    return model, interacting_inputs(rng, dims)


def make_social(rng, dims):
    model = tiny_model(
        rng,
        dims + 2,
        prediction="displacement",
        absolute_position=False,
        spatial_dims=dims,
        grid_sizes=SIDES,
    )
    return model, interacting_inputs(rng, dims)


@pytest.fixture(params=[make_interacting, make_social], ids=["interaction", "social"])
def made(request, rng, dims):
    """A model and the past of particles that do not jump."""
    return request.param(rng, dims)


def forecast(model, frames, boxes):
    with run_eagerly():  # a graph would take longer to build than these few steps
        return model.rollout({"inputs": frames, "box": boxes})


def test_forecasts_do_not_depend_on_how_particles_are_wrapped(made, rng, walls, dims):
    model, frames = made
    boxes = batch_of(walls)
    positions, parameters = forecast(model, frames, boxes)
    images = rng.integers(-2, 3, (*frames.shape[:-1], dims)) @ walls  # each frame another one
    wrapped = frames.copy()
    wrapped[..., :dims] += (images * (1 + 0.05 * np.arange(2))[:, None, None, None]).astype("f4")
    moved, others = forecast(model, wrapped, boxes)
    shift = wrapped[:, -1:, :, :dims] - frames[:, -1:, :, :dims]  # where they went on from
    np.testing.assert_allclose(moved - shift, positions, atol=2e-3)
    np.testing.assert_allclose(others[..., dims:], parameters[..., dims:], rtol=2e-2, atol=1e-3)


def test_walls_matter(made, walls, dims):
    model, frames = made
    frames[..., :dims] += 0.4 * np.arange(4)[:, None] * np.sum(walls, axis=0)  # all over the box
    frames = frames.astype("float32")
    inside, _ = forecast(model, frames, batch_of(walls))
    with run_eagerly():
        alone, _ = model.rollout(frames)
    assert np.abs(inside - alone).max() > 1e-3


def test_a_box_that_is_repeated_has_the_same_forecast_twice(made, walls, dims):
    model, frames = made
    positions, _ = forecast(model, frames, np.stack([walls] * 2).astype("float32"))
    copy = frames.copy()
    copy[..., :dims] += walls[0].astype("float32")
    double = walls.copy()
    double[0] *= 2
    both, _ = forecast(
        model, np.concatenate([frames, copy], axis=2), np.stack([double] * 2).astype("float32")
    )
    here, there = np.split(both, 2, axis=2)
    np.testing.assert_allclose(here, positions, atol=1e-3)
    np.testing.assert_allclose(there - walls[0], positions, atol=1e-3)


def test_boxes_of_each_frame_are_those_of_all_if_they_stay(made, walls):
    model, frames = made
    boxes = batch_of(walls)
    one, _ = forecast(model, frames, boxes)
    each, _ = forecast(model, frames, np.repeat(boxes[:, None], frames.shape[1], axis=1))
    np.testing.assert_array_equal(one, each)
    np.testing.assert_array_equal(
        model.one_step({"inputs": frames, "box": boxes}),
        model.one_step({"inputs": frames, "box": np.repeat(boxes[:, None], 4, axis=1)}),
    )


def test_a_box_that_changes_is_heeded(made, walls):
    """Steps through walls are those of the box of their frame."""
    model, frames = made
    boxes = np.repeat(batch_of(walls)[:, None], frames.shape[1], axis=1)
    swollen = boxes.copy()
    swollen[:, :-1] *= 1.5
    frames[:, :, 0, :2] += walls[0, :2].astype("float32") * 0.6
    one, other = forecast(model, frames, boxes)[0], forecast(model, frames, swollen)[0]
    assert np.abs(one - other).max() > 1e-5


def test_models_that_read_places_and_small_boxes_are_refused(rng):
    box = np.stack([np.diag([5.0, 5.0])] * 2)
    with pytest.raises(ValueError, match="box: expected a model that does not read where"):
        tiny_model(rng).rollout({"inputs": tiny_inputs(rng), "box": box})
    model = interacting_model(rng)  # cutoff 4
    inputs = interacting_inputs(rng)
    with pytest.raises(ValueError, match=r"box: expected opposite faces at least 8 apart, .* 5"):
        model.rollout({"inputs": inputs, "box": box})
    with pytest.raises(
        ValueError, match=r"box: expected \[B, D, D\] or .* found shape \[3, 2, 2\]"
    ):
        model.rollout({"inputs": inputs, "box": np.stack([np.eye(2) * 9] * 3)})


def test_exported_models_know_boxes(rng):
    """Traced as the endpoint is; writing it out takes half a minute."""
    model = interacting_model(rng, dims=3, units=0, substeps=1)
    model.interaction.cutoff = 2.0
    frames, boxes = interacting_inputs(rng, 3), batch_of(TRICLINIC[3])

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None, None, 5)),
            tf.TensorSpec((None, 3, 3)),
            tf.TensorSpec((), tf.int32),
        ],
        autograph=False,
    )
    def rollout_in_box(inputs, box, num_steps):
        real = tf.ones(tf.shape(inputs)[::2], tf.bool)
        return export._forecast(model, inputs, real, num_steps, None, tf.constant(0), box)

    found = rollout_in_box(frames, boxes, tf.constant(3))["positions"]
    np.testing.assert_allclose(found, forecast(model, frames, boxes)[0], atol=1e-5)
    for wrong, message in ((boxes / 2, "expected opposite faces at least 4"), (boxes[:1], "each")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            rollout_in_box(frames, wrong, tf.constant(3))
