import pytest

from socialmd.config import ExperimentConfig, ManyBodySystem
from socialmd.simulation import write_dataset


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {"data": {"target_steps": 46}},
            r"simulation\.num_steps: .* needs 1017 frames, found 1000",
        ),
        (
            {"model": {"grid_sizes": [27.0]}},
            r"model\.grid_sizes: .*four times system\.box_size = 6\.5, found 27\.0",
        ),
    ],
)
def test_simulations_that_are_of_no_use_are_refused(tables, message, tmp_path):
    """Before any is made; trajectories from elsewhere may suit such a configuration."""
    config = ExperimentConfig.model_validate(tables)
    with pytest.raises(ValueError, match=message):
        write_dataset(config, tmp_path / "output")
    assert not (tmp_path / "output").exists()


def test_grids_that_a_model_does_not_use_are_not_asked_for():
    small = {
        "system": {"box_size": 2.0, "num_particles": 3},
        "model": {"kind": "interaction_lstm"},
    }  # radial
    ExperimentConfig.model_validate(small).check_simulation()
    small["model"]["filter"] = "grid"
    with pytest.raises(ValueError, match=r"model\.grid_sizes: .*, found 11\.0"):
        ExperimentConfig.model_validate(small).check_simulation()


def test_a_configuration_does_not_change():
    with pytest.raises(ValueError, match="frozen"):
        ExperimentConfig().data.subsample = 1


def test_python_arguments_are_validated_as_well():
    with pytest.raises(ValueError, match="num_particles"):
        ManyBodySystem(num_particles=0)


def test_an_external_field_is_not_rotated():
    model = {"kind": "interaction_lstm", "field": {"width": 8.0}}
    with pytest.raises(ValueError, match="num_rotations: expected 0 with model"):
        ExperimentConfig(model=model)
    assert ExperimentConfig(model=model, data={"num_rotations": 0}).model.field.cells == 128


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"bonds": "inferred"}, "expected memory_in_law = false, a gate, a linear path and no"),
        ({"bonds": "guessed"}, "bonds"),
        ({"power": 1, "filter": "grid"}, "power: expected -1 with orientation or a grid filter"),
        ({"field": {"width": 8.0}, "orientation": True}, "field: expected no orientation"),
    ],
)
def test_what_a_law_cannot_have_beside_each_other_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        ExperimentConfig(model={"kind": "interaction_lstm", **model}, data={"num_rotations": 0})
