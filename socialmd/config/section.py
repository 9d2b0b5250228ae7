"""Tables of a configuration, and the types of what stands in them."""

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

from socialmd.config.faults import explain_faults

__all__ = [
    "ConfigSection",
    "FiniteFloat",
    "Fraction",
    "Integer",
    "Listed",
    "NonEmpty",
    "PositiveFloat",
    "PositiveInt",
    "Seed",
]

Value = TypeVar("Value")

# TOML's integers have 64 bits; Keras and NumPy seed their global generators with 32.
Integer = Annotated[int, Field(lt=2**63)]
PositiveInt = Annotated[Integer, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
PositiveFloat = Annotated[FiniteFloat, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, lt=1)]

# Tuples alone are not strict, because TOML has lists only.
Listed = Annotated[Value, Field(strict=False)]
NonEmpty = Annotated[Listed[tuple[Value, ...]], Field(min_length=1)]


class ConfigSection(BaseModel):
    """One table. Strict: `25.5` is no particle count, `"5"` no number, and a typing error no key.

    Raises:
        ValueError: a value is not what its key expects; a `pydantic.ValidationError`, whose faults
            say key, expectation and value found (see `describe_faults`).

    Example:
        >>> class Particle(ConfigSection):
        ...     mass: PositiveFloat = 1.0
        >>> Particle.model_validate({"mass": 2}).mass
        2.0
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _explain_faults(cls, values: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(values)
        except ValidationError as error:
            raise explain_faults(error, cls.model_fields) from None
