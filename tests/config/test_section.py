import pytest
from pydantic import ValidationError

from socialmd.config import ExperimentConfig
from socialmd.config.section import ConfigSection, describe_faults


class Trajectory(ConfigSection):
    frames: int
    name: str = "{message}"


def faults_of(section, values):
    with pytest.raises(ValidationError) as error:
        section.model_validate(values)
    return describe_faults(error.value)


def test_every_fault_of_a_table_says_key_expectation_and_value():
    assert faults_of(Trajectory, {"name": 3, "frame": "{message}"}) == [
        "frames: field required, found ['name', 'frame']",
        "name: input should be a valid string, found 3",
        "frame: unknown key, expected one of frames, name, found '{message}'",
    ]
    assert faults_of(Trajectory, [5]) == ["expected a table, found [5]"]


def test_faults_of_tables_in_tables_are_told_from_the_outermost_one():
    tables = {
        "data": {"subsample": 0, "num_phases": 21},
        "model": {"kind": "interaction_lstm", "cutoff": 0.01},
        "training": {"phases": [{}, {"window": 2, "windows": 5}], "replicas": 3},
        "search": {},
    }
    assert faults_of(ExperimentConfig, tables) == [
        "data.subsample: input should be greater than or equal to 1, found 0",
        "model.minimum_distance: expected less than cutoff = 0.01, found 0.01",
        "training.phases.1.window: input should be greater than or equal to 3, found 2",
        "training.phases.1.windows: unknown key, expected one of feedback, window, epochs, "
        "patience, learning_rate, decay, loss, error_scale, exponents, fairness, num_samples, "
        "frozen, substeps, found 5",
        "search: expected keys of [model] or [training] to vary, found none",
    ]


def test_an_error_in_python_names_the_keys_that_there_are():
    with pytest.raises(ValueError, match=r"unknown key, expected one of .*phases, found 5"):
        ExperimentConfig(training={"epoch": 5})
