"""Filters that correct forecasts, as they are made, by what the true motion conserves."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from keras import ops

from socialmd.check_choice import check_choice
from socialmd.config import ManyBodySystem
from socialmd.data.feature_layout import ANCHOR, FeatureLayout
from socialmd.data.masked_inputs import Unpacked
from socialmd.models.energy_filter import EnergyFilter
from socialmd.types import Mask, Positions, Tensor

if TYPE_CHECKING:
    from socialmd.models.forecast_model import ForecastModel

__all__ = ["FILTERS", "ConservationFilters", "Correction"]

FILTERS = ("momentum", "energy", "rotation")

# Positions [B, N, D], those that are to follow, and the variances per coordinate [B, N] of the
# densities of these -> by how much they should be moved, [B, N, D].
Correction = Callable[[Positions, Positions, Tensor], Tensor]


@dataclasses.dataclass(frozen=True)
class ConservationFilters:
    """What forecasts are corrected by while they are made; models stay as they are.

        momentum    The centre of mass moves as in the last given displacement. As that is so at
                    every step, momentum is conserved, and the centre of mass stays on its straight
                    line: in closed loop, these are the same.
        energy      The energy stays what it was, as far as positions tell it (`EnergyFilter`).
        rotation    Each window is turned at random about the origin before its forecast, and that
                    turned back, densities included. Nothing is conserved by it, but no direction is
                    preferred any more on the average.

    The first two move every position before it is fed back, the momentum first, and by as much the
    means of its density; velocities of a model that integrates them are moved along. Of all moves
    that would do, it is the likeliest one. With masses m_i, and predicted variances s_i**2 of
    positions that are taken as independent, a lack of momentum, P in units of mass and length, is
    made up by moving particles by

        s_i**2 m_i P / sum_j s_j**2 m_j**2

    so that those are moved that are in an encounter, where the error is likely to come from.
    Padded particles do not count. Of particles that point somewhere, places are moved, and
    directions stay. Filters do not know whether something outside acts on the particles: where it
    does, neither momentum nor energy is conserved.

    Args:
        names: which of these.
        mass: column of the mass; without, all have the same.
        energy: the law, for the filter of that name.

    Example:
        >>> law, layout = law_of(description, is_given=False), description.layout
        >>> filters = ConservationFilters.of("momentum+energy", layout, law, spacing=0.002)
        >>> positions, parameters = model.rollout(inputs, 200, filters=filters)
    """

    names: tuple[str, ...]
    mass: int | None = None
    energy: EnergyFilter | None = None

    @classmethod
    def of(
        cls,
        names: str | Sequence[str],
        layout: FeatureLayout | None = None,
        law: ManyBodySystem | None = None,
        spacing: float | None = None,
    ) -> Self:
        """Filters by their names.

        Args:
            names: one or several, also as in `"momentum+energy"`.
            layout: of the data; without, all masses are the same.
            law: of the data, see `socialmd.simulation.law_of`, hidden features or not; the energy
                needs it.
            spacing: time from one step to the next; the energy needs it.

        Raises:
            ValueError: there is no filter of a name, the energy is asked for and cannot be known,
                or something prefers a direction or acts from outside, as walls and anchors do.
        """
        wanted = names.split("+") if isinstance(names, str) else names
        for name in wanted:
            check_choice("filters", name, FILTERS)
        energy = EnergyFilter.of(law, layout, spacing) if "energy" in wanted else None
        outside = {
            "walls": law is not None and law.wall is not None,
            "fixed charges": law is not None and law.fixed_charges is not None,
            "a force limit of components": (
                law is not None and law.force_limit is not None and not law.limit_magnitude
            ),
        }
        found = [what for what, is_there in outside.items() if is_there]
        if "rotation" in wanted and found:
            raise ValueError(
                f"filters: expected no direction to differ for rotation, found {found[0]}"
            )
        if law is not None and law.force_limit is not None:
            found.append("a force limit")
        if layout is not None and layout.columns(name=ANCHOR):
            found.append("anchors")
        if layout is not None and layout.columns(name="mass", given=False):
            found.append("masses that are not given")
        if "momentum" in wanted and found:
            raise ValueError(
                "filters: expected particles that nothing outside acts on for the momentum, found "
                f"{found[0]}"
            )
        mass = None if layout is None else layout.given.find("mass")
        return cls(tuple(name for name in FILTERS if name in wanted), mass, energy)

    @classmethod
    def for_model(
        cls, given: ConservationFilters | str | Sequence[str], model: ForecastModel
    ) -> ConservationFilters | None:
        """Filters as `ForecastModel.rollout` is given them; nothing if there are none.

        Raises:
            ValueError: as of `of`; or the model has walls or an external field, its closed loop
                takes no filters, or its densities cannot be moved, or turned.
        """
        filters = given if isinstance(given, ConservationFilters) else cls.of(given, model.layout)
        if not filters.names:
            return None
        for name in ("wall", "field", "acceleration_limit"):
            if getattr(model, name, None) is not None and filters.names != ("energy",):
                raise ValueError(f"filters: expected a model without {name}, found one")
        takes_filters = "filters" in inspect.signature(model.closed_loop).parameters
        if filters.corrects and not takes_filters:
            raise ValueError(
                "filters: expected a model whose `closed_loop` takes them, found "
                f"{type(model).__name__}"
            )
        turns = np.eye(model.spatial_dims, dtype="float32") if filters.rotates else None
        outputs = ops.zeros((1, model.parameter_size))
        model._distribution.move(outputs, 0.0, turns)
        return filters

    @property
    def rotates(self) -> bool:
        """Whether windows are turned."""
        return "rotation" in self.names

    @property
    def corrects(self) -> bool:
        """Whether positions are moved before they are fed back."""
        return self.names != ("rotation",)

    def check(self, inputs: Unpacked) -> None:
        """Refuse windows that cannot be filtered.

        Raises:
            ValueError: a mass is not positive, or the energy of particles in a periodic box is
                asked for.
        """
        if self.energy is not None and inputs.box is not None:
            raise ValueError("filters: expected no periodic box for the energy, found one")
        if self.corrects and self.mass is not None:
            masses = inputs.frames[:, -1, :, self.mass]
            masses = masses if inputs.mask is None else masses[inputs.mask]
            if not (masses > 0).all():
                raise ValueError(f"filters: expected positive masses, found {masses.min():g}")

    def begin(self, frames: Tensor, mask: Mask, spatial_dims: int) -> Correction:
        """What corrects the forecast of given frames [B, T, N, F], in its closed loop."""
        last = frames[:, -1]
        masses = ops.ones_like(last[..., 0]) if self.mass is None else last[..., self.mass]
        real = ops.ones_like(masses) if mask is None else ops.cast(mask, "float32")
        weights = masses * real / ops.sum(masses * real, axis=-1, keepdims=True)  # [B, N]

        def of_centre(displacement: Tensor) -> Tensor:
            return ops.sum(weights[..., None] * displacement, axis=-2, keepdims=True)  # [B, 1, D]

        before = of_centre((last - frames[:, -2])[..., :spatial_dims])
        restore = self.energy and self.energy.begin(frames, mask, spatial_dims)

        def correct(position: Positions, following: Positions, variance: Tensor) -> Tensor:
            displacement = following - position
            share = variance * weights  # [B, N]
            share = (share / ops.sum(share * weights, axis=-1, keepdims=True))[..., None]
            change = ops.zeros_like(displacement)
            if "momentum" in self.names:
                change = share * (before - of_centre(displacement))
            if restore is not None:
                goal = displacement + change
                along = share * (goal - of_centre(goal))
                along = along - share * of_centre(along)  # leaves momentum as it is
                change = change + restore(position, goal, along)
            return change * real[..., None]

        return correct
