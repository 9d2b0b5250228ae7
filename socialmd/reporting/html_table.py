"""Numbers -> the cells of a table in an HTML report, and which of them are the best."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple

__all__ = ["Row", "Table"]

Row = Sequence[str | float | None]
Goal = Literal["lowest"] | float


class _Cell(NamedTuple):
    text: str
    is_number: bool  # it stands in a column of numbers, which are set flush right
    is_best: bool


@dataclass(frozen=True)
class Table:
    """Numbers of trained models and, set apart below them, of the forecasts they have to beat.

    In the columns named by `best`, bold are the best trained model and every baseline that is as
    good or better; without baselines or without trained models, simply the best. Numbers that
    print alike are equally good.

    Args:
        caption: what the numbers are, and their units.
        header: names of the columns, no two alike.
        rows: of trained models; the first cell is the name, `None` prints "-". NumPy's numbers
            will do.
        baselines: likewise.
        best: by name of the column, `"lowest"` or the number that is best to be close to.
        digits: decimals of every number that is no integer.

    Raises:
        ValueError: two columns have the same name, a row has more or fewer cells than the header,
            a number is not finite, or `best` names no column or no goal.

    Example:
        >>> Table("MAE in units of length.", ["forecast", "MAE"], [["model", 0.1793]],
        ...       baselines=[["constant velocity", 0.2934]], best={"MAE": "lowest"})
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Row]
    baselines: Sequence[Row] = ()
    best: Mapping[str, Goal] = field(default_factory=dict)
    digits: int = 4

    def __post_init__(self) -> None:
        where = f"table {self.caption!r}"
        if len(set(self.header)) < len(self.header):
            raise ValueError(f"{where}: expected different columns, found {list(self.header)}")
        for row in (*self.rows, *self.baselines):
            if len(row) != len(self.header):
                raise ValueError(
                    f"{where}: expected {len(self.header)} cells in each row, found {list(row)}"
                )
            for column, cell in zip(self.header, row, strict=True):
                if isinstance(cell, Real) and not math.isfinite(cell):
                    raise ValueError(
                        f"{where}, row {row[0]!r}, column {column!r}: expected a finite number, or "
                        f"None for none, found {cell}"
                    )
        for column, goal in self.best.items():
            if column not in self.header:
                raise ValueError(
                    f"{where}: best: expected columns of {list(self.header)}, found {column!r}"
                )
            if goal != "lowest" and not (isinstance(goal, Real) and math.isfinite(goal)):
                raise ValueError(
                    f"{where}: best[{column!r}]: expected 'lowest' or a finite number, "
                    f"found {goal!r}"
                )

    @property
    def blocks(self) -> list[list[list[_Cell]]]:
        """Rows of trained models, and rows of baselines, as the page shows them."""
        rows = [*self.rows, *self.baselines]
        numeric = [any(isinstance(row[c], Real) for row in rows) for c in range(len(self.header))]
        goals = {self.header.index(name): goal for name, goal in self.best.items()}
        best = {(row, c) for c, goal in goals.items() for row in self._best_rows(c, goal)}
        cells = [
            [_Cell(self._text(x), numeric[c], (index, c) in best) for c, x in enumerate(row)]
            for index, row in enumerate(rows)
        ]
        return [cells[: len(self.rows)], cells[len(self.rows) :]]

    def _best_rows(self, column: int, goal: Goal) -> list[int]:
        """Rows that are bold in one column, counted through trained models and baselines."""
        cells: list[Any] = [row[column] for row in (*self.rows, *self.baselines)]
        scores = {
            i: self._score(float(c), goal) for i, c in enumerate(cells) if isinstance(c, Real)
        }
        if len(scores) < 2:  # a number alone is the best of nothing
            return []
        trained = [score for index, score in scores.items() if index < len(self.rows)]
        bar = min(trained or scores.values())
        return [index for index, score in scores.items() if score <= bar]

    def _score(self, value: float, goal: Goal) -> float:
        """The smaller, the better; of the number as it is printed."""
        shown = round(value, self.digits)
        # Without rounding again, 0.95 would be closer to 0.9 than 0.85 is.
        return shown if goal == "lowest" else round(abs(shown - goal), self.digits)

    def _text(self, cell: str | float | None) -> str:
        if cell is None:
            return "-"
        if isinstance(cell, str):
            return cell
        if isinstance(cell, Integral):
            return f"{cell:,}".replace(",", "\u202f")  # a narrow space that does not break
        return f"{cell:z.{self.digits}f}"
