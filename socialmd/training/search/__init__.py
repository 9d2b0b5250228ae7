"""Hyperparameter search with KerasTuner: spaces, the tree-structured Parzen estimator, workers."""

from socialmd.training.search.optuna_study import rank_importances as rank_importances
from socialmd.training.search.search import search_hyperparameters as search_hyperparameters
from socialmd.training.search.tpe_oracle import TPEOracle as TPEOracle
from socialmd.training.search.trial_record import TrialRecord as TrialRecord
from socialmd.training.search.trial_record import read_trials as read_trials

__all__ = ["TPEOracle", "TrialRecord", "rank_importances", "read_trials", "search_hyperparameters"]
