import numpy as np
import pytest
from scipy import stats
from scipy.integrate import cumulative_trapezoid

from socialmd.simulation import CircleWalk

WALKS = [
    CircleWalk(),
    CircleWalk(mean_step=-4.0, angle_noise=3.0, radius=2.0, radius_noise=0.2),
    CircleWalk(mean_step=3.0, angle_noise=0.2, radius_noise=0.1),
]


def in_plane(angle, r):
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=-1)


def cdf(points, density):
    """Distribution function of an unnormalized density given on a fine grid."""
    integral = cumulative_trapezoid(density, points, initial=0.0)
    return lambda x: np.interp(x, points, integral / integral[-1])


def steps_and_radii(past, following):
    """Change of the angle in (-pi, pi], and the radius after it."""
    past, following = past @ [1, 1j], following @ [1, 1j]
    return np.angle(following / past), np.abs(following)


@pytest.mark.parametrize("walk", WALKS)
def test_density_integrates_to_one(walk):
    side, width = np.linspace(-2.0, 2.0, 801, retstep=True)
    side = walk.radius * (side[:-1] + width / 2)  # midpoints, none of them in the centre
    plane = np.stack(np.meshgrid(side, side), axis=-1)
    density = np.exp(walk.log_density([0.3, -0.8], plane))
    assert density.sum() * (width * walk.radius) ** 2 == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("walk", WALKS)
def test_density_is_wrapped_normal_times_normal_over_r(walk, rng):
    past_angle, angle = rng.uniform(-7, 7, (2, 50))
    r = rng.uniform(0.5, 1.5, 50) * walk.radius
    step = stats.norm(walk.mean_step, walk.angle_noise)
    turns = range(-50, 51)
    angular = sum(step.pdf(angle - past_angle + 2 * np.pi * turn) for turn in turns)
    radial = stats.norm(walk.radius, walk.radius_noise).logpdf(r)
    found = walk.log_density(in_plane(past_angle, 0.7), in_plane(angle, r))
    assert found.shape == (50,)
    possible = angular > 1e-290  # the sum of the others underflows here
    expected = np.log(angular[possible]) + radial[possible] - np.log(r[possible])
    assert possible.sum() > 10
    np.testing.assert_allclose(found[possible], expected, rtol=1e-9)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("source", ["simulate", "draw_next"])
def test_samples_follow_the_density(walk, source, rng):
    """Probability integral transforms of angle and radius, both integrated from the density."""
    seed = int(rng.integers(2**31))
    if source == "simulate":
        frames = walk.simulate(20, 100, seed)[:, :, 0]
        past, following = frames[:, :-1].reshape(-1, 2), frames[:, 1:].reshape(-1, 2)
    else:
        past, following = np.array([-0.2, 0.4]), walk.draw_next([-0.2, 0.4], 2000, seed)
    steps, radii = steps_and_radii(past, following)
    angles = np.linspace(-np.pi, np.pi, 20001)
    angular = np.exp(walk.log_density([1.0, 0.0], in_plane(angles, walk.radius)))
    assert stats.kstest(steps, cdf(angles, angular)).pvalue > 1e-5
    r = walk.radius + walk.radius_noise * np.linspace(-7.5, 7.5, 20001)
    radial = r * np.exp(walk.log_density([1.0, 0.0], in_plane(walk.mean_step, r)))
    assert stats.kstest(radii, cdf(r, radial)).pvalue > 1e-5
    assert abs(stats.spearmanr(steps, radii).statistic) < 0.1  # independent


def test_only_the_last_angle_matters_and_the_axes_do_not(rng):
    walk = CircleWalk()
    past, angle, turn = rng.uniform(-3, 3, (3, 20))
    expected = walk.log_density(in_plane(past, 1.0), in_plane(angle, 0.97))
    for r in (0.1, 3.0):
        found = walk.log_density(in_plane(past + turn, r), in_plane(angle + turn, 0.97))
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_simulations_are_the_same_however_many_and_long():
    walk = CircleWalk()
    frames = walk.simulate(5, 30, seed=3)
    assert frames.shape == (5, 30, 1, 2)
    assert frames.dtype == np.float64
    np.testing.assert_array_equal(walk.simulate(2, 10, seed=3), frames[:2, :10])
    assert not np.isclose(walk.simulate(5, 30, seed=4), frames).any()
    assert not np.isclose(frames[0], frames[1]).any()


def test_simulations_start_anywhere_on_the_circle():
    start = CircleWalk().simulate(500, 1, seed=0)[:, 0, 0] @ [1, 1j]
    assert stats.kstest(np.angle(start), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mean_step", np.nan),
        ("angle_noise", 0.0),
        ("angle_noise", np.inf),
        ("radius", -1.0),
        ("radius_noise", np.nan),
        ("radius_noise", 0.13),
    ],
)
def test_impossible_constants_are_refused(name, value):
    with pytest.raises(ValueError, match=rf"{name}: expected .*, found {value}"):
        CircleWalk(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 1), "num_simulations: expected 1 or more, found 0"),
        ((1, 0, 1), "num_frames: expected 1 or more, found 0"),
        ((1, 1, -1), "seed: expected 0 or more, found -1"),
    ],
)
def test_impossible_simulations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        CircleWalk().simulate(*arguments)


@pytest.mark.parametrize(
    ("position", "message"),
    [
        ([np.nan, 1.0], "expected finite numbers"),
        ([0.0, 0.0], "expected an angle, found a position in the circle's centre"),
        ([1.0, 0.0, 0.0], r"expected shape \[..., 2\], found \(3,\)"),
    ],
)
def test_positions_without_an_angle_are_refused(position, message):
    walk = CircleWalk()
    with pytest.raises(ValueError, match=f"past: {message}"):
        walk.log_density(position, [1.0, 0.0])
    with pytest.raises(ValueError, match=f"positions: {message}"):
        walk.log_density([1.0, 0.0], position)
    with pytest.raises(ValueError, match=f"past: {message}"):
        walk.draw_next(position, 3, seed=0)
