"""A learned law of motion: equations against NumPy, physics, teacher forcing, two densities."""

import keras
import numpy as np
import pytest

from socialmd.layers import NeighbourFilter
from socialmd.losses import NegativeLogLikelihood
from socialmd.metrics import PositionError
from socialmd.models import InteractionLSTM
from tests.run_eagerly import run_eagerly
from tests.tiny_models import A_SCALE, D_SCALE, interacting_inputs, interacting_model


def numbers(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def forget_corrections(model):
    """Means are where the motion leads."""
    for weight in model.conditional.weights:
        weight.assign(0 * weight)


# === Against NumPy ===


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def feed_forward(layer, x):
    def weights(of):
        return [numbers(weight).astype(float) for weight in of.weights]

    w, b = weights(layer.linear)
    hidden = x
    for kernel, bias in map(weights, layer.hidden):
        hidden = np.tanh(hidden @ kernel + bias)
    return x @ w + b + hidden @ weights(layer.output_layer)[0]


class Reference:
    """The docstrings of `InteractionCell` and `InteractionLSTM` in float64."""

    def __init__(self, model):
        self.model, self.cell = model, model.cell
        self.dims = model.spatial_dims

    def accelerate(self, x, known):
        cell = self.cell
        emitted = feed_forward(cell.law.emit, known)
        field = numbers(cell.law.interaction(x[None].astype("float32"), emitted[None]))[0]
        if not cell.law.gate:
            joined = np.concatenate([field.reshape(len(x), -1), known], axis=-1)
            pushed = feed_forward(cell.law.respond, joined)
        else:
            response = feed_forward(cell.law.respond, known)
            mixing = numbers(cell.law.mixing)
            if field.ndim == 3:
                pushed = np.einsum("nc,ncd,c->nd", response, field, mixing[:, 0])
            else:
                pushed = (response * field) @ mixing
        return A_SCALE * (pushed if cell.law.linear_path else np.tanh(pushed))

    def lstm(self, layer, x, h, c):
        kernel, recurrent, bias = (numbers(weight) for weight in layer.weights)
        i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    def frame(self, state, features):
        """What is expected, and the conditional density's raw outputs."""
        x, w, (h, _), residual = state
        cell = self.cell
        known = np.concatenate([features, h], axis=-1) if cell.units else features
        inertia = 2 * sigmoid(h @ numbers(cell.inertia.kernel) + numbers(cell.inertia.bias))
        w = w * inertia[:, :1]
        a = self.accelerate(x, known)
        path = [a]
        dt = 1 / cell.substeps
        for _ in range(cell.substeps):
            w = w + a * dt / 2
            x = x + w * dt
            path.append(a := self.accelerate(x, known))
            w = w + a * dt / 2
        sizes = np.linalg.norm(path, axis=-1) / A_SCALE
        lengths = (
            np.linalg.norm(w, axis=-1) / D_SCALE,
            sizes[0],
            sizes[-1],
            np.linalg.norm(path[-1] - path[0], axis=-1) / A_SCALE,
            np.linalg.norm(residual, axis=-1) / A_SCALE,
            sizes.max(axis=0),
            np.linalg.norm(np.diff(path, axis=0), axis=-1).sum(axis=0) / A_SCALE,
        )
        moments = np.stack([np.log(1e-6 + length**2) / 2 for length in lengths], axis=-1)
        return x, w, a, moments, inertia

    def follow(self, state, expected, following, features, kick=None, kept=0.0):
        x, w, a, _, inertia = expected
        residual = following - x
        pushed = w + inertia[:, 1:] * (residual if kick is None else kick)
        before, after = (np.linalg.norm(each, axis=-1, keepdims=True) for each in (w, pushed))
        w = pushed * (1 - kept + kept * before / after)
        h, c = state[2]
        seen = [w / D_SCALE, features, np.arcsinh(a / A_SCALE), np.arcsinh(residual / A_SCALE)]
        return (
            following,
            w,
            self.lstm(self.cell.lstm, np.concatenate(seen, axis=-1), h, c),
            residual,
        )

    def run(self, inputs, steps):
        """One system [T, N, F]: parameters of frames 2..T-1, and of the closed loop with them."""
        model, dims = self.model, self.dims
        frames = inputs.astype(float)
        features = (frames[-1, :, dims:] - 0.2) / 1.5
        positions = frames[..., :dims]
        zeros = np.zeros((len(positions[0]), model.cell.units))
        state = (positions[0], positions[1] - positions[0], (zeros, zeros), 0 * positions[0])
        conditional, marginal, path = [], [], []
        states = (zeros, zeros)
        for step in range(len(positions) - 1 + steps):
            ahead = step - (len(positions) - 1)
            expected = self.frame(state, features)
            known = np.concatenate([expected[3], features, state[2][0]], axis=-1)
            raw = feed_forward(model.conditional, known)
            mean = expected[0] + np.tanh(raw[:, -1:]) * state[3] + A_SCALE * raw[:, :dims]
            conditional.append(self.parameters(raw, mean, A_SCALE))
            if ahead < 0:
                following = positions[step + 1]
            else:
                following = mean
                seen = np.concatenate([known, np.full((len(known), 1), np.log1p(ahead))], axis=-1)
                states = self.lstm(model.marginal_lstm, seen, *states)
                raw = feed_forward(model.marginal, np.concatenate([seen, states[0]], axis=-1))
                scale = (0.1, 0.2, 0.4)[ahead]
                marginal.append(self.parameters(raw, following + scale * raw[:, :dims], scale))
                path.append(following)
            *state, residual = self.follow(state, expected, following, features)
            state = (*state, residual * (step > 0))
        return np.array(conditional[1:]), np.array(marginal), np.array(path)

    def parameters(self, raw, mean, scale):
        sigma = scale * np.log1p(np.exp(raw[:, self.dims]))
        freedom = 3 + np.log1p(np.exp(raw[:, self.dims + 1])) / np.log(2)
        return np.concatenate([mean, sigma[:, None], freedom[:, None]], axis=-1)


@pytest.mark.parametrize(
    ("filter", "dims", "arguments"),
    [
        ("radial", 2, {}),
        ("radial", 3, {}),
        ("grid", 2, {}),
        ("grid", 3, {"substeps": 1}),
        ("radial", 2, {"gate": False}),
        ("grid", 2, {"linear_path": False}),
    ],
)
def test_the_model_is_its_equations(rng, filter, dims, arguments):
    model = interacting_model(rng, filter, dims, **arguments)
    model.densities = ("conditional", "marginal")
    inputs = interacting_inputs(rng, dims)
    one_step = numbers(model.one_step(inputs))
    positions, parameters = (numbers(each) for each in model.rollout(inputs))
    for system in range(2):
        conditional, marginal, path = Reference(model).run(inputs[system], 3)
        np.testing.assert_allclose(one_step[system], conditional[:3], rtol=2e-3, atol=2e-4)
        np.testing.assert_allclose(positions[system], path, rtol=2e-3, atol=2e-4)
        np.testing.assert_allclose(parameters[system], marginal, rtol=2e-3, atol=2e-4)


# === Physics ===


@keras.saving.register_keras_serializable("tests")
class Attraction(keras.layers.Layer):
    """Somebody's own interaction: the mean offset of all others, in every channel."""

    def call(self, positions, values, mask=None):
        centre = keras.ops.mean(positions, axis=1, keepdims=True)
        return (centre - positions)[:, :, None, :] * values[..., None]

    def compute_output_shape(self, positions_shape, values_shape):
        return (*values_shape, positions_shape[-1])


@pytest.mark.parametrize("dims", [2, 3])
def test_without_memory_in_the_law_means_are_where_motion_and_errors_lead(rng, dims):
    model = interacting_model(rng, dims=dims, memory_in_law=False)
    model.densities = ("conditional",)
    positions, parameters = model.rollout(interacting_inputs(rng, dims))
    np.testing.assert_array_equal(parameters[..., :dims], positions)
    assert np.isfinite(parameters).all()


def test_untrained_inertia_is_exact(rng):
    """Without forces, particles go on uniformly, whatever they are."""
    model = InteractionLSTM(target_steps=4, substeps=2, units=5, channels=3)
    model.build((None, None, None, 4))
    model.cell.law.mixing.assign(np.zeros(model.cell.law.mixing.shape))
    start, velocity = rng.normal(size=(2, 1, 1, 3, 2))
    frames = start + velocity * np.arange(8).reshape(1, 8, 1, 1)
    static = rng.normal(size=(1, 1, 3, 2)).repeat(4, axis=1)
    inputs = np.concatenate([frames[:, :4], static], axis=-1).astype("float32")
    positions, _ = model.rollout(inputs)
    np.testing.assert_allclose(positions, frames[:, 4:], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_a_radial_law_turns_with_the_system(rng, dims):
    model = interacting_model(rng, "radial", dims, units=0)
    forget_corrections(model)
    inputs = interacting_inputs(rng, dims)
    rotation, _ = np.linalg.qr(rng.normal(size=(dims, dims)))
    turned = inputs.copy()
    turned[..., :dims] = inputs[..., :dims] @ rotation.T + 3.0
    positions, _ = model.rollout(inputs)
    positions_turned, _ = model.rollout(turned)
    np.testing.assert_allclose(
        positions_turned, numbers(positions) @ rotation.T + 3.0, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("filter", ["radial", "grid"])
def test_exchanging_particles_exchanges_forecasts(rng, filter):
    model = interacting_model(rng, filter)
    inputs = interacting_inputs(rng)
    order = np.array([2, 0, 3, 1])
    positions, parameters = model.rollout(inputs)
    exchanged = model.rollout(inputs[:, :, order])
    np.testing.assert_allclose(exchanged[0], numbers(positions)[:, :, order], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(exchanged[1], numbers(parameters)[:, :, order], rtol=1e-3, atol=1e-4)


def test_velocity_verlet_converges_in_second_order(rng):
    """Errors of one frame fall with the square of the number of substeps; springs are smooth."""
    model = InteractionLSTM(interaction=Attraction(), units=0, channels=2)
    model.build((None, None, None, 4))
    model.cell.law.mixing.assign(np.ones(model.cell.law.mixing.shape))
    inputs = interacting_inputs(rng, batch=1)
    features = model.cell.standardize(inputs[:, -1, :, 2:])

    def advance(substeps):
        model.cell.substeps = substeps
        velocity = np.full((1, 4, 2), 0.1, "float32")
        motion = model.cell.advance(inputs[:, -1, :, :2], velocity, features, None)
        return numbers(motion.position).astype(float)

    exact = advance(128)
    errors = [np.abs(advance(substeps) - exact).max() for substeps in (2, 4)]
    assert 3.0 < errors[0] / errors[1] < 5.0


# === Teacher forcing ===


@pytest.mark.parametrize("filter", ["radial", "grid"])
def test_no_frame_has_an_effect_on_densities_of_earlier_ones(rng, filter):
    model = interacting_model(rng, filter)
    inputs = interacting_inputs(rng, steps=6)
    changed = inputs.copy()
    changed[:, 4, :, :2] += rng.normal(size=(2, 4, 2))
    before, after = numbers(model.one_step(inputs)), numbers(model.one_step(changed))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])  # of frames 2, 3 and 4
    assert np.abs(before[:, 3] - after[:, 3]).min() > 0


def test_one_step_is_the_first_of_a_rollout(rng):
    model = interacting_model(rng)
    inputs = interacting_inputs(rng, steps=5)
    model.densities = ("conditional",)
    forced = numbers(model.one_step(inputs))
    for given in (2, 3, 5):
        _, parameters = model.rollout(inputs[:, :given], 1)
        np.testing.assert_allclose(
            forced[:, given - 2], numbers(parameters)[:, 0], rtol=1e-4, atol=1e-5
        )


def test_a_known_law_is_learned(rng):
    """Two kinds of springs: after a short training the force is right to some percent."""
    batch, frames, particles = 96, 8, 3
    strength = rng.choice([0.5, 1.5], size=(batch, particles))
    x, w = rng.normal(size=(2, batch, particles, 2))
    w *= 0.05
    path = []
    for _ in range(frames * 20):
        offset = x[:, None] - x[:, :, None]
        force = (strength[:, None, :, None] * strength[:, :, None, None] * offset).sum(axis=2)
        w = w + 0.05 * force / 400
        x = x + w / 20 * 1.0
        path.append(x)
    positions = np.stack(path[19::20], axis=1)
    static = np.broadcast_to(strength[:, None, :, None], (batch, frames, particles, 1))
    windows = np.concatenate([positions, static], axis=-1).astype("float32")
    model = InteractionLSTM(
        target_steps=2,
        interaction=NeighbourFilter(cutoff=10.0, minimum_distance=0.1, num_intervals=8),
        units=0,
        channels=2,
        hidden_units=4,
        substeps=1,
    )
    model.adapt([(windows[:, :3], windows[:, 3:, :, :2])])
    model.begin_training("truth")
    model.compile(keras.optimizers.Nadam(0.03), loss=NegativeLogLikelihood("student_t"))
    history = model.fit(
        windows[:, :-1], windows[:, 2:, :, :2], batch_size=32, epochs=25, verbose=0, shuffle=True
    )
    model.end_training()
    assert model.densities == ("conditional",)
    losses = history.history["loss"]
    assert losses[-1] < losses[0] - 1.5  # errors are less than a fifth of those of no force


def test_residual_corrects_the_velocity(rng):
    """With the true law, velocities after a few frames are those of the true motion."""
    model = interacting_model(rng, units=0, residual_correction=True)
    model.densities = ("conditional",)
    forget_corrections(model)
    features = rng.normal(size=(1, 4, 2)).astype("float32")
    standard = model.cell.standardize(features)
    x = rng.uniform(-1.2, 1.2, (1, 4, 2)).astype("float32")
    w = rng.normal(scale=0.1, size=(1, 4, 2)).astype("float32")
    path = [x]
    for _ in range(9):
        motion = model.cell.advance(x, w, standard, None)
        x, w = motion.position, motion.velocity
        path.append(numbers(x))
    frames = np.stack(path, axis=1)
    inputs = np.concatenate([frames, features[:, None].repeat(10, axis=1)], axis=-1)
    errors = [
        np.abs(numbers(model.rollout(inputs[:, start:7], 3)[0]) - frames[:, 7:]).max()
        for start in (5, 1)
    ]
    assert errors[1] < 0.2 * errors[0]


@pytest.mark.parametrize(("rho", "expected"), [(20.0, 18.0), (0.0, 12.0)])
def test_an_error_that_persists_is_a_force(rng, rho, expected):
    """One of 1, that the law knows nothing of: x = t**2 / 2, from t = 3 to t = 6."""
    model = interacting_model(rng, units=0, num_static=0)
    model.cell.law.mixing.assign(0 * model.cell.law.mixing)
    forget_corrections(model)
    model.conditional.linear.bias.assign([0.0, 0.0, 0.0, 0.0, rho])
    frames = np.arange(4, dtype="float32")[:, None, None] ** 2 / 2
    positions, _ = model.rollout(np.broadcast_to(frames, (1, 4, 3, 2)), 3, feedback="mean")
    np.testing.assert_allclose(numbers(positions)[0, -1], expected, rtol=1e-5)


# === Densities ===


def test_a_new_model_holds_nothing_and_learns_what_it_is_trained_for(rng):
    model = interacting_model(rng)
    inputs = interacting_inputs(rng)
    targets = rng.normal(size=(2, 3, 4, 2)).astype("float32")
    assert model.densities == ()
    model.begin_training("mean")
    model.compile(
        "nadam", loss=NegativeLogLikelihood("student_t"), metrics=[PositionError("student_t")]
    )
    before = {weight.path: numbers(weight) for weight in model.weights}
    with run_eagerly():
        model.fit(inputs, targets, verbose=0)
    model.end_training()
    assert model.densities == ("marginal",)
    changed = {w.path for w in model.weights if np.any(numbers(w) != before[w.path])}
    assert any("/marginal/" in path for path in changed)
    assert any("/emit/" in path for path in changed)


def test_the_marginal_density_is_told_beside_the_trajectory(rng):
    """What is fed back does not depend on it."""
    model = interacting_model(rng)
    inputs = interacting_inputs(rng)
    model.densities = ("conditional",)
    plain, conditional = model.rollout(inputs)
    model.begin_training("mean")
    model.end_training()
    positions, marginal = model.rollout(inputs)
    np.testing.assert_array_equal(plain, positions)
    assert np.abs(numbers(marginal) - numbers(conditional)).min() > 0


@pytest.mark.parametrize("distribution", ["gaussian", "mixture", "correlated_mixture", "student_t"])
def test_any_distribution_and_files(rng, distribution, tmp_path):
    model = interacting_model(rng, distribution=distribution, num_components=2)
    model.densities = ("conditional", "marginal")
    inputs = interacting_inputs(rng)
    parameters = model(inputs)
    assert np.isfinite(
        numbers(model.distribution(parameters).log_prob(np.zeros((2, 3, 4, 2))))
    ).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert loaded.densities == model.densities
    np.testing.assert_array_equal(loaded.rollout(inputs)[1], model.rollout(inputs)[1])


def test_an_interaction_of_one_s_own(rng, tmp_path):
    model = InteractionLSTM(target_steps=3, interaction=Attraction(), units=4, channels=2)
    inputs = interacting_inputs(rng)
    model.build(inputs.shape)
    positions, _ = model.rollout(inputs)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.rollout(inputs)[0], positions)


def test_padded_particles_change_nothing(rng):
    model = interacting_model(rng)
    inputs = interacting_inputs(rng)
    padded = np.concatenate([inputs, np.full((2, 4, 2, 4), 0.1, "float32")], axis=2)
    mask = np.array([[True] * 4 + [False] * 2] * 2)
    positions, parameters = model.rollout(inputs)
    with_padding = model.rollout({"inputs": padded, "mask": mask})
    np.testing.assert_allclose(numbers(with_padding[0])[:, :, :4], positions, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(numbers(with_padding[1])[:, :, :4], parameters, rtol=1e-4, atol=1e-5)


def test_gradients_of_the_law_equal_finite_differences(rng):
    import tensorflow as tf

    model = interacting_model(rng, units=0)
    forget_corrections(model)  # they read what has no gradient
    inputs = interacting_inputs(rng)
    targets = inputs[:, 2:, :, :2]

    def loss():
        mean = model.one_step(inputs)[:, :-1, :, :2]
        return tf.reduce_mean(tf.square(mean - targets))

    weights = [
        model.cell.law.mixing,
        model.cell.law.interaction.table,
        model.cell.law.emit.linear.kernel,
    ]
    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, [weight.value for weight in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        index = np.unravel_index(np.argmax(np.abs(gradient)), gradient.shape)
        original = numbers(weight)
        sides = []
        for sign in (1, -1):
            moved = original.copy()
            moved[index] += sign * 1e-2
            weight.assign(moved)
            sides.append(float(loss()))
        weight.assign(original)
        assert (sides[0] - sides[1]) / 2e-2 == pytest.approx(
            float(np.asarray(gradient)[index]), rel=0.05
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": -1}, "units: expected a positive integer or 0, found -1"),
        ({"substeps": 0}, "substeps: expected a positive integer, found 0"),
        ({"num_components": 0}, "num_components: expected at least 1, found 0"),
        ({"spatial_dims": 4}, "spatial_dims: expected 2 or 3, found 4"),
        ({"distribution": "cauchy"}, "distribution: expected one of .* found 'cauchy'"),
    ],
)
def test_impossible_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        InteractionLSTM(**arguments)


def test_adapt_takes_scales_and_errors_of_constant_velocity(rng):
    inputs = interacting_inputs(rng, batch=6, steps=8)
    model = InteractionLSTM(target_steps=4, units=4, channels=2)
    with pytest.raises(ValueError, match="needs the scale of the data"):
        model.check_adapted()
    model.adapt([(inputs[:, :4], inputs[:, 4:, :, :2])])
    x = inputs[..., :2].astype(float)
    uniform = x[:, 3:4] + np.arange(1, 5).reshape(4, 1, 1) * (x[:, 3:4] - x[:, 2:3])
    errors = np.sqrt(np.mean((x[:, 4:] - uniform) ** 2, axis=(0, 2, 3)))
    np.testing.assert_allclose(model.error_by_step, errors, rtol=1e-5)
    assert float(model.cell.displacement_scale) == pytest.approx(
        np.sqrt(np.mean(np.diff(x, axis=1) ** 2)), rel=1e-5
    )
    np.testing.assert_allclose(
        model.cell.feature_mean, inputs[:, 0, :, 2:].mean(axis=(0, 1)), rtol=1e-5
    )
    np.testing.assert_allclose(
        model.cell.feature_scale, inputs[:, 0, :, 2:].std(axis=(0, 1)), rtol=1e-5
    )


def test_substeps_are_saved_as_they_are_now(rng):
    """A phase of a training may have changed them, or a user."""
    model = interacting_model(rng, substeps=2)
    model.cell.substeps = 3
    assert model.substeps == model.get_config()["substeps"] == 3
