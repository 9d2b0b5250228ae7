import numpy as np
import pytest
import tensorflow as tf

from socialmd.layers import NeighbourFilter
from socialmd.static_shapes import static_shapes
from tests import reference
from tests.layers.save_and_load import save_and_load

SIDES = (5.0, 2.5, 1.25)
CELLS = 4
CUTOFF, SHORTEST = 2.5, 0.1
INTERVALS = (4, 8, 16)  # of the tables whose sum a radial filter of 16 intervals has
KINDS = {
    "grid": {"filter": "grid", "grid_sizes": SIDES, "grid_cells": CELLS},
    "grid, shared": {
        "filter": "grid",
        "grid_sizes": SIDES,
        "grid_cells": CELLS,
        "shared_table": True,
    },
    "grid, nearest": {
        "filter": "grid",
        "grid_sizes": SIDES,
        "grid_cells": CELLS,
        "interpolation": "nearest",
    },
    "radial": {
        "filter": "radial",
        "cutoff": CUTOFF,
        "minimum_distance": SHORTEST,
        "num_intervals": INTERVALS[-1],
    },
    "radial, growing": {
        "filter": "radial",
        "cutoff": CUTOFF,
        "minimum_distance": SHORTEST,
        "num_intervals": INTERVALS[-1],
        "power": 1,
    },
}
SEARCHES = ["all_pairs", "cell_list", "auto"]


@pytest.fixture(params=[2, 3], ids="{} dimensions".format)
def dims(request):
    return request.param


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def make_layer(rng, kind, dims, channels=3, **arguments):
    layer = NeighbourFilter(**{**KINDS[kind], **arguments})
    layer.build((None, None, dims), (None, None, channels))
    layer.table.assign(rng.normal(size=layer.table.shape))
    return layer


def make_particles(rng, dims, batch=2, particles=6, channels=3):
    """In a box as wide as the reach: some are in it, some are not.

    The second particle lies on the first, the third nearer to them than the minimum distance.
    """
    positions = rng.uniform(-1.7, 1.7, size=(batch, particles, dims)).astype("float32")
    positions[:, 1] = positions[:, 0]
    positions[:, 2] = positions[:, 0] + np.float32(0.5 * SHORTEST / dims**0.5)
    return positions, rng.normal(size=(batch, particles, channels)).astype("float32")


def by_definition(layer, positions, values, mask=None, table=None):
    table = np.asarray(layer.table if table is None else table, float)
    channels = table.shape[-1]
    if layer.filter == "radial":
        tables = np.split(table, np.cumsum([n + 1 for n in INTERVALS])[:-1])
        return reference.neighbour_filter_radial(
            positions, values, tables, CUTOFF, SHORTEST, mask, power=layer.power
        )
    tables = table.reshape(-1, *np.shape(positions)[-1] * (CELLS,), channels)
    tables = np.broadcast_to(tables, (len(SIDES), *tables.shape[1:]))
    return reference.neighbour_filter_grid(
        positions, values, tables, SIDES, layer.interpolation, mask
    )


def value_and_gradients(layer, positions, values, mask=None, upstream=None):
    """Of the sum of outputs times `upstream`, in positions, values and table."""
    positions, values = tf.constant(positions), tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch([positions, values])
        outputs = layer(positions, values, mask)
    upstream = tf.ones_like(outputs) if upstream is None else tf.constant(upstream, "float32")
    gradients = tape.gradient(
        outputs,
        [positions, values, layer.table.value],
        output_gradients=upstream,
        unconnected_gradients="zero",
    )
    return [outputs.numpy(), *(tf.convert_to_tensor(gradient).numpy() for gradient in gradients)]


def assert_equal_to_rounding(actual, expected, tolerance=1e-5):
    scale = np.abs(expected).max()
    assert scale > 0
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * scale)


# === Against the definition ===


