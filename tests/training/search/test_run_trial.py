import pytest

from socialmd.training.search.run_trial import best_epoch

ONE = "epoch,loss,val_loss\n0,3.0,2.5\n1,2.0,1.5\n2,1.0,1.75\n"
PHASES = "epoch,loss,phase,val_loss\n0,3.0,0,-9.0\n1,2.0,1,2.5\n2,1.0,1,1.5\n3,0.5,1,1.75\n"


@pytest.mark.parametrize(("log", "expected"), [(ONE, (1, 1.5)), (PHASES, (2, 1.5))])
def test_the_best_epoch_is_one_whose_losses_compare(tmp_path, log, expected):
    """Those of an earlier phase are of another kind."""
    (tmp_path / "history.csv").write_text(log)
    epoch, losses = best_epoch(tmp_path)
    assert (epoch, losses["val_loss"]) == expected


def test_without_an_epoch_there_is_none(tmp_path):
    with pytest.raises(ValueError, match="no epoch has ended"):
        best_epoch(tmp_path)
