import keras
import pytest

from socialmd import layers, losses, metrics, models
from socialmd.registration import register


def test_registered_classes_carry_the_package_s_name():
    @register
    class Unheard(keras.layers.Layer):
        pass

    assert keras.saving.get_registered_name(Unheard) == "socialmd>Unheard"
    assert keras.saving.get_registered_object("socialmd>Unheard") is Unheard


@pytest.mark.parametrize(
    "cls",
    [
        layers.SocialLSTMCell,
        layers.StackedPoolingConv2D,
        layers.StackedStatePooling,
        losses.NegativeLogLikelihood,
        metrics.PositionError,
        models.SocialLSTM,
    ],
)
def test_public_classes_are_registered(cls):
    assert keras.saving.get_registered_name(cls) == f"socialmd>{cls.__name__}"