@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "mask"])
def test_value_equals_loops_over_particles(rng, kind, dims, masked):
    layer = make_layer(rng, kind, dims)
    particles = make_particles(rng, dims)
    mask = np.array([[True] * 3 + [False, True, True], [False] + [True] * 5]) if masked else None
    outputs = layer(*particles, mask)
    assert outputs.shape == (2, 6, 3, dims) if layer.is_radial else (2, 6, 3)
    assert_equal_to_rounding(outputs, by_definition(layer, *particles, mask))


def test_gradients_equal_differences_of_the_definition(rng, kind, dims):
    """In float64, so that a step may be small: no pair is that close to a kink or a circle.

    But for the second particle on the first one, which is between the middle cells or where a
    radial filter is linear. Values and tables enter linearly.
    """
    layer = make_layer(rng, kind, dims, channels=2)
    positions, values = make_particles(rng, dims, batch=1, particles=4, channels=2)
    upstream = rng.normal(size=layer(positions, values).shape)
    table = layer.table.numpy()

    def total(positions=positions, values=values, table=table):
        return np.sum(upstream * by_definition(layer, positions, values, table=table))

    _, *gradients = value_and_gradients(layer, positions, values, upstream=upstream)
    if kind == "grid, nearest":  # cells are integers
        assert not np.any(gradients[0])
    else:
        expected = differences(lambda x: total(positions=x), positions, 1e-6)
        assert_equal_to_rounding(gradients[0], expected, 1e-4)
    assert_equal_to_rounding(gradients[1], differences(lambda v: total(values=v), values, 1.0))
    for direction in rng.normal(size=(3, *table.shape)):
        expected = total(table=direction)
        assert np.sum(gradients[2] * direction) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def differences(function, point, step):
    """Central ones, in every coordinate of a point."""
    gradient = np.zeros(point.shape)
    for index in np.ndindex(point.shape):
        nudge = np.zeros(point.shape)
        nudge[index] = step
        gradient[index] = (function(point + nudge) - function(point - nudge)) / (2 * step)
    return gradient


def test_a_sum_of_radial_tables_is_any_function_linear_between_the_finest_nodes(rng):
    """T(log d), from the kernel R = (l / d) T s along an axis; s is one up to 0.9 cutoffs."""
    layer = make_layer(rng, "radial", 2, channels=1)
    target = rng.normal(size=17)
    coarse, middle, _ = np.split(layer.table.numpy()[:, 0], (5, 14))
    nodes = np.linspace(np.log(SHORTEST), np.log(CUTOFF), 17)
    fine = target - np.interp(nodes, nodes[::4], coarse) - np.interp(nodes, nodes[::2], middle)
    layer.table.assign(np.concatenate([coarse, middle, fine])[:, None])
    distances = np.geomspace(SHORTEST, 0.9 * CUTOFF, 100)
    kernel = layer.kernel(np.stack([0 * distances, distances], axis=1))  # [M, 1, 2]
    found = kernel[:, 0, 1] * distances / np.sqrt(CUTOFF * SHORTEST)
    np.testing.assert_allclose(found, np.interp(np.log(distances), nodes, target), atol=1e-5)
    np.testing.assert_array_equal(kernel[:, 0, 0], np.zeros(100))


@pytest.mark.parametrize("power", [-1, 0, 1, 2])
@pytest.mark.parametrize("num_intervals", [1, 3, 4, 6, 64])
def test_radial_filters_begin_as_a_power_of_the_distance(num_intervals, power):
    layer = NeighbourFilter("radial", cutoff=10.0, num_intervals=num_intervals, power=power)
    layer.build((None, None, 3), (None, None, 2))
    distances = np.geomspace(0.01, 9.0, 50)
    offsets = distances[:, None] * np.float32([0.6, 0.0, -0.8])
    expected = (distances[:, None] / 0.1**0.5) ** power * offsets / distances[:, None]
    np.testing.assert_allclose(layer.kernel(offsets), np.stack([expected] * 2, 1), rtol=1e-4)


# === Pairs ===


