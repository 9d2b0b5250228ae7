"""Layers: pooling of neighbours' states, learned interactions, and the cells that read them."""

from socialmd.layers.external_field import ExternalField as ExternalField
from socialmd.layers.feed_forward import FeedForward as FeedForward
from socialmd.layers.interaction_cell import InteractionCell as InteractionCell
from socialmd.layers.interaction_law import InteractionLaw as InteractionLaw
from socialmd.layers.neighbour_filter import NeighbourFilter as NeighbourFilter
from socialmd.layers.polar_law import PolarLaw as PolarLaw
from socialmd.layers.restraints import Restraints as Restraints
from socialmd.layers.social_lstm_cell import SocialLSTMCell as SocialLSTMCell
from socialmd.layers.stacked_pooling_conv import StackedPoolingConv as StackedPoolingConv
from socialmd.layers.stacked_pooling_conv_2d import StackedPoolingConv2D as StackedPoolingConv2D
from socialmd.layers.stacked_state_pooling import StackedStatePooling as StackedStatePooling

__all__ = [
    "ExternalField",
    "FeedForward",
    "InteractionCell",
    "InteractionLaw",
    "NeighbourFilter",
    "PolarLaw",
    "Restraints",
    "SocialLSTMCell",
    "StackedPoolingConv",
    "StackedPoolingConv2D",
    "StackedStatePooling",
]
