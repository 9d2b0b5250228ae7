"""`[model]` with `kind = "sequence_lstm"`."""

from __future__ import annotations

from typing import Literal

from socialmd.config.section import ConfigSection, Fraction, NonEmpty, PositiveFloat, PositiveInt

__all__ = ["SequenceModelConfig"]


class SequenceModelConfig(ConfigSection):
    """The baseline of the thesis' first experiment (section 3.3): `kind = "sequence_lstm"`.

    Args:
        kind: of network.
        mlp_units: widths of the MLP that reads frames; that which writes them has them in reverse.
        lstm_units: widths of the stacked LSTMs.
        dropout: rate, after every hidden layer.
        length_scale: length in units of which positions are read and written.

    Raises:
        ValueError: a value is out of its range.

    Example:
        >>> SequenceModelConfig(kind="sequence_lstm", length_scale=30.0).lstm_units
        (256, 256)
    """

    kind: Literal["sequence_lstm"]
    mlp_units: NonEmpty[PositiveInt] = (256,)
    lstm_units: NonEmpty[PositiveInt] = (256, 256)
    dropout: Fraction = 0.2
    length_scale: PositiveFloat = 1.0
