"""The error of what cannot be forecast, measured or drawn of some data or model."""

from __future__ import annotations

__all__ = ["NotPossibleError"]


class NotPossibleError(ValueError):
    """Something is left out; the message says why.

    Example:
        >>> raise NotPossibleError("the data set has no training split to fit it to")
    """
