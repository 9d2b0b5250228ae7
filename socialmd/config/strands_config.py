"""`[system.strands]`: what ties particles to a core."""

from __future__ import annotations

from socialmd.config.section import ConfigSection, NonNegativeFloat, PositiveFloat

__all__ = ["StrandsConfig"]


class StrandsConfig(ConfigSection):
    """Damped springs from particles to anchors on a core at the origin (thesis, figure 35).

    Of a particle at x, with its anchor at y and |y| = R, the core's radius, the force is

        F = -k (|d| - l) d / |d| + c (R - |x|) x / |x| if |x| < R,      d = x - y

    and in a solvent of temperature T its velocity loses gamma v per unit of time, and is pushed at
    random (Langevin dynamics), so that without other forces it comes to a variance of T / m per
    coordinate.

    Args:
        stiffness: k, force by stretch.
        rest_length: l, distance from the anchor at which a spring is at rest.
        damping: gamma, in inverse units of time.
        temperature: T, in units of energy; without damping it means nothing.
        core_radius: R, of the sphere, or the disc in the plane.
        core_stiffness: c, by which the core pushes out who is within it.

    Example:
        >>> StrandsConfig(stiffness=400.0, rest_length=1.5).damping
        0.0
    """

    stiffness: NonNegativeFloat
    rest_length: NonNegativeFloat = 0.0
    damping: NonNegativeFloat = 0.0
    temperature: NonNegativeFloat = 0.0
    core_radius: PositiveFloat = 2.0
    core_stiffness: NonNegativeFloat = 0.0
