"""What every layer promises: Keras' own checks of layers, and a round trip through a file."""

import keras
import pytest
from keras.src.testing import TestCase

from socialmd import layers
from socialmd.layers import (
    ExternalField,
    FeedForward,
    InteractionCell,
    InteractionLaw,
    NeighbourFilter,
    PolarLaw,
    Restraints,
    SocialLSTMCell,
    StackedPoolingConv,
    StackedPoolingConv2D,
    StackedStatePooling,
)

GRIDS = {"grid_sizes": [4.0, 2.0], "grid_cells": 8}
POSITIONS, STATES = (2, 5, 2), (2, 5, 3)
# Arguments of the constructor, and shapes of those of a call.
ON_KERAS_TERMS = {
    FeedForward: ({"width": 3, "hidden_units": 4}, STATES),
    StackedStatePooling: (GRIDS, {"positions_shape": POSITIONS, "states_shape": STATES}),
    StackedPoolingConv: (
        {"rank": 3, "filters": 2, "kernel_size": 2, **GRIDS},
        {"positions_shape": (2, 5, 3), "states_shape": STATES},
    ),
    StackedPoolingConv2D: (
        {"filters": 2, "kernel_size": 2, **GRIDS},
        {"positions_shape": POSITIONS, "states_shape": STATES},
    ),
    NeighbourFilter: (
        {"cutoff": 4.0, "num_intervals": 8},
        {"positions_shape": POSITIONS, "values_shape": STATES},
    ),
    Restraints: ({"stiffness": 0.5, "learned": True}, {"features_shape": STATES}),
}
# Of the type of the states, which the cell around them has cast.
POOLING = (StackedStatePooling, StackedPoolingConv, StackedPoolingConv2D)


def make_law(kind=InteractionLaw):
    return kind(NeighbourFilter(cutoff=4.0, num_intervals=8), channels=2, hidden_units=3)


# Those whose `build` takes more than shapes of what they are called with.
OTHERS = {
    ExternalField: lambda: ExternalField(width=4.0, cells=4, hidden_units=3),
    InteractionLaw: make_law,
    PolarLaw: lambda: make_law(PolarLaw),
    InteractionCell: lambda: InteractionCell(make_law(), units=3, substeps=2),
    SocialLSTMCell: lambda: SocialLSTMCell(
        4, 5, embedding_dim=3, filters=[2], kernel_size=2, **GRIDS
    ),
}


def test_no_layer_is_left_out():
    assert {each.__name__ for each in (*ON_KERAS_TERMS, *OTHERS)} == set(layers.__all__)


@pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")  # by Keras itself
@pytest.mark.parametrize("layer", ON_KERAS_TERMS, ids=lambda layer: layer.__name__)
def test_keras_finds_nothing_to_complain_of(layer):
    arguments, shapes = ON_KERAS_TERMS[layer]
    TestCase().run_layer_test(
        layer,
        init_kwargs=arguments,
        input_shape=shapes,
        expected_num_seed_generators=0,
        expected_num_losses=0,
        run_training_check=isinstance(shapes, tuple),  # Keras' own model gives a layer one input
        run_mixed_precision_check=layer not in POOLING,
    )


@pytest.mark.parametrize("make", OTHERS.values(), ids=[layer.__name__ for layer in OTHERS])
def test_a_configuration_makes_the_same_layer(make):
    layer = make()
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert keras.saving.serialize_keras_object(again) == config
