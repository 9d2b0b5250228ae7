"""What the network computes, in slow and obvious float64 NumPy: the tests' independent reference.

Written from the equations of the thesis, or of a layer's description, one loop per index; knows
neither Keras nor socialmd.
B systems, N particles in D = 2 or 3 dimensions, S grids of G cells along each of D axes, E numbers
per state, H units.
"""

import numpy as np


def pool_states(
    positions, states, grid_sizes, grid_cells, distance_filter=True, mask=None, box=None
):
    """Equations (7)-(9) and figure 8: [B, N, D], [B, N, E] -> [B, N, G, .., G, E]."""
    batch, particles, dim = np.shape(states)
    dims = np.shape(positions)[-1]
    pooled = np.zeros((batch, particles, *[grid_cells] * dims, dim))
    for b in range(batch):
        for i in range(particles):
            for j in range(particles):
                if i == j or (mask is not None and not mask[b][j]):
                    continue
                offset = np.asarray(positions[b][j], float) - np.asarray(positions[b][i], float)
                if box is not None:
                    offset = nearest_image(offset, box[b])
                for side in grid_sizes:
                    if is_on_grid(offset, side, distance_filter):
                        pooled[(b, i, *cell_of(offset, side, grid_cells))] += states[b][j]
    return pooled


def nearest_image(offset, vectors):
    """The shortest of an offset [D] and its images by up to three boxes [D, D] each way."""
    images = (np.array(n) - 3 for n in np.ndindex(*[7] * len(offset)))
    return min((offset + n @ vectors for n in images), key=np.linalg.norm)


def is_on_grid(offset, side, distance_filter):
    if distance_filter:
        return np.sqrt(np.sum(np.square(offset))) <= side / 2
    return np.all(np.abs(offset) <= side / 2)


def cell_of(offset, side, grid_cells):
    cell = (int(np.floor((along / side + 0.5) * grid_cells)) for along in offset)
    return tuple(min(along, grid_cells - 1) for along in cell)