@pytest.mark.parametrize("masked", [False, True], ids=["no mask", "mask"])
def test_every_neighbour_search_gives_the_same(rng, kind, dims, masked):
    positions, values = make_particles(rng, dims, particles=40)
    positions[:, 10:] *= 3  # more of them out of reach
    mask = rng.uniform(size=(2, 40)) < 0.8 if masked else None
    layer = make_layer(rng, kind, dims)
    upstream = rng.normal(size=layer(positions, values).shape)
    results = {}
    for search in SEARCHES:
        layer.neighbour_search = search
        results[search] = value_and_gradients(layer, positions, values, mask, upstream)
    for search in ("cell_list", "auto"):
        for found, expected in zip(results[search], results["all_pairs"], strict=True):
            assert_as_good_as(found, expected, kind)


def assert_as_good_as(found, expected, kind):
    if kind == "grid, nearest" and not np.any(expected):  # positions have no gradient
        assert not np.any(found)
    else:
        assert_equal_to_rounding(found, expected)


def test_many_particles_are_searched_by_default_and_give_the_same(rng, kind, dims):
    positions = rng.uniform(0, 8, size=(1, 300, dims)).astype("float32")
    values = rng.normal(size=(1, 300, 3)).astype("float32")
    layer = make_layer(rng, kind, dims)
    found = value_and_gradients(layer, positions, values)
    layer.neighbour_search = "all_pairs"
    for one, other in zip(found, value_and_gradients(layer, positions, values), strict=True):
        assert_as_good_as(one, other, kind)


def test_portable_and_tensorflow_forms_agree(rng, kind):
    """The former has entries that do not count for all other pairs, however far they are apart."""
    particles = make_particles(rng, 2)
    particles[0][0, 5], particles[0][1, 5] = 3e38, -1e30
    layer = make_layer(rng, kind, 2)
    results = value_and_gradients(layer, *particles)
    with static_shapes():
        found_values = value_and_gradients(layer, *particles)
    for found, expected in zip(found_values, results, strict=True):
        assert_as_good_as(found, expected, kind)


@pytest.mark.parametrize("search", ["all_pairs", "auto"])  # the latter has both in its graph
def test_graphs_of_unknown_size(rng, kind, search):
    dims = 2
    layer = make_layer(rng, kind, dims, neighbour_search=search)
    compiled = tf.function(
        lambda positions, values, mask: value_and_gradients_in_graph(
            layer, positions, values, mask
        ),
        input_signature=[
            tf.TensorSpec((None, None, dims), tf.float32),
            tf.TensorSpec((None, None, 3), tf.float32),
            tf.TensorSpec((None, None), tf.bool),
        ],
        autograph=False,
    )
    for batch, particles in ((2, 7), (1, 1), (0, 3), (3, 0)):
        positions = rng.uniform(-1, 1, size=(batch, particles, dims)).astype("float32")
        values = rng.normal(size=(batch, particles, 3)).astype("float32")
        mask = rng.uniform(size=(batch, particles)) < 0.8
        outputs, by_value = compiled(positions, values, mask)
        assert outputs.shape[:3] == by_value.shape == (batch, particles, 3)
        if batch > 0 and particles > 1:
            assert_equal_to_rounding(outputs, by_definition(layer, positions, values, mask))
            assert np.any(by_value)
        else:
            assert not np.any(outputs)
            assert not np.any(by_value)


def value_and_gradients_in_graph(layer, positions, values, mask):
    with tf.GradientTape() as tape:
        tape.watch(values)
        outputs = layer(positions, values, mask)
    return outputs, tape.gradient(outputs, values)


# === Symmetries ===


@pytest.mark.parametrize("search", ["all_pairs", "cell_list"])
@pytest.mark.parametrize("determinant", [1, -1], ids=["rotation", "reflection"])
def test_radial_vectors_turn_with_the_system(rng, dims, determinant, search):
    positions, values = make_particles(rng, dims)
    turn, _ = np.linalg.qr(rng.normal(size=(dims, dims)))
    turn[:, 0] *= determinant * np.linalg.det(turn)
    turn = turn.astype("float32")
    layer = make_layer(rng, "radial", dims, neighbour_search=search)
    turned = layer(positions @ turn.T, values)
    assert_equal_to_rounding(turned, layer(positions, values).numpy() @ turn.T)


