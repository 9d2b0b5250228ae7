"""The interaction of two particles that a model has learned, beside the true law."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from socialmd.simulation import PairLaw
from socialmd.types import FloatArray

__all__ = ["LearnedInteraction"]

NUM_PAIRS = 20_000  # drawn, whose distances are those of the data
NUM_MOVED = 256  # of them, moved to every distance
NUM_DISTANCES = 64
NUM_DIRECTIONS = 16
NUM_PIXELS = 48  # of a map along each side; an even number, so that none is where x_j = x_i
RARE = 0.001  # of all pairs
MOST_NAMED = 4  # features in a label
# Beyond this part of what is largest, pairs or directions are not alike.
ALIKE = 1e-3


class LearnedInteraction(NamedTuple):
    """Accelerations in lengths per step squared; first what was learned, then the law if known.

    Args:
        pairs: what tells each of P chosen pairs.
        distances: from the smallest to the largest of the data, [R], in units of length.
        seen: distances between which all but a thousandth of all pairs at each end lie.
        curves: what pushes the first of a pair away from the second, a mean over directions in the
            x-y plane; negative where they attract each other, [1 or 2, P, R].
        errors: quartiles of |learned - law| / |law| over pairs of the data that are moved to each
            distance, [3, R]; none without a law.
        maps: the same as `curves` of the first pair, by y and x of the second particle, [1 or 2,
            G, G]; none if the learned acceleration does not depend on the direction.
        half: largest |x| and |y| of the maps, the median distance of the data.
    """

    pairs: list[str]
    distances: FloatArray
    seen: tuple[float, float]
    curves: FloatArray
    errors: FloatArray | None
    maps: FloatArray | None
    half: float

    @classmethod
    def from_frames(
        cls,
        learned: PairLaw,
        frames: ArrayLike,
        spatial_dims: int = 2,
        law: PairLaw | None = None,
        mask: NDArray[np.bool_] | None = None,
    ) -> LearnedInteraction | None:
        """Look at a pair's acceleration; nothing is seen if no two particles are apart.

        Shown are the pairs of most attraction and repulsion at the median distance, and the one
        whose strength is the median there; by the law, or by what was learned if none is known.

        Args:
            learned: acceleration [M, D] of a particle at the origin, of the neighbour's offset
                [M, D] and the static features of both, [M, F - D] each.
            frames: of data, [W, N, F], coordinates first.
            spatial_dims: D.
            law: the true one, likewise.
            mask: bool [W, N], false for padded particles, which come last.

        Example:
            >>> frames = read_windows("data/monopoles", "test", config.data).inputs[:, -1]
            >>> LearnedInteraction.from_frames(model.pair_acceleration, frames)
        """
        drawn = _draw_pairs(np.asarray(frames, np.float32), spatial_dims, mask)
        if not len(drawn[0]):
            return None
        offsets, own, neighbour = drawn
        lengths = np.linalg.norm(offsets, axis=1)
        half = float(np.median(lengths))
        low, high = np.quantile(lengths, (RARE, 1 - RARE))
        laws = [learned] if law is None else [learned, law]
        chosen = _choose(laws[-1], half, own, neighbour, spatial_dims)
        first, second = (f[list(chosen.values())][:, None, None] for f in (own, neighbour))
        distances = np.geomspace(lengths.min(), lengths.max(), NUM_DISTANCES)
        angles = 2 * np.pi * np.arange(NUM_DIRECTIONS) / NUM_DIRECTIONS
        circle = _in_plane(np.cos(angles), np.sin(angles), spatial_dims)
        around = circle * distances[:, None, None]  # [R, K, D]
        pushes = np.stack([_push(each, around[None], first, second) for each in laws])
        maps = None
        if np.ptp(pushes[0], axis=-1).max() > ALIKE * np.abs(pushes[0]).max():
            line = half * ((np.arange(NUM_PIXELS) + 0.5) * 2 / NUM_PIXELS - 1)
            plane = _in_plane(*np.meshgrid(line, line), spatial_dims)  # [G, G, D], rows along y
            maps = np.stack([_push(each, plane, first[0], second[0]) for each in laws])
        directions = (offsets / lengths[:, None])[:NUM_MOVED]
        moved = directions * distances[:, None, None]  # [R, M, D]
        return cls(
            pairs=[_name(name, own[pair], neighbour[pair]) for name, pair in chosen.items()],
            distances=distances,
            seen=(float(low), float(high)),
            curves=pushes.mean(axis=-1),
            errors=law and _errors(learned, law, moved, own[:NUM_MOVED], neighbour[:NUM_MOVED]),
            maps=maps,
            half=half,
        )

    @property
    def typical_error(self) -> float | None:
        """Median of `errors` over the distances that the data show, if the law is known."""
        if self.errors is None:
            return None
        within = (self.distances >= self.seen[0]) & (self.distances <= self.seen[1])
        return float(np.median(self.errors[1, within]))


def _draw_pairs(
    frames: FloatArray, dims: int, mask: NDArray[np.bool_] | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Offsets [M, D] and static features [M, F - D] of pairs, all equally likely within a frame."""
    rng = np.random.default_rng(0)
    counts = np.full(len(frames), frames.shape[1]) if mask is None else mask.sum(axis=1)
    frames, counts = frames[counts > 1], counts[counts > 1]
    frame = rng.integers(len(frames), size=NUM_PAIRS) if len(frames) else np.zeros(0, int)
    first = rng.integers(counts[frame])
    second = (first + rng.integers(1, counts[frame])) % counts[frame]
    own, neighbour = frames[frame, first], frames[frame, second]
    offsets = neighbour[:, :dims] - own[:, :dims]
    apart = offsets.any(axis=1)
    return offsets[apart], own[apart, dims:], neighbour[apart, dims:]


