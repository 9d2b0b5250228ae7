import inspect

import keras
import numpy as np
import pytest

from socialmd.layers import SocialLSTMCell
from tests import reference

TINY = {"units": 6, "output_dim": 5, "grid_sizes": (4.0, 2.0), "embedding_dim": 3, "kernel_size": 3}


@pytest.fixture
def step(rng):
    """Inputs, positions and states of two systems of four particles."""
    arrays = [rng.normal(size=(2, 4, width)).astype("float32") for width in (5, 2, 6, 6)]
    return arrays[0], arrays[1], (arrays[2], arrays[3])


def random_cell(rng, **arguments):
    cell = SocialLSTMCell(**{**TINY, **arguments})
    cell.build((2, 4, 5), (2, 4, 2), None)
    for weight in cell.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return cell


def weights_of(cell):
    return {
        "/".join(weight.path.split("/")[-2:]): np.array(weight.value, float)
        for weight in cell.weights
    }


@pytest.mark.parametrize("distance_filter", [True, False])
@pytest.mark.parametrize(("grid_cells", "filters"), [(8, (3, 4)), (7, (2, 3, 4))])
@pytest.mark.parametrize("downsampling", ["stride", "max", "average"])
def test_step_equals_the_equations(step, rng, downsampling, grid_cells, filters, distance_filter):
    grid = {"grid_cells": grid_cells, "distance_filter": distance_filter}
    cell = random_cell(rng, downsampling=downsampling, filters=filters, **grid)
    inputs, positions, (h, c) = step
    mask = np.array([[True, True, False, True], [True] * 4])
    outputs, (new_h, new_c) = cell(inputs, positions, (h, c), mask)
    expected = reference.cell_step(
        weights_of(cell), inputs, positions, h, c, TINY["grid_sizes"], **grid,
        downsampling=downsampling, mask=mask,
    )  # fmt: skip
    for actual, wanted in zip((outputs, new_h, new_c), expected, strict=True):
        np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-5)


def test_neighbours_matter_and_only_within_reach(step, rng):
    """Particle 0 and 1 see each other; 2 and 3 are alone."""
    inputs, _, (h, c) = step
    positions = np.float32([[(0, 0), (0.5, 0.5), (10, 0), (0, 10)]] * 2)
    cell = random_cell(rng, filters=(3, 4), grid_cells=8)
    outputs, _ = cell(inputs, positions, (h, c))
    other_h = h.copy()
    other_h[:, (1, 3)] += 1.0
    changed, _ = cell(inputs, positions, (other_h, c))
    difference = np.abs(np.asarray(changed) - np.asarray(outputs)).max(axis=(0, 2))
    assert difference[0] > 1e-4
    assert difference[2] == 0.0


def test_without_grids_the_lstm_reads_the_input_embedding_alone(step, rng):
    inputs, positions, (h, c) = step
    cell = random_cell(rng, grid_sizes=())
    weights = weights_of(cell)
    assert {name.split("/")[0] for name in weights} == {"input_embedding", "lstm", "output_layer"}
    outputs, (new_h, new_c) = cell(inputs, positions, (h, c))
    lstm = [weights[f"lstm/{name}"] for name in ("kernel", "recurrent_kernel", "bias")]
    for b, i in np.ndindex(2, 4):
        alpha = inputs[b, i] @ weights["input_embedding/kernel"]
        expected = reference.lstm_step(alpha, h[b, i], c[b, i], *lstm)
        np.testing.assert_allclose([new_h[b, i], new_c[b, i]], expected, rtol=1e-4, atol=1e-5)
        output = np.concatenate([expected[0], alpha]) @ weights["output_layer/kernel"]
        np.testing.assert_allclose(outputs[b, i], output, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("grid_sizes", [(), (8.0,)])
def test_particles_are_independent_exactly_without_grids(step, rng, grid_sizes):
    """Particle 0 stays as it is; all that can be known of the others changes."""
    inputs, positions, (h, c) = step
    cell = random_cell(rng, grid_sizes=grid_sizes, filters=(3, 4), grid_cells=8)
    others = np.float32([0, 1, 1, 1])[:, None]
    outputs, states = cell(inputs, positions, (h, c))
    changed, changed_states = cell(
        inputs + others, positions + 0.3 * others, (h + others, c + others)
    )
    for before, after in zip((outputs, *states), (changed, *changed_states), strict=True):
        same = np.array_equal(before[:, 0], after[:, 0])
        assert same == (grid_sizes == ())


@pytest.mark.parametrize("grid_sizes", [(), (4.0, 2.0)])
def test_cell_survives_saving(step, rng, tmp_path, grid_sizes):
    inputs, positions, (h, c) = step
    entries = [keras.Input((None, width)) for width in (5, 2, 6, 6)]
    grid = {"grid_sizes": grid_sizes, "grid_cells": 8, "downsampling": "max"}
    cell = random_cell(rng, filters=(3, 4), name="cell", **grid)
    outputs, states = cell(entries[0], entries[1], (entries[2], entries[3]))
    model = keras.Model(entries, [outputs, *states])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    data = [inputs, positions, h, c]
    for actual, expected in zip(loaded(data), model(data), strict=True):
        np.testing.assert_array_equal(actual, expected)
    assert loaded.get_layer("cell").get_config() == cell.get_config()


def test_configuration_holds_every_argument():
    arguments = {
        "units": 7,
        "output_dim": 3,
        "grid_sizes": (3.0,),
        "embedding_dim": 5,
        "grid_cells": 9,
        "distance_filter": False,
        "filters": (2, 3),
        "kernel_size": 5,
        "downsampling": "average",
        "spatial_dims": 3,
    }
    assert arguments.keys() == inspect.signature(SocialLSTMCell).parameters.keys() - {"kwargs"}
    config = SocialLSTMCell(**arguments).get_config()
    assert {name: config[name] for name in arguments} == arguments
    assert SocialLSTMCell.from_config(config).get_config() == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("downsampling", "median"),
        ("grid_sizes", (4.0, 0.0)),
        ("grid_cells", 0),
        ("kernel_size", 0),
        ("filters", ()),
        ("filters", (3, 0)),
        ("units", 0),
        ("embedding_dim", 0),
        ("output_dim", 0),
    ],
)
def test_impossible_arguments_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=name):
        SocialLSTMCell(**{**TINY, name: value})
