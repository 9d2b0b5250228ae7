import tomllib
from pathlib import Path

import pytest

from socialmd.config import (
    DataConfig,
    ExperimentConfig,
    ManyBodySystem,
    ModelConfig,
    SimulationConfig,
    TrainingConfig,
    load_config,
    save_config,
)

MODELS = Path(__file__).parents[2] / "models"
EXPERIMENTS = sorted({*MODELS.glob("*.toml")} - {*MODELS.glob("*comparisons.toml")})  # variants


@pytest.fixture
def load(tmp_path):
    """Load a configuration from the content of its file, text or bytes."""

    def load_content(content):
        path = tmp_path / "experiment.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_config(path)

    return load_content


def test_a_file_without_a_key_means_the_thesis(load):
    assert load("# all as in the thesis") == ExperimentConfig()


def test_the_reference_model_is_the_default():
    thesis = [path for path in EXPERIMENTS if path.name == "thesis.toml"]
    default = ExperimentConfig(model=ModelConfig(grid_cells=32))  # as it is in the plane
    assert [load_config(path) for path in thesis] == [default]


def test_the_reference_experiment_spells_out_every_key():
    tables = tomllib.loads((MODELS / "thesis.toml").read_text("utf-8"))
    defaults = ExperimentConfig(model=ModelConfig(grid_cells=32)).model_dump(exclude_none=True)
    assert {name: table.keys() for name, table in tables.items()} == {
        name: table.keys() for name, table in defaults.items()
    }


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.name)
def test_every_experiment_of_the_repository_loads(path):
    assert isinstance(load_config(path), ExperimentConfig)


def test_a_file_states_only_what_it_changes(load):
    config = load("[data]\nnum_rotations = 0\n[system]\nmass_range = [1, 2]")
    assert config.data == DataConfig(num_rotations=0)
    assert config.system == ManyBodySystem(mass_range=(1.0, 2.0))
    assert config.model == ModelConfig()


def test_a_saved_configuration_is_read_back_as_it_was(tmp_path):
    config = ExperimentConfig(
        system=ManyBodySystem(num_particles=3, charge_range=(-0.1, 1 / 3)),
        simulation=SimulationConfig(num_train=7, time_step=1e-6, num_steps=700_000, keep_every=700),
        data=DataConfig(num_rotations=0, window_shift=1),
        model=ModelConfig(grid_sizes=(3.3,), filters=(8, 4), downsampling="max"),
        training=TrainingConfig(gradient_clip_norm=0.1, seed=2**32 - 1, precision="mixed_float16"),
    )
    for number, saved in enumerate([config, ExperimentConfig()]):
        path = tmp_path / "folder" / f"{number}.toml"
        save_config(saved, path)
        assert load_config(path) == saved
        assert "num_phases = 5" in path.read_text("utf-8")


