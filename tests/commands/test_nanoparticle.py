import functools

import numpy as np
import pytest

from socialmd.commands import nanoparticle
from socialmd.simulation.drug_carrier import DrugCarrier, Schedule, write_simulation

SMALL = DrugCarrier(core_radius=5.0, num_drugs=3, num_backgrounds=3, chain_beads=2, num_waters=10)
SHORT = functools.partial(Schedule, steps_per_frame=5, equilibration_steps=50)


@pytest.fixture
def miniature(monkeypatch):
    monkeypatch.setattr(nanoparticle, "DrugCarrier", lambda: SMALL)
    monkeypatch.setattr(nanoparticle, "Schedule", SHORT)


@pytest.mark.usefixtures("miniature")
def test_simulations_are_written_once(tmp_path, capsys):
    words = ["--simulations", "2", "--frames", "4", "--switch-frame", "2", "--vary-heads", "1"]
    nanoparticle.main([str(tmp_path / "all"), *words, "--seed", "3"])
    printed = capsys.readouterr().out
    folders = [tmp_path / "all" / f"carrier_{index:03d}" for index in (0, 1)]
    assert sorted((tmp_path / "all").iterdir()) == folders
    files = sorted(path.name for path in folders[1].iterdir())
    assert files == [*(f"carrier_{number:03d}.pdb" for number in range(1, 5)), "simulation.json"]

    assert "| OQL, first frames | OQL, last frames | ONC, first frames |" in printed
    carrier = SMALL.vary_heads(1, seed=3, index=1)
    expected = write_simulation(carrier, tmp_path / "same", 1, 3, SHORT(4, 2))
    row = " | ".join(f"{expected[name].mean():.1f}" for name in ("OQL", "OQL", "ONC", "ONC"))
    assert f"| {folders[1]} | {row} |" in printed  # all frames are the first and the last ones here
    last = "carrier_004.pdb"
    found, wanted = ((folder / last).read_text() for folder in (folders[1], tmp_path / "same"))
    assert found.splitlines()[1:] == wanted.splitlines()[1:]  # before them stands the day

    written = [path.stat().st_mtime_ns for path in sorted((tmp_path / "all").rglob("*"))]
    nanoparticle.main([str(tmp_path / "all"), *words, "--seed", "3", "--processes", "1"])
    assert capsys.readouterr().out == printed
    assert written == [path.stat().st_mtime_ns for path in sorted((tmp_path / "all").rglob("*"))]


def test_table_compares_first_and_last_frames(tmp_path):
    steps = np.arange(100.0)
    table = nanoparticle.make_table([tmp_path / "one"], [{"OQL": steps, "ONC": 2 * steps}])
    assert table.splitlines()[-1] == f"| {tmp_path / 'one'} | 9.5 | 89.5 | 19.0 | 179.0 |"


@pytest.mark.usefixtures("miniature")
def test_bad_arguments_are_named(tmp_path):
    with pytest.raises(ValueError, match="switch_frame: expected None or an integer from 0 to 19"):
        nanoparticle.main([str(tmp_path / "all"), "--frames", "20"])
    with pytest.raises(SystemExit):
        nanoparticle.main([str(tmp_path / "all"), "--simulations", "0"])
    assert not (tmp_path / "all").exists()


def test_attraction_may_never_be_switched_on():
    assert nanoparticle.switch_frame("never") is None
    assert nanoparticle.switch_frame("60") == 60