def test_translating_all_particles_changes_nothing(rng, kind, dims):
    """Positions are multiples of 1/256, so that the translated ones are exact in float32."""
    positions = (rng.integers(-400, 400, size=(2, 6, dims)) / 256).astype("float32")
    values = rng.normal(size=(2, 6, 3)).astype("float32")
    layer = make_layer(rng, kind, dims)
    moved = layer(positions + np.float32([100.0, -37.5, 3.25])[:dims], values)
    np.testing.assert_array_equal(moved, layer(positions, values))
    assert np.any(moved)


def test_exchanging_particles_exchanges_outputs(rng, kind, dims):
    positions, values = make_particles(rng, dims)
    order = rng.permutation(6)
    layer = make_layer(rng, kind, dims)
    exchanged = layer(positions[:, order], values[:, order])
    assert_equal_to_rounding(exchanged, layer(positions, values).numpy()[:, order])


# === Where positions are extreme, or do not count ===


@pytest.mark.parametrize("search", SEARCHES)
def test_coincident_particles_push_nobody(rng, dims, search):
    """A radial filter is linear there, so its gradient is that of a spring, but for oneself."""
    layer = make_layer(rng, "radial", dims, neighbour_search=search)
    positions = np.full((1, 4, dims), 0.7, "float32")
    values = rng.normal(size=(1, 4, 3)).astype("float32")
    outputs, by_position, by_value, by_table = value_and_gradients(layer, positions, values)
    assert not np.any(outputs)
    assert not np.any(by_value)
    assert not np.any(by_table)
    slope = layer.kernel(np.float32([dims * [1e-3]]))[0, :, 0].numpy() / 1e-3  # [C]
    expected = 4 * values[0] @ slope - values[0].sum(axis=0) @ slope
    assert_equal_to_rounding(by_position[0], np.stack(dims * [expected], axis=-1), 1e-4)


def test_coincident_particles_have_finite_gradients(rng, kind, dims):
    layer = make_layer(rng, kind, dims)
    particles = np.full((1, 4, dims), 0.7, "float32"), np.ones((1, 4, 3), "float32")
    outputs, *gradients = value_and_gradients(layer, *particles)
    np.testing.assert_allclose(outputs, by_definition(layer, *particles), rtol=1e-5, atol=1e-5)
    assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


@pytest.mark.parametrize("search", SEARCHES)
def test_particles_flung_far_away_change_nothing(rng, kind, dims, search):
    positions, values = make_particles(rng, dims)
    flung = np.zeros((2, 7, dims), "float32")
    flung[..., 0] = 1e30, 0, 3e38, -3e38, np.inf, np.nan, -np.inf
    flung[..., 1] = 0, -1e30, 3e38, 0, 0, 0, np.nan
    many = np.concatenate([positions, flung], axis=1)
    many_values = np.concatenate([values, np.full((2, 7, 3), 2.0, "float32")], axis=1)
    layer = make_layer(rng, kind, dims, neighbour_search=search)
    expected = value_and_gradients(layer, positions, values)
    found = value_and_gradients(layer, many, many_values)
    for one, other in zip(found[:3], expected, strict=False):
        assert not np.any(one[:, 6:])
        assert_as_good_as(one[:, :6], other, kind)
    assert_equal_to_rounding(found[3], expected[3])


@pytest.mark.parametrize("search", SEARCHES)
def test_distances_whose_squares_vanish_are_finite(rng, kind, dims, search):
    layer = make_layer(rng, kind, dims, neighbour_search=search)
    positions = np.zeros((1, 4, dims), "float32")
    positions[0, :, 1] = 0.0, 1e-45, 1e-30, 1e-12
    for result in value_and_gradients(layer, positions, np.ones((1, 4, 3), "float32")):
        assert np.all(np.isfinite(result))


