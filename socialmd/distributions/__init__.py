"""Predictive distributions: network outputs -> parameters -> densities."""

from socialmd.distributions.backend import is_differentiable as is_differentiable
from socialmd.distributions.direction import Direction as Direction
from socialmd.distributions.direction_density import DirectionDensity as DirectionDensity
from socialmd.distributions.distribution import Distribution as Distribution
from socialmd.distributions.gaussian import BivariateGaussian as BivariateGaussian
from socialmd.distributions.gaussian import Gaussian as Gaussian
from socialmd.distributions.gaussian_mixture import GaussianMixture as GaussianMixture
from socialmd.distributions.get import get as get
from socialmd.distributions.isotropic_gaussian import IsotropicGaussian as IsotropicGaussian
from socialmd.distributions.mixture_density import MixtureDensity as MixtureDensity
from socialmd.distributions.pose import Pose as Pose
from socialmd.distributions.random_numbers import stateless_seed as stateless_seed
from socialmd.distributions.student_t import StudentT as StudentT

__all__ = [
    "BivariateGaussian",
    "Direction",
    "DirectionDensity",
    "Distribution",
    "Gaussian",
    "GaussianMixture",
    "IsotropicGaussian",
    "MixtureDensity",
    "Pose",
    "StudentT",
    "get",
    "is_differentiable",
    "stateless_seed",
]
