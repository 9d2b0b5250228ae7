"""Training: optimizer, callbacks, and a fit that can be interrupted and continued."""

from socialmd.training.compile_model import compile_model as compile_model
from socialmd.training.fit import fit as fit
from socialmd.training.history import read_history as read_history
from socialmd.training.profile_steps import ProfileSteps as ProfileSteps
from socialmd.training.tensorboard_log import TensorBoardLog as TensorBoardLog

__all__ = ["ProfileSteps", "TensorBoardLog", "compile_model", "fit", "read_history"]
