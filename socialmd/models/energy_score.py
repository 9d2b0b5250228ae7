"""A loss for futures: how far they are from what came, and from each other."""

from __future__ import annotations

from typing import Any

from keras import ops

from socialmd.models.particle_loss import ParticleLoss
from socialmd.registration import register

__all__ = ["EnergyScore"]

TINY = 1e-12  # square of a length: the distance of two futures that are one has a slope then


@register
class EnergyScore(ParticleLoss):
    """Energy score of M futures of each particle at each step, without the bias of a small M.

        loss = E|X - x|**beta - E|X - X'|**beta / 2
             ~ 1/M sum_m |X_m - x|**beta - 1 / (2 M (M - 1)) sum_(l != m) |X_l - X_m|**beta

    A proper score: the least that can be expected is that of futures that are distributed as the
    truth is. With beta = 1 and in one dimension it is the CRPS. A smaller exponent lets the few
    particles in close encounters, whose futures differ most, count less.

    Args:
        exponent: beta, more than 0 and less than 2.
        reduction: see `ParticleLoss`.

    Call arguments:
        y_true: positions, [B, T', N, D].
        y_pred: futures, [B, T', N, M, D], M >= 2: what `model(inputs)` is while a model trains on
            futures (see `ForecastModel.begin_training`).
        sample_weight: see `ParticleLoss`.

    Raises:
        ValueError: the exponent is out of its range, or there are not two futures.

    Example:
        >>> model.begin_training("sample", num_samples=4)
        >>> model.compile("nadam", loss=EnergyScore())

    Reference:
        T. Gneiting and A. E. Raftery, J. Am. Stat. Assoc. 102, 359-378 (2007), equation 22; without
        bias: C. A. T. Ferro, Q. J. R. Meteorol. Soc. 140, 1917-1923 (2014).
    """

    def __init__(
        self,
        exponent: float = 1.0,
        reduction: str = "mean_with_sample_weight",
        name: str = "energy_score",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, **kwargs)
        if not 0 < exponent < 2:
            raise ValueError(f"exponent: expected more than 0 and less than 2, found {exponent}")
        self.exponent = exponent

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_pred.shape) != len(y_true.shape) + 1 or y_pred.shape[-2] < 2:
            raise ValueError(
                "y_pred: expected futures [B, T', N, M, D] with M of at least 2, found shape "
                f"{tuple(y_pred.shape)}"
            )
        count = y_pred.shape[-2]
        truth = ops.cast(y_true, y_pred.dtype)[..., None, :]
        error = ops.mean(self._distance(y_pred - truth), axis=-1)
        # Futures and those that come k after them, around in a circle: every pair, twice.
        pairs = [
            ops.mean(self._distance(y_pred - ops.roll(y_pred, k, axis=-2)), axis=-1)
            for k in range(1, count)
        ]
        return error - sum(pairs) / (2 * (count - 1))

    def _distance(self, difference: Any) -> Any:
        square = ops.sum(ops.square(difference), axis=-1)
        return ops.power(square + TINY, self.exponent / 2)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "exponent": self.exponent}
