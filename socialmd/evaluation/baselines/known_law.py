"""The law of motion that made the data, integrated from what is seen."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from socialmd.config import ManyBodySystem
from socialmd.data import FeatureLayout
from socialmd.data.feature_layout import ANCHOR, BONDS
from socialmd.evaluation.baselines.baseline import Baseline, KnownData, register_baseline
from socialmd.evaluation.checks import NotPossibleError
from socialmd.simulation import (
    Rotors,
    accelerations,
    integrate,
    integrate_rotors,
    integrate_strands,
    law_of,
    layout_of_law,
    turning_forces,
)
from socialmd.types import FloatArray

__all__ = ["KnownLaw"]


@register_baseline
class KnownLaw(Baseline):
    """The true law of motion, from the last positions and velocities estimated for them.

    The last displacement is the velocity half a step ago; the law itself says how it went on:

        v_t = (x_t - x_(t-1)) / dt + a(x_t) dt / 2

    Where the data hold velocities, the last ones are taken. So it is with dipoles and quadrupoles,
    and how they turn; and on strands, with friction and without noise.

    Args:
        system: constants of the law.
        step_spacing: time from one step to the next.
        integration_steps: velocity Verlet steps for one step of the forecast. With the default
            data and `subsample = 20`, 2000 of them are time steps of 1e-6.
        layout: where the features of the law are; as `layout_of_law` has them if none is given.

    Raises:
        ValueError: a number is not positive; on rollout, there are other features.
        FloatingPointError: on rollout, the integration has become infinite.

    Example:
        >>> law = KnownLaw(config.system, step_spacing=0.002)
        >>> law.rollout(inputs, num_steps=30)[0].shape
        (32, 30, 25, 2)
    """

    name = "known law"
    is_rival = False

    def __init__(
        self,
        system: ManyBodySystem,
        step_spacing: float,
        integration_steps: int = 2000,
        layout: FeatureLayout | None = None,
    ) -> None:
        layout = layout or layout_of_law(system)
        turning = layout.orientation if system.has_rotors else []
        super().__init__(layout.spatial_dims, turning)
        if not step_spacing > 0 or integration_steps < 1:
            raise ValueError(
                "step_spacing, integration_steps: expected positive numbers, found "
                f"{step_spacing}, {integration_steps}"
            )
        self.system = system
        self.step_spacing = step_spacing
        self.integration_steps = integration_steps
        self.layout = layout

    @classmethod
    def for_data(cls, data: KnownData) -> Self:
        if data.description is None or data.description.law is None:
            raise NotPossibleError("the data set names no law of motion")
        law = law_of(data.description)
        if law is None:
            needed = ManyBodySystem.model_validate(data.description.law)
            *names, last = layout_of_law(needed).features[needed.spatial_dims :]
            raise NotPossibleError(f"the law needs the features {', '.join(names)} and {last}")
        return cls(law, data.spacing, layout=data.description.layout.given)

    def forecast(self, frames: FloatArray, num_steps: int) -> FloatArray:
        names = self.layout.features
        if frames.shape[-1] != len(names):
            raise ValueError(
                f"inputs: expected the {len(names)} features {', '.join(names)}, "
                f"found {frames.shape[-1]}"
            )
        step = self.step_spacing
        masses, charges = (self._read(frames, name) for name in ("mass", "charge"))
        before, last = np.moveaxis(self.read_poses(frames[:, -2:]), 1, 0)
        moved = np.asarray(self.poses.arrival(last, before)) / step
        positions, velocities = (each[..., : self.spatial_dims] for each in (last, moved))
        rotors, anchors, springs, strands = None, None, None, self.system.strands
        if self.system.has_springs:
            springs = frames[:, -1][..., self.layout.columns(name=BONDS)]
        if self.orientation:
            rotors = self._rotors(frames, last, moved, positions, charges)
        if strands is not None:
            anchors = frames[:, -1][..., self.layout.columns(name=ANCHOR)]
            velocities = velocities * np.exp(-strands.damping * step / 2)  # since half a step ago
        dipoles = None if rotors is None else rotors.dipoles
        known = (dipoles, anchors, springs)
        pushed = accelerations(self.system, positions, masses, charges, *known)
        velocities = velocities + pushed * step / 2
        if given := self.layout.velocity:
            velocities = frames[:, -1][..., given]
        state = (positions, velocities, masses, charges)
        how: dict[str, Any] = {
            "num_steps": (num_steps + 1) * self.integration_steps,
            "time_step": step / self.integration_steps,
            "keep_every": self.integration_steps,
        }
        if rotors is not None:
            motion = integrate_rotors(self.system, *state, rotors, **how)
            poses = np.concatenate([motion.positions, motion.orientations], axis=-1)
        elif anchors is not None:
            poses = integrate_strands(self._cold_system, *state, anchors, **how).positions
        else:
            poses = integrate(self.system, *state, **how, springs=springs).positions
        return poses[:, 1:]  # without the given frame

    def _read(self, frames: FloatArray, name: str) -> FloatArray:
        return frames[:, -1, :, self.layout.find(name)]

    @property
    def _cold_system(self) -> ManyBodySystem:
        """Without thermal noise, which nobody knows beforehand."""
        strands = self.system.strands
        cold = strands and strands.model_copy(update={"temperature": 0.0})
        return self.system.model_copy(update={"strands": cold})

    def _rotors(
        self,
        frames: FloatArray,
        pose: FloatArray,
        velocity: FloatArray,
        positions: FloatArray,
        charges: FloatArray,
    ) -> Rotors:
        """What points as a pose does, exactly of length one, and turns as was seen, and went on."""
        directions, spins = (each[..., self.spatial_dims :] for each in (pose, velocity))
        directions = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
        moments, inertias = (
            self._read(frames, name) for name in (self.system.moment_name, "moment_of_inertia")
        )
        rotors = Rotors(directions, spins, moments, inertias)
        pull = turning_forces(self.system, positions, charges, rotors.dipoles)
        spins = spins + pull / inertias[..., np.newaxis] * self.step_spacing / 2
        along = (spins * directions).sum(axis=-1, keepdims=True)
        return rotors._replace(spins=spins - along * directions)
