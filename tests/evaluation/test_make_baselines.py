import numpy as np
import pytest

from socialmd.data.dataset_description import DatasetDescription
from socialmd.evaluation import (
    Baseline,
    ConstantPosition,
    ConstantVelocity,
    KnownData,
    KnownLaw,
    LinearAutoregression,
    baseline_names,
    make_baselines,
    register_baseline,
)
from socialmd.evaluation.baselines import BASELINES

RIVALS = ("constant position", "constant velocity", "linear autoregression")
LANGEVIN = "Langevin dynamics"


def described(law=None, features=("x", "y", "mass", "charge")):
    return DatasetDescription(
        features=features, spatial_dims=2, frame_spacing=1, versions={}, files={}, law=law
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_they_are_those_of_their_names(rng, dims):
    inputs = rng.normal(size=(6, 4, 3, dims + 1))
    train = [(inputs[:3], rng.normal(size=(3, 5, 3, dims)))]
    autoregression = LinearAutoregression(5, dims)
    autoregression.fit(train)
    expected = (ConstantPosition(dims), ConstantVelocity(dims), autoregression)
    found, left_out = make_baselines(KnownData(5, dims, train), rivals_only=True)
    assert tuple(found) == RIVALS
    assert left_out == {LANGEVIN: "the data set is not one of molecules"}
    for ours, theirs in zip(found.values(), expected, strict=True):
        np.testing.assert_array_equal(ours.rollout(inputs, 5)[0], theirs.rollout(inputs, 5)[0])


def test_what_is_not_possible_says_why():
    found, left_out = make_baselines(KnownData(5))
    assert tuple(found) == RIVALS[:2]
    assert left_out == {
        "linear autoregression": "the data set has no training split to fit it to",
        "known law": "the data set names no law of motion",
        LANGEVIN: "the data set is not one of molecules",
    }
    other = described({"num_particles": 2}, ("x", "y", "mass", "height"))
    _, left_out = make_baselines(KnownData(5, description=other))
    assert left_out["known law"] == "the law needs the features mass and charge"


def test_the_law_is_that_of_the_data_and_no_rival():
    known = KnownData(5, description=described({"num_particles": 7}), spacing=0.5)
    law = make_baselines(known)[0]["known law"]
    assert isinstance(law, KnownLaw)
    assert (law.system.num_particles, law.step_spacing) == (7, 0.5)
    assert "known law" not in make_baselines(known, rivals_only=True)[0]
    assert baseline_names() == (*RIVALS, LANGEVIN, "known law")


def test_a_mask_changes_nothing(rng):
    inputs = rng.normal(size=(2, 3, 4, 2))
    padded = {"inputs": inputs, "mask": np.ones((2, 4), bool)}
    expected, found = (ConstantVelocity().rollout(each, 3)[0] for each in (inputs, padded))
    np.testing.assert_array_equal(found, expected)


def test_names_are_taken_once(monkeypatch):
    class Another(Baseline):
        name = "constant velocity"

        def forecast(self, frames, num_steps):
            return frames

    with pytest.raises(ValueError, match="one that is not taken, found 'constant velocity'"):
        register_baseline(Another)
    Another.name = "another"
    monkeypatch.setattr("socialmd.evaluation.baselines.baseline.BASELINES", dict(BASELINES))
    assert register_baseline(Another) is Another
    assert baseline_names() == (*RIVALS, LANGEVIN, "another", "known law")  # rivals first
