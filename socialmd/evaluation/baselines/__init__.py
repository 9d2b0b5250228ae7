"""Forecasts that a trained model has to beat, and one that knows the law of motion."""

from socialmd.evaluation.baselines.baseline import BASELINES as BASELINES
from socialmd.evaluation.baselines.baseline import Baseline as Baseline
from socialmd.evaluation.baselines.baseline import KnownData as KnownData
from socialmd.evaluation.baselines.baseline import baseline_names as baseline_names
from socialmd.evaluation.baselines.baseline import make_baselines as make_baselines
from socialmd.evaluation.baselines.baseline import register_baseline as register_baseline
from socialmd.evaluation.baselines.constant_position import ConstantPosition as ConstantPosition
from socialmd.evaluation.baselines.constant_velocity import ConstantVelocity as ConstantVelocity
from socialmd.evaluation.baselines.known_law import KnownLaw as KnownLaw
from socialmd.evaluation.baselines.linear_autoregression import (
    LinearAutoregression as LinearAutoregression,
)

# isort: split
# Registered last: the others keep their places in tables.
from socialmd.evaluation.baselines.langevin_dynamics import LangevinDynamics as LangevinDynamics

__all__ = [
    "BASELINES",
    "Baseline",
    "ConstantPosition",
    "ConstantVelocity",
    "KnownData",
    "KnownLaw",
    "LangevinDynamics",
    "LinearAutoregression",
    "baseline_names",
    "make_baselines",
    "register_baseline",
]
