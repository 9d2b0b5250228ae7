import pytest

from socialmd.training.history import epochs_without_improvement, keep_epochs, read_history

LOG = "epoch,loss,val_loss\n0,3.0,2.5\n1,2.0,1.5\n2,1.0,1.75\n"


def test_log_is_read_by_columns(tmp_path):
    path = tmp_path / "history.csv"
    assert read_history(path) == {}
    path.write_text(LOG)
    assert read_history(path) == {
        "epoch": [0, 1, 2],
        "loss": [3.0, 2.0, 1.0],
        "val_loss": [2.5, 1.5, 1.75],
    }


def test_what_is_no_log_is_refused(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("epoch,loss\n0,high\n")
    with pytest.raises(ValueError, match=r"history\.csv"):
        read_history(path)


def test_epochs_that_will_be_repeated_are_dropped(tmp_path):
    path = tmp_path / "history.csv"
    keep_epochs(path, 0)
    assert not path.exists()
    path.write_text(LOG)
    keep_epochs(path, 2)
    assert read_history(path)["epoch"] == [0, 1]


@pytest.mark.parametrize("text", ["", "epoch,loss,val_loss\n", LOG])
def test_a_log_of_fewer_epochs_than_there_were_is_refused(tmp_path, text):
    """The smallest loss may have been one of those that are missing."""
    path = tmp_path / "history.csv"
    path.write_text(text)
    found = max(0, text.count("\n") - 1)
    with pytest.raises(ValueError, match=rf"history\.csv: expected the 4 epochs .*found {found};"):
        keep_epochs(path, 4)
    assert path.read_text() == text


def test_a_log_full_of_zeros_is_refused(tmp_path):
    path = tmp_path / "history.csv"
    path.write_bytes(LOG.encode() + bytes(100))
    with pytest.raises(ValueError, match=r"history\.csv: not the log of a training"):
        read_history(path)


def test_lines_that_stay_are_not_touched(tmp_path):
    """Keras ends them as CSV files do."""
    path = tmp_path / "history.csv"
    path.write_bytes(LOG.replace("\n", "\r\n").encode())
    keep_epochs(path, 1)
    assert path.read_bytes() == b"epoch,loss,val_loss\r\n0,3.0,2.5\r\n"


def test_epochs_without_improvement_count_from_the_best():
    assert epochs_without_improvement({}) == 0
    assert epochs_without_improvement({"val_loss": [3.0, 2.0]}) == 0
    assert epochs_without_improvement({"val_loss": [3.0, 1.0, 2.0, 2.0]}) == 2
