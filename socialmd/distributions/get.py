"""Distributions by the names that configurations use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from socialmd.distributions.distribution import Distribution
from socialmd.distributions.gaussian import Gaussian
from socialmd.distributions.gaussian_mixture import GaussianMixture
from socialmd.distributions.isotropic_gaussian import IsotropicGaussian
from socialmd.distributions.student_t import StudentT

__all__ = ["get"]

# What is asked of a distribution, whether it inherits from `Distribution` or not.
OPTIONAL = {"get_config", "from_config", "move"}
METHODS = {name for name in vars(Distribution) if name[0] != "_"} - OPTIONAL

_DISTRIBUTIONS: dict[str, Callable[[int], Distribution]] = {
    "gaussian": lambda dims: Gaussian(),
    "isotropic_gaussian": lambda dims: IsotropicGaussian(),
    "mixture": lambda dims: GaussianMixture(spatial_dims=dims),
    "correlated_mixture": lambda dims: GaussianMixture(correlated=True, spatial_dims=dims),
    "student_t": lambda dims: StudentT(),
}


def get(distribution: str | Distribution | dict[str, Any], spatial_dims: int = 2) -> Distribution:
    """The distribution called so, or the object itself.

    Args:
        distribution: `"gaussian"`, `"isotropic_gaussian"`, `"student_t"`, `"mixture"` (of Gaussians
            without correlation) or `"correlated_mixture"`; or an object with the methods of
            `Distribution`, or what Keras saves of one.
        spatial_dims: D, of positions.

    Raises:
        ValueError: there is none of that name, or the object lacks a method.

    Example:
        >>> get("gaussian").parameter_size()
        5
        >>> get("mixture").parameter_size(num_components=5)
        25
    """
    if isinstance(distribution, str) and distribution in _DISTRIBUTIONS:
        return _DISTRIBUTIONS[distribution](spatial_dims)
    is_saved = isinstance(distribution, dict)
    own: Any = keras.saving.deserialize_keras_object(distribution) if is_saved else distribution
    if not isinstance(own, type) and all(hasattr(own, method) for method in METHODS):
        return own
    raise ValueError(
        f"distribution: expected one of {sorted(_DISTRIBUTIONS)} or an object with the methods of "
        f"socialmd.distributions.Distribution, found {distribution!r}"
    )
