"""Measures and baselines of one's own: names are theirs, and numbers of any kind can be stored."""

import dataclasses
import json

import numpy as np
import pytest

from socialmd.evaluation import Baseline, register_baseline
from socialmd.evaluation.baselines.baseline import BASELINES
from socialmd.reporting import Measure, register_measure
from socialmd.reporting.forecast_evaluation import _plain
from socialmd.reporting.measure import MEASURES


@pytest.mark.parametrize(
    ("register", "base", "registered"),
    [(register_measure, Measure, MEASURES), (register_baseline, Baseline, BASELINES)],
)
def test_what_is_defined_again_takes_its_own_place_only(register, base, registered, monkeypatch):
    """As a cell of a notebook is run again."""
    monkeypatch.setattr(base, "__abstractmethods__", frozenset())
    for name in list(registered):
        monkeypatch.setitem(registered, name, registered[name])  # all is put back afterwards
    monkeypatch.delitem(registered, "mine", raising=False)
    first, again, other = (
        type(cls, (base,), {"name": "mine", "__module__": __name__})
        for cls in ("Mine", "Mine", "Other")
    )
    register(first)
    assert register(again) is again
    assert again in (registered["mine"], type(registered["mine"]))
    with pytest.raises(ValueError, match="expected one that is not taken, found 'mine'"):
        register(other)
    del registered["mine"]


def test_numbers_of_measures_become_json():
    @dataclasses.dataclass
    class Reach:
        far: object

    numbers = {"a": [Reach(np.float32(0.5))], "b": {"c": np.arange(2)}, "d": (Reach(1.0),)}
    found = json.loads(json.dumps(_plain(numbers)))
    assert found == {"a": [{"far": 0.5}], "b": {"c": [0, 1]}, "d": [{"far": 1.0}]}
