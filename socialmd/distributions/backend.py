"""Densities as Keras' backend has them: TensorFlow Probability's, or those of this package on JAX.

No other module imports TensorFlow Probability.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from socialmd.distributions.mixture_density import MixtureDensity
from socialmd.types import Tensor

__all__ = ["gaussians", "is_differentiable", "student_t"]

SMALLEST_SQUARE = 1e-30  # of a distance; the logarithm of one and that is zero

if keras.backend.backend() != "jax":  # for which TensorFlow Probability 0.25 is too old
    import tensorflow as tf
    import tensorflow_probability as tfp

    tfd = tfp.distributions

    class _StudentT(tfd.MultivariateStudentTLinearOperator):  # type: ignore[name-defined]
        """With all parameters of one batch shape, and gradients that XLA compiles.

        Where a value is the mean to the last digit, the slope of the root of a sum of squares is
        zero by zero, which TensorFlow alone takes for zero. And in a loop, XLA does not know the
        shapes to which TensorFlow Probability broadcasts what it draws from.
        """

        def _sample_n(self, n: Tensor, seed: Tensor = None) -> Tensor:
            normal_seed, chi2_seed = tfp.random.split_seed(seed, salt="multivariate t")
            normal = tfd.MultivariateNormalLinearOperator(tf.zeros_like(self.loc), self.scale)
            chi2 = tfd.Chi2(self.df).sample(n, seed=chi2_seed)
            drawn = normal.sample(n, seed=normal_seed)
            return self.loc + drawn * tf.math.rsqrt(chi2 / self.df)[..., None]

        def _log_unnormalized_prob(self, value: Tensor) -> Tensor:
            offset = self.scale.solve((value - self.loc)[..., None])
            squares = tf.reduce_sum(offset * offset, axis=[-1, -2])
            distance = tf.sqrt(tf.maximum(squares, SMALLEST_SQUARE))
            exponent = (tf.cast(self.event_shape_tensor()[0], self.dtype) + self.df) / 2
            return -exponent * tfp.math.log1psquare(distance / tf.sqrt(self.df))


def gaussians(log_weights: Tensor, means: Tensor, scales: Tensor) -> Any:
    """The density of a mixture of Gaussians, or of one: batch shape [...], event shape [D].

    Args:
        log_weights: logarithms of the weights, normalized or not, [..., C].
        means: [..., C, D].
        scales: Cholesky factors of the covariances, [..., C, D, D], or the standard deviations of
            independent coordinates, [..., C, D], which take a tenth of the time.
    """
    if keras.backend.backend() == "jax":
        return MixtureDensity(log_weights, means, scales)
    are_independent = len(scales.shape) == len(means.shape)
    make = tfd.MultivariateNormalDiag if are_independent else tfd.MultivariateNormalTriL
    if means.shape[-2] == 1:
        return make(ops.squeeze(means, -2), ops.squeeze(scales, -2 if are_independent else -3))
    return tfd.MixtureSameFamily(tfd.Categorical(logits=log_weights), make(means, scales))


def student_t(mean: Tensor, sigma: Tensor, freedom: Tensor) -> Any:
    """Isotropic Student-t: mean [..., D], scale per coordinate and degrees of freedom [..., 1]."""
    if keras.backend.backend() == "jax":
        scales = (sigma * ops.ones_like(mean))[..., None, :]
        return MixtureDensity(ops.zeros_like(sigma), mean[..., None, :], scales, freedom)
    scale = tf.linalg.LinearOperatorScaledIdentity(mean.shape[-1], sigma[..., 0])
    return _StudentT(freedom[..., 0], mean, scale)


def is_differentiable(density: Any) -> bool:
    """Whether gradients flow through draws to all parameters of a density, ours or TFP's."""
    return "FULLY_REPARAMETERIZED" in str(density.reparameterization_type)
