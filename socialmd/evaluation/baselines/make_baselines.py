"""All baselines that are possible for some data."""

from __future__ import annotations

from socialmd.evaluation.baselines.baseline import BASELINES, Baseline, baseline_names
from socialmd.evaluation.baselines.known_data import KnownData
from socialmd.evaluation.not_possible import NotPossibleError

__all__ = ["make_baselines"]


def make_baselines(
    data: KnownData, rivals_only: bool = False
) -> tuple[dict[str, Baseline], dict[str, str]]:
    """Make every baseline that is registered, as far as it is possible.

    Args:
        data: what is known of them.
        rivals_only: whether to leave out those that a model need not beat.

    Returns:
        The baselines by name, and the reasons for those that are left out.

    Example:
        >>> train = make_dataset("data/monopoles/train", config.data, batch_size=256)
        >>> baselines, left_out = make_baselines(KnownData(30, training_split=train))
        >>> list(baselines)
        ['constant position', 'constant velocity', 'linear autoregression']
        >>> left_out
        {'known law': 'the data set names no law of motion'}
    """
    made: dict[str, Baseline] = {}
    left_out = {}
    for name in baseline_names():
        cls = BASELINES[name]
        if rivals_only and not cls.is_rival:
            continue
        try:
            made[name] = cls.for_data(data)
        except NotPossibleError as reason:
            left_out[name] = str(reason)
    return made, left_out
