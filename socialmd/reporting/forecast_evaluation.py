"""Evaluation of forecasts: all that is measured of them, as numbers, as text and as a report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np

from socialmd.reporting.figure_folder import FigureFolder
from socialmd.reporting.forecasts import Forecasts
from socialmd.reporting.html_report import SUMMARY, Report, Section, fill
from socialmd.reporting.html_table import Row
from socialmd.reporting.measure import Measure, measures

__all__ = ["ForecastEvaluation"]

T = TypeVar("T")

# === Words ===
CAUTION = "Sampled futures of {{ name }}: {{ reason }}."
LEFT_OUT = "Left out: {{ name }}, because {{ reason }}."
LEFT_OUT_IN_TEXT = "{{ name }}: left out, because {{ reason }}."
MADE = "How this was made"

# Keys of `metrics.json` that are no measure's.
TAKEN = {"models", "data", "remarks", "units", "left_out", "cautions"}


class ForecastEvaluation:
    """Forecasts and the numbers of all measures that are registered.

    Attributes:
        numbers: by keys of `metrics.json`; and some for pictures alone.
        left_out: what was not possible, with the reason.
        cautions: what not to trust, by name of the model.

    Args:
        forecasts: of models and baselines.
        num_samples: S, futures to draw from each model for each past; 0 for none.
        max_sampled: windows to draw them for, evenly spread.

    Raises:
        ValueError: there is one sample only, of which no spread can be told; or errors cannot be
            measured.

    Example:
        >>> evaluation = ForecastEvaluation(forecasts, num_samples=0)
        >>> evaluation.numbers["forecasts"]["acceleration"].mae
        0.1275
        >>> report = evaluation.report(FigureFolder(Path("report/figures")), "400 windows")
        >>> report.write("report/report.html")
    """

    def __init__(self, forecasts: Forecasts, num_samples: int = 20, max_sampled: int = 40) -> None:
        if num_samples == 1 or num_samples < 0:
            raise ValueError(f"num_samples: expected 0, or at least 2, found {num_samples}")
        self.forecasts = forecasts
        self.num_samples = num_samples
        self.max_sampled = max_sampled
        self.left_out = dict(forecasts.left_out)
        self.cautions: dict[str, str] = {}
        self.numbers: dict[str, Any] = {}
        self._measured: list[Measure] = []
        for measure in measures():
            self.numbers.update(measure.absent)
            compute = partial(self._compute, measure)
            found = compute() if measure.is_required else self.attempt(measure.name, compute)
            if found is not None:
                self.numbers.update(found)
                self._measured.append(measure)

    def attempt(self, name: str, compute: Callable[[], T]) -> T | None:
        """Compute what may not be possible; nothing then, and the reason in `left_out` by name."""
        try:
            return compute()
        except (ValueError, FloatingPointError) as error:
            # Of what TensorFlow says of a place in a user's code, only how it ends.
            self.left_out[name] = str(error).strip().rpartition("\n")[2]
            return None

    def _compute(self, measure: Measure) -> Mapping[str, Any] | None:
        found = measure.compute(self)
        if found is not None and (taken := sorted(found.keys() & TAKEN)):
            raise ValueError(f"expected keys of a measure in metrics.json, found {taken}")
        return found

    def apart(self, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        """Rows of trained models, by their first cells, and those of all else: for a `Table`."""
        models = self.forecasts.models
        return [r for r in rows if r[0] in models], [r for r in rows if r[0] not in models]

    def to_json(self) -> dict[str, Any]:
        """What `metrics.json` holds, besides what was measured on which data."""
        for_pictures = {key for measure in measures() for key in measure.for_pictures}
        stored = {key: each for key, each in self.numbers.items() if key not in for_pictures}
        return {**_plain(stored), "left_out": self.left_out, "cautions": self.cautions}

    def text(self) -> str:
        """The most important numbers, as they are printed."""
        tables = [table for measure in self._measured for table in measure.text_tables(self)]
        lines = [
            *self._told(CAUTION, self.cautions),
            *self._told(LEFT_OUT_IN_TEXT, self.left_out),
            *(line for measure in self._measured for line in measure.sentences(self)),
        ]
        return "\n\n".join([*tables, "\n".join(lines)])

    def report(
        self,
        figures: FigureFolder,
        subtitle: str,
        remarks: Sequence[str] = (),
        made_by: Mapping[str, str] | None = None,
    ) -> Report:
        """Draw all figures and arrange them with the numbers on a page.

        Args:
            figures: where they are written to.
            subtitle: what was measured, on what.
            remarks: sentences that belong into the summary.
            made_by: title -> text: command, configurations, versions.
        """
        measured = self._measured
        shown = [
            self.attempt(each.name, partial(each.sections, self, figures)) for each in measured
        ]
        models = [
            " ".join(filter(None, (measure.about(self, name) for measure in measured)))
            for name in self.forecasts.models
        ]
        cautions = self._told(CAUTION, self.cautions)
        left_out = self._told(LEFT_OUT, self.left_out)
        sections = [
            Section(SUMMARY, [*models, *remarks, *cautions, *left_out]),
            *(section for sections in shown for section in sections or ()),
            Section(MADE, details=dict(made_by or {})),
        ]
        names = [name for name in self.forecasts.models if name not in self.forecasts.filtered]
        return Report(", ".join(names), subtitle, _joined(sections))

    @staticmethod
    def _told(template: str, reasons: Mapping[str, str]) -> list[str]:
        return [fill(template, name=name, reason=reason) for name, reason in reasons.items()]


def _plain(value: Any) -> Any:
    """Of which JSON can be made."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _joined(sections: Sequence[Section]) -> list[Section]:
    """Those of one heading become one, in the order in which headings first appear."""
    joined: dict[str, Section] = {}
    for each in sections:
        before = joined.get(each.heading, Section(each.heading))
        joined[each.heading] = Section(
            each.heading,
            [*before.paragraphs, *each.paragraphs],
            [*before.tables, *each.tables],
            [*before.pictures, *each.pictures],
            {**before.details, **each.details},
        )
    return list(joined.values())
