"""Energy of a step, where the law is known, and the change of displacements that restores it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

from keras import ops

from socialmd.config import ManyBodySystem
from socialmd.data.feature_layout import FeatureLayout
from socialmd.types import Mask, Positions, Tensor

__all__ = ["EnergyFilter"]

RESOLVED = 0.1  # of the kinetic energy: what a step may leave untold of its energy
MOST = 0.04  # likewise, by which it is changed in a step
TINY = 1e-12


class _Step(NamedTuple):
    """Kinetic and total energy of steps, and what of it they may not tell, [...] each."""

    kinetic: Tensor
    total: Tensor
    untold: Tensor


class EnergyFilter(NamedTuple):
    """Energy of N particles under Coulomb forces and gravity, kept what it was.

    Places x and x + d are known, h apart in time. Were forces uniform within the step, the mean of
    its energy would be, by Simpson's rule for the potential energy U,

        E = sum_i (m_i |d_i / h|**2 / 2 + h**2 |F_i|**2 / (24 m_i))
            + (U(x) + 4 U(x + d / 2) + U(x + d)) / 6

    with F the mean of the forces at both ends: the term that it is in is what a particle moves
    faster at the ends than a straight line does. Neither that term nor the difference of U between
    the middle and the mean of the ends may be more than a tenth of the kinetic energy. If one is,
    as in a close encounter, positions do not tell the energy, and the step is left as it is.

    Otherwise kinetic energy makes up for what is missing to E_ref, that of the given step of which
    most is told, but for no more than 4 % of itself in a step. Displacements d become d + l g with
    that number l which is closest to zero; the direction g (see `ConservationFilters`) leaves
    momentum as it is, and moves particles the more, the less certain they are. Where no l would do,
    or even of that given step too little is told, nothing is done.

    Args:
        coulomb_constant, gravitational_constant, softening: of the law, see `ManyBodySystem`.
        spacing: h, time from one step to the next.
        mass, charge: columns of these features.
    """

    coulomb_constant: float
    gravitational_constant: float
    softening: float
    spacing: float
    mass: int
    charge: int

    @classmethod
    def of(
        cls, law: ManyBodySystem | None, layout: FeatureLayout | None, spacing: float | None
    ) -> Self:
        """The filter of a data set.

        Args:
            law: that made the data, see `socialmd.simulation.law_of`.
            layout: of the data.
            spacing: time from one step to the next.

        Raises:
            ValueError: the law is not known, or is another than that of charges and masses alone.
        """
        if law is None or layout is None or spacing is None:
            raise ValueError(
                "filters: expected data whose law of motion is known for the energy, found others"
            )
        more = {
            "something that turns": law.has_rotors,
            "strands": law.strands is not None,
            "springs": law.has_springs,
            "walls": law.wall is not None,
            "fixed charges": law.fixed_charges is not None,
            "a force limit": law.force_limit is not None,
        }
        if found := [what for what, is_there in more.items() if is_there]:
            raise ValueError(
                "filters: expected nothing but charges and masses for the energy, found "
                f"{', '.join(found)}"
            )
        mass, charge = layout.given.find("mass"), layout.given.find("charge")
        if mass is None or charge is None:
            raise ValueError(
                "filters: expected mass and charge among the features for the energy, found "
                f"{layout.in_words()}"
            )
        constants = law.coulomb_constant, law.gravitational_constant, law.softening
        return cls(*constants, spacing, mass, charge)

    def begin(
        self, frames: Tensor, mask: Mask, spatial_dims: int
    ) -> Callable[[Positions, Tensor, Tensor], Tensor]:
        """Of given frames [B, T, N, F], what restores their energy.

        Returns:
            A function of positions [B, N, D], displacements and the direction along which these may
            be changed: by how much they should be, [B, N, D].
        """
        real = ops.ones_like(frames[:, -1, :, 0]) if mask is None else ops.cast(mask, "float32")
        masses, charges = (frames[:, -1, :, column] * real for column in (self.mass, self.charge))
        couplings = self.coulomb_constant * charges[:, :, None] * charges[:, None, :]
        couplings -= self.gravitational_constant * masses[:, :, None] * masses[:, None, :]
        couplings *= 1.0 - ops.eye(ops.shape(masses)[1])  # [B, N, N]
        given = frames[..., :spatial_dims]
        steps = given[:, 1:] - given[:, :-1]
        seen = self._of_steps(given[:, :-1], steps, masses[:, None], couplings[:, None])
        best = ops.argmin(seen.untold, axis=1)[:, None]
        reference = _Step(*(ops.take_along_axis(each, best, axis=1)[:, 0] for each in seen))
        most = RESOLVED * reference.kinetic
        is_told = reference.untold < most

        def restore(position: Positions, displacement: Tensor, along: Tensor) -> Tensor:
            step = self._of_steps(position, displacement, masses, couplings)
            lack = ops.clip(reference.total - step.total, -MOST * step.kinetic, MOST * step.kinetic)
            # The kinetic energy of d + l g is K + slope l + curve l**2.
            slope = ops.sum(masses * ops.sum(displacement * along, axis=-1), axis=-1)
            slope = ops.maximum(slope / self.spacing**2, TINY)
            root = 1.0 + 4 * self._kinetic(along, masses) * lack / ops.square(slope)
            length = 2 * lack / slope / (1.0 + ops.sqrt(ops.maximum(root, 0.0)))
            can_do = ops.logical_and(is_told, step.untold < most)
            can_do = ops.logical_and(can_do, root >= 0)
            return ops.where(can_do, length, 0.0)[:, None, None] * along

        return restore

    def _of_steps(
        self, start: Positions, displacement: Tensor, masses: Tensor, couplings: Tensor
    ) -> _Step:
        """Of positions and displacements [..., N, D], masses [..., N] and couplings [..., N, N]."""
        (first, push), (middle, _), (last, pull) = (
            self._potential(start + part * displacement, couplings) for part in (0.0, 0.5, 1.0)
        )
        squares = ops.sum(ops.square((push + pull) / 2), axis=-1)  # [..., N]
        faster = ops.sum(squares / ops.maximum(masses, TINY), axis=-1) * self.spacing**2 / 24
        kinetic = self._kinetic(displacement, masses)
        total = kinetic + faster + (first + 4 * middle + last) / 6
        return _Step(kinetic, total, ops.maximum(faster, ops.abs((first + last) / 2 - middle)))

    def _kinetic(self, displacement: Tensor, masses: Tensor) -> Tensor:
        """[..., N, D] -> [...]."""
        squares = ops.sum(ops.square(displacement / self.spacing), axis=-1)
        return ops.sum(masses * squares, axis=-1) / 2

    def _potential(self, positions: Positions, couplings: Tensor) -> tuple[Tensor, Tensor]:
        """Potential energy [...] and forces [..., N, D]."""
        offsets = positions[..., :, None, :] - positions[..., None, :, :]
        # Coinciding particles, such as padded ones, have no coupling, but need a distance.
        squares = ops.sum(ops.square(offsets), axis=-1) + self.softening**2 + TINY
        energies = couplings / ops.sqrt(squares)  # [..., N, N], each pair twice
        forces = ops.sum((energies / squares)[..., None] * offsets, axis=-2)
        return ops.sum(energies, axis=(-2, -1)) / 2, forces
