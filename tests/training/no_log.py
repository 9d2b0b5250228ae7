"""Trainings without `TensorBoardLog`, whose pictures take longer than they do."""

import importlib
from unittest import mock

import keras


class NoLog(keras.callbacks.Callback):
    """In the place of `TensorBoardLog`."""

    def __init__(self, *_, **__):
        super().__init__()

    def begin_phase(self, *_):
        pass

    def keep(self, *_):
        pass


def no_log():
    module = importlib.import_module("socialmd.training.fit")
    return mock.patch.object(module, "TensorBoardLog", NoLog)
