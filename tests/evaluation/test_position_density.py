import numpy as np
import scipy.stats

from socialmd.distributions import BivariateGaussian
from socialmd.evaluation import position_density


def test_density_is_the_average_over_steps_of_the_sum_over_particles():
    rng = np.random.default_rng(0)
    parameters = np.concatenate(
        [rng.normal(size=(3, 2, 2)), rng.uniform(0.3, 0.6, (3, 2, 2)), rng.normal(size=(3, 2, 1))],
        axis=-1,
    ).astype("float32")  # [T', N, P]
    density = position_density(
        BivariateGaussian().from_parameters(parameters), (-5, 5, -6, 6), pixels=80
    )
    assert density.shape == (80, 80)
    pixel = (10 / 80) * (12 / 80)
    np.testing.assert_allclose(density.sum() * pixel, 2.0, rtol=1e-3)

    row, column = 50, 23
    point = [-5 + (column + 0.5) * 10 / 80, -6 + (row + 0.5) * 12 / 80]
    expected = 0.0
    for mean_x, mean_y, sigma_x, sigma_y, fisher_z in parameters.reshape(-1, 5).astype(float):
        off_diagonal = np.tanh(fisher_z) * sigma_x * sigma_y
        covariance = [[sigma_x**2, off_diagonal], [off_diagonal, sigma_y**2]]
        expected += scipy.stats.multivariate_normal([mean_x, mean_y], covariance).pdf(point) / 3
    np.testing.assert_allclose(density[row, column], expected, rtol=1e-3)
