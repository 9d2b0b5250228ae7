"""Learned simulation of many-body particle dynamics with LSTMs and stacked state pooling."""

from socialmd.config import ExperimentConfig as ExperimentConfig
from socialmd.config import load_config as load_config
from socialmd.config import save_config as save_config

__all__ = ["ExperimentConfig", "load_config", "save_config"]
