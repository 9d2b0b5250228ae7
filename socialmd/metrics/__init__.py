"""Metrics that are shown while a model trains."""

from socialmd.metrics.orientation_error import OrientationError as OrientationError
from socialmd.metrics.position_error import PositionError as PositionError

__all__ = ["OrientationError", "PositionError"]
