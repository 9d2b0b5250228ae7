import pytest

from socialmd.config.search_config import Choices, Range, parse_entry

SIZES = {
    "number": {"minimum": 1, "maximum": 3},
    "largest": {"minimum": 4.0, "maximum": 16.0, "scale": "log"},
    "ratio": {"choices": [2, 3]},
}


def test_a_range_of_integers_is_one_of_integers():
    entry = parse_entry("model.units", {"minimum": 32, "maximum": 256, "step": 32})
    assert entry.hyperparameters == (("model.units", Range(32, 256, 32), None),)
    assert entry.hyperparameters[0].domain.is_integer
    assert not Range(0.5, 2).is_integer


def test_a_choice_among_lists_gives_a_list():
    entry = parse_entry("model.filters", {"choices": [[16, 16, 32], [8]]})
    (filters,) = entry.hyperparameters
    assert filters.domain == Choices(("[16, 16, 32]", "[8]"))
    assert entry.assemble({"model.filters": "[16, 16, 32]"}) == [16, 16, 32]
    assert entry.examples == ([16, 16, 32], [8])


def test_each_element_of_a_list_may_be_varied_for_itself():
    ranges = [{"minimum": 64, "maximum": 512}, {"choices": [128, 256]}]
    entry = parse_entry("model.lstm_units", ranges)
    names = [each.name for each in entry.hyperparameters]
    assert names == ["model.lstm_units.0", "model.lstm_units.1"]
    assert entry.assemble({"model.lstm_units.0": 100, "model.lstm_units.1": 256}) == [100, 256]


def test_elements_of_a_longer_list_exist_in_a_longer_list_only():
    entry = parse_entry(
        "model.filters",
        {"number": {"minimum": 2, "maximum": 4}, "items": {"choices": [8, 16]}},
    )
    conditions = {each.name: each.condition for each in entry.hyperparameters}
    assert list(conditions) == [f"model.filters.{part}" for part in ("number", 0, 1, 2, 3)]
    assert conditions["model.filters.1"] is None
    assert conditions["model.filters.2"] == ("model.filters.number", (3, 4))
    assert conditions["model.filters.3"] == ("model.filters.number", (4,))
    values = {"model.filters.number": 3, **{f"model.filters.{index}": 8 for index in range(4)}}
    assert entry.assemble(values) == [8, 8, 8]


def test_a_geometric_series_is_that_of_the_thesis_with_its_values():
    entry = parse_entry("model.grid_sizes", {**SIZES, "number": {"minimum": 1, "maximum": 6}})
    values = {"model.grid_sizes.largest": 11.0, "model.grid_sizes.ratio": 2}
    assert entry.assemble({**values, "model.grid_sizes.number": 4}) == [11.0, 5.5, 2.75, 1.375]
    assert entry.assemble({"model.grid_sizes.largest": 3, "model.grid_sizes.number": 1}) == [3.0]
    assert entry.hyperparameters[2].condition == ("model.grid_sizes.number", (2, 3, 4, 5, 6))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (5, "expected a range"),
        ({"minimum": 1}, "expected a range"),
        ({"minimum": 1, "maximum": 2, "stop": 3}, "stop"),
        ({"minimum": 2, "maximum": 2}, "minimum < maximum"),
        ({"minimum": 1, "maximum": float("inf")}, "finite"),
        ({"minimum": "1", "maximum": 2}, "finite numbers"),
        ({"minimum": 1, "maximum": 9, "scale": "cubic"}, "linear or log"),
        ({"minimum": 0, "maximum": 9, "scale": "log"}, "positive"),
        ({"minimum": 1, "maximum": 9, "step": 0}, "more than 0"),
        ({"minimum": 1, "maximum": 9, "step": 1, "scale": "log"}, "more than 1"),
        ({"minimum": 1, "maximum": 9, "step": 0.5}, "an integer between integers"),
        ({"choices": []}, "expected a list of values"),
        ({"choices": ["a", 1]}, "of one kind"),
        ({"choices": [True, 1]}, "of one kind"),
        ({"choices": [1, 1.0]}, "different"),
        ([{"choices": [1]}, 7], r"key\.1"),
        ({"number": {"choices": [1]}, "items": {"choices": [1]}}, r"key\.number"),
        ({"number": {"minimum": 0, "maximum": 2}, "items": {"choices": [1]}}, "positive integers"),
        ({**SIZES, "ratio": {"choices": [1, 2]}}, "larger than 1"),
        ({**SIZES, "largest": {"choices": [0.0]}}, "larger than 0"),
        ([], "expected a range"),
    ],
)
def test_what_is_no_entry_is_refused_by_name(value, message):
    with pytest.raises(ValueError, match=message) as error:
        parse_entry("table.key", value)
    assert str(error.value).startswith("table.key")
