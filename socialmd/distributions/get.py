"""Look a distribution up by the name that configurations use."""

from __future__ import annotations

from socialmd.distributions.bivariate_gaussian import BivariateGaussian
from socialmd.distributions.gaussian_mixture import GaussianMixture
from socialmd.distributions.isotropic_gaussian import IsotropicGaussian

__all__ = ["Distribution", "get"]

Distribution = type[BivariateGaussian] | type[IsotropicGaussian] | GaussianMixture

_DISTRIBUTIONS: dict[str, Distribution] = {
    "gaussian": BivariateGaussian,
    "isotropic_gaussian": IsotropicGaussian,
    "mixture": GaussianMixture(),
    "correlated_mixture": GaussianMixture(correlated=True),
}


def get(name: str) -> Distribution:
    """The distribution called `name`.

    Args:
        name: `"gaussian"`, `"mixture"` (of Gaussians without correlation), `"correlated_mixture"`,
            or `"isotropic_gaussian"`, which is not restricted to two dimensions.

    Returns:
        What knows `parameter_size`, `to_parameters`, `mean`, `most_likely_mean`, `scale_sigma`,
        `components` and `from_parameters`.

    Raises:
        ValueError: there is none of that name.

    Example:
        >>> get("gaussian").parameter_size()
        5
        >>> get("mixture").parameter_size(num_components=5)
        25
    """
    if name not in _DISTRIBUTIONS:
        raise ValueError(f"distribution: expected one of {sorted(_DISTRIBUTIONS)}, found {name!r}")
    return _DISTRIBUTIONS[name]