def test_a_saved_configuration_replaces_a_file_whole(tmp_path):
    path = tmp_path / "resolved.toml"
    path.write_text("[nonsense]\n" * 1000)
    save_config(ExperimentConfig(), path)
    assert load_config(path) == ExperimentConfig()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "key", "expectation", "value"),
    [
        # unknown keys
        ("[nonsense]\na = 1", "nonsense", "expected one of system, simulation, data", "{'a': 1}"),
        ("[data]\nwindow = 35", "data.window", "expected one of subsample, num_phases", "35"),
        ("[model]\nhidden.a = 1", "model.hidden", "expected one of kind, units", "{'a': 1}"),
        (
            "[model]\nkind = 'sequence_lstm'\nunits = 8",
            "model.units",
            "expected one of kind, mlp_units",
            "8",
        ),
        (
            "[[training.phases]]\n[[training.phases]]\nwindows = 8",
            "training.phases.1.windows",
            "expected one of feedback, window, epochs",
            "8",
        ),
        ("[search]\nmodels = 1", "search.models", "expected one of epochs, minutes", "1"),
        # another type
        ("data = 5", "data", "a table", "5"),
        ("model = 5", "model", "a table", "5"),
        ("training.phases = [5]", "training.phases.0", "a table", "5"),
        ("[data]\nsubsample = 20.0", "data.subsample", "integer", "20.0"),
        ("[data]\nsubsample = '20'", "data.subsample", "integer", "'20'"),
        ("[training]\nepochs = true", "training.epochs", "integer", "True"),
        ("[training]\nlearning_rate = '1e-3'", "training.learning_rate", "number", "'1e-3'"),
        ("[model]\ndistance_filter = 1", "model.distance_filter", "boolean", "1"),
        ("[training]\njit_compile = 0", "training.jit_compile", "boolean", "0"),
        ("[model]\ngrid_sizes = 11.0", "model.grid_sizes", "tuple", "11.0"),
        ("[model]\nfilters = [16, 2.5]", "model.filters.1", "integer", "2.5"),
        # too small, too large
        ("[system]\nnum_particles = 0", "system.num_particles", "greater than or equal to 1", "0"),
        ("[system]\nsoftening = -1.0", "system.softening", "greater than or equal to 0", "-1.0"),
        ("[simulation]\ntime_step = -1e-7", "simulation.time_step", "greater than 0", "-1e-07"),
        ("[simulation]\nseed = -1", "simulation.seed", "greater than or equal to 0", "-1"),
        ("[training]\nseed = 4294967296", "training.seed", "less than 4294967296", "4294967296"),
        ("[data]\ninput_steps = 1", "data.input_steps", "greater than or equal to 2", "1"),
        ("[data]\nnum_rotations = -1", "data.num_rotations", "or equal to 0", "-1"),
        ("[data]\nsubsample = 9223372036854775808", "data.subsample", "less than", "9223372036854"),
        ("[model]\ngrid_cells = 257", "model.grid_cells", "less than or equal to 256", "257"),
        ("[training]\nbeta_1 = 1.0", "training.beta_1", "less than 1", "1.0"),
        ("[training]\npatience = 0", "training.patience", "greater than or equal to 1", "0"),
        ("[training]\nbackup_every = 0", "training.backup_every", "or equal to 1", "0"),
        # not finite
        ("[system]\ncoulomb_constant = inf", "system.coulomb_constant", "finite", "inf"),
        ("[system]\nmass_range = [nan, 1.0]", "system.mass_range.0", "finite", "nan"),
        ("[training]\nlearning_rate = nan", "training.learning_rate", "finite", "nan"),
        ("[training]\nbeta_2 = nan", "training.beta_2", "less than 1", "nan"),
        # not one of the choices
        ("[model]\nprediction = 'force'", "model.prediction", "'displacement'", "'force'"),
        ("[model]\ndownsampling = 'none'", "model.downsampling", "'stride'", "'none'"),
        ("[training]\ndevice = 'tpu'", "training.device", "'auto', 'cpu' or 'gpu'", "'tpu'"),
        ("[model]\nkind = 'lstm'", "model.kind", "one of social_lstm, sequence_lstm, ", "'lstm'"),
        ("[model]\nkind = [1]", "model.kind", "interaction_lstm", "[1]"),
        ("[training]\nprecision = 'half'", "training.precision", "'mixed_bfloat16'", "'half'"),
        # another number of values
        ("[model]\nfilters = []", "model.filters", "at least 1 item", "[]"),
        ("[system]\nmass_range = [1.0]", "system.mass_range.1", "required", "[1.0]"),
        ("[system]\nmass_range = [1, 2, 3]", "system.mass_range", "at most 2", "[1, 2, 3]"),
        ("[search]", "search", "expected keys of [model] or [training]", "none"),
        # values that do not fit together
        ("[system]\nmass_range = [2, 1]", "system.mass_range", "smaller value first", "[2.0, 1.0]"),
        ("[system]\nnum_particles = 900", "system.minimum_distance", "do not fit", "900 particles"),
        ("[system]\nminimum_distance = 1e200", "system.minimum_distance", "do not fit", "1e+200"),
        ("[simulation]\nkeep_every = 999", "simulation.keep_every", "divisor", "999"),
        ("[data]\nnum_phases = 21", "data.num_phases", "at most subsample = 20", "21"),
        ("[model]\nkernel_size = 33", "model.kernel_size", "at most grid_cells = 32", "33"),
        ("[model]\ngrid_cells = 4", "model.filters", "grid_cells >= 8", "4"),
        ("[model]\ngrid_sizes = [11.0, 0.01]", "model.grid_sizes", "factor 1000", "[11.0, 0.01]"),
    ],
)
def test_refuses_a_bad_value_with_file_key_expectation_and_value(
    load, text, key, expectation, value
):
    with pytest.raises(ValueError, match="not a valid configuration") as error:
        load(text)
    heading, fault = str(error.value).split("\n")
    assert heading.endswith("experiment.toml: not a valid configuration:")
    assert fault.startswith(f"  {key}: ")
    assert expectation in fault
    assert value in fault.removeprefix(f"  {key}: ").replace(expectation, "", 1)


def test_a_model_may_do_without_grids(load, tmp_path):
    config = load("[model]\ngrid_sizes = []")
    assert config.model.grid_sizes == ()
    config.check_simulation()
    save_config(config, tmp_path / "saved.toml")
    assert load_config(tmp_path / "saved.toml") == config


def test_names_every_fault_of_a_file(load):
    with pytest.raises(ValueError, match="not a valid configuration") as error:
        load("[data]\nsubsample = 0\nnonsense = 1\n[training]\nepochs = 0")
    for key in ("data.subsample", "data.nonsense", "training.epochs"):
        assert f"\n  {key}: " in str(error.value)


@pytest.mark.parametrize("content", ["[data", "[data]\nsubsample =", "a = 1\na = 2"])
def test_refuses_a_file_that_is_no_toml(load, content):
    with pytest.raises(ValueError, match=r"experiment\.toml: not a TOML file: "):
        load(content)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_no_experiment(load, content):
    """A full disk may leave one; its defaults would be the thesis' experiment."""
    with pytest.raises(ValueError, match=r"experiment\.toml: expected a .*, found an empty file"):
        load(content)


def test_a_byte_order_mark_is_no_statement(load):
    """Editors on Windows put it before the text."""
    assert load(b"\xef\xbb\xbf[training]\r\nepochs = 7\r\n").training.epochs == 7
    with pytest.raises(ValueError, match=r"experiment\.toml: expected text in UTF-8, found other"):
        load("[training]\nepochs = 7\n".encode("utf-16"))


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.toml"):
        load_config(tmp_path / "absent.toml")
