"""The model: every particle an LSTM, all of them coupled by stacked state pooling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from keras import ops

from socialmd.check_choice import check_choice
from socialmd.data.masked_inputs import Unpacked
from socialmd.layers import SocialLSTMCell
from socialmd.loops import run_loop
from socialmd.models.closed_loop import (
    check_inputs,
    feed_back,
    last_box,
    with_boxes,
)
from socialmd.models.conservation_filters import ConservationFilters
from socialmd.models.estimate_scales import check_turns, estimate_scales
from socialmd.models.forecast_model import ForecastModel
from socialmd.registration import arguments_of, register
from socialmd.types import Inputs, Mask, Positions, Shape, States, Tensor

__all__ = ["SocialLSTM"]

PREDICTIONS = ("position", "displacement", "acceleration")
# Displacements beyond so many d look alike to the network. Before training it may amplify what is
# fed back from step to step, beyond what float32 holds, and its first gradient would not be finite.
LARGEST_INPUT = 10.0


@register
class SocialLSTM(ForecastModel):
    """Forecasts the trajectories of N interacting particles from their last T positions.

    The T given frames warm the LSTMs up. From the last of them on the model runs in closed loop:
    each step gives every particle a probability density for its next position, whose mean (or what
    `feedback` says) is the next step's input. Gradients flow through all of it (thesis sections
    4.4, 4.5).

    What the raw output mu' of the network means is `prediction`; x_t is the current position, d and
    a are the root-mean-square displacement and second difference per step and coordinate in the
    training set, estimated by `adapt` and stored with the model:

        "position"       mu = length_scale mu'                      the thesis' model
        "displacement"   mu = x_t + d mu'
        "acceleration"   mu = x_t + (x_t - x_(t-1)) + a mu'         constant velocity, corrected

    With the first, sigma is predicted in units of `length_scale`. With the last two it is in units
    of constant velocity's error so many steps ahead, so that densities are sensible from the start,
    and the last displacement in units of d, at most ten of them, is another input.

    With `orientation`, the network also reads and predicts where particles point, a unit vector u:
    mu is then normalized, and, with a relative prediction, around u or around where a turn at
    constant rate leads; scales are those of turns, and the last turn is another input.

    In a periodic box (see `ForecastModel`) no place differs from its images, so the network must
    not read any: `absolute_position = False`, with a relative prediction.

    Args:
        target_steps: T', steps that `model(inputs)` forecasts.
        prediction: `"position"`, `"displacement"` or `"acceleration"`.
        distribution: what is predicted: `"gaussian"`, `"mixture"` or `"correlated_mixture"`.
        num_components: K, components of a mixture.
        feedback: see `ForecastModel`.
        length_scale: length in units of which the network reads positions, such that they are
            numbers of order one.
        absolute_position: whether the network reads where a particle is, as in the thesis, beside
            how it moves and who is around it.
        spatial_dims: D, 2 or 3.
        orientation: see `ForecastModel`.
        units, embedding_dim, grid_sizes, grid_cells, distance_filter, filters, kernel_size,
            downsampling: see `SocialLSTMCell`.

    Call arguments, returns: see `ForecastModel`.

    Raises:
        ValueError: an argument is impossible, or inputs are not of the shape asked for.

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
        length_scale: float = 1.0,
        units: int = 128,
        embedding_dim: int = 32,
        grid_sizes: Sequence[float] = (11.0, 5.5, 2.75, 1.375),
        grid_cells: int | None = None,
        distance_filter: bool = True,
        filters: Sequence[int] = (16, 16, 32),
        kernel_size: int = 4,
        downsampling: str = "stride",
        absolute_position: bool = True,
        spatial_dims: int = 2,
        orientation: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(target_steps, distribution, feedback, spatial_dims, orientation, **kwargs)
        check_choice("prediction", prediction, PREDICTIONS)
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims: expected 2 or 3, found {spatial_dims}")
        if prediction == "position" and not absolute_position:
            raise ValueError(
                "absolute_position: expected true with prediction = 'position', which is where a "
                "particle will be, found false"
            )
        if num_components < 1:
            raise ValueError(f"num_components: expected at least 1, found {num_components}")
        if not length_scale > 0:
            raise ValueError(f"length_scale: expected a positive number, found {length_scale}")
        self.prediction = prediction
        self.num_components = num_components
        self.length_scale = length_scale
        self.units = units
        self.embedding_dim = embedding_dim
        self.grid_sizes = tuple(grid_sizes)
        self.distance_filter = distance_filter
        self.filters = tuple(filters)
        self.kernel_size = kernel_size
        self.downsampling = downsampling
        self.absolute_position = absolute_position
        self.cell = SocialLSTMCell(
            units,
            output_dim=self._distribution.parameter_size(num_components, spatial_dims),
            grid_sizes=grid_sizes,
            embedding_dim=embedding_dim,
            grid_cells=grid_cells,
            distance_filter=distance_filter,
            filters=filters,
            kernel_size=kernel_size,
            downsampling=downsampling,
            spatial_dims=spatial_dims,
            dtype=self.dtype_policy,
            name="cell",
        )

        self.grid_cells = self.cell.grid_cells

    @property
    def reach(self) -> float:
        corner = 1.0 if self.distance_filter else self.spatial_dims**0.5
        return corner * max(self.grid_sizes, default=0.0) / 2

    @property
    def reads_places(self) -> bool:
        return self.absolute_position

    def build(self, input_shape: Shape) -> None:
        check_inputs(input_shape, spatial_dims=self.spatial_dims)
        particles, dims = (None, None), self.spatial_dims
        features = input_shape[-1] - (0 if self.absolute_position else dims)
        features += 0 if self.prediction == "position" else self.poses.width
        self.cell.build((*particles, features), (*particles, dims), None)
        self.num_features = input_shape[-1]
        self.displacement_scale = self._add_constant("displacement_scale", "ones")
        self.acceleration_scale = self._add_constant("acceleration_scale", "ones")
        if self.orientation:
            self.spin_scale = self._add_constant("spin_scale", "ones")
            self.spin_change_scale = self._add_constant("spin_change_scale", "ones")
            self._add_turns_by_step()
        self.is_adapted = self._add_constant("is_adapted", "zeros")
        self.sigma_factors = self._add_constant("sigma_factors", "ones", (self.target_steps,))
        if self.prediction != "position":  # what sigma is measured by, from the first step ahead on
            self.error_by_step = self._add_constant("error_by_step", "ones", (self.target_steps,))
        self.built = True

    # === Forecast ===

    def closed_loop(
        self,
        inputs: Inputs,
        steps: Tensor,
        feedback: str | None = None,
        seed: Tensor = 0,
        filters: ConservationFilters | None = None,
    ) -> tuple[Tensor, Tensor]:
        feedback = feedback or self.feedback
        frames, mask, boxes = self._with_displacements(inputs)
        box = last_box(boxes)
        position, features, displacement = self._split(frames[-1])
        is_conditional = "conditional" in self.densities  # and as wide whatever came before
        correct = None
        if filters is not None:
            correct = filters.begin(self._read(inputs).frames, mask, self.spatial_dims)

        def warm_up(states: States, each: tuple[Tensor, ...]) -> States:
            frame, *box = each
            position, features, displacement = self._split(frame)
            return self._step(position, displacement, features, states, mask, *box)[1]

        def advance(carry: States, step: Tensor) -> States:
            position, displacement, states, _ = carry
            outputs, states = self._step(position, displacement, features, states, mask, box)
            parameters = self._to_parameters(
                outputs, position, displacement, 0 if is_conditional else step
            )
            following = feed_back(self._distribution, parameters, feedback, seed, step)
            if correct is not None:
                shift, parameters = self._correct(correct, position, following, parameters)
                following = following + shift
            return following, self.poses.arrival(following, position), states, parameters

        shape = ops.shape(position)[:2]
        past = with_boxes(frames[:-1], None if boxes is None else boxes[:, :-1])
        states, _ = run_loop(warm_up, self._no_states(shape), past, keep=lambda _: ())
        start = (position, displacement, states, self._no_parameters(shape))
        _, (predicted, parameters) = run_loop(
            advance, start, steps, keep=lambda carry: (carry[0], carry[-1])
        )
        return ops.swapaxes(predicted, 0, 1), ops.swapaxes(parameters, 0, 1)

    def one_step(self, inputs: Inputs) -> Tensor:
        frames, mask, boxes = self._with_displacements(inputs)
        shape = ops.shape(frames)[1:3]

        def advance(carry: States, each: tuple[Tensor, ...]) -> States:
            frame, *box = each
            position, features, displacement = self._split(frame)
            outputs, states = self._step(position, displacement, features, carry[0], mask, *box)
            return states, self._to_parameters(outputs, position, displacement, 0)

        start = (self._no_states(shape), self._no_parameters(shape))
        _, parameters = run_loop(
            advance, start, with_boxes(frames, boxes), keep=lambda carry: carry[-1]
        )
        return ops.swapaxes(parameters, 0, 1)[:, 1:]

    def _with_displacements(self, inputs: Inputs) -> Unpacked:
        """Frames, and with them what led there, [T, B, N, F + D]; mask and boxes.

        With an orientation, which comes after the place, F + 2 D.
        """
        frames, mask, boxes = self._read(inputs)
        frames, space = ops.swapaxes(frames, 0, 1), self.poses
        if self.orientation:
            order = [*range(self.spatial_dims), *self.orientation_columns, *self.static_columns]
            frames = ops.take(frames, np.array(order, "int32"), axis=-1)
        positions = frames[..., : space.width]
        displacements = ops.pad(  # the first frame has no predecessor
            space.arrival(positions[1:], positions[:-1]), [[1, 0], [0, 0], [0, 0], [0, 0]]
        )
        return Unpacked(ops.concatenate([frames, displacements], axis=-1), mask, boxes)

    def _split(self, frame: Tensor) -> list[Tensor]:
        """Position or pose, features that stay as they are, and displacement."""
        return ops.split(frame, [self.poses.width, self.num_features], axis=-1)

    def _no_states(self, shape: Shape) -> tuple[Tensor, Tensor]:
        state = ops.zeros((*shape, self.cell.units), self.compute_dtype)
        return state, state

    def _step(
        self,
        position: Positions,
        displacement: Tensor,
        features: Tensor,
        states: States,
        mask: Mask,
        box: Tensor = None,
    ) -> Tensor:
        position, direction = ops.split(position, [self.spatial_dims], axis=-1)
        parts = [position / self.length_scale, direction, features]
        if not self.absolute_position:
            parts = parts[1:]
        if self.prediction != "position":
            moved, turned = ops.split(displacement, [self.spatial_dims], axis=-1)
            scaled = [moved / self.displacement_scale]
            if self.orientation:
                scaled.append(turned / self.spin_scale)
            parts += [ops.clip(each, -LARGEST_INPUT, LARGEST_INPUT) for each in scaled]
        return self.cell(ops.concatenate(parts, axis=-1), position, states, mask, box)

    def _to_parameters(
        self, outputs: Tensor, position: Positions, displacement: Tensor, step: Tensor
    ) -> Tensor:
        """Parameters of the density so many steps after what is known, 0 being the next."""
        outputs = ops.cast(outputs, "float32")
        length = self.length_scale
        if self.prediction == "position":
            scale = (length, 1.0) if self.orientation else length
            return self._distribution.to_parameters(outputs, 0.0, scale, scale)
        origin, mean_scale = position, self.displacement_scale
        if self.prediction == "acceleration":
            origin, mean_scale = self.poses.move(position, displacement), self.acceleration_scale
        sigma_scale = self._at_step(self.error_by_step, step)
        if self.orientation:
            turn = {"displacement": self.spin_scale, "acceleration": self.spin_change_scale}
            mean_scale = (mean_scale, turn[self.prediction])
            sigma_scale = (sigma_scale, self._at_step(self.turn_by_step, step))
        return self._distribution.to_parameters(outputs, origin, mean_scale, sigma_scale)

    # === Scales ===

    def adapt(self, dataset: Iterable[Any], steps: int | None = None) -> None:
        """Estimate d and a, and the error of constant velocity by steps ahead.

        With the latter, densities of relative predictions start. See `ForecastModel.adapt`.
        """
        estimated = estimate_scales(dataset, self.spatial_dims, steps, self.orientation_columns)
        if not self.built:
            self.build(estimated.input_shape)
        scales = (estimated.displacement, estimated.acceleration)
        if (turns := estimated.turns) is not None:
            check_turns(turns)
            self.spin_scale.assign(turns.displacement)
            self.spin_change_scale.assign(turns.acceleration)
            self.turn_by_step.assign(turns.errors(self.target_steps))
        needed = scales[: {"position": 0, "displacement": 1, "acceleration": 2}[self.prediction]]
        if 0.0 in needed:
            raise ValueError(
                f"adapt: expected particles that move and, for prediction={self.prediction!r}, "
                f"not all uniformly, found scales {list(scales)}"
            )
        self.displacement_scale.assign(scales[0])
        self.acceleration_scale.assign(scales[1])
        if self.prediction != "position":
            self.error_by_step.assign(estimated.errors(self.target_steps))
        self.is_adapted.assign(1.0)

    @property
    def reader_of_scales(self) -> str | None:
        return None if self.prediction == "position" else f"prediction={self.prediction!r}"

    def typical_change(self) -> float:
        self.check_adapted()
        return float(self.acceleration_scale)

    def typical_turn(self) -> float:
        self.check_adapted()
        return float(self.spin_change_scale)

    def get_config(self) -> dict[str, Any]:
        return {**arguments_of(SocialLSTM, self), **super().get_config()}
