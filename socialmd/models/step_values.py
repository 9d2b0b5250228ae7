"""Numbers of one training step by itself, which a model's training step leaves behind if asked."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import keras
import numpy as np
from keras import ops

from socialmd.replicas import replica_context
from socialmd.types import Tensor

__all__ = ["RecordedModel", "StepValues"]


class StepValues:
    """Loss, metrics, gradient norm and learning rate of the last training step.

        loss, metrics    of this batch
        gradient_norm    of all gradients together, before clipping; if the loss is scaled, of the
                         unscaled one, and not finite in a step that is left out for that reason
        learning_rate    that this step was taken with

    They belong to neither model nor optimizer: weights, backups and results are what they are
    without. The model is compiled, and its metrics built.
    """

    def __init__(self, model: keras.Model) -> None:
        self.optimizer = model.optimizer
        self.names = ("gradient_norm", "learning_rate", *model.get_metrics_result())
        self._values = self._make(model)

    def read(self) -> dict[str, float]:
        """The values by name."""
        return dict(zip(self.names, self._read().tolist(), strict=True))

    if keras.backend.backend() == "tensorflow":

        def _make(self, model: keras.Model) -> Any:
            import tensorflow as tf

            with model.distribute_strategy.scope():
                return tf.Variable(
                    tf.fill([len(self.names)], math.nan),
                    trainable=False,
                    synchronization=tf.VariableSynchronization.ON_READ,
                    aggregation=tf.VariableAggregation.MEAN,
                )

        def write(self, values: Tensor) -> None:
            """In a compiled step."""
            self._values.assign(values)

        def _read(self) -> Any:
            return self._values.read_value().numpy()

    else:  # on JAX, a compiled step has no variables of its own

        def _make(self, model: keras.Model) -> Any:
            return np.full(len(self.names), math.nan, "float32")

        def write(self, values: Tensor) -> None:
            """In a compiled step."""
            import jax

            jax.debug.callback(partial(np.copyto, self._values), values)

        def _read(self) -> Any:
            import jax

            jax.effects_barrier()  # the step may not have ended yet
            return self._values


class RecordedModel(keras.Model):
    """A `keras.Model` whose training step leaves its own numbers in `StepValues` if asked.

    Keras tells callbacks means over the epoch so far, and nothing of gradients. Here they are those
    that the optimizer gets: there is no second backward pass.
    """

    _recorded: StepValues | None = None

    def record_steps(self) -> StepValues:
        """Have each training step leave its numbers, until the model is compiled again.

        Metrics have to be sums, as Keras' means are. A `train_step` of one's own has to call this
        one; all values are not a number else.

        Raises:
            ValueError: a metric is not built.

        Example:
            >>> values = model.record_steps()
            >>> model.fit(dataset.take(1))
            >>> values.read()
            {'gradient_norm': 12.3, 'learning_rate': 0.001, 'loss': 0.98, 'mae': 0.31}
        """
        if not all(getattr(metric, "built", True) for metric in self.metrics):
            raise ValueError(
                "model: expected metrics that are built, found some that are not; "
                "`model.evaluate(validation, steps=1)` builds them"
            )
        values = self._recorded
        if values is None or values.optimizer is not self.optimizer:
            values = self._recorded = StepValues(self)
            self.make_train_function(force=True)
        return values

    if keras.backend.backend() == "tensorflow":

        def train_step(self, data: Any) -> Tensor:
            import tensorflow as tf

            values = self._recorded
            if values is None or values.optimizer is not self.optimizer:
                return super().train_step(data)
            # Metrics start from zero, which leaves those of this step, and get back what they had:
            # 0 + new and then old + new is the same, to the last bit, as old + new.
            variables = self.metrics_variables
            before = [tf.convert_to_tensor(variable) for variable in variables]
            _assign(variables, [tf.zeros_like(value) for value in before])
            norm_and_rate = self._take_step(data)
            of_step = [tf.convert_to_tensor(variable) for variable in variables]
            _assign(variables, _add_up_replicas(of_step))
            metrics = self.get_metrics_result().values()
            values.write(tf.stack([*norm_and_rate, *metrics]))
            _assign(variables, [old + new for old, new in zip(before, of_step, strict=True)])
            return self.get_metrics_result()

        def _take_step(self, data: Any) -> list[Tensor]:
            """As Keras' `train_step`, with the gradient's norm and the learning rate in the end."""
            import tensorflow as tf

            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            with tf.GradientTape() as tape:
                outputs = self(x, training=True)
                loss = self.compute_loss(x, y, outputs, sample_weight, training=True)
                scaled = self.optimizer.scale_loss(loss)
            weights = self.trainable_weights
            gradients = tape.gradient(scaled, weights)
            known = [gradient for gradient in gradients if gradient is not None]
            scale = self.optimizer.scale_loss(tf.ones([]))
            norm = tf.linalg.global_norm(_add_up_replicas(known)) / scale
            rate = tf.cast(self.optimizer.learning_rate, "float32")
            self.optimizer.apply(gradients, weights)
            # Keras divides losses by the number of replicas, whose gradients it adds up.
            replicas = self.distribute_strategy.num_replicas_in_sync
            size = tf.shape(keras.tree.flatten(x)[0])[0]
            self.metrics[0].update_state(loss * replicas, sample_weight=size)
            self.compute_metrics(x, y, outputs, sample_weight)
            return [norm, rate]

    else:  # a step is handed all variables' values, and hands on new ones

        def train_step(  # type: ignore[misc]
            self, state: Any, data: Any
        ) -> tuple[dict[str, Tensor], Any]:
            recorded = self._recorded
            if recorded is None or recorded.optimizer is not self.optimizer:
                return super().train_step(state, data)
            *variables, before = state
            zeros = [ops.zeros_like(value) for value in before]  # as above
            norm_and_rate, variables, of_step, logs = self._hand_on([*variables, zeros], data)
            recorded.write(ops.stack([*norm_and_rate, *logs.values()]))
            metrics = [old + new for old, new in zip(before, of_step, strict=True)]
            with keras.StatelessScope(_mapping(self.metrics_variables, metrics)):
                logs = self.get_metrics_result()
            return logs, (*variables, metrics)

        def _hand_on(self, state: Any, data: Any) -> Any:
            """As Keras' `train_step`, with the gradient's norm and the learning rate as well."""
            import jax

            trained, others, of_optimizer, metrics = state
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            (_, (loss, outputs, others, metrics)), gradients = jax.value_and_grad(
                self.compute_loss_and_updates, has_aux=True
            )(
                *(trained, others, metrics, x, y, sample_weight),
                training=True,
                optimizer_variables=of_optimizer,
            )
            with keras.StatelessScope(_mapping(self.optimizer.variables, of_optimizer)):
                scale = self.optimizer.scale_loss(ops.ones(()))
                rate = ops.cast(self.optimizer.learning_rate, "float32")
            squares = [ops.sum(ops.square(ops.cast(each, "float32"))) for each in gradients]
            norm = ops.sqrt(sum(squares)) / scale
            trained, of_optimizer = self.optimizer.stateless_apply(of_optimizer, gradients, trained)
            logs, metrics = self._update_metrics_variables(
                metrics, loss, x, y, outputs, sample_weight
            )
            return [norm, rate], (trained, others, of_optimizer), metrics, logs


def _mapping(variables: list[Any], values: list[Tensor]) -> list[tuple[Any, Tensor]]:
    return list(zip(variables, values, strict=True))


def _assign(variables: list[Tensor], values: list[Tensor]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _add_up_replicas(tensors: list[Tensor]) -> list[Tensor]:
    """Sums over the devices that share a batch; where there is one, nothing is added."""
    context = replica_context()
    return tensors if context is None else list(context.all_reduce("SUM", tensors))
