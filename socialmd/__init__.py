"""Learned simulation of many-body particle dynamics with LSTMs and stacked state pooling."""

import importlib
import os
import typing

# TensorFlow asks when it is first imported. Without AVX-512 it would leave its fast convolutions
# off, and a training step would take half as long again.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

from socialmd.config import ExperimentConfig as ExperimentConfig
from socialmd.config import load_config as load_config
from socialmd.config import save_config as save_config

__all__ = ["ExperimentConfig", "load_config", "save_config"]
__version__ = "0.1.0"

SUBPACKAGES = (
    "benchmarks",
    "data",
    "distributions",
    "evaluation",
    "layers",
    "losses",
    "metrics",
    "models",
    "molecular",
    "plots",
    "reporting",
    "serving",
    "simulation",
    "training",
)


def __getattr__(name: str) -> typing.Any:
    """Subpackages and `forecast`, imported when they are first used: TensorFlow takes seconds."""
    if name in SUBPACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name == "forecast":
        return importlib.import_module(f"{__name__}.models").forecast
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *SUBPACKAGES, "forecast"})
