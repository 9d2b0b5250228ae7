"""The law of motion that a data set names, and what it says of a pair of particles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from socialmd.config import ManyBodySystem
from socialmd.data.dataset_description import DatasetDescription
from socialmd.simulation.forces import accelerations
from socialmd.types import FloatArray

__all__ = ["FEATURES_OF_LAW", "PairLaw", "law_of", "pair_law"]

FEATURES_OF_LAW = ("x", "y", "mass", "charge")

PairLaw = Callable[[ArrayLike, ArrayLike, ArrayLike], FloatArray]


def law_of(description: DatasetDescription) -> ManyBodySystem | None:
    """The law of motion that a data set names, if its features are those that the law needs."""
    if description.law is None or description.features != FEATURES_OF_LAW:
        return None
    return ManyBodySystem.model_validate(description.law)


def pair_law(description: DatasetDescription, spacing: float) -> PairLaw | None:
    """That law for pairs of particles, as a model that sees steps only would have to learn it.

    Args:
        description: of the data set.
        spacing: time from one step to the next.

    Returns:
        A function of offsets x_j - x_i [M, 2] and of mass and charge of i and j, [M, 2] each. It
        gives the acceleration of i in lengths per step squared, [M, 2]. Nothing without a law.

    Example:
        >>> law = pair_law(read_description("data/monopoles"), spacing=0.002)
        >>> law([[2.0, 0.0]], [[1.0, 0.0]], [[1.0, 0.0]])
        array([[0.000125, 0.      ]])
    """
    system = law_of(description)
    if system is None:
        return None

    def law(offsets: ArrayLike, own: ArrayLike, neighbour: ArrayLike) -> FloatArray:
        positions = np.stack([np.zeros_like(offsets), offsets], axis=1)  # [M, 2, 2]
        masses, charges = np.moveaxis(np.stack([own, neighbour], axis=1), -1, 0)  # [M, 2] each
        return accelerations(system, positions, masses, charges)[:, 0] * spacing**2

    return law
