"""Predictive distributions: network outputs -> parameters -> TensorFlow Probability."""

from socialmd.distributions.backend import is_differentiable as is_differentiable
from socialmd.distributions.backend import stateless_seed as stateless_seed
from socialmd.distributions.bivariate_gaussian import BivariateGaussian as BivariateGaussian
from socialmd.distributions.gaussian_mixture import GaussianMixture as GaussianMixture
from socialmd.distributions.get import Distribution as Distribution
from socialmd.distributions.get import get as get
from socialmd.distributions.isotropic_gaussian import IsotropicGaussian as IsotropicGaussian
from socialmd.distributions.student_t import StudentT as StudentT

__all__ = [
    "BivariateGaussian",
    "Distribution",
    "GaussianMixture",
    "IsotropicGaussian",
    "StudentT",
    "get",
    "is_differentiable",
    "stateless_seed",
]