def convolve(image, kernel, bias, stride=1):
    """Cross-correlation with "same" padding: [G, .., E], [k, .., E, C], [C] -> [G', .., C]."""
    cells, size, dims = image.shape[0], kernel.shape[0], image.ndim - 1
    pixels = int(np.ceil(cells / stride))
    first = -(max((pixels - 1) * stride + size - cells, 0) // 2)  # where the first filter starts
    output = np.zeros((*[pixels] * dims, kernel.shape[-1]))
    for pixel in np.ndindex(*[pixels] * dims):
        output[pixel] = bias
        for tap in np.ndindex(*[size] * dims):
            cell = tuple(first + r * stride + a for r, a in zip(pixel, tap, strict=True))
            if all(0 <= along < cells for along in cell):
                output[pixel] += image[cell] @ kernel[tap]
    return output


def halve(image, how):
    """Blocks of 2 x 2 cells, cut off at the far border: [G, .., C] -> [ceil(G/2), .., C]."""
    combine, dims = {"max": np.max, "average": np.mean}[how], image.ndim - 1
    halves = np.zeros((*[-(-image.shape[0] // 2)] * dims, image.shape[-1]))
    for pixel in np.ndindex(*halves.shape[:-1]):
        block = image[tuple(slice(2 * r, 2 * r + 2) for r in pixel)]
        halves[pixel] = combine(block, axis=tuple(range(dims)))
    return halves


def neighbour_filter_grid(
    positions, values, tables, grid_sizes, interpolation="linear", mask=None, box=None
):
    """Tables [S, G, .., G, C] of S grids, values [B, N, C] -> [B, N, C]."""

    def kernel(offset):
        total = np.zeros(np.shape(values)[-1])
        for table, side in zip(tables, grid_sizes, strict=True):
            if is_on_grid(offset, side, distance_filter=True):
                total += read_table(table, offset / side, interpolation)
        return total

    return sum_over_neighbours(positions, values, kernel, mask, box)


def read_table(table, place, interpolation):
    """What [G, .., G, C] has at a place [D], -1/2..1/2: between the centres of its cells."""
    cells = table.shape[0]
    if interpolation == "nearest":
        return table[cell_of(place, 1.0, cells)]
    centres = (np.arange(cells) + 0.5) / cells - 0.5
    for along in np.clip(place, centres[0], centres[-1]):  # constant beyond the outermost centres
        table = np.tensordot(np.maximum(0, 1 - np.abs(along - centres) * cells), table, axes=1)
    return table


def neighbour_filter_radial(
    positions, values, tables, cutoff, minimum_distance, mask=None, box=None, power=-1
):
    """Tables [n + 1, C] of different n, values [B, N, C] -> [B, N, C, D]."""
    length = np.sqrt(cutoff * minimum_distance)

    def kernel(offset):
        distance = np.sqrt(np.sum(offset**2))
        if distance < minimum_distance:  # linear from zero to what it is there
            return np.outer(strength(minimum_distance), offset / minimum_distance)
        return np.outer(strength(distance), offset / distance)

    def strength(distance):
        place = np.log(distance / minimum_distance) / np.log(cutoff / minimum_distance)
        table = sum(interpolate_columns(place, table) for table in tables)
        x = np.clip((distance - 0.9 * cutoff) / (0.1 * cutoff), 0, 1)
        switch = 1 - 10 * x**3 + 15 * x**4 - 6 * x**5
        return (distance / length) ** power * table * switch

    return sum_over_neighbours(positions, np.asarray(values, float)[..., None], kernel, mask, box)


def interpolate_columns(place, table):
    """Linear between rows of [n + 1, C] that are evenly spaced from 0 to 1."""
    nodes = np.linspace(0, 1, len(table))
    return np.array([np.interp(place, nodes, column) for column in np.transpose(table)])


def sum_over_neighbours(positions, values, kernel, mask=None, box=None):
    """What each of [B, N] particles gets of all others: kernel(x_j - x_i) * values_j."""
    positions, values = np.asarray(positions, float), np.asarray(values, float)
    batch, particles = positions.shape[:2]

    def offset(b, i, j):
        straight = positions[b, j] - positions[b, i]
        return straight if box is None else nearest_image(straight, box[b])

    return np.array(
        [
            [
                sum(
                    kernel(offset(b, i, j)) * values[b, j]
                    for j in range(particles)
                    if i != j and (mask is None or mask[b][j])
                )
                for i in range(particles)
            ]
            for b in range(batch)
        ]
    )


def lstm_step(x, h, c, kernel, recurrent_kernel, bias):
    """Equations (1)-(6) for one particle: new h and c, [H]; gates in the order i, f, c, o."""
    z_i, z_f, z_c, z_o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4)
    c = sigmoid(z_f) * c + sigmoid(z_i) * np.tanh(z_c)
    return sigmoid(z_o) * np.tanh(c), c


def cell_step(
    weights, inputs, positions, h, c, grid_sizes, grid_cells, distance_filter, downsampling, mask
):
    """One step of all particles (section 4.4): raw outputs [B, N, P], new h and c [B, N, H]."""
    beta = h @ weights["state_embedding/kernel"]  # (48)
    grids = pool_states(positions, beta, grid_sizes, grid_cells, distance_filter, mask)
    layers = sorted(name[: -len("/bias")] for name in weights if "conv" in name and "bias" in name)
    layers.sort(key=lambda name: name != "stacked_pooling_conv")  # that one is the first
    outputs, new_h, new_c = [], np.zeros_like(h), np.zeros_like(c)
    for b, i in np.ndindex(h.shape[:2]):
        image = grids[b, i]
        for layer in layers:
            stride = 2 if downsampling == "stride" else 1
            kernel, bias = weights[f"{layer}/kernel"], weights[f"{layer}/bias"]
            image = relu(convolve(image, kernel, bias, stride))
            image = image if downsampling == "stride" else halve(image, downsampling)
        alpha = inputs[b, i] @ weights["input_embedding/kernel"]  # (47)
        gamma = relu(image.reshape(-1) @ weights["pooling_embedding/kernel"])  # (49)
        new_h[b, i], new_c[b, i] = lstm_step(
            np.concatenate([alpha, gamma]),
            h[b, i],
            c[b, i],
            weights["lstm/kernel"],
            weights["lstm/recurrent_kernel"],
            weights["lstm/bias"],
        )
        outputs.append(np.concatenate([new_h[b, i], alpha]) @ weights["output_layer/kernel"])
    return np.reshape(outputs, (*h.shape[:2], -1)), new_h, new_c


def forecast(
    weights,
    inputs,
    *,
    target_steps,
    grid_sizes,
    grid_cells,
    distance_filter=True,
    downsampling="stride",
    prediction="position",
    displacement_scale=1.0,
    acceleration_scale=1.0,
    error_by_step=None,
    mask=None,
    spatial_dims=2,
):
    """The whole SocialLSTM: warm-up over [B, T, N, F], then T' steps with the mean fed back.

    Returns D means, D sigmas and what else there is, [B, T', N, P]: in the plane artanh(rho).
    """
    dims = spatial_dims
    inputs = np.asarray(inputs, float)
    batch, steps, particles, _ = inputs.shape
    units = weights["lstm/recurrent_kernel"].shape[0]
    h, c = np.zeros((2, batch, particles, units))
    position, features = inputs[:, 0, :, :dims], inputs[:, 0, :, dims:]
    displacement = np.zeros_like(position)
    predicted = []
    for t in range(steps - 1 + target_steps):
        parts = [position, features]
        if prediction != "position":
            parts.append(np.clip(displacement / displacement_scale, -10.0, 10.0))
        raw, h, c = cell_step(
            weights,
            np.concatenate(parts, axis=-1),
            position,
            h,
            c,
            grid_sizes,
            grid_cells,
            distance_filter,
            downsampling,
            mask,
        )
        origin, mean_scale = {
            "position": (0.0, 1.0),
            "displacement": (position, displacement_scale),
            "acceleration": (position + displacement, acceleration_scale),
        }[prediction]
        mean = origin + mean_scale * raw[..., :dims]  # (21)
        if t < steps - 1:
            following, features = inputs[:, t + 1, :, :dims], inputs[:, t + 1, :, dims:]
        else:
            following = mean
            scale = 1.0 if prediction == "position" else error_by_step[t - steps + 1]
            sigma = scale * softplus(raw[..., dims : 2 * dims])  # (22)
            predicted.append(np.concatenate([mean, sigma, raw[..., 2 * dims :]], axis=-1))
        position, displacement = following, following - position
    return np.stack(predicted, axis=1)


def gaussian_log_density(x, parameters):
    """Equation (17) for x [..., 2] and parameters [..., 5], through the covariance matrix."""
    x, parameters = np.asarray(x, float), np.asarray(parameters, float)
    residual = x - parameters[..., :2]
    covariance = covariance_matrix(parameters)
    squared = np.einsum("...a,...ab,...b", residual, np.linalg.inv(covariance), residual)
    return -0.5 * squared - 0.5 * np.log(np.linalg.det(covariance)) - np.log(2 * np.pi)


def covariance_matrix(parameters):
    """[..., 5] -> [..., 2, 2]."""
    sigma_x, sigma_y = parameters[..., 2], parameters[..., 3]
    rho = np.tanh(parameters[..., 4])  # (23)
    return np.stack(
        [
            np.stack([sigma_x**2, rho * sigma_x * sigma_y], axis=-1),
            np.stack([rho * sigma_x * sigma_y, sigma_y**2], axis=-1),
        ],
        axis=-2,
    )


def relu(x):
    return np.maximum(x, 0.0)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def softplus(x):
    return np.log1p(np.exp(x))
