"""`[simulation]`: how a data set is simulated."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from socialmd.config.section import (
    ConfigSection,
    Integer,
    Listed,
    PositiveFloat,
    PositiveInt,
    Seed,
)

__all__ = ["SimulationConfig"]


class SimulationConfig(ConfigSection):
    """How a data set is simulated (thesis section 4.1): [1000, 25, 4] for 100 / 20 / 20 systems.

    Args:
        num_train, num_validation, num_test: simulations in each split.
        num_steps: velocity Verlet steps of each simulation.
        time_step: dt, in units of time.
        keep_every: steps from one stored frame to the next.
        velocities: whether these are stored as well, and models are given them.
        hidden: what is stored, and models are not given: `"charge"`, say, or `"bonds"`.
        discard_frames: of these that are not stored, from the start.
        seed: of the initial states.

    Raises:
        ValueError: a value is out of its range, or `keep_every` does not divide `num_steps`.

    Example:
        >>> SimulationConfig(num_test=5).splits
        {'train': 100, 'validation': 20, 'test': 5}
    """

    num_train: PositiveInt = 100
    num_validation: PositiveInt = 20
    num_test: PositiveInt = 20
    num_steps: PositiveInt = 1_000_000
    time_step: PositiveFloat = 1e-7
    keep_every: PositiveInt = 1000
    discard_frames: Annotated[Integer, Field(ge=0)] = 0
    velocities: bool = False
    hidden: Listed[tuple[Literal["mass", "charge", "bonds"], ...]] = ()
    seed: Seed = 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.num_steps % self.keep_every:
            raise ValueError(
                f"keep_every: expected a divisor of num_steps = {self.num_steps}, "
                f"found {self.keep_every}"
            )
        if self.num_frames < 1:
            raise ValueError(
                f"discard_frames: expected less than the {self.num_steps // self.keep_every} that "
                f"there are, found {self.discard_frames}"
            )
        return self

    @property
    def num_frames(self) -> int:
        """Stored frames of each simulation."""
        return self.num_steps // self.keep_every - self.discard_frames

    def describe(self) -> dict[str, Any]:
        """As data sets name it; JSON. What is newer than some of them is left out."""
        fields = self.model_dump(mode="json")
        newer = ("discard_frames", "velocities", "hidden")
        return {k: value for k, value in fields.items() if k not in newer or value}

    @property
    def splits(self) -> dict[str, int]:
        """Number of simulations in each split, in the order in which they are numbered."""
        return {"train": self.num_train, "validation": self.num_validation, "test": self.num_test}
