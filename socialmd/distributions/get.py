"""Distributions by the names that configurations use."""

from __future__ import annotations

from typing import Any

import keras

from socialmd.distributions.bivariate_gaussian import BivariateGaussian
from socialmd.distributions.distribution import Distribution
from socialmd.distributions.gaussian_mixture import GaussianMixture
from socialmd.distributions.isotropic_gaussian import IsotropicGaussian
from socialmd.distributions.student_t import StudentT

__all__ = ["get"]

# What is asked of a distribution, whether it inherits from `Distribution` or not.
METHODS = {name for name in vars(Distribution) if name[0] != "_"} - {"get_config", "from_config"}

_DISTRIBUTIONS: dict[str, Distribution] = {
    "gaussian": BivariateGaussian(),
    "isotropic_gaussian": IsotropicGaussian(),
    "mixture": GaussianMixture(),
    "correlated_mixture": GaussianMixture(correlated=True),
    "student_t": StudentT(),
}


def get(distribution: str | Distribution | dict[str, Any]) -> Distribution:
    """The distribution called so, or the object itself.

    Args:
        distribution: `"gaussian"`, `"mixture"` (of Gaussians without correlation),
            `"correlated_mixture"`, or, not restricted to two dimensions, `"student_t"` or
            `"isotropic_gaussian"`; or an object with the methods of `Distribution`, or what Keras
            saves of one.

    Raises:
        ValueError: there is none of that name, or the object lacks a method.

    Example:
        >>> get("gaussian").parameter_size()
        5
        >>> get("mixture").parameter_size(num_components=5)
        25
    """
    if isinstance(distribution, str) and distribution in _DISTRIBUTIONS:
        return _DISTRIBUTIONS[distribution]
    is_saved = isinstance(distribution, dict)
    own: Any = keras.saving.deserialize_keras_object(distribution) if is_saved else distribution
    if not isinstance(own, type) and all(hasattr(own, method) for method in METHODS):
        return own
    raise ValueError(
        f"distribution: expected one of {sorted(_DISTRIBUTIONS)} or an object with the methods of "
        f"socialmd.distributions.Distribution, found {distribution!r}"
    )