@pytest.mark.parametrize("search", SEARCHES)
def test_padded_particles_are_nobody_s_neighbours(rng, kind, dims, search):
    positions, values = make_particles(rng, dims)
    padding = positions[:, :4] + np.float32([0.0, 0.3, 1e30, 3e38])[:, None]
    mask = np.array([[True] * 6 + [False] * 4] * 2)
    padded = (
        np.concatenate([positions, padding], axis=1),
        np.concatenate([values, np.full((2, 4, 3), 1e6, "float32")], axis=1),
    )
    layer = make_layer(rng, kind, dims, neighbour_search=search)
    upstream = rng.normal(size=layer(*padded).shape)
    upstream[:, 6:] = 0  # nobody reads what padding gets
    expected = value_and_gradients(layer, positions, values, upstream=upstream[:, :6])
    found = value_and_gradients(layer, *padded, mask, upstream)
    assert_as_good_as(found[0][:, :6], expected[0], kind)
    for one, other in zip(found[1:3], expected[1:3], strict=True):
        assert not np.any(one[:, 6:])
        assert_as_good_as(one[:, :6], other, kind)
    assert_equal_to_rounding(found[3], expected[3])


# === The kernel ===


@pytest.mark.parametrize("search", ["all_pairs", "cell_list"])
def test_radial_filters_go_smoothly_to_zero_at_the_cutoff(rng, dims, search):
    """Value and slope vanish as the third and second power of what is left to it."""
    layer = make_layer(rng, "radial", dims, channels=1, neighbour_search=search)
    largest = np.abs(layer.table).sum()
    direction = np.ones(dims) / dims**0.5
    for left in (1e-1, 1e-2, 1e-3, 0.0, -1e-6, -0.1, -1.0):
        positions = np.zeros((1, 2, dims), "float32")
        positions[0, 1] = CUTOFF * (1 - left) * direction
        outputs, by_position, *_ = value_and_gradients(layer, positions, np.ones((1, 2, 1), "f4"))
        # float32 knows what is left to a few parts in a million, of the switch's width.
        x = max(left, 0) / 0.1 + 1e-5
        assert np.abs(outputs).max() <= 10 * x**3 * largest * (SHORTEST / CUTOFF) ** 0.5 * 1.2
        assert np.abs(by_position).max() <= 30 * x**2 / (0.1 * CUTOFF) * largest
        if left > 0:
            assert np.abs(outputs).max() > 0


def test_radial_filters_are_continuous_at_the_minimum_distance(rng, dims):
    layer = make_layer(rng, "radial", dims)
    direction = rng.normal(size=dims)
    direction *= SHORTEST / np.linalg.norm(direction)
    below, at, above = layer.kernel(np.outer([1 - 1e-5, 1, 1 + 1e-5], direction)).numpy()
    np.testing.assert_allclose(below, at, rtol=1e-4)
    np.testing.assert_allclose(above, at, rtol=1e-3)
    half, none = layer.kernel(np.outer([0.5, 0], direction)).numpy()
    np.testing.assert_allclose(half, at / 2, rtol=1e-5)
    np.testing.assert_array_equal(none, np.zeros((3, dims)))


def test_kernel_is_what_one_neighbour_of_value_one_gives(rng, kind, dims):
    layer = make_layer(rng, kind, dims)
    offsets = rng.uniform(-3, 3, size=(50, dims)).astype("float32")
    offsets[0], offsets[1], offsets[2] = 0.0, 1e30, -3e38
    positions = np.stack([np.zeros_like(offsets), offsets], axis=1)
    expected = layer(positions, np.ones((50, 2, 3), "float32"))[:, 0]
    assert_equal_to_rounding(layer.kernel(offsets), expected)
    assert not np.any(expected[1:3])
    assert np.mean(expected == 0) < 0.9


