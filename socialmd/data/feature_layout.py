"""What the numbers of a particle are: the one place that knows columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from socialmd.config.section import ConfigSection, NonEmpty, PositiveInt
from socialmd.types import Array, IntArray

__all__ = ["ANCHOR", "AXES", "BONDS", "ORIENTATION", "VELOCITY", "FeatureBlock", "FeatureLayout"]

AXES = ("x", "y", "z")
# Names of blocks.
POSITION, SPECIES, ORIENTATION, ANCHOR = "position", "species", "orientation", "anchor"
VELOCITY = "velocity"  # by units of time; no target, since forecasts of places tell it
BONDS = "bonds"  # a column for each particle of the system: whether it is tied to it


class FeatureBlock(ConfigSection):
    """Neighbouring columns that mean one thing.

    Args:
        name: `"position"`, `"mass"`, `"charge"`, `"species"` or what you like.
        size: columns; D of a coordinate or vector.
        kind: `"coordinate"`, the place, of which every layout has one; `"vector"`, which rotations
            turn as they do places (velocities, dipoles); `"scalar"`, numbers that they leave as
            they are.
        static: whether it stays the same in all frames.
        given: whether models read it.
        predicted: whether it is a target.

    Raises:
        ValueError: a block would be predicted although it never changes, or given in forecasts
            although nobody knows it there.

    Example:
        >>> FeatureBlock(name="velocity", size=3, kind="vector", given=False)  # stored, unread
    """

    name: Annotated[str, Field(min_length=1)]
    size: PositiveInt = 1
    kind: Literal["coordinate", "vector", "scalar"] = "scalar"
    static: bool = False
    given: bool = True
    predicted: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "coordinate" and (self.static or not (self.given and self.predicted)):
            raise ValueError(f"{self.name}: expected a place that changes, is given and predicted")
        if self.static and self.predicted:
            raise ValueError(f"{self.name}: expected nothing static to be predicted")
        is_known = self.static or self.predicted or (self.name, self.kind) == (VELOCITY, "vector")
        if self.given and not is_known:
            raise ValueError(
                f"{self.name}: expected what changes to be predicted as well if it is given, since "
                "forecasts do not know it otherwise; `given = false` keeps it in the files, unread"
            )
        return self


class FeatureLayout(ConfigSection):
    """The F columns of a trajectory [frames, N, F], by name and by block.

    Args:
        features: names of the columns.
        blocks: what they are, in their order; the place comes first.

    Raises:
        ValueError: names occur twice, blocks have not as many columns as there are names, the first
            one is not the only place, or a vector has not as many columns.

    Example:
        >>> layout = FeatureLayout.of_scalars(["x", "y", "mass", "charge"], spatial_dims=2)
        >>> layout.find("charge")
        3
    """

    features: NonEmpty[str]
    blocks: NonEmpty[FeatureBlock]

    @model_validator(mode="after")
    def _check(self) -> Self:
        for what, names in (("features", self.features), ("blocks", [b.name for b in self.blocks])):
            (name, count), *_ = Counter(names).most_common(1)
            if count > 1:
                raise ValueError(f"{what}: expected different names, found {name!r} twice")
        if (columns := sum(block.size for block in self.blocks)) != len(self.features):
            raise ValueError(
                f"blocks: expected the {len(self.features)} columns {', '.join(self.features)}, "
                f"found {columns}"
            )
        places = [block.kind == "coordinate" for block in self.blocks]
        if not places[0] or sum(places) > 1:
            raise ValueError("blocks: expected one coordinate, the first block")
        for block in self.blocks:
            if block.kind == "vector" and block.size != self.spatial_dims:
                raise ValueError(
                    f"blocks: expected vectors of {self.spatial_dims} numbers, as the place has "
                    f"them, found {block.size} of {block.name}"
                )
        self._check_scalars()
        return self

    def _check_scalars(self) -> None:
        names = [
            name for block, names in self._named if block.kind == "scalar" for name in names
        ]  # like vx or dipole_x
        for name in names:
            if name.endswith("x") and (other := f"{name[:-1]}y") in names:
                raise ValueError(
                    f"features: expected scalars after the coordinates, found {name!r} and "
                    f"{other!r}, which seem to be parts of a vector, which rotations have to turn. "
                    "Say so by a layout with a block of kind vector (and `given = false`, if "
                    "models shall not read it), or leave velocities and the like out"
                )

    @classmethod
    def of_scalars(
        cls, features: Sequence[str], spatial_dims: int, num_species: int = 0
    ) -> FeatureLayout:
        """The place, scalars that never change, and names of species, of which each has a column.

        Species come last; the layout of all data sets that do not say theirs.
        """
        scalars = features[spatial_dims : len(features) - num_species]
        blocks = [
            FeatureBlock(name=POSITION, size=spatial_dims, kind="coordinate", predicted=True),
            *[FeatureBlock(name=name, static=True) for name in scalars],
        ]
        if num_species:
            blocks.append(FeatureBlock(name=SPECIES, size=num_species, static=True))
        return cls(features=tuple(features), blocks=tuple(blocks))

    @classmethod
    def unnamed(cls, num_features: int, spatial_dims: int) -> FeatureLayout:
        """Of so many columns of which nothing is known: a place, and scalars that never change."""
        places = AXES[: min(spatial_dims, num_features)]
        rest = [f"feature_{number}" for number in range(spatial_dims, num_features)]
        return cls.of_scalars([*places, *rest], len(places))

    # === Columns ===

    @property
    def spatial_dims(self) -> int:
        """D, how many of the features are coordinates."""
        return self.blocks[0].size

    @property
    def _named(self) -> list[tuple[FeatureBlock, tuple[str, ...]]]:
        ends = np.cumsum([block.size for block in self.blocks]).tolist()
        return [
            (block, self.features[end - block.size : end])
            for block, end in zip(self.blocks, ends, strict=True)
        ]

    def columns(self, **wanted: Any) -> list[int]:
        """Numbers of the columns whose blocks are as wanted.

        Example:
            >>> layout.columns(kind="scalar", static=True)
            [2, 3]
        """
        chosen = [
            name
            for block, names in self._named
            if all(getattr(block, key) == value for key, value in wanted.items())
            for name in names
        ]
        return [self.features.index(name) for name in chosen]

    def find(self, name: str) -> int | None:
        """Number of the column of a block of one scalar, `"mass"`, say; none without one."""
        found = self.columns(name=name, kind="scalar", size=1)
        return found[0] if found else None

    @property
    def vectors(self) -> list[slice]:
        """Columns of all that rotations turn: the place, and vectors."""
        starts = [self.features.index(names[0]) for _, names in self._named]
        return [
            slice(start, start + block.size)
            for start, block in zip(starts, self.blocks, strict=True)
            if block.kind != "scalar"
        ]

    @property
    def species(self) -> tuple[str, ...]:
        """Names of species, each with a column that is one for particles of it; or none."""
        return tuple(self.features[column] for column in self.columns(name=SPECIES))

    def kinds(self, particles: Array) -> IntArray:
        """Number of each particle's species, [...], of its F features, [..., F]; zero without any.

        Example:
            >>> layout.kinds(np.array([[0.5, 0.5, 0.0, 1.0]]))  # x, y, ONC, OQL
            array([1])
        """
        if columns := self.columns(name=SPECIES):
            return np.asarray(particles[..., columns].argmax(axis=-1))
        return np.zeros(particles.shape[:-1], int)

    @property
    def orientation(self) -> list[int]:
        """Columns of a unit vector that is to be predicted, of particles that point somewhere."""
        return self.columns(name=ORIENTATION, kind="vector", given=True, predicted=True)

    @property
    def velocity(self) -> list[int]:
        """Columns of velocities that models are given, if there are any."""
        return self.columns(name=VELOCITY, kind="vector", given=True)

    @property
    def inputs(self) -> list[int]:
        """Numbers of the columns that models read."""
        return self.columns(given=True)

    @property
    def targets(self) -> list[int]:
        """Numbers of the columns that models predict."""
        return self.columns(predicted=True)

    @property
    def given(self) -> FeatureLayout:
        """What models read: the same without columns that are only stored or predicted."""
        blocks = tuple(block for block in self.blocks if block.given)
        features = tuple(self.features[column] for column in self.inputs)
        return FeatureLayout(features=features, blocks=blocks)

    def hiding(self, *names: str) -> FeatureLayout:
        """The same with blocks that are only stored: neither given to models nor predicted.

        Raises:
            ValueError: there is no block of a name.

        Example:
            >>> layout.hiding("charge").given.in_words()
            'position (x, y), mass'
        """
        if unknown := set(names) - {block.name for block in self.blocks}:
            raise ValueError(
                f"hidden: expected features among {self.in_words()}, found "
                f"{', '.join(sorted(unknown))}"
            )
        unread = {"given": False, "predicted": False}
        blocks = [b.model_copy(update=unread) if b.name in names else b for b in self.blocks]
        return FeatureLayout(features=self.features, blocks=tuple(blocks))

    def in_words(self) -> str:
        """For messages: `"position (x, y), mass, species (ONC, OQL)"`."""
        return ", ".join(
            block.name if names == (block.name,) else f"{block.name} ({', '.join(names)})"
            for block, names in self._named
        )
