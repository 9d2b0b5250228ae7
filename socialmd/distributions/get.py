"""Look a distribution up by the name that configurations use."""

from __future__ import annotations

from socialmd.distributions.bivariate_gaussian import BivariateGaussian

__all__ = ["Distribution", "get"]

Distribution = type[BivariateGaussian]

_DISTRIBUTIONS: dict[str, Distribution] = {"gaussian": BivariateGaussian}


def get(name: str) -> Distribution:
    """The distribution called `name`.

    Args:
        name: `"gaussian"`.

    Returns:
        A class of static functions: `parameter_size`, `to_parameters`, `mean`, `from_parameters`.

    Raises:
        ValueError: there is none of that name.

    Example:
        >>> get("gaussian").parameter_size()
        5
    """
    if name not in _DISTRIBUTIONS:
        raise ValueError(f"distribution: expected one of {sorted(_DISTRIBUTIONS)}, found {name!r}")
    return _DISTRIBUTIONS[name]
