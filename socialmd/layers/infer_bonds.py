"""How strongly pairs of particles are tied to each other, from how they have moved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from keras import ops

from socialmd.types import Positions, Tensor

__all__ = ["infer_bonds"]

# Gauss-Legendre quadrature over one frame.
NODES, SHARES = (each / 2 for each in np.polynomial.legendre.leggauss(6))
NODES = NODES + 0.5
ITERATIONS = 8
ENOUGH = 3  # equations for each particle of a system, from which on they are weighed by errors
FREEDOM = 3.0  # degrees of freedom of the Student-t density of errors
FLOOR = 1e-4  # of changes, below which errors are not told from each other
SMALLEST = 1e-12  # displacement, of which the logarithm is finite
# A pair far apart counts beside one that nearly collides. Backends without it lose such pairs.
PRECISION = "float64"
ROUNDING = 10 * float(np.finfo("float32").eps)


def infer_bonds(
    positions: Positions,
    velocities: Tensor,
    pull: Callable[[Positions], Tensor],
) -> Tensor:
    """Strengths g of bonds under which the given frames are likely.

    Accelerations are linear in them,

        x_i'' = sum over j of g_ij Q_ij(x),

    and so are the changes of velocities and places from frame to frame, if the integrals on the
    right are taken along the way that was seen, a cubic curve between frames:

        w(t + 1) - w(t)          = int over s from 0 to 1 of x''(t + s) ds
        x(t + 1) - x(t) - w(t)   = int over s of (1 - s) x''(t + s) ds

    or, where no velocities are given, x(t + 1) - 2 x(t) + x(t - 1) = int of (1 - |s|) x''(t + s) ds
    from -1 to 1. Each particle's g_ij have independent normal priors about zero, of variance one
    plus the mean of their squares, and errors a Student-t density whose scale is that of the
    particle: in encounters, and where a wall was hit, the curve is far from the way taken. The mode
    is found by weighing the equations again and again; where there are few of them for so many
    unknowns, they are weighed once, by how much pairs pull. What both particles of a pair tell is
    averaged, by precision.

    Args:
        positions: T frames, [T, B, N, D].
        velocities: likewise, in lengths per frame, or none.
        pull: Q, accelerations of i by j, [M, N, D] -> [M, N, N, D]; M a multiple of B, along which
            systems come in the same order again and again. Of a particle by itself, what acts on
            it from outside.

    Returns:
        g, [B, N, N], symmetric. No gradient flows through it: where a loss is nearly that which g
        is the best of, it has nearly none.

    References:
        Equations in integrals: D. A. Messenger and D. M. Bortz, Weak SINDy, Multiscale Model.
        Simul. 19, 1474 (2021). Weights: P. W. Holland and R. E. Welsch, Commun. Stat. A 6, 813
        (1977).
    """
    changes, pulled = _equations(positions, velocities, pull)
    changes, pulled = (ops.cast(ops.stop_gradient(each), PRECISION) for each in (changes, pulled))
    squares, scale = ops.sum(pulled**2, axis=-1), _scale(changes)
    first = weights = 1 / (scale**2 * (1 + squares / _scale(squares)))
    is_enough = ops.shape(changes)[-1] >= ENOUGH * ops.shape(changes)[1]
    prior: Tensor = ops.ones_like(scale)
    for _ in range(ITERATIONS):
        bonds, variances = _solve(changes, pulled, weights, prior)
        prior = 1 + ops.mean(bonds**2, axis=-1, keepdims=True)
        errors = changes - ops.matmul(pulled, bonds[..., None])[..., 0]
        width = ops.maximum(_scale(errors), FLOOR * scale)
        weights = (FREEDOM + 1) / (FREEDOM * width**2 + errors**2)
        weights = ops.where(is_enough, weights, first)
    both = [(each, ops.swapaxes(each, 1, 2)) for each in (bonds, 1 / variances)]
    (bonds, of_other), (precision, precision_of_other) = both
    mean = bonds * precision + of_other * precision_of_other
    return ops.cast(mean / (precision + precision_of_other), "float32")


def _equations(
    positions: Positions,
    velocities: Tensor,
    pull: Callable[[Positions], Tensor],
) -> tuple[Tensor, Tensor]:
    """Left sides, [B, N, E], and Q of each, [B, N, E, N]."""
    moving = _slopes(positions) if velocities is None else velocities
    ends = (positions[:-1], positions[1:], moving[:-1], moving[1:])
    path = ops.stack([_between(*ends, node) for node in NODES])  # [nodes, T - 1, B, N, D]
    flat = ops.reshape(path, (-1, *ops.shape(path)[-2:]))
    of_nodes = pull(flat)
    of_nodes = ops.reshape(of_nodes, (*ops.shape(path)[:-2], *ops.shape(of_nodes)[1:]))
    early, late = (
        sum(share * of_nodes[n] for n, share in enumerate(shares))
        for shares in (SHARES * (1 - NODES), SHARES * NODES)
    )
    pulled = _combine(early, late, velocities is not None)  # [E, B, N, N, D]
    if velocities is None:
        changes = positions[2:] - 2 * positions[1:-1] + positions[:-2]
    else:
        shifts = positions[1:] - positions[:-1] - moving[:-1]
        changes = ops.concatenate([moving[1:] - moving[:-1], shifts], axis=0)
    changes = ops.transpose(changes, (1, 2, 0, 3))
    pulled = ops.transpose(pulled, (1, 2, 0, 4, 3))
    batch, particles = ops.shape(pulled)[:2]
    shape = (batch, particles, -1)
    return ops.reshape(changes, shape), ops.reshape(pulled, (*shape, particles))


def _combine(early: Tensor, late: Tensor, has_velocities: bool) -> Tensor:
    """From integrals over (1 - s) and over s of each frame, those of the equations."""
    if has_velocities:
        return ops.concatenate([early + late, early], axis=0)
    return early[1:] + late[:-1]


def _slopes(positions: Positions) -> Tensor:
    """Velocities of frames [T, ...], by differences of second order inside."""
    steps = positions[1:] - positions[:-1]
    return ops.concatenate([steps[:1], (steps[1:] + steps[:-1]) / 2, steps[-1:]], axis=0)


def _between(start: Tensor, end: Tensor, leaving: Tensor, arriving: Tensor, s: float) -> Tensor:
    """Point s of the cubic curve through two places with two velocities."""
    s = float(s)
    return (
        (1 + 2 * s) * (1 - s) ** 2 * start
        + s**2 * (3 - 2 * s) * end
        + s * (1 - s) ** 2 * leaving
        - s**2 * (1 - s) * arriving
    )


def _scale(errors: Tensor) -> Tensor:
    """Geometric mean of each particle's, [B, N, E] -> [B, N, 1]: a few that are large do not count.

    Of the errors that a Student-t density makes it is not far from its scale.
    """
    return ops.exp(ops.mean(ops.log(ops.abs(errors) + SMALLEST), axis=-1, keepdims=True))


def _solve(
    changes: Tensor, pulled: Tensor, weights: Tensor, prior: Tensor
) -> tuple[Tensor, Tensor]:
    """Each particle's weighted ridge regression: means and variances, [B, N, N] each.

    Of changes [B, N, E], pulls [B, N, E, N], weights [B, N, E] and prior variances [B, N, 1].
    """
    weighed = ops.swapaxes(pulled * weights[..., None], -1, -2)  # [B, N, N, E]
    normal = ops.matmul(weighed, pulled)
    ridge = 1 / prior
    if normal.dtype == "float32":  # or it would be lost
        trace = ops.sum(ops.diagonal(normal, axis1=-2, axis2=-1), axis=-1, keepdims=True)
        ridge = ridge + ROUNDING * trace
    one = ops.eye(ops.shape(normal)[-1], dtype=PRECISION)
    inverse = ops.inv(normal + ridge[..., None] * one)
    means = ops.matmul(inverse, ops.matmul(weighed, changes[..., None]))[..., 0]
    return means, ops.diagonal(inverse, axis1=-2, axis2=-1)
