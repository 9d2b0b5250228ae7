"""Experiment configuration: a TOML file -> typed, validated, immutable sections.

A file has up to six tables: `[system]` (the physics), `[simulation]` (the data set), `[data]` (the
input pipeline), `[model]`, `[training]` and, for a hyperparameter search, `[search]`. Every key has
a default, that of the reference experiment (`models/thesis.toml`), so a file states only what it
changes. Unknown keys and impossible values are errors.

A table is a module; `experiment_config.py` puts them side by side, and `load_config.py` reads them.
"""

from socialmd.config.data_config import DataConfig as DataConfig
from socialmd.config.experiment_config import ExperimentConfig as ExperimentConfig
from socialmd.config.fixed_charges_config import FixedChargesConfig as FixedChargesConfig
from socialmd.config.load_config import load_config as load_config
from socialmd.config.load_config import save_config as save_config
from socialmd.config.model_config import InteractionModelConfig as InteractionModelConfig
from socialmd.config.model_config import ModelConfig as ModelConfig
from socialmd.config.model_config import SequenceModelConfig as SequenceModelConfig
from socialmd.config.search_config import SearchConfig as SearchConfig
from socialmd.config.simulation_config import SimulationConfig as SimulationConfig
from socialmd.config.strands_config import StrandsConfig as StrandsConfig
from socialmd.config.system_config import ManyBodySystem as ManyBodySystem
from socialmd.config.training_config import PhaseConfig as PhaseConfig
from socialmd.config.training_config import TrainingConfig as TrainingConfig

__all__ = [
    "DataConfig",
    "ExperimentConfig",
    "FixedChargesConfig",
    "InteractionModelConfig",
    "ManyBodySystem",
    "ModelConfig",
    "PhaseConfig",
    "SearchConfig",
    "SequenceModelConfig",
    "SimulationConfig",
    "StrandsConfig",
    "TrainingConfig",
    "load_config",
    "save_config",
]
