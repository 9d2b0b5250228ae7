"""Faults of a table in words: which key, what is expected of it, what was found."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

__all__ = ["describe_faults", "explain_faults"]

EXPLAINED = "explained"


def describe_faults(error: ValidationError) -> list[str]:
    """What is wrong with the values of a `ConfigSection`.

    Args:
        error: raised by its validation.

    Returns:
        For every fault key, expectation and value found.

    Example:
        >>> try:
        ...     ExperimentConfig(data={"subsample": 0}, model={"kernel_size": 33})
        ... except ValidationError as error:
        ...     print(*describe_faults(error), sep="\\n")
        data.subsample: input should be greater than or equal to 1, found 0
        model.kernel_size: expected at most grid_cells = 32, found 33
    """
    lines = []
    for fault in error.errors():
        key, message, separator = ".".join(map(str, fault["loc"])), fault["msg"], ": "
        if fault["type"] == "value_error":  # of a check of ours, which names a key of its table
            message = str(fault["ctx"]["error"])
            separator = ": " if message.startswith("expected") else "."
        lines.append(f"{key}{separator}{message}" if key else message)
    return lines


def explain_faults(error: ValidationError, keys: Iterable[str]) -> ValidationError:
    """The same faults in our words; of a table in a table they may be so already.

    Args:
        error: raised by the validation of a table.
        keys: that the table has.

    Returns:
        The error to raise instead.
    """
    faults = [_explain(fault, ", ".join(keys)) for fault in error.errors()]
    return ValidationError.from_exception_data(error.title, faults)


def _explain(fault: ErrorDetails, keys: str) -> InitErrorDetails:
    location, found, message = fault["loc"], fault["input"], fault["msg"]
    if fault["type"] == "value_error":
        return InitErrorDetails(type="value_error", loc=location, input=found, ctx=fault["ctx"])
    if fault["type"] == "extra_forbidden":
        message = f"unknown key, expected one of {keys}, found {found!r}"
    elif fault["type"] == "model_type":
        message = f"expected a table, found {found!r}"
    elif fault["type"] == "missing":
        message = f"field required, found {list(found)}"
    elif fault["type"] != EXPLAINED:
        message = f"{message.lower()}, found {found!r}"
    explained = PydanticCustomError(EXPLAINED, "{message}", {"message": message})
    return InitErrorDetails(type=explained, loc=location, input=found)
