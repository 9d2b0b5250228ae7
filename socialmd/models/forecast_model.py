"""The base of all models: forecasts of any length, densities, recalibration."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from functools import cached_property, partial
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from socialmd import distributions
from socialmd.data.feature_layout import ORIENTATION, FeatureLayout
from socialmd.data.masked_inputs import Unpacked, unpack
from socialmd.distributions import DirectionDensity, Pose
from socialmd.models.closed_loop import check_feedback, check_inputs, compile_loop
from socialmd.models.conservation_filters import ConservationFilters, Correction
from socialmd.models.keras_safeguards import build_optimizer, float32_by_default, never_empty
from socialmd.models.recalibration import (
    check_spread_factors,
    recalibrate,
    scale_sigma,
    scale_spread,
)
from socialmd.models.roll_out import check_rollout, repeat, roll_out
from socialmd.models.step_values import RecordedModel
from socialmd.models.trained_model import TrainedModel
from socialmd.periodic_box import smallest_width, unwrap
from socialmd.pose_space import PoseSpace
from socialmd.static_shapes import static_shapes
from socialmd.types import Array, FloatArray, Inputs, Mask, Shape, Tensor

__all__ = ["ForecastModel"]


class ForecastModel(TrainedModel, RecordedModel):
    """A model that forecasts densities of particles' positions in closed loop.

    What differs from model to model is `build`, `closed_loop` and `one_step`, and, for those that
    take scales from the data, `adapt` and `reader_of_scales`.

    Attributes:
        predicts_sigma: whether the network says how wide its densities are. If not, the factors of
            `recalibrate` are all that is known of it, and forecasts always have them.
        max_particles: most particles that a built model takes; any number if there is none.
        layout: what the columns of the data were that it was trained on, if that is known.
        spacing: time from one frame to the next, if that is known and velocities are given.
        densities: what the model has been trained to predict: `"conditional"` densities, of a step
            given the true one before, `"marginal"` ones, of a step given the past alone, or both.
            Conditional ones can be sampled and fed back; nothing else gives futures.
        spread_factors: by which sampled futures should be farther from their mean, for each step
            ahead, [T']; nothing before `recalibrate` has found them.
        training_feedback: in training, what becomes the next step's input, if another than
            `feedback`; see `begin_training`.
        training_steps: in training, steps ahead, if others than `target_steps`.
        training_samples: in training, M, futures that `model(inputs)` draws, if it does.

    Args:
        target_steps: T', steps that `model(inputs)` forecasts.
        distribution: what is predicted, by name or as an object (see `socialmd.distributions.get`).
        feedback: what of it becomes the next step's input: the `"mean"`, the mean of the
            `"most_likely"` component, or a `"sample"`; reasons in `socialmd.models.closed_loop`.
        spatial_dims: D, how many of the features are coordinates.
        orientation: whether particles point somewhere, and where is forecast as well. Among the
            features there is then a unit vector, called so in the layout, or the last D of them;
            wherever positions [..., D] are predicted, it follows them, [..., 2 D].

    Call arguments:
        inputs: [B, T, N, F] with T >= 2, oldest frame first; D coordinates in units of length, then
            features that stay as they are in the last frame (mass, charge). With padded particles a
            dictionary of these `"inputs"` and a `"mask"`, bool [B, N], false for padded particles;
            in a periodic box with a `"box"`, box vectors as rows, [B, D, D], or [B, T, D, D] of
            each frame. It is so wherever a model takes inputs.

    Returns:
        Parameters of the predicted distributions, [B, T', N, P]; see `distribution`.

    Raises:
        ValueError: an argument is none of the above, or inputs are not of the shape above.
    """

    predicts_sigma = True
    takes_velocities = False
    max_particles: int | None = None

    def __init__(
        self,
        target_steps: int,
        distribution: str | distributions.Distribution,
        feedback: str,
        spatial_dims: int,
        orientation: bool = False,
        **kwargs: Any,
    ) -> None:
        # Positions must not be cast to a lower compute dtype.
        super().__init__(autocast=False, **{"dtype": "float32", **kwargs})
        self.supports_masking = True
        # On TensorFlow it is asked for or not, see `compile`.
        self.supports_jit = keras.backend.backend() != "tensorflow"
        if target_steps < 1:
            raise ValueError(f"target_steps: expected at least 1, found {target_steps}")
        check_feedback(feedback)
        self.target_steps = target_steps
        self.feedback = feedback
        self.spatial_dims = spatial_dims
        self.orientation = orientation
        self.of_positions = distributions.get(distribution, spatial_dims)
        self._given_distribution = (
            distribution if isinstance(distribution, str) else self.of_positions
        )
        if orientation:
            self._distribution: distributions.Distribution = Pose(
                self._given_distribution, spatial_dims
            )
            self.distribution_name: str | distributions.Distribution = self._distribution
        else:
            self._distribution, self.distribution_name = self.of_positions, self._given_distribution
        self.layout: FeatureLayout | None = None
        self.spacing: float | None = None
        self.densities: tuple[str, ...] = ()
        self.spread_factors: NDArray[np.float32] | None = None
        self.training_feedback: str | None = None
        self.training_steps: int | None = None
        self.training_samples: int | None = None
        if feedback == "sample":
            self.seed_generator = keras.random.SeedGenerator()

    def one_step(self, inputs: Inputs) -> Tensor:
        """Teacher forcing: of every frame from the third on, the density given those before it.

        Parameters [B, T - 1, N, P], each read after the true frames up to the one before; the last
        density is that of the frame after all. No frame has an effect on densities of itself or of
        earlier ones.
        """
        raise NotImplementedError

    def closed_loop(
        self,
        inputs: Inputs,
        steps: Tensor,
        feedback: str | None = None,
        seed: Tensor = 0,
        filters: ConservationFilters | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Warm-up and closed loop, for use within compiled functions; `rollout` is for all else.

        Args:
            inputs: of T frames.
            steps: 0, 1, ..., T'-1, a tensor whose length may be known only when it runs.
            feedback: as for `rollout`.
            seed: integer, may be a tensor.
            filters: by which positions are corrected before they are fed back; a rotation of
                windows is not done here.

        Returns:
            positions [B, T', N, D] as fed back and parameters [B, T', N, P].
        """
        raise NotImplementedError

    def adapt(self, dataset: Iterable[Any], steps: int | None = None) -> None:
        """Estimate scales from training data, as `keras.layers.Normalization` does.

        By default there is nothing that the model needs to know of it.

        Args:
            dataset: batches (inputs [B, T, N, F], targets [B, T', N, D]).
            steps: how many batches to look at; all if none is given.

        Raises:
            ValueError: there is no data, it is not finite, or nothing moves in it.

        Example:
            >>> model.adapt(make_dataset("data/monopoles/train", config.data, batch_size=32))
        """

    @property
    def reader_of_scales(self) -> str | None:
        """What of the model needs the scales that `adapt` estimates; nothing by default."""
        return None

    def check_adapted(self) -> None:
        """Refuse to go on without scales that the model needs.

        Raises:
            ValueError: `adapt` was not called.
        """
        reader = self.reader_of_scales
        if reader is not None and not (self.built and bool(self.is_adapted > 0)):
            raise ValueError(
                f"{reader} needs the scale of the data: call `model.adapt(dataset)` first"
            )

    def typical_change(self) -> float:
        """a, the root-mean-square change of displacements per step, in units of length.

        Raises:
            ValueError: the model does not know it.
        """
        raise ValueError(f"{type(self).__name__}: expected scales of the data, found none")

    def typical_turn(self) -> float:
        """The same of unit vectors: of turns per step, in radians.

        Raises:
            ValueError: the model does not know it.
        """
        raise ValueError(
            f"{type(self).__name__}: expected scales of how particles turn, found none"
        )

    # === Features ===

    @property
    def poses(self) -> PoseSpace:
        """The space of what is predicted: positions, or poses."""
        return PoseSpace(self.spatial_dims, self.orientation)

    @property
    def orientation_columns(self) -> list[int]:
        """Columns of the features that say where particles point; none if that is not forecast."""
        if not self.orientation:
            return []
        if self.layout is None:
            end = getattr(self, "num_features", 0)  # the last ones, before it is built
            return list(range(end - self.spatial_dims, end))
        return self.layout.orientation

    @property
    def static_columns(self) -> list[int]:
        """Columns of the features that stay as they are."""
        changing = self.orientation_columns + self.velocity_columns
        return [c for c in range(self.spatial_dims, self.num_features) if c not in changing]

    @property
    def velocity_columns(self) -> list[int]:
        """Columns of the features that are velocities, if these are given."""
        return [] if self.layout is None else self.layout.velocity

    def learn_layout(self, layout: FeatureLayout, spacing: float | None = None) -> None:
        """Take over what the columns are of the data that the model is about to be trained on.

        Args:
            layout: of the data.
            spacing: time from one frame to the next; models that are given velocities need it.

        Raises:
            ValueError: anything but places is to be predicted, or, by a model of orientations,
                but these as well.
        """
        expected, wanted, hint = list(range(self.spatial_dims)), "places alone", ""
        if self.orientation:
            expected += layout.orientation
            wanted = f"places and a vector {ORIENTATION!r}, orientation = true in [model],"
        elif layout.orientation:
            hint = "; orientation = true in [model] does, of all but sequence_lstm"
        if layout.targets != expected or len(expected) != self.poses.width:
            raise ValueError(
                f"layout: expected {wanted} to be predicted, in {self.spatial_dims} "
                f"dimensions, found {layout.in_words()}, of which "
                f"{', '.join(block.name for block in layout.blocks if block.predicted)} are to be"
                f"{hint}"
            )
        if layout.velocity:
            if not self.takes_velocities:
                raise ValueError(
                    f"layout: expected no velocities, found {layout.in_words()}; kind = "
                    '"interaction_lstm" in [model] takes them, or `given = false` has them unread'
                )
            if spacing is None:
                raise ValueError("spacing: expected the time between frames, with velocities")
            self.spacing = float(spacing)
        self.layout = layout.given

    def check_layout(self, layout: FeatureLayout, data: object, name: str = "the model") -> None:
        """Refuse data whose columns are not those that the model was trained on.

        Args:
            layout: of the data.
            data, name: where they are, and what the model is called, for messages.

        Raises:
            ValueError: columns or their order, meaning or number differ.
        """
        found = layout.given
        if layout.spatial_dims != self.spatial_dims:
            raise ValueError(
                f"{data}: expected trajectories in {self.spatial_dims} dimensions, as {name} "
                f"forecasts, found {layout.spatial_dims}"
            )
        if len(found.features) != self.num_features:
            raise ValueError(
                f"{data}: expected the {self.num_features} features of {name}, found "
                f"{', '.join(found.features)}"
            )
        if self.layout is not None and found != self.layout:
            raise ValueError(
                f"{data}: expected features as {name} was trained on, {self.layout.in_words()}, "
                f"found {found.in_words()}"
            )

    # === Boxes ===

    @property
    def reach(self) -> float:
        """How far particles see each other, in units of length."""
        return 0.0

    @property
    def reads_places(self) -> bool:
        """Whether forecasts depend on where in space everything is, as they must not in a box."""
        return False

    def check_box(self, vectors: Array) -> None:
        """Refuse boxes [..., D, D] that the model cannot forecast in.

        Raises:
            ValueError: the model reads places, which in a box are no more than their images, or
                sees farther than to half of the smallest distance between opposite faces.
        """
        if self.reads_places:
            raise ValueError(
                "box: expected a model that does not read where in space particles are, such as an "
                "interaction_lstm or a social_lstm with absolute_position = false, found one that "
                "does"
            )
        if 2 * self.reach > smallest_width(vectors) * (1 + 1e-6):
            raise ValueError(
                f"box: expected opposite faces at least {2 * self.reach:g} apart, twice as far as "
                f"particles see each other, found {smallest_width(vectors):g}"
            )

    # === For `build`, `closed_loop` and `one_step` ===

    @property
    def parameter_size(self) -> int:
        """P, parameters per particle and step."""
        components = getattr(self, "num_components", 1)
        return self._distribution.parameter_size(components, self.spatial_dims)

    def _add_constant(self, name: str, initializer: str, shape: Shape = ()) -> Tensor:
        """A float32 weight that training does not change, whatever the precision."""
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            trainable=False,
            dtype="float32",
            autocast=False,
        )

    def _add_turns_by_step(self) -> None:
        """What `error_by_step` and `sigma_factors` are of places, of where particles point."""
        self.turn_by_step = self._add_constant("turn_by_step", "ones", (self.target_steps,))
        self.turn_factors = self._add_constant("turn_factors", "ones", (self.target_steps,))

    def _read(self, inputs: Inputs) -> Unpacked:
        """Frames [B, T, N, F], float32, and mask, as the model was built for them, and boxes.

        In a periodic box, particles do not jump at walls any more, and end where they were.
        """
        frames, mask, box = unpack(inputs)
        mask = None if mask is None else ops.convert_to_tensor(mask, "bool")
        check_inputs(frames.shape, self.num_features, mask, self.spatial_dims, self.max_particles)
        frames = ops.cast(frames, "float32")
        if box is None:
            return Unpacked(frames, mask, None)
        box = ops.cast(box, "float32")
        if len(box.shape) == 3:
            box = ops.repeat(box[:, None], ops.shape(frames)[1], axis=1)
        positions, features = ops.split(frames, [self.spatial_dims], axis=-1)
        frames = ops.concatenate([unwrap(positions, box), features], axis=-1)
        return Unpacked(frames, mask, box)

    def _no_parameters(self, shape: Shape) -> Tensor:
        """What a loop begins with, [B, N, P]."""
        return ops.zeros((*shape, self.parameter_size), "float32")

    def _correct(
        self, correct: Correction, position: Tensor, following: Tensor, parameters: Tensor
    ) -> tuple[Tensor, Tensor]:
        """By how much what follows a position, or pose, is to be moved, and parameters moved so."""
        dims = self.spatial_dims
        variance = ops.mean(self.distribution(parameters).variance(), axis=-1)
        shift = correct(position[..., :dims], following[..., :dims], variance)
        parameters = self._distribution.move(parameters, shift)
        if self.orientation:
            shift = ops.concatenate([shift, ops.zeros_like(shift)], axis=-1)
        return shift, parameters

    def _at_step(self, values: Tensor, step: Tensor) -> Tensor:
        """The value of so many steps ahead, from those of T'; beyond, the last one."""
        return ops.take(values, ops.minimum(step, self.target_steps - 1))

    # === Training ===

    def begin_training(
        self, feedback: str, steps: int | None = None, num_samples: int | None = None
    ) -> None:
        """Choose what the next `fit` trains; compile afterwards.

        With `"truth"`, every true frame is the next step's input (teacher forcing) and
        `model(inputs)` is `one_step(inputs)`; data sets for it are made by
        `make_dataset(..., teacher_forcing=True)`. Otherwise `model(inputs)` runs in closed loop.
        With `num_samples` it is not densities but futures, [B, T', N, M, D], in training others at
        every step, through all of whose draws gradients flow; `EnergyScore` is the loss for them.

        Args:
            feedback: `"truth"`, or as for `rollout`.
            steps: steps ahead in closed loop, at most T'; T' if none is given.
            num_samples: M, futures of each past, with `"sample"`; densities if none is given.

        Raises:
            ValueError: an argument is impossible, or no gradient flows through draws.

        Example:
            >>> model.begin_training("truth")
            >>> model.compile("nadam", loss=NegativeLogLikelihood(model.distribution_name))
            >>> model.fit(make_dataset("data/train", config.data, 32, teacher_forcing=True))
            >>> model.end_training()
        """
        if feedback != "truth":
            check_feedback(feedback)
        if steps is not None and not 1 <= steps <= self.target_steps:
            raise ValueError(f"steps: expected 1 to {self.target_steps}, found {steps}")
        if feedback == "sample" and not hasattr(self, "seed_generator"):
            raise ValueError(
                'feedback: expected a model that was made with feedback="sample" to train on '
                f"samples, found {self.feedback!r}"
            )
        if num_samples is not None:
            self._check_futures(feedback, num_samples)
        self.densities = self._densities_after(feedback, num_samples)
        self.training_feedback = feedback
        self.training_steps = steps
        self.training_samples = num_samples
        self._forget_compiled()

    def end_training(self) -> None:
        """From here on, `model(inputs)` is the forecast again."""
        self.training_feedback = self.training_steps = self.training_samples = None
        self._recorded = None
        self._forget_compiled()

    def _check_futures(self, feedback: str, num_samples: int) -> None:
        if feedback != "sample" or num_samples < 2:
            raise ValueError(
                'num_samples: expected at least 2, and feedback="sample", found '
                f"{num_samples} and {feedback!r}"
            )
        components = getattr(self, "num_components", 1)
        size = self.of_positions.parameter_size(components, self.spatial_dims)
        parameters = self.of_positions.to_parameters(ops.zeros((1, size)), 0.0, 1.0, 1.0)
        if not distributions.is_differentiable(self.of_positions.from_parameters(parameters)):
            raise ValueError(
                "distribution: expected one through whose draws gradients flow, student_t or "
                f"gaussian, to train on futures, found {self.distribution_name!r}"
            )

    def _densities_after(self, feedback: str, num_samples: int | None) -> tuple[str, ...]:
        """What there is once it is trained; here one density, which another training replaces."""
        is_conditional = feedback == "truth" or num_samples is not None
        return ("conditional",) if is_conditional else ("marginal",)

    def _forget_compiled(self) -> None:
        """Functions that were compiled for another way of training."""
        for name in ("_compiled_loop", "_compiled_states", "_filtered_loops"):
            self.__dict__.pop(name, None)
        if self.compiled:
            for make in (self.make_train_function, self.make_test_function):
                make(force=True)

    def respond_in_training(self, inputs: Inputs, training: bool | None, **options: Any) -> Any:
        """What `call` returns, see `begin_training`: parameters [B, T', N, P], or futures."""
        with static_shapes(self.supports_jit):
            return self._respond(inputs, training, **options)

    def _respond(self, inputs: Inputs, training: bool | None, **options: Any) -> Any:
        feedback = self.training_feedback or self.feedback
        if feedback == "truth":
            return self.one_step(inputs, **options)
        seed = 0  # outside of training, the same samples whenever they are drawn
        if training and feedback == "sample":
            seed = keras.random.randint((), 0, 2**31 - 1, seed=self.seed_generator)
        steps, futures = ops.arange(self.training_steps or self.target_steps), self.training_samples
        if futures is None:
            return self.closed_loop(inputs, steps, feedback, seed, **options)[1]
        pasts = repeat(inputs, futures)
        positions = self.closed_loop(pasts, steps, feedback, seed, **options)[0]
        positions = ops.reshape(positions, (futures, -1, *ops.shape(positions)[1:]))
        return ops.moveaxis(positions, 0, -2)

    # === Keras ===

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """As of any `keras.Model`; on TensorFlow, XLA compiles steps with `jit_compile=True` only.

        It pays where there are many steps: each shape of a batch is compiled anew, which takes
        longer than building a graph. All particles are then compared with all.
        """
        if keras.backend.backend() == "tensorflow":
            for layer in self._flatten_layers():  # whose shapes are static if it does, see `call`
                layer.supports_jit = kwargs.get("jit_compile") is True
        super().compile(*args, **kwargs)
        if self.built:
            build_optimizer(self)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """As of any `keras.Model`, which leaves that out for a `compile` of one's own."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    @never_empty
    def call(self, inputs: Inputs, training: bool | None = None) -> Tensor:
        return self.respond_in_training(inputs, training)

    def compute_mask(self, inputs: Inputs, previous_mask: Mask = None) -> Mask:
        """Of what `call` returns, [B, T', N]: Keras leaves padded particles out of losses by it."""
        inputs, mask, _ = unpack(inputs)
        if mask is None:
            return None
        mask = ops.convert_to_tensor(mask, "bool")
        batch, particles = ops.shape(mask)
        steps = self.training_steps or self.target_steps
        if self.training_feedback == "truth":
            steps = ops.shape(inputs)[1] - 1
        return ops.broadcast_to(mask[:, None], (batch, steps, particles))

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,
        y_pred: Tensor = None,
        sample_weight: Tensor = None,
        training: bool = True,
    ) -> Tensor:
        """As `keras.Model.compute_loss`, without padded particles.

        Masks that come with the inputs are weights here as well: on JAX, Keras traces `call` alone
        and never asks for `compute_mask`.
        """
        if x is not None and unpack(x).mask is not None and sample_weight is None:
            sample_weight = ops.cast(self.compute_mask(x), "float32")
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def fit(self, x: Any = None, y: Any = None, **kwargs: Any) -> Any:
        """As `keras.Model.fit`, once the scales are known.

        Raises:
            ValueError: the model needs scales and `adapt` was not called, or it does not learn from
                what `feedback` says.
        """
        self.check_adapted()
        feedback = self.training_feedback or self.feedback
        densities = self._densities_after(feedback, self.training_samples)
        if densities != self.densities:
            self.densities = densities
            self._forget_compiled()
        if hasattr(x, "element_spec"):  # a data set, whose order Keras by default would change
            kwargs.setdefault("shuffle", False)
        with float32_by_default():
            return super().fit(x, y, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        with float32_by_default():
            return super().evaluate(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        with float32_by_default():
            return super().predict(*args, **kwargs)

    def _maybe_symbolic_build(self, *args: Any, **kwargs: Any) -> None:
        """Nothing, once everything is built.

        Where several devices share a batch, Keras looks at one before every fit and evaluation, in
        order to build from it. It averages that batch over the devices, which can be done neither
        with masks nor with parts of different sizes, and it uses up an epoch of the data set.
        """
        if not (self.built and self.optimizer.built):
            super()._maybe_symbolic_build(*args, **kwargs)

    # === Public methods ===

    def rollout(
        self,
        inputs: Inputs,
        num_steps: int | None = None,
        feedback: str | None = None,
        seed: int | None = None,
        num_samples: int | None = None,
        recalibrated: bool = False,
        progress: str | None = None,
        filters: ConservationFilters | str | Sequence[str] = (),
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Forecast any number of steps for any number of windows and particles.

        Windows are rolled out in parts of some thousand particles, so that memory stays bounded.

        Args:
            inputs: [B, T, N, F], or with a mask, as for `model(inputs)`.
            num_steps: steps ahead; T' if none is given.
            feedback: what becomes the next step's input, the `"mean"` of the predicted
                distribution, the mean of its `"most_likely"` component or a `"sample"` of it; as
                in training if none is given.
            seed: integer that makes samples repeatable; drawn if none is given.
            num_samples: S, futures to draw for each past, with `feedback="sample"`.
            recalibrated: whether to multiply the predicted standard deviations by the factors that
                `recalibrate` has found, beyond T' steps by the last one; with `num_samples` not
                those, but the distances of futures from their mean.
            progress: name of a progress bar, which appears at a terminal; none without.
            filters: what of the motion is kept as it was, in every step before it is fed back:
                `"momentum"`, `"rotation"`, or, where the law is known, energy; see
                `ConservationFilters`. None by default.

        Returns:
            positions [B, num_steps, N, D] as fed back and parameters [B, num_steps, N, P], float32;
            with `num_samples` [S, B, ...] each. Of a model of orientations, poses [..., 2 D].

        Raises:
            ValueError: inputs are of another shape, not finite or masked, features that are no
                coordinates change in time, or an argument is impossible; or filters make no sense
                with the data or with the model.
            FloatingPointError: the forecast itself has become infinite.

        Warns:
            UserWarning: samples are asked for, and the model's densities are marginal.

        Example:
            >>> positions, parameters = model.rollout(inputs, 200, feedback="sample", seed=1)
        """
        feedback = feedback or self.feedback
        num_steps = self.target_steps if num_steps is None else num_steps
        num_steps = check_rollout(num_steps, feedback, seed, num_samples, recalibrated)
        if recalibrated and feedback == "sample":
            check_spread_factors(self)
        if feedback == "sample" and self.reason_against_samples:
            warnings.warn(self.reason_against_samples, stacklevel=2)
        chosen = ConservationFilters.for_model(filters, self)
        loop = self._loop_with(chosen) if chosen is not None and chosen.corrects else None
        positions, parameters = roll_out(
            self, inputs, num_steps, feedback, seed, num_samples, progress, loop, chosen
        )
        if recalibrated and num_samples is not None:
            return scale_spread(self, positions), parameters
        if recalibrated:
            return positions, scale_sigma(self, parameters)
        return positions, parameters

    @property
    def reason_against_samples(self) -> str | None:
        """Why samples of this model's densities, fed back, are no trajectories; or nothing."""
        if not self.densities or "conditional" in self.densities:
            return None
        return (
            "the model holds marginal densities, trained in closed loop, which cover all that may "
            "have happened before: samples of them, fed back, count that twice and are no "
            'trajectories. A phase of training with feedback = "truth" gives conditional ones'
        )

    @property
    def point_feedback(self) -> str:
        """What to feed back for a forecast that stands for all: as in training, never samples."""
        return "mean" if self.feedback == "sample" else self.feedback

    @property
    def num_trainable_parameters(self) -> int:
        """Numbers that training changes; the reference model of the thesis has 140 768."""
        return sum(math.prod(weight.shape) for weight in self.trainable_weights)

    def distribution(self, parameters: Tensor) -> Any:
        """Predicted distributions of positions, TensorFlow Probability's, or on JAX our own.

        Args:
            parameters: [..., P], from `model(inputs)` or `rollout`.

        Returns:
            A `tfp.distributions.Distribution`, or a `MixtureDensity` on JAX: batch shape [...],
            event shape [D].

        Example:
            >>> model.distribution(model(inputs)).log_prob(targets)  # [B, T', N]
        """
        if isinstance(self._distribution, Pose):
            parameters, _ = self._distribution.split(parameters)
        return self.of_positions.from_parameters(parameters)

    def orientation_density(self, parameters: Tensor) -> DirectionDensity:
        """Predicted densities of where particles point.

        Args:
            parameters: [..., P], from `model(inputs)` or `rollout`.

        Raises:
            ValueError: the model does not forecast that.

        Example:
            >>> model.orientation_density(model(inputs)).log_prob(orientations)  # [B, T', N]
        """
        if not isinstance(self._distribution, Pose):
            raise ValueError("orientation: expected a model that forecasts it, found one of places")
        _, parameters = self._distribution.split(parameters)
        return self._distribution.direction.from_parameters(parameters)

    def sigma(self, parameters: Tensor) -> NDArray[np.float32]:
        """Predicted standard deviation per coordinate.

        Args:
            parameters: [..., P], from `model(inputs)` or `rollout`.

        Returns:
            [...], in units of length: the root mean square of those of all coordinates.
        """
        variance = ops.convert_to_numpy(self.distribution(parameters).variance())
        return np.sqrt(variance.mean(axis=-1))

    def components(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predicted densities as mixtures of C Gaussians, for arithmetic with arrays.

        Args:
            parameters: [..., P], from `model(inputs)` or `rollout`.

        Returns:
            Logarithms of the weights [..., C], means [..., C, D] and Cholesky factors of the
            covariances [..., C, D, D]; C is one for a Gaussian and K for a mixture.
        """
        return self._distribution.components(parameters)

    def components_in_float64(self, parameters: Tensor) -> tuple[Array, Array, FloatArray]:
        """The same with covariances [..., C, D, D] in float64: arguments of a `PredictiveDensity`.

        In float32, strong correlations would be singular.
        """
        log_weights, means, factors = map(ops.convert_to_numpy, self.components(parameters))
        factors = factors.astype(np.float64)
        return log_weights, means, factors @ np.swapaxes(factors, -1, -2)

    def recalibrate(self, dataset: Iterable[Any]) -> None:
        """Find one factor on the standard deviations for each step ahead, from validation data.

        The factors of largest likelihood, weights as they are; `rollout(..., recalibrated=True)`
        applies them, and they are stored with the model. A model whose densities are right gets
        ones; larger factors say that it was too sure of itself. The mean is fed back, or the most
        likely component's, as in training; a model trained on samples is looked at with its mean.

        Of a model that holds conditional densities, futures are drawn as well, 10 for each of up to
        200 windows, evenly spread, and `spread_factors` found (see `fit_spread_factors`).

        Args:
            dataset: batches (inputs [B, T, N, F], targets [B, T', N, D]) that the model was not
                trained on.

        Raises:
            ValueError: there is no data.

        Warns:
            UserWarning: a future became infinite; there are then no `spread_factors`.

        Example:
            >>> model.recalibrate(make_dataset("data/monopoles/validation", config.data, 32))
        """
        recalibrate(self, dataset)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "target_steps": self.target_steps,
            "distribution": self._given_distribution,
            "feedback": self.feedback,
            "layout": self.layout and self.layout.model_dump(mode="json"),
            **({} if self.spacing is None else {"spacing": self.spacing}),
            "densities": self.densities,
            "spread_factors": None
            if self.spread_factors is None
            else np.asarray(self.spread_factors).tolist(),
        }

    def get_build_config(self) -> dict[str, Any] | None:
        """The shape that the model was built with, of plain numbers: others write it as JSON."""
        config = super().get_build_config()
        return config and {
            name: [None if size is None else int(size) for size in shape]
            for name, shape in config.items()
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        # Models from before this key were trained in closed loop.
        config = dict(config)
        densities = config.pop("densities", ("marginal",))
        spread_factors = config.pop("spread_factors", None)
        layout, spacing = config.pop("layout", None), config.pop("spacing", None)
        model = cls(**config)
        model.spacing = spacing
        model.layout = layout and FeatureLayout.model_validate(layout)
        model.densities = tuple(densities)
        if spread_factors is not None:
            model.spread_factors = np.asarray(spread_factors, "float32")
        return model

    @cached_property
    def _compiled_loop(self) -> Any:
        return compile_loop(self, self.closed_loop)

    @cached_property
    def _filtered_loops(self) -> dict[ConservationFilters, Any]:
        return {}

    def _loop_with(self, filters: ConservationFilters) -> Any:
        """The same loop with filters, of which each choice is compiled by itself."""
        if filters not in self._filtered_loops:
            loop = partial(self.closed_loop, filters=filters)
            self._filtered_loops[filters] = compile_loop(self, loop)
        return self._filtered_loops[filters]
