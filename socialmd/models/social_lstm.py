"""The model: every particle an LSTM, all of them coupled by stacked state pooling."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from socialmd import distributions
from socialmd.layers import SocialLSTMCell
from socialmd.models.check_inputs import check_inputs
from socialmd.models.estimate_scales import estimate_scales
from socialmd.models.feedback import check_feedback, check_samples, feed_back
from socialmd.models.fit_sigma_factors import fit_sigma_factors
from socialmd.registration import register

__all__ = ["SocialLSTM"]

PREDICTIONS = ("position", "displacement", "acceleration")
# Displacements beyond so many d look alike to the network. Before training it may amplify what is
# fed back from step to step, beyond what float32 holds, and its first gradient would not be finite.
LARGEST_INPUT = 10.0


@register
class SocialLSTM(keras.Model):
    """Forecasts the trajectories of N interacting particles from their last T positions.

    The T given frames warm the LSTMs up. From the last of them on the model runs in closed loop:
    each step gives every particle a probability density for its next position, whose mean (or what
    `feedback` says) is the next step's input. Gradients flow through all of it (thesis sections
    4.4, 4.5).

    What the raw output mu' of the network means is `prediction`; x_t is the current position, d and
    a are the root-mean-square displacement and second difference per step and coordinate in the
    training set, estimated by `adapt` and stored with the model:

        "position"       mu = mu'                                   the thesis' model
        "displacement"   mu = x_t + d mu'
        "acceleration"   mu = x_t + (x_t - x_(t-1)) + a mu'         constant velocity, corrected

    With the last two, sigma is predicted in units of d, and the last displacement in units of d, at
    most ten of them, is another input.

    Args:
        target_steps: T', steps that `model(inputs)` forecasts.
        prediction: `"position"`, `"displacement"` or `"acceleration"`.
        distribution: what is predicted: `"gaussian"`, `"mixture"` or `"correlated_mixture"`.
        num_components: K, components of a mixture.
        feedback: what of it becomes the next step's input: the `"mean"`, the mean of the
            `"most_likely"` component, or a `"sample"`; reasons in `socialmd.models.feedback`.
        units, embedding_dim, grid_sizes, grid_cells, distance_filter, filters, kernel_size,
            downsampling: see `SocialLSTMCell`.

    Call arguments:
        inputs: [B, T, N, F] with T >= 2, oldest frame first; x and y in units of length, then
            features that stay as they are in the last frame (mass, charge).
        mask: optional bool [B, N], false for padded particles.

    Returns:
        Parameters of the predicted distributions, [B, T', N, P]; see `distribution`.

    Raises:
        ValueError: an argument is none of the above, or inputs are not of the shape above.

    Example:
        >>> model = SocialLSTM(prediction="acceleration")
        >>> model.adapt(train)
        >>> model.compile("nadam", loss=NegativeLogLikelihood(), metrics=[PositionError()])
        >>> model.fit(train, validation_data=validation, epochs=50)
        >>> positions, parameters = model.rollout(inputs, num_steps=200)
    """

    def __init__(
        self,
        target_steps: int = 30,
        prediction: str = "position",
        distribution: str = "gaussian",
        num_components: int = 5,
        feedback: str = "mean",
        units: int = 128,
        embedding_dim: int = 32,
        grid_sizes: Sequence[float] = (11.0, 5.5, 2.75, 1.375),
        grid_cells: int = 32,
        distance_filter: bool = True,
        filters: Sequence[int] = (16, 16, 32),
        kernel_size: int = 4,
        downsampling: str = "stride",
        **kwargs: Any,
    ) -> None:
        # Positions must not be cast to a lower compute dtype.
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True
        # XLA needs to know how often a loop runs to differentiate it; Keras' scan does not tell it.
        self.supports_jit = keras.backend.backend() != "tensorflow"
        if prediction not in PREDICTIONS:
            raise ValueError(f"prediction: expected one of {PREDICTIONS}, found {prediction!r}")
        if target_steps < 1:
            raise ValueError(f"target_steps: expected at least 1, found {target_steps}")
        if num_components < 1:
            raise ValueError(f"num_components: expected at least 1, found {num_components}")
        check_feedback(feedback)
        self.target_steps = target_steps
        self.prediction = prediction
        self.distribution_name = distribution
        self.num_components = num_components
        self.feedback = feedback
        self._distribution = distributions.get(distribution)
        if feedback == "sample":
            self.seed_generator = keras.random.SeedGenerator()
        self.cell = SocialLSTMCell(
            units,
            output_dim=self._distribution.parameter_size(num_components),
            grid_sizes=grid_sizes,
            embedding_dim=embedding_dim,
            grid_cells=grid_cells,
            distance_filter=distance_filter,
            filters=filters,
            kernel_size=kernel_size,
            downsampling=downsampling,
            dtype=self.dtype_policy,
            name="cell",
        )

    def build(self, input_shape: Any) -> None:
        check_inputs(input_shape)
        particles = (None, None)
        features = input_shape[-1] + (0 if self.prediction == "position" else 2)
        self.cell.build((*particles, features), (*particles, 2), None)
        self.num_features = input_shape[-1]
        self.displacement_scale = self._add_constant("displacement_scale", "ones")
        self.acceleration_scale = self._add_constant("acceleration_scale", "ones")
        self.is_adapted = self._add_constant("is_adapted", "zeros")
        self.sigma_factors = self._add_constant("sigma_factors", "ones", (self.target_steps,))
        self.built = True

    def _add_constant(self, name: str, initializer: str, shape: tuple[int, ...] = ()) -> Any:
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, trainable=False, dtype="float32"
        )

    def call(self, inputs: Any, mask: Any | None = None, training: bool | None = None) -> Any:
        seed = 0  # outside of training, the same samples whenever they are drawn
        if training and self.feedback == "sample":
            seed = keras.random.randint((), 0, 2**31 - 1, seed=self.seed_generator)
        return self.forecast(inputs, ops.arange(self.target_steps), seed=seed, mask=mask)[1]

    def compute_mask(self, inputs: Any, previous_mask: Any | None = None) -> Any:
        """Mask of the parameters, [B, T', N]: Keras leaves padded particles out of losses by it."""
        if previous_mask is None:
            return None
        mask = ops.convert_to_tensor(previous_mask, "bool")
        batch, particles = ops.shape(mask)
        return ops.broadcast_to(mask[:, None], (batch, self.target_steps, particles))

    # === Forecast ===

    def forecast(
        self,
        inputs: Any,
        steps: Any,
        feedback: str | None = None,
        seed: Any = 0,
        mask: Any | None = None,
        recalibrated: bool = False,
    ) -> tuple[Any, Any]:
        """Warm-up and closed loop, for use within compiled functions; `rollout` is for all else.

        Args:
            inputs: [B, T, N, F].
            steps: 0, 1, ..., T'-1, a tensor whose length may be known only when it runs.
            feedback: as for `rollout`.
            seed: integer, may be a tensor.
            mask: optional bool [B, N], false for padded particles.
            recalibrated: as for `rollout`.

        Returns:
            positions [B, T', N, 2] as fed back and parameters [B, T', N, P].

        Raises:
            ValueError: inputs or mask are of another shape.
        """
        feedback = feedback or self.feedback
        mask = None if mask is None else ops.convert_to_tensor(mask, "bool")
        check_inputs(inputs.shape, self.num_features, None if mask is None else mask.shape)
        frames = ops.cast(inputs, "float32")
        positions = frames[..., :2]
        displacements = ops.pad(  # the first frame has no predecessor
            positions[:, 1:] - positions[:, :-1], [[0, 0], [1, 0], [0, 0], [0, 0]]
        )
        features = frames[:, -1, :, 2:]  # [B, N, F - 2]
        state = ops.zeros((*ops.shape(features)[:2], self.cell.units), self.compute_dtype)

        def warm_up(states: Any, frame: Any) -> Any:
            position, features, displacement = ops.split(frame, [2, self.num_features], axis=-1)
            _, states = self._step(position, displacement, features, states, mask)
            return states, states

        def closed_loop(carry: Any, step: Any) -> Any:
            position, displacement, states, _ = carry
            outputs, states = self._step(position, displacement, features, states, mask)
            parameters = self._to_parameters(outputs, position, displacement)
            if recalibrated:
                factor = ops.take(self.sigma_factors, ops.minimum(step, self.target_steps - 1))
                parameters = self._distribution.scale_sigma(parameters, factor)
            following = feed_back(self._distribution, parameters, feedback, seed, step)
            carry = (following, following - position, states, parameters)
            # On TensorFlow, `ops.scan` collects only outputs that are structured as the carry is.
            return carry, carry

        def step_major(tensor: Any) -> Any:
            return ops.swapaxes(tensor, 0, 1)

        past = ops.concatenate([frames, displacements], axis=-1)[:, :-1]  # [B, T - 1, N, F + 2]
        states, _ = ops.scan(warm_up, (state, state), step_major(past))
        no_parameters = ops.zeros((*ops.shape(features)[:2], self.cell.output_dim), "float32")
        start = (positions[:, -1], displacements[:, -1], states, no_parameters)
        _, (predicted, _, _, parameters) = ops.scan(closed_loop, start, steps)
        return step_major(predicted), step_major(parameters)

    def _step(
        self, position: Any, displacement: Any, features: Any, states: Any, mask: Any | None
    ) -> Any:
        parts = [position, features]
        if self.prediction != "position":
            parts.append(
                ops.clip(displacement / self.displacement_scale, -LARGEST_INPUT, LARGEST_INPUT)
            )
        return self.cell(ops.concatenate(parts, axis=-1), position, states, mask)

    def _to_parameters(self, outputs: Any, position: Any, displacement: Any) -> Any:
        origin, mean_scale, sigma_scale = {
            "position": (0.0, 1.0, 1.0),
            "displacement": (position, self.displacement_scale, self.displacement_scale),
            "acceleration": (
                position + displacement,
                self.acceleration_scale,
                self.displacement_scale,
            ),
        }[self.prediction]
        outputs = ops.cast(outputs, "float32")
        return self._distribution.to_parameters(outputs, origin, mean_scale, sigma_scale)

    @functools.cached_property
    def _compiled_forecast(self) -> Any:
        if keras.backend.backend() != "tensorflow":
            return self.forecast
        import tensorflow as tf

        return tf.function(self.forecast, reduce_retracing=True)

    # === Public methods ===

    def rollout(
        self,
        inputs: Any,
        num_steps: int | None = None,
        feedback: str | None = None,
        seed: int | None = None,
        mask: Any | None = None,
        num_samples: int | None = None,
        recalibrated: bool = False,
    ) -> tuple[Any, Any]:
        """Forecast any number of steps for any number of particles.

        Args:
            inputs: [B, T, N, F], as for `model(inputs)`.
            num_steps: steps ahead; T' if none is given.
            feedback: what becomes the next step's input, the `"mean"` of the predicted
                distribution, the mean of its `"most_likely"` component or a `"sample"` of it; as
                in training if none is given.
            seed: integer that makes samples repeatable; drawn if none is given.
            mask: optional bool [B, N], false for padded particles.
            num_samples: S, futures to draw for each past, with `feedback="sample"`.
            recalibrated: whether to multiply the predicted standard deviations by the factors that
                `recalibrate` has found; beyond T' steps by the last one. Not for samples, on which
                the factors have an effect that they were not fitted for.

        Returns:
            positions [B, num_steps, N, 2] as fed back and parameters [B, num_steps, N, P], float32;
            with `num_samples` [S, B, ...] each. While it runs, memory also holds every step's h
            and c; S futures for each past need S times as much.

        Raises:
            ValueError: inputs are of another shape or not finite, or an argument is impossible.
            FloatingPointError: the forecast itself has become infinite.

        Example:
            >>> positions, parameters = model.rollout(inputs, 200, feedback="sample", seed=1)
        """
        num_steps = self.target_steps if num_steps is None else num_steps
        if num_steps < 1 or num_steps != int(num_steps):
            raise ValueError(f"num_steps: expected at least 1, and whole, found {num_steps}")
        if seed is not None and not 0 <= seed < 2**31:
            raise ValueError(f"seed: expected 0 to 2**31 - 1, found {seed}")
        feedback = feedback or self.feedback
        check_feedback(feedback)
        check_samples(num_samples, feedback, recalibrated)
        inputs = ops.convert_to_tensor(inputs, "float32")
        if not bool(ops.all(ops.isfinite(inputs))):
            raise ValueError("inputs: expected finite numbers, found some that are not")
        if not self.built:
            self.build(inputs.shape)
        # Before compiling, which would name the error's place in generated code.
        mask = None if mask is None else ops.convert_to_tensor(mask, "bool")
        check_inputs(inputs.shape, self.num_features, None if mask is None else mask.shape)
        seed = int(np.random.default_rng().integers(2**31)) if seed is None else seed
        batch = inputs.shape[0]
        if num_samples is not None:
            inputs = ops.tile(inputs, (num_samples, 1, 1, 1))  # [S B, T, N, F]
            mask = None if mask is None else ops.tile(mask, (num_samples, 1))
        positions, parameters = self._compiled_forecast(
            inputs,
            ops.arange(int(num_steps)),
            feedback,
            ops.convert_to_tensor(seed, "int32"),
            mask,
            bool(recalibrated),
        )
        if not bool(ops.all(ops.isfinite(parameters))):
            raise FloatingPointError(
                f"the forecast became infinite within {num_steps} steps; ask for fewer"
            )
        if num_samples is not None:
            positions, parameters = (
                ops.reshape(tensor, (num_samples, batch, *tensor.shape[1:]))
                for tensor in (positions, parameters)
            )
        return positions, parameters

    @property
    def point_feedback(self) -> str:
        """What to feed back for a forecast that stands for all: as in training, never samples."""
        return "mean" if self.feedback == "sample" else self.feedback

    @property
    def num_trainable_parameters(self) -> int:
        """Numbers that training changes; the reference model of the thesis has 140 768."""
        return sum(math.prod(weight.shape) for weight in self.trainable_weights)

    def distribution(self, parameters: Any) -> Any:
        """Predicted distributions as TensorFlow Probability has them.

        Args:
            parameters: [..., P], from `model(inputs)` or `rollout`.

        Returns:
            A `tfp.distributions.Distribution`, batch shape [...], event shape [2].

        Example:
            >>> model.distribution(model(inputs)).log_prob(targets)  # [B, T', N]
        """
        return self._distribution.from_parameters(parameters)

    def components(self, parameters: Any) -> tuple[Any, Any, Any]:
        """Predicted densities as mixtures of C bivariate Gaussians, for arithmetic with arrays.

        Args:
            parameters: [..., P], from `model(inputs)` or `rollout`.

        Returns:
            Logarithms of the weights [..., C], means [..., C, 2] and Cholesky factors of the
            covariances [..., C, 2, 2]; C is one for a Gaussian and K for a mixture.
        """
        return self._distribution.components(parameters)

    def scale_sigma(self, parameters: Any) -> Any:
        """Parameters of a forecast, recalibrated: as `rollout(..., recalibrated=True)` gives them.

        The same only where the mean is fed back, which does not depend on sigma.

        Args:
            parameters: [B, steps, N, P], from `model(inputs)` or `rollout`.

        Returns:
            Likewise, each step's standard deviations multiplied by its factor.
        """
        steps = ops.minimum(ops.arange(parameters.shape[1]), self.target_steps - 1)
        factors = ops.take(self.sigma_factors, steps)[:, None, None]  # [steps, 1, 1]
        return self._distribution.scale_sigma(ops.convert_to_tensor(parameters), factors)

    def adapt(self, dataset: Iterable[Any], steps: int | None = None) -> None:
        """Estimate the scales d and a from training data, as `keras.layers.Normalization` does.

        Args:
            dataset: batches (inputs [B, T, N, F], targets [B, T', N, 2]).
            steps: how many batches to look at; all if none is given.

        Raises:
            ValueError: there is no data, it is not finite, or nothing moves in it.

        Example:
            >>> model.adapt(make_dataset("data/monopoles/train", config.data, batch_size=32))
        """
        batches = itertools.islice(iter(dataset), steps)
        first = next(batches, None)
        if first is None:
            raise ValueError("adapt: expected batches of inputs and targets, found none")
        if not self.built:
            self.build(first[0].shape)
        scales = estimate_scales(itertools.chain([first], batches))
        needed = scales[: {"position": 0, "displacement": 1, "acceleration": 2}[self.prediction]]
        if 0.0 in needed:
            raise ValueError(
                f"adapt: expected particles that move and, for prediction={self.prediction!r}, "
                f"not all uniformly, found scales {list(scales)}"
            )
        self.displacement_scale.assign(scales[0])
        self.acceleration_scale.assign(scales[1])
        self.is_adapted.assign(1.0)

    def recalibrate(self, dataset: Iterable[Any]) -> None:
        """Find one factor on the standard deviations for each step ahead, from validation data.

        The factors of largest likelihood, weights as they are; `rollout(..., recalibrated=True)`
        applies them, and they are stored with the model. A model whose densities are right gets
        ones; larger factors say that it was too sure of itself. The mean is fed back, or the most
        likely component's, as in training; a model trained on samples is looked at with its mean.

        Args:
            dataset: batches (inputs [B, T, N, F], targets [B, T', N, 2]) that the model was not
                trained on.

        Raises:
            ValueError: there is no data.

        Example:
            >>> model.recalibrate(make_dataset("data/monopoles/validation", config.data, 32))
        """
        batches = [
            (self.rollout(inputs, feedback=self.point_feedback)[1], targets)
            for inputs, targets in dataset
        ]
        if not batches:
            raise ValueError("recalibrate: expected batches of inputs and targets, found none")
        parameters, truth = (
            np.concatenate([ops.convert_to_numpy(tensor) for tensor in tensors])
            for tensors in zip(*batches, strict=True)
        )
        self.sigma_factors.assign(fit_sigma_factors(self._distribution, parameters, truth))

    def fit(self, x: Any = None, y: Any = None, **kwargs: Any) -> Any:
        """As `keras.Model.fit`, once the scales are known.

        Raises:
            ValueError: the prediction is relative and `adapt` was not called.
        """
        self.check_adapted()
        if hasattr(x, "element_spec"):  # a `tf.data.Dataset`, about which Keras' default would warn
            kwargs.setdefault("shuffle", False)
        return super().fit(x, y, **kwargs)

    def check_adapted(self) -> None:
        """Refuse to go on without the scales that a relative prediction needs.

        Raises:
            ValueError: the prediction is relative and `adapt` was not called.
        """
        if self.prediction != "position" and not (self.built and bool(self.is_adapted > 0)):
            raise ValueError(
                f"prediction={self.prediction!r} needs the scale of the data: "
                "call `model.adapt(dataset)` first"
            )

    def get_config(self) -> dict[str, Any]:
        cell = self.cell.get_config()
        names = (
            "units",
            "embedding_dim",
            "grid_sizes",
            "grid_cells",
            "distance_filter",
            "filters",
            "kernel_size",
            "downsampling",
        )
        return {
            **super().get_config(),
            "target_steps": self.target_steps,
            "prediction": self.prediction,
            "distribution": self.distribution_name,
            "num_components": self.num_components,
            "feedback": self.feedback,
            **{name: cell[name] for name in names},
        }
