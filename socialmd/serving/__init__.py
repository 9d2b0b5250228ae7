"""Servers' side of an exported model, in processes without Keras: imports NumPy alone."""

from socialmd.serving.request_batcher import RequestBatcher as RequestBatcher

__all__ = ["RequestBatcher"]
