import itertools
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from MDAnalysis.lib.mdamath import triclinic_vectors
from numpy.typing import NDArray

from socialmd.molecular.check_imaging import check_jumps, find_broken, warn_of_far_images

# Two molecules of three atoms.
STARTS = np.array([0, 3])
WHOLE = np.array([[0.0, 0, 0], [1, 1, 0], [2, 0, 1], [50, -70, 90], [51, -71, 90], [52, -70, 91]])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("atom", range(6))
def test_a_molecule_with_a_gap_is_found(axis: int, atom: int) -> None:
    positions = WHOLE.copy()
    positions[atom, axis] += 30.0
    assert find_broken(positions, np.arange(6), STARTS) == atom // 3


def test_molecules_may_be_far_apart() -> None:
    assert find_broken(WHOLE, np.arange(6), STARTS) is None
    # In another order in the file, too.
    order = np.array([3, 4, 5, 0, 1, 2])
    assert find_broken(WHOLE, order, STARTS) is None


def test_a_long_molecule_is_whole_if_its_atoms_follow_each_other() -> None:
    chain = np.arange(0.0, 200.0, 9.9)
    positions = np.stack([chain, 0 * chain, -chain], axis=1)
    assert find_broken(positions, np.arange(len(chain)), np.array([0])) is None
    assert find_broken(1.02 * positions, np.arange(len(chain)), np.array([0])) == 0


@pytest.mark.parametrize(
    ("step", "jumps"),
    [
        ([19.9, 0, 0], False),
        ([20.1, 0, 0], True),
        # The box is a parallelepiped: its second vector leans by 10.
        ([0.0, 20.1, 0], True),
        ([10.0, 19.9, 0], False),
        ([25.0, 20.0, 0], False),
    ],
)
def test_half_of_each_vector_of_the_box_is_a_jump(step: list[float], jumps: bool) -> None:
    box = np.array([[40.0, 0, 0], [10, 40, 0], [0, 0, 40]])
    positions: NDArray[np.float64] = np.zeros((3, 2, 3))
    positions[1:, 1] = step
    message = r"molecule 2 \(ONC\) moves by more than half the periodic box between frames a and b"
    with pytest.raises(ValueError, match=message) if jumps else nullcontext():
        check_jumps(positions, box, ("OQL", "ONC"), ("a", "b", "c"))


def walks(rng: np.random.Generator, step: float, num_frames: int = 50) -> NDArray[np.float64]:
    """Thirty molecules in a box of 40 angstrom, which has no walls for them."""
    steps = rng.normal(0, step, (num_frames, 30, 3))
    return rng.uniform(0, 40, (30, 3)) + np.cumsum(steps, axis=0)


@pytest.mark.parametrize("step", [0.5, 3.0, 6.0, 12.0])
@pytest.mark.parametrize("box", [None, 40.0 * np.eye(3)])
def test_molecules_that_were_wrapped_are_refused(
    rng: np.random.Generator, step: float, box: NDArray[np.float64] | None
) -> None:
    x = walks(rng, step)
    names, frames = ("OQL",) * 30, list(map(str, range(50)))
    check_jumps(x, box, names, frames)  # followed through the walls: however far they move
    if box is None and step > 5:  # nobody can tell
        return
    with pytest.raises(ValueError, match=r"moves by more than half the .*; follow the mol"):
        check_jumps(x % 40.0, box, names, frames)


def test_few_molecules_that_shake_do_not_jump(rng: np.random.Generator) -> None:
    """Half of their extent is little."""
    check_jumps(rng.normal(0, 1, (500, 1, 3)), None, ("OQL",), list(map(str, range(500))))


def warns_of_far_images(positions: object, box: object) -> bool:
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        names = ("OQL",) * len(np.array(positions))
        warned = warn_of_far_images(np.array(positions, float), box, names, "x.pdb.1")
    assert len(found) == int(warned)
    return warned


@pytest.mark.parametrize(
    ("position", "far"),
    [
        # In a box of 80, x is nearer by 2 x - 80 on the other side.
        ([44.9, 0, 0], False),
        ([45.1, 0, 0], True),
        ([0, -45.1, 0], True),
        ([0, 0, 45.1], True),
        ([0, 0, 100.0], True),
        ([40, 40, -40], False),
        ([60, 60, -60], True),
    ],
)
def test_an_image_that_is_10_angstrom_nearer_is_one_too_many(
    position: list[float], far: bool
) -> None:
    inside = [[10.0, 5, -3], [39, -39, 39]]
    assert warns_of_far_images([*inside, position], 80.0 * np.eye(3)) == far
    assert not warns_of_far_images([position], None)


@pytest.mark.parametrize("dimensions", [(80, 90, 100, 90, 90, 90), (90, 90, 90, *[109.4712] * 3)])
def test_molecules_in_the_image_nearest_to_the_core_do_not_warn(
    dimensions: tuple[float, ...], rng: np.random.Generator
) -> None:
    """As `autoimage` leaves them, in a cuboid and in a truncated octahedron."""
    box = triclinic_vectors(np.array(dimensions), dtype=np.float64)
    centres = rng.uniform(-1, 1, (300, 3)) @ box
    shifts = np.array(list(itertools.product(range(-2, 3), repeat=3))) @ box  # [125, 3]
    images = centres[:, None] + shifts
    nearest = np.linalg.norm(images, axis=-1).argmin(axis=1)
    imaged = images[np.arange(300), nearest]
    representatives = imaged + rng.uniform(-2, 2, imaged.shape)
    assert not warns_of_far_images(representatives, box)
    assert warns_of_far_images(centres, box)
