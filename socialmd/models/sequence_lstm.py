"""The baseline of the thesis' first experiment: one LSTM for the whole configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from socialmd.data.masked_inputs import unpack
from socialmd.loops import run_loop
from socialmd.models.closed_loop import check_inputs, feed_back
from socialmd.models.conservation_filters import ConservationFilters
from socialmd.models.forecast_model import ForecastModel
from socialmd.models.keras_safeguards import never_empty
from socialmd.registration import arguments_of, register
from socialmd.types import Inputs, Mask, Positions, Shape, States, Tensor

__all__ = ["SequenceLSTM"]


@register
class SequenceLSTM(ForecastModel):
    """Forecasts a configuration of N particles as one vector of N D numbers (thesis section 3.3).

    Figure 19: an MLP applied to every frame, stacked LSTMs, another MLP. T given frames warm the
    LSTMs up; then the model runs in closed loop. Nothing in it knows that a configuration consists
    of particles, let alone that they are alike: exchange two of them, and it is another input.

        v_t = [x_1, ..., x_N, features]     coordinates in units of `length_scale`
        u_t = MLP(v_t)                      relu
        h_t = LSTM(u_t, h_(t-1)), stacked
        mu  = length_scale * (W MLP(h_t) + b)

    The thesis prints neither widths nor loss. Here the loss is the squared error: the density is an
    isotropic Gaussian of constant sigma, `length_scale`, which `recalibrate` replaces by one for
    each step ahead, used from then on. Dropout masks are drawn once for each sample, not anew in
    every time step [1].

    Args:
        target_steps: T', steps that `model(inputs)` forecasts.
        spatial_dims: D, 2 or 3.
        mlp_units: widths of the MLP that reads frames; that which writes them has them in reverse.
        lstm_units: widths of the stacked LSTMs.
        dropout: rate, after every hidden layer.
        length_scale: length in units of which positions are read and written, such that they are
            numbers of order one.
        feedback: see `ForecastModel`.

    Call arguments, returns: see `ForecastModel`. A model built for N particles takes n <= N.

    Raises:
        ValueError: an argument is impossible, or inputs are not of the shape asked for.

    #### References
    [1] Y. Gal, Z. Ghahramani, A theoretically grounded application of dropout in recurrent neural
        networks, NeurIPS 2016.

    Example:
        >>> model = SequenceLSTM(target_steps=125, length_scale=30.0)
        >>> model.compile("nadam", loss=NegativeLogLikelihood("isotropic_gaussian"))
        >>> model.fit(train, validation_data=validation, epochs=30)
        >>> positions, parameters = model.rollout(inputs, num_steps=200)
    """

    predicts_sigma = False

    def __init__(
        self,
        target_steps: int = 125,
        spatial_dims: int = 2,
        mlp_units: Sequence[int] = (256,),
        lstm_units: Sequence[int] = (256, 256),
        dropout: float = 0.2,
        length_scale: float = 1.0,
        feedback: str = "mean",
        **kwargs: Any,
    ) -> None:
        super().__init__(target_steps, "isotropic_gaussian", feedback, spatial_dims, **kwargs)
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims: expected 2 or 3, found {spatial_dims}")
        for name, widths in (("mlp_units", mlp_units), ("lstm_units", lstm_units)):
            if not widths or min(widths) < 1:
                raise ValueError(f"{name}: expected positive integers, found {list(widths)}")
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"dropout: expected 0 or more and less than 1, found {dropout}")
        if not length_scale > 0:
            raise ValueError(f"length_scale: expected a positive number, found {length_scale}")
        self.mlp_units = tuple(mlp_units)
        self.lstm_units = tuple(lstm_units)
        self.dropout = dropout
        self.length_scale = length_scale
        self.seed_generator = keras.random.SeedGenerator()

        # === Layers ===
        self.encoder = [self._dense(width, "encoder", i) for i, width in enumerate(mlp_units)]
        self.lstms = [
            keras.layers.LSTMCell(width, dtype=self.dtype_policy, name=f"lstm_{index}")
            for index, width in enumerate(lstm_units)
        ]
        decoder_units = reversed(self.mlp_units)
        self.decoder = [self._dense(width, "decoder", i) for i, width in enumerate(decoder_units)]

    def _dense(self, width: int, name: str, index: int) -> keras.layers.Dense:
        return keras.layers.Dense(
            width, activation="relu", dtype=self.dtype_policy, name=f"{name}_{index}"
        )

    @property
    def reads_places(self) -> bool:
        return True

    def build(self, input_shape: Shape) -> None:
        check_inputs(input_shape, spatial_dims=self.spatial_dims)
        if input_shape[2] is None:
            raise ValueError("inputs: expected a known number of particles, found None")
        self.max_particles, self.num_features = input_shape[2:]
        self.output_layer = keras.layers.Dense(
            self.max_particles * self.spatial_dims, dtype=self.dtype_policy, name="output_layer"
        )
        width = self.max_particles * self.num_features
        for layer in (*self.encoder, *self.lstms, *self.decoder, self.output_layer):
            layer.build((None, width))
            width = layer.units
        self.sigma_factors = self._add_constant("sigma_factors", "ones", (self.target_steps,))
        self.built = True

    @never_empty
    def call(self, inputs: Inputs, training: bool | None = None) -> Tensor:
        systems = ops.shape(unpack(inputs).frames)[0]
        dropout = self._draw_dropout(systems) if training else None
        return self.respond_in_training(inputs, training, dropout=dropout)

    # === Forecast ===

    def closed_loop(
        self,
        inputs: Inputs,
        steps: Tensor,
        feedback: str | None = None,
        seed: Tensor = 0,
        filters: ConservationFilters | None = None,
        dropout: list[Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        feedback = feedback or self.feedback
        frames, mask, _ = self._read(inputs)
        particles = ops.shape(frames)[2]
        positions, features, states, real = self._start(frames, mask)
        correct = None
        if filters is not None:
            filled, _ = self._fill_up(frames, mask)
            correct = filters.begin(filled, real[..., 0], self.spatial_dims)

        def warm_up(states: States, position: Positions) -> States:
            return self._step(position, features, states, dropout)[1]

        def advance(carry: States, step: Tensor) -> States:
            position, states, _ = carry
            outputs, states = self._step(position, features, states, dropout)
            parameters = self._distribution.scale_sigma(
                self._to_parameters(outputs), self._at_step(self.sigma_factors, step)
            )
            following = feed_back(self._distribution, parameters, feedback, seed, step) * real
            if correct is not None:
                shift, parameters = self._correct(correct, position, following, parameters)
                following = following + shift
            return following, states, parameters

        states, _ = run_loop(warm_up, states, positions[:-1], keep=lambda _: ())
        start = (positions[-1], states, self._no_parameters(ops.shape(features)[:2]))
        _, (predicted, parameters) = run_loop(
            advance, start, steps, keep=lambda carry: (carry[0], carry[-1])
        )
        return tuple(
            ops.swapaxes(tensor, 0, 1)[:, :, :particles] for tensor in (predicted, parameters)
        )

    def one_step(self, inputs: Inputs, dropout: list[Tensor] | None = None) -> Tensor:
        frames, mask, _ = self._read(inputs)
        positions, features, states, _ = self._start(frames, mask)

        def advance(carry: States, position: Positions) -> States:
            outputs, states = self._step(position, features, carry[0], dropout)
            return states, self._to_parameters(outputs)

        start = (states, self._no_parameters(ops.shape(features)[:2]))
        _, parameters = run_loop(advance, start, positions, keep=lambda carry: carry[-1])
        parameters = ops.swapaxes(parameters, 0, 1)[:, 1:, : ops.shape(frames)[2]]
        return self._distribution.scale_sigma(parameters, self.sigma_factors[0])

    def _start(self, frames: Tensor, mask: Mask) -> tuple[Tensor, Tensor, list[Tensor], Tensor]:
        """Positions [T, B, N, D], features [B, N, F - D], states, and who is real; N at most."""
        frames, real = self._fill_up(frames, mask)
        zeros = [
            ops.zeros((ops.shape(frames)[0], cell.units), self.compute_dtype) for cell in self.lstms
        ]
        positions, features = ops.split(frames, [self.spatial_dims], axis=-1)
        states = [(each, each) for each in zeros]
        return ops.swapaxes(positions, 0, 1), features[:, -1], states, real

    def _to_parameters(self, outputs: Tensor) -> Tensor:
        return self._distribution.to_parameters(
            ops.cast(outputs, "float32"), 0.0, self.length_scale, self.length_scale
        )

    def _fill_up(self, frames: Tensor, mask: Mask) -> tuple[Tensor, Tensor]:
        """Frames of N particles [B, T, N, F], zeros where there is none, and ones elsewhere."""
        batch, steps, particles, features = ops.shape(frames)
        real = ops.ones((batch, particles)) if mask is None else ops.cast(mask, "float32")
        missing = [0, self.max_particles - particles]
        frames = ops.pad(frames * real[:, None, :, None], [[0, 0], [0, 0], missing, [0, 0]])
        frames = ops.reshape(frames, (batch, steps, self.max_particles, features))
        return frames, ops.pad(real, [[0, 0], missing])[..., None]

    def _step(
        self, position: Positions, features: Tensor, states: States, dropout: list[Tensor] | None
    ) -> Tensor:
        """One frame [B, N, D] -> raw means [B, N, D] and states."""
        vector = ops.concatenate([position / self.length_scale, features], axis=-1)
        hidden = ops.reshape(vector, (-1, self.max_particles * self.num_features))
        hidden = ops.cast(hidden, self.compute_dtype)
        masks = iter(dropout or [])
        for layer in self.encoder:
            hidden = layer(hidden) * next(masks, 1.0)
        following = []
        for cell, state in zip(self.lstms, states, strict=True):
            hidden, state = cell(hidden, list(state))
            hidden = hidden * next(masks, 1.0)
            following.append(tuple(state))
        for layer in self.decoder:
            hidden = layer(hidden) * next(masks, 1.0)
        outputs = self.output_layer(hidden)
        return ops.reshape(outputs, (-1, self.max_particles, self.spatial_dims)), following

    def _draw_dropout(self, batch: Tensor) -> list[Tensor]:
        """For each hidden layer, zeros and 1 / (1 - rate), [B, width]."""
        widths = (*self.mlp_units, *self.lstm_units, *reversed(self.mlp_units))
        return [
            keras.random.dropout(
                ops.ones((batch, width), self.compute_dtype),
                self.dropout,
                seed=self.seed_generator,
            )
            for width in widths
        ]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["distribution"]  # there is no other
        return {**arguments_of(SequenceLSTM, self), **config}
