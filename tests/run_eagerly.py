"""Trainings of so few steps that building their graphs would take longer than running them."""

import contextlib
import warnings
from collections.abc import Iterator

import tensorflow as tf


@contextlib.contextmanager
def run_eagerly() -> Iterator[None]:
    """Compile nothing meanwhile.

    For tests of what is done before, after and between training steps; others see that compiled
    steps compute the same.
    """
    tf.config.run_functions_eagerly(True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Even though the `tf.config")  # tf.data does compile
            yield
    finally:
        tf.config.run_functions_eagerly(False)
