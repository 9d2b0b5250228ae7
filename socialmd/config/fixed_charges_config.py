"""`[system.fixed_charges]`: charges that never move, the same ones in all simulations."""

from __future__ import annotations

from socialmd.config.section import (
    ConfigSection,
    FiniteFloat,
    NonEmpty,
    PositiveFloat,
    PositiveInt,
    Seed,
)

__all__ = ["FixedChargesConfig"]


class FixedChargesConfig(ConfigSection):
    """Charges that never move, and act on all particles as charges of particles do.

    Trajectories do not hold them: they are an external field.

    Args:
        count: how many.
        half_width: largest coordinate of their places, which are uniform in a square or cube.
        values: what they may be, with equal odds.
        seed: of places and values.

    Example:
        >>> FixedChargesConfig(count=20).values
        (-1.0, 1.0)
    """

    count: PositiveInt
    half_width: PositiveFloat = 5.0
    values: NonEmpty[FiniteFloat] = (-1.0, 1.0)
    seed: Seed = 0
