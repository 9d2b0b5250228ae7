"""What a distribution has to know, and distributions by the names that configurations use."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from socialmd.distributions.bivariate_gaussian import BivariateGaussian
from socialmd.distributions.gaussian_mixture import GaussianMixture
from socialmd.distributions.isotropic_gaussian import IsotropicGaussian
from socialmd.distributions.student_t import StudentT

__all__ = ["Distribution", "get"]


@runtime_checkable
class Distribution(Protocol):
    """Between a network's outputs and TensorFlow Probability: what models, losses and metrics use.

    Parameters are numbers along the last axis, so that a density is a tensor like any other. An
    object of your own goes wherever a name does. To be saved with a model, it needs `get_config`
    and to be registered with `keras.saving.register_keras_serializable`.

    Example:
        >>> @keras.saving.register_keras_serializable("mine")
        ... class Laplace:
        ...     def parameter_size(self, num_components=1, spatial_dims=2): ...
        >>> model = InteractionLSTM(distribution=Laplace())
    """

    def parameter_size(self, num_components: int = 1, spatial_dims: int = 2) -> int:
        """P, parameters per particle and step."""

    def initial_outputs(self, num_components: int = 1, spatial_dims: int = 2) -> list[float]:
        """Raw outputs [P] that a network should begin with."""

    def to_parameters(self, outputs: Any, origin: Any, mean_scale: Any, sigma_scale: Any) -> Any:
        """Raw outputs [..., P] -> parameters [..., P], in units of the data.

        Means are relative to `origin` [..., D] in units of `mean_scale`, widths in units of
        `sigma_scale`.
        """

    def mean(self, parameters: Any) -> Any:
        """Mean position, [..., P] -> [..., D]."""

    def most_likely_mean(self, parameters: Any) -> Any:
        """Mean of the component of largest weight, [..., P] -> [..., D]."""

    def scale_sigma(self, parameters: Any, factor: Any) -> Any:
        """Parameters [..., P] with all widths multiplied by `factor`, [..., 1] or a number."""

    def components(self, parameters: Any) -> tuple[Any, Any, Any]:
        """The density as a mixture of C Gaussians, for calibration and figures.

        Logarithms of the weights [..., C], means [..., C, D] and Cholesky factors of the
        covariances [..., C, D, D].
        """

    def from_parameters(self, parameters: Any) -> Any:
        """`tfp.distributions.Distribution` of [..., P]: batch shape [...], event shape [D]."""


_DISTRIBUTIONS: dict[str, Distribution] = {
    "gaussian": BivariateGaussian(),
    "isotropic_gaussian": IsotropicGaussian(),
    "mixture": GaussianMixture(),
    "correlated_mixture": GaussianMixture(correlated=True),
    "student_t": StudentT(),
}


def get(distribution: str | Distribution) -> Distribution:
    """The distribution called so, or the object itself.

    Args:
        distribution: `"gaussian"`, `"mixture"` (of Gaussians without correlation),
            `"correlated_mixture"`, or, not restricted to two dimensions, `"student_t"` or
            `"isotropic_gaussian"`; or an object that is a `Distribution`.

    Returns:
        What knows `parameter_size`, `to_parameters`, `mean` and all else of `Distribution`.

    Raises:
        ValueError: there is none of that name, or the object lacks a method.

    Example:
        >>> get("gaussian").parameter_size()
        5
        >>> get("mixture").parameter_size(num_components=5)
        25
    """
    if isinstance(distribution, str):
        if distribution in _DISTRIBUTIONS:
            return _DISTRIBUTIONS[distribution]
    elif isinstance(distribution, Distribution):
        return distribution
    raise ValueError(
        f"distribution: expected one of {sorted(_DISTRIBUTIONS)} or an object with the methods of "
        f"socialmd.distributions.Distribution, found {distribution!r}"
    )