# === As a layer ===


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("search", ["all_pairs", "cell_list"])
def test_mixed_precision_computes_in_float32(rng, kind, policy, search):
    """100 from the origin, where bfloat16 only knows multiples of 1/2."""
    positions, values = make_particles(rng, 2)
    positions += 100
    half = policy.removeprefix("mixed_")
    values = tf.cast(values, half)
    layer = make_layer(rng, kind, 2, dtype=policy, neighbour_search=search)
    exact = NeighbourFilter(**{**KINDS[kind], "neighbour_search": search})
    exact.build((None, None, 2), (None, None, 3))
    exact.table.assign(layer.table)
    outputs = layer(positions, values)
    assert outputs.dtype == half
    assert layer.table.dtype == "float32"
    np.testing.assert_array_equal(outputs, tf.cast(exact(positions, values), half))


def test_layer_survives_saving(rng, kind, dims, tmp_path):
    layer = make_layer(rng, kind, dims, neighbour_search="all_pairs")
    data = [*make_particles(rng, dims), rng.uniform(size=(2, 6)) < 0.8]
    shape = save_and_load(layer, data, tmp_path)
    assert shape == (None, None, 3, *(dims,) * layer.is_radial)


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [
        ({"filter": "grid"}, 4 * 16**2),
        ({"filter": "grid", "shared_table": True, "grid_cells": 5}, 5**2),
        ({"filter": "radial"}, 65 + 33 + 17 + 9 + 5),
        ({"filter": "radial", "num_intervals": 12}, 13 + 7 + 4),
        ({"filter": "radial", "num_intervals": 3}, 4),
    ],
)
def test_size_of_the_table(arguments, rows):
    layer = NeighbourFilter(**arguments)
    layer.build((None, None, 2), (None, None, 7))
    assert layer.count_params() == 7 * rows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filter": "square"}, r"filter: expected one of \('grid', 'radial'\), found 'square'"),
        ({"interpolation": "cubic"}, r"interpolation: expected one of .*, found 'cubic'"),
        ({"neighbour_search": "tree"}, "neighbour_search: expected one of .*, found 'tree'"),
        ({"cutoff": 0.0}, "cutoff: expected a positive finite distance, found 0.0"),
        ({"cutoff": float("inf")}, "cutoff: expected a positive finite distance, found inf"),
        ({"cutoff": float("nan")}, "cutoff: expected a positive finite distance, found nan"),
        ({"minimum_distance": 0.0}, "minimum_distance: expected a positive .* 16.0, found 0.0"),
        ({"minimum_distance": 16.0}, "minimum_distance: expected a .* below the cutoff, .* 16.0"),
        ({"minimum_distance": float("nan")}, "minimum_distance: expected .* found nan"),
        ({"num_intervals": 0}, "num_intervals: expected at least 1, found 0"),
        ({"power": float("nan")}, "power: expected a finite number, found nan"),
        ({"grid_sizes": ()}, r"grid_sizes: expected positive side lengths, found \(\)"),
        ({"grid_sizes": (1.0, -2.0)}, r"grid_sizes: expected positive .*, found \(1.0, -2.0\)"),
        ({"grid_cells": 0}, "grid_cells: expected a positive integer, found 0"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        NeighbourFilter(**arguments)


@pytest.mark.parametrize("dims", [1, 4])
def test_positions_are_in_the_plane_or_in_space(dims):
    message = rf"positions: expected two or three coordinates, found shape \(1, 2, {dims}\)"
    with pytest.raises(ValueError, match=message):
        NeighbourFilter()(np.zeros((1, 2, dims), "float32"), np.zeros((1, 2, 3), "float32"))


def test_xla_is_not_asked_to_compile_the_neighbour_search():
    assert not NeighbourFilter().supports_jit


def test_xla_compiles_what_has_static_shapes(rng, kind):
    layer, particles = make_layer(rng, kind, 2), make_particles(rng, 2)
    with static_shapes():
        found = tf.function(layer, jit_compile=True)(*particles)
    assert_as_good_as(found, layer(*particles), kind)
