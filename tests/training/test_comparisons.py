from pathlib import Path

import pytest

from socialmd import ExperimentConfig, load_config
from socialmd.config import DataConfig, ModelConfig
from socialmd.models import build_model
from socialmd.training.comparisons import read_comparisons

MODELS = Path(__file__).parents[2] / "models"
FILTERS = '[filters]\ntitle = "Filters"\n[filters.variants]\n'


@pytest.fixture
def read(tmp_path):
    """Comparisons of the default experiment, from the text of their file."""

    def read_text(text, base=None):
        path = tmp_path / "comparisons.toml"
        path.write_text(text, "utf-8")
        return read_comparisons(path, base or ExperimentConfig())

    return read_text


def test_variants_change_what_they_say_and_nothing_else(read):
    comparisons = read(
        FILTERS + "small = { kernel_size = 2 }\nfew = { filters = [4, 4], kernel_size = 3 }\n"
        '[pooling]\ntitle = "Pooling"\n[pooling.variants.none]\ngrid_sizes = []\n'
    )
    assert list(comparisons) == ["filters", "pooling"]
    filters = comparisons["filters"]
    assert filters.title == "Filters"
    assert filters.keys == ("kernel_size", "filters")
    assert filters.experiments == {
        "reference": ExperimentConfig(),
        "small": of_model(kernel_size=2),
        "few": of_model(kernel_size=3, filters=(4, 4)),
    }
    assert filters.settings("few") == {"kernel_size": 3, "filters": [4, 4]}
    assert comparisons["pooling"].experiments["none"] == of_model(grid_sizes=())


def test_variants_may_change_how_trajectories_become_samples(read):
    text = FILTERS + "fine = { subsample = 10, target_steps = 60, units = 8 }\n"
    fine = read(text)["filters"].experiments["fine"]
    assert fine.data == DataConfig(subsample=10, target_steps=60)
    assert fine.model == ModelConfig(units=8)
    message = r"filters\.variants\.none: num_phases: expected at most subsample = 2"
    with pytest.raises(ValueError, match=message):
        read(FILTERS + "none = { subsample = 2 }")


def of_model(**changes):
    return ExperimentConfig(model=ModelConfig(**changes))


def test_a_variant_like_the_base_is_the_reference(read):
    text = FILTERS + "small = { kernel_size = 2 }\nlarge = { kernel_size = 4 }"
    assert list(read(text)["filters"].experiments) == ["reference", "small"]
    other = read(text, of_model(kernel_size=2))["filters"].experiments
    assert {name: config.model.kernel_size for name, config in other.items()} == {
        "reference": 2,
        "large": 4,
    }


def test_a_name_means_the_same_everywhere(read):
    again = '[more]\ntitle = "More"\n[more.variants]\nsmall = { kernel_size = %d }'
    first = FILTERS + "small = { kernel_size = 2 }\n"
    assert read(first + again % 2)["more"].experiments["small"] == of_model(kernel_size=2)
    message = r"comparisons\.toml: more\.variants\.small: .*found \{'kernel_size': 3\}"
    with pytest.raises(ValueError, match=message):
        read(first + again % 3)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["expected one table for each comparison"]),
        ("[filters", ["not a TOML file"]),
        ("filters = 5", ["filters: ", "found 5"]),
        ("[filters]\nvariants = { a = {} }", ["filters: title: field required"]),
        (FILTERS, ["filters: variants: ", "at least 1 item", "found {}"]),
        ("base = 1\n" + FILTERS + "a = {}", ["base: ", "found 1"]),
        (FILTERS + "a = 5", ["filters: variants.a: ", "dictionary", "found 5"]),
        (
            '[filters]\ntitle = "F"\nbase = "b"\nvariants = { a = {} }',
            ["filters: base: unknown key, expected one of title, variants, found 'b'"],
        ),
        (
            FILTERS + "small = { kernel = 2 }",
            ["filters.variants.small: kernel: unknown key, expected one of kind, units", "found 2"],
        ),
        (
            FILTERS + 'small = { kernel_size = "2" }',
            ["filters.variants.small: kernel_size: ", "found '2'"],
        ),
        (
            FILTERS + "large = { kernel_size = 33 }",
            ["filters.variants.large: kernel_size: expected at most grid_cells = 32, found 33"],
        ),
        (FILTERS + '"2 x 2" = { kernel_size = 2 }', ["filters.variants: ", "found '2 x 2'"]),
        (FILTERS + '"../a" = { kernel_size = 2 }', ["filters.variants: ", "found '../a'"]),
        (FILTERS + "reference = { kernel_size = 2 }", ["other than", "found 'reference'"]),
        (FILTERS.replace("filters", '"a/b"') + "a = {}", ["found 'a/b'"]),
    ],
)
def test_refuses_bad_files_with_file_key_and_value(read, text, parts):
    with pytest.raises(ValueError, match=r"comparisons\.toml: ") as error:
        read(text)
    for part in parts:
        assert part in str(error.value)


def test_refuses_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.toml"):
        read_comparisons(tmp_path / "absent.toml", ExperimentConfig())


def test_the_comparisons_of_the_repository_are_those_of_the_thesis_and_its_two_heads():
    base = load_config(MODELS / "comparison_base.toml")
    comparisons = read_comparisons(MODELS / "comparisons.toml", base)
    found = {name: list(comparison.experiments)[1:] for name, comparison in comparisons.items()}
    assert found == {
        "grids": ["mono_grid"],
        "filter_size": ["filters_2x2"],
        "grid_count": ["grids_6", "grids_8"],
        "distance_filter": ["squares"],
        "pooling": ["no_pooling"],
        "downsampling": ["max_pooling"],
        "prediction": ["position", "displacement"],
        "head": ["mixture", "correlated_mixture"],
    }
    sides = comparisons["grid_count"].experiments["grids_8"].model.grid_sizes
    assert sides == tuple(11 / 2**number for number in range(8))

    values_read = {}
    for name, experiment in comparisons["grids"].experiments.items():
        network = build_model(experiment)
        network.build((None, 5, None, 4))
        values_read[name] = network.cell.pooling_embedding.kernel.shape[0]
    assert values_read["mono_grid"] == values_read["reference"] == 4 * 4 * 16


def test_resolution_is_compared_over_the_same_time_and_samples():
    base = load_config(MODELS / "quickstart.toml")
    comparisons = read_comparisons(MODELS / "resolution_comparisons.toml", base)
    finer = comparisons["subsampling"].experiments
    assert list(finer) == ["reference", "every_10th", "every_5th"]
    for data in (experiment.data for experiment in finer.values()):
        assert data.target_steps * data.subsample == 30 * 20
        assert (data.input_steps - 1) * data.subsample == 4 * 20
        assert data.window_shift * data.subsample == 5 * 20
    grids = comparisons["smallest_grid"].experiments
    assert [len(experiment.model.grid_sizes) for experiment in grids.values()] == [4, 2, 6]
