"""Layers: pooling of neighbours' states, and the LSTM cell that reads it."""

from socialmd.layers.social_lstm_cell import SocialLSTMCell as SocialLSTMCell
from socialmd.layers.stacked_pooling_conv import StackedPoolingConv2D as StackedPoolingConv2D
from socialmd.layers.stacked_state_pooling import StackedStatePooling as StackedStatePooling

__all__ = ["SocialLSTMCell", "StackedPoolingConv2D", "StackedStatePooling"]
