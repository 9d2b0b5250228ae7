"""A loss for futures: how far they are from what came, and from each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from socialmd.losses.particle_loss import ParticleLoss
from socialmd.registration import register
from socialmd.types import Positions, Tensor

__all__ = ["EnergyScore"]

TINY = 1e-12  # square of a length: the distance of two futures that are one has a slope then


@register
class EnergyScore(ParticleLoss):
    """Energy score of M futures of each particle at each step, without the bias of a small M.

        loss = E k(X - x) - E k(X - X') / 2,      k(d) = |d|**beta, or the mean of several
             ~ 1/M sum_m k(X_m - x) - 1 / (2 M (M - 1)) sum_(l != m) k(X_l - X_m)

    A proper score: the least that can be expected is that of futures that are distributed as the
    truth is. With beta = 1 and in one dimension it is the CRPS. It looks at particles whose futures
    differ most, those in close encounters; with a small exponent, all count alike. Errors that
    range over decades need both.

    That estimate is fair: what it is expected to be does not depend on M. The plain one has
    M**2 instead of M (M - 1), and is least for futures that are too close to each other. Between
    them, with a fairness alpha, the second term is multiplied by alpha + (1 - alpha) (M - 1) / M:
    for futures that turn out too wide for another reason, such as gradients that leave forces out.

    Args:
        exponents: betas, more than 0 and less than 2.
        fairness: alpha, from 0, the plain score, to 1.
        radian: of poses, [..., 2 D], the length that stands for an angle of one: the loss is then
            the sum of two scores, of positions and of unit vectors times that.
        reduction: see `ParticleLoss`.

    Call arguments:
        y_true, sample_weight: see `ParticleLoss`.
        y_pred: futures, [B, T', N, M, D], M >= 2: what `model(inputs)` is while a model trains on
            futures (see `ForecastModel.begin_training`).

    Raises:
        ValueError: an exponent or the fairness is out of its range, or there are not two futures.

    Example:
        >>> model.begin_training("sample", num_samples=4)
        >>> model.compile("nadam", loss=EnergyScore())

    Reference:
        T. Gneiting and A. E. Raftery, J. Am. Stat. Assoc. 102, 359-378 (2007), equation 22; without
        bias: C. A. T. Ferro, Q. J. R. Meteorol. Soc. 140, 1917-1923 (2014); almost fair: S. Lang et
        al., arXiv:2412.15832 (2024).
    """

    def __init__(
        self,
        exponents: Sequence[float] = (1.0,),
        fairness: float = 1.0,
        radian: float | None = None,
        reduction: str = "mean_with_sample_weight",
        name: str = "energy_score",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, reduction=reduction, **{"dtype": "float32", **kwargs})
        if not exponents or not all(0 < exponent < 2 for exponent in exponents):
            raise ValueError(
                f"exponents: expected each more than 0 and less than 2, found {exponents}"
            )
        if not 0 <= fairness <= 1:
            raise ValueError(f"fairness: expected 0 to 1, found {fairness}")
        self.exponents = tuple(exponents)
        self.fairness = fairness
        self.radian = radian

    def call(self, y_true: Positions, y_pred: Tensor) -> Tensor:
        if len(y_pred.shape) != len(y_true.shape) + 1 or y_pred.shape[-2] < 2:
            raise ValueError(
                "y_pred: expected futures [B, T', N, M, D] with M of at least 2, found shape "
                f"{tuple(y_pred.shape)}"
            )
        count = y_pred.shape[-2]
        truth = ops.cast(y_true, y_pred.dtype)[..., None, :]
        error = ops.mean(self._kernel(y_pred - truth), axis=-1)
        # Futures and those that come k after them, around in a circle: every pair, twice.
        pairs = [
            ops.mean(self._kernel(y_pred - ops.roll(y_pred, k, axis=-2)), axis=-1)
            for k in range(1, count)
        ]
        share = self.fairness + (1 - self.fairness) * (count - 1) / count
        return error - share * sum(pairs) / (2 * (count - 1))

    def _kernel(self, difference: Tensor) -> Tensor:
        if self.radian is None:
            return self._kernel_of_one(difference)
        position, direction = ops.split(difference, 2, axis=-1)
        return self._kernel_of_one(position) + self._kernel_of_one(self.radian * direction)

    def _kernel_of_one(self, difference: Tensor) -> Tensor:
        square = ops.sum(ops.square(difference), axis=-1) + TINY
        return sum(ops.power(square, beta / 2) for beta in self.exponents) / len(self.exponents)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("exponents", "fairness", "radian")}
        return {**super().get_config(), **own}
