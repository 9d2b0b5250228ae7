import math

import numpy as np
import pytest

from socialmd.reporting import Table


def table(rows, baselines=(), best="lowest", **settings):
    """Names in the first column, numbers in the second."""
    header = ("forecast", "error")
    return Table("Errors.", header, rows, baselines, best={"error": best}, **settings)


def texts(table):
    return [[[cell.text for cell in row] for row in block] for block in table.blocks]


def best_rows(table):
    rows = [row for block in table.blocks for row in block]
    assert not any(row[0].is_best for row in rows)
    return [row[0].text for row in rows if row[1].is_best]


def test_cells_are_printed_in_two_blocks():
    numbers = Table(
        "Numbers.",
        ["forecast", "weights", "error"],
        [["one", 140_832, 1 / 3], ["two", np.int64(735), np.float32(-0.5)]],
        [["three", None, -1e-9]],
        digits=3,
    )
    assert texts(numbers) == [
        [["one", "140\u202f832", "0.333"], ["two", "735", "-0.500"]],
        [["three", "-", "0.000"]],
    ]


def test_columns_with_a_number_are_set_as_numbers():
    mixed = Table("Mixed.", ["step", "name", "error"], [[1, "first", None], [2, "second", 0.5]])
    assert [[cell.is_number for cell in row] for row in mixed.blocks[0]] == [
        [True, False, True]
    ] * 2


def test_lowest_number_is_the_best():
    assert best_rows(table([["a", 0.3], ["b", -0.4], ["c", 0.2], ["d", None]])) == ["b"]


def test_number_closest_to_the_goal_is_the_best():
    assert best_rows(table([["a", 0.1], ["b", 0.88], ["c", 0.99]], best=0.9)) == ["b"]


def test_numbers_that_print_alike_are_equally_good():
    assert best_rows(table([["a", 0.12341], ["b", 0.12339], ["c", 0.12351]])) == ["a", "b"]
    assert best_rows(table([["a", 0.95], ["b", 0.85], ["c", 0.84]], best=0.9)) == ["a", "b"]


def test_baselines_are_best_where_no_trained_model_beats_them():
    rows = [["model", 0.3], ["other", 0.5]]
    baselines = [["worse", 0.4], ["equal", 0.3], ["better", 0.2], ["best", 0.1], ["none", None]]
    assert best_rows(table(rows, baselines)) == ["model", "equal", "better", "best"]


def test_without_numbers_of_trained_models_the_best_baseline_is_the_best():
    assert best_rows(table([["model", None]], [["a", 0.2], ["b", 0.1]])) == ["b"]


def test_a_number_alone_is_not_the_best():
    assert best_rows(table([["a", 0.2], ["b", None]])) == []


def test_columns_without_a_goal_have_no_best():
    plain = Table("Plain.", ["forecast", "error"], [["a", 0.2], ["b", 0.1]])
    assert best_rows(plain) == []


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_numbers_that_are_not_finite_are_refused(number):
    message = "table 'Errors.', row 'known law', column 'error': expected a finite number"
    with pytest.raises(ValueError, match=message):
        table([["model", 0.1]], [["known law", number]])


@pytest.mark.parametrize("goal", ["highest", math.nan, math.inf, None])
def test_goals_that_are_none_are_refused(goal):
    with pytest.raises(ValueError, match=r"best\['error'\]: expected 'lowest' or a finite number"):
        table([["model", 0.1]], best=goal)


def test_tables_out_of_shape_are_refused():
    with pytest.raises(ValueError, match=r"expected 2 cells in each row, found \['model'\]"):
        table([["model"]])
    with pytest.raises(ValueError, match=r"expected different columns, found \['a', 'a'\]"):
        Table("Twice.", ["a", "a"], [])
    with pytest.raises(ValueError, match=r"best: expected columns of \['a'\], found 'b'"):
        Table("Unknown.", ["a"], [], best={"b": "lowest"})
