"""A table of a configuration, the types of what stands in it, and its faults in words."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

__all__ = [
    "ConfigSection",
    "FiniteFloat",
    "Fraction",
    "Integer",
    "Listed",
    "NonEmpty",
    "NonNegativeFloat",
    "PositiveFloat",
    "PositiveInt",
    "Probability",
    "Seed",
    "describe_faults",
]

EXPLAINED = "explained"
Value = TypeVar("Value")

# TOML's integers have 64 bits; Keras and NumPy seed their global generators with 32.
Integer = Annotated[int, Field(lt=2**63)]
PositiveInt = Annotated[Integer, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
NonNegativeFloat = Annotated[FiniteFloat, Field(ge=0)]
PositiveFloat = Annotated[FiniteFloat, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]

# Tuples alone are not strict, because TOML has lists only.
Listed = Annotated[Value, Field(strict=False)]
NonEmpty = Annotated[Listed[tuple[Value, ...]], Field(min_length=1)]


class ConfigSection(BaseModel):
    """One table. Strict: `25.5` is no particle count, `"5"` no number, and a typing error no key.

    Raises:
        ValueError: a value is not what its key expects; a `pydantic.ValidationError`, whose faults
            say key, expectation and value found (see `describe_faults`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _explain_faults(cls, values: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(values)
        except ValidationError as error:
            keys = ", ".join(cls.model_fields)
            faults = [_explain(fault, keys) for fault in error.errors()]
            raise ValidationError.from_exception_data(error.title, faults) from None


def _explain(fault: ErrorDetails, keys: str) -> InitErrorDetails:
    """The same fault in our words; that of a table in a table is in these already."""
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


def describe_faults(error: ValidationError) -> list[str]:
    """What is wrong with the values of a section: for every fault key, expectation and value.

    `"data.subsample: input should be greater than or equal to 1, found 0"`, say.
    """
    lines = []
    for fault in error.errors():
        key, message, separator = ".".join(map(str, fault["loc"])), fault["msg"], ": "
        if fault["type"] == "value_error":  # of a check of ours, which names a key of its table
            message = str(fault["ctx"]["error"])
            separator = ": " if message.startswith("expected") else "."
        lines.append(f"{key}{separator}{message}" if key else message)
    return lines
