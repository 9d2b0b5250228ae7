"""The base of all measures, and the register of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from socialmd.reporting.figure_folder import FigureFolder
from socialmd.reporting.html_report import Section

if TYPE_CHECKING:
    from socialmd.reporting.forecast_evaluation import ForecastEvaluation

__all__ = ["Measure", "by_name", "measures", "register_measure"]


class Measure(ABC):
    """Something that is measured of forecasts, with all that is shown and said of it.

    One of your own takes part in every evaluation once it is registered; `socialmd evaluate ...
    --import my_module` imports the module that does so. Only `compute` is needed.

    Attributes:
        name: by which one is told that it was left out.
        place: measures are computed, and their sections stand, in the order of these numbers.
        units: of what it adds to `metrics.json`, by key.
        absent: what stands there if it is left out.
        for_pictures: keys of numbers that are not stored there.
        is_required: whether there is no evaluation without it.

    Example:
        >>> @register_measure
        ... class Reach(Measure):
        ...     name = "reach"
        ...
        ...     def compute(self, evaluation):
        ...         positions = evaluation.forecasts.positions
        ...         return {"reach": {name: float(abs(x).max()) for name, x in positions.items()}}
        ...
        ...     def sections(self, evaluation, figures):
        ...         rows = list(evaluation.numbers["reach"].items())
        ...         return [Section("Reach", tables=[Table("How far.", ["forecast", "x"], rows)])]
    """

    name: ClassVar[str]
    place: ClassVar[int] = 1000
    units: ClassVar[Mapping[str, str]] = {}
    absent: ClassVar[Mapping[str, Any]] = {}
    for_pictures: ClassVar[tuple[str, ...]] = ()
    is_required: ClassVar[bool] = False

    @abstractmethod
    def compute(self, evaluation: ForecastEvaluation) -> Mapping[str, Any] | None:
        """Numbers by their keys in `metrics.json`; nothing if they were not asked for.

        Args:
            evaluation: holds the forecasts, and the numbers of measures before this one.

        Returns:
            Dictionaries, lists and dataclasses of numbers. A key of a measure before this one
            replaces what that one found.

        Raises:
            NotPossibleError, ValueError, FloatingPointError: it cannot be measured; the message
                says why.
        """

    def sections(self, evaluation: ForecastEvaluation, figures: FigureFolder) -> Sequence[Section]:
        """What the report shows; sections of one heading, of other measures too, become one."""
        return ()

    def about(self, evaluation: ForecastEvaluation, model: str) -> str:
        """What the report's summary says of a model, in full sentences."""
        return ""

    def text_tables(self, evaluation: ForecastEvaluation) -> Sequence[str]:
        """Tables that the command prints."""
        return ()

    def sentences(self, evaluation: ForecastEvaluation) -> Sequence[str]:
        """Sentences that the command prints below all tables."""
        return ()


M = TypeVar("M", bound=type[Measure])

MEASURES: dict[str, Measure] = {}


def register_measure(cls: M) -> M:
    """Have a measure, a class without arguments, take part in evaluations.

    Raises:
        ValueError: another one has its name.
    """
    taken = type(MEASURES[cls.name]) if cls.name in MEASURES else cls
    if (taken.__module__, taken.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(f"name: expected one that is not taken, found {cls.name!r}")
    MEASURES[cls.name] = cls()  # which may be the same, defined again
    return cls


def measures() -> list[Measure]:
    """All that are registered, in the order of their places."""
    return sorted(MEASURES.values(), key=lambda measure: measure.place)


def by_name(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    """One number, or list of numbers, of each forecast that was measured."""
    return {name: getattr(each, key) for name, each in found.items()}
