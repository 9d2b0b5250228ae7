"""The loss of densities."""

from __future__ import annotations

from typing import Any

from socialmd import distributions
from socialmd.losses.particle_loss import ParticleLoss
from socialmd.registration import register
from socialmd.types import Positions, Tensor

__all__ = ["NegativeLogLikelihood"]


@register
class NegativeLogLikelihood(ParticleLoss):
    """Negative log-likelihood of the true positions, averaged over batch, steps and particles.

        loss = -mean log p(x_true | parameters)         thesis equations (18) and (24)

    In nats per particle and step; positions in units of length. It may well be negative.

    Args:
        distribution: what is predicted, by name or as an object (see `socialmd.distributions`).
        reduction: see `ParticleLoss`.

    Call arguments:
        y_true, sample_weight: see `ParticleLoss`.
        y_pred: parameters, [B, T', N, P].

    Raises:
        ValueError: there is no such distribution.

    Example:
        >>> model.compile("nadam", loss=NegativeLogLikelihood("gaussian"))
    """

    def __init__(
        self,
        distribution: str | distributions.Distribution = "gaussian",
        reduction: str = "mean_with_sample_weight",
        name: str = "negative_log_likelihood",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, **{"dtype": "float32", **kwargs})
        self.distribution = distribution
        distributions.get(distribution)  # refused here, if it is none

    def call(self, y_true: Positions, y_pred: Tensor) -> Tensor:
        distribution = distributions.get(self.distribution, y_true.shape[-1])
        return -distribution.from_parameters(y_pred).log_prob(y_true)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "distribution": self.distribution}