def _choose(
    law: PairLaw, distance: float, own: FloatArray, neighbour: FloatArray, dims: int
) -> dict[str, int]:
    """Numbers of pairs by what is special of them."""
    strengths = _push(law, distance * np.eye(dims)[:1], own, neighbour)
    if np.ptp(strengths) <= ALIKE * np.abs(strengths).max():
        return {"every pair": 0}
    low, high = int(strengths.argmin()), int(strengths.argmax())
    chosen = {"strongest attraction": low} if strengths[low] < 0 else {}
    if strengths[high] > 0:
        chosen["strongest repulsion"] = high
    return {**chosen, "median strength": int(np.abs(strengths).argsort()[len(strengths) // 2])}


def _push(law: PairLaw, offsets: FloatArray, own: FloatArray, neighbour: FloatArray) -> FloatArray:
    """Component of the acceleration away from the neighbour, [...]; arguments broadcast."""
    unit = offsets / np.linalg.norm(offsets, axis=-1, keepdims=True)
    return -(_accelerations(law, offsets, own, neighbour) * unit).sum(axis=-1)


def _accelerations(
    law: PairLaw, offsets: FloatArray, own: FloatArray, neighbour: FloatArray
) -> FloatArray:
    """[..., D] of offsets [..., D] and features [..., F - D], which broadcast."""
    shape = np.broadcast_shapes(offsets.shape[:-1], own.shape[:-1])
    flat = [
        np.broadcast_to(each, (*shape, each.shape[-1])).reshape(np.prod(shape), each.shape[-1])
        for each in (offsets, own, neighbour)
    ]
    return np.asarray(law(*flat), np.float64).reshape(*shape, -1)


def _errors(
    learned: PairLaw, law: PairLaw, offsets: FloatArray, own: FloatArray, neighbour: FloatArray
) -> FloatArray | None:
    """Quartiles over the pairs that the law lets act upon each other, [3, R], if there are any."""
    expected, found = (_accelerations(each, offsets, own, neighbour) for each in (law, learned))
    sizes = np.linalg.norm(expected, axis=-1)  # [R, M]
    act = sizes.all(axis=0)
    if not act.any():
        return None
    differences = np.linalg.norm(found - expected, axis=-1)
    return np.quantile(differences[:, act] / sizes[:, act], (0.25, 0.5, 0.75), axis=1)


def _in_plane(x: FloatArray, y: FloatArray, dims: int) -> FloatArray:
    """Points [..., D] in the x-y plane."""
    return np.stack([x, y, 0 * x][:dims], axis=-1)


def _name(name: str, own: FloatArray, neighbour: FloatArray) -> str:
    """With the features of both, if there are any, and few enough to be read."""
    numbers = [", ".join(f"{value:.2g}" for value in each) for each in (own, neighbour)]
    is_short = 0 < own.size <= MOST_NAMED
    return f"{name}, ({numbers[0]}) by ({numbers[1]})" if is_short else name
