"""Which hyperparameters mattered."""

from __future__ import annotations

from collections.abc import Sequence

import optuna

from socialmd.training.search.optuna_study import make_study
from socialmd.training.search.trial_record import TrialRecord

__all__ = ["MINIMUM_TRIALS", "rank_importances"]

MINIMUM_TRIALS = 10


def rank_importances(records: Sequence[TrialRecord], seed: int = 0) -> dict[str, float]:
    """How much of the trials' differences each hyperparameter explains, by functional ANOVA [1].

    What is explained is a trial's rank by its loss: a few trials that went wrong, with losses a
    hundred times larger than all others, would otherwise be all that counts. Hyperparameters that
    do not exist in every trial are left out.

    Args:
        records: trials; those that are not complete do not count.
        seed: of the random forest that the decomposition is of.

    Returns:
        Fractions by name, the largest first; nothing for less than `MINIMUM_TRIALS` trials.

    References:
        [1] F. Hutter, H. Hoos, K. Leyton-Brown, An efficient approach for assessing hyperparameter
            importance, ICML 2014.

    Example:
        >>> rank_importances(read_trials(output))
        {'model.prediction': 0.71, 'training.learning_rate': 0.16, 'model.units': 0.13}
    """
    complete = [record for record in records if record.status == "COMPLETED"]
    if len(complete) < MINIMUM_TRIALS:
        return {}
    by_loss = sorted(range(len(complete)), key=lambda index: complete[index].losses["val_loss"])
    ranks = {index: float(rank) for rank, index in enumerate(by_loss)}
    study = make_study([record.trial for record in complete])
    return optuna.importance.get_param_importances(
        study,
        evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed),
        target=lambda trial: ranks[trial.number],
    )
