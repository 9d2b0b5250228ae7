"""What one training step did, out of the compiled step."""

from __future__ import annotations

import functools
import threading
from typing import Any

import keras
import tensorflow as tf

from socialmd.replicas import replica_context

__all__ = ["StepValues"]


class StepValues:
    """Loss, metrics, gradient norm and learning rate of the last training step by itself.

    Keras tells callbacks means over the epoch so far, and nothing of gradients. From the making of
    this object on, the model's compiled training step leaves its own numbers in a variable, which
    belongs to neither model nor optimizer: weights, backups and results are what they are without.
    The gradients are those that the optimizer gets, so there is no second backward pass.

        loss, metrics    of this batch
        gradient_norm    of all gradients together, before clipping; if the loss is scaled, of the
                         unscaled one, and not finite in a step that is left out for that reason
        learning_rate    that this step was taken with

    Args:
        model: compiled, and its metrics built. They have to be sums, as Keras' means are.

    Raises:
        ValueError: a metric is not built.

    Example:
        >>> values = StepValues(model)
        >>> model.fit(dataset.take(1))
        >>> values.read()
        {'gradient_norm': 12.3, 'learning_rate': 0.001, 'loss': 0.98, 'mae': 0.31}
    """

    def __init__(self, model: keras.Model) -> None:
        if not all(getattr(metric, "built", True) for metric in model.metrics):
            raise ValueError(
                "model: expected metrics that are built, found some that are not; "
                "`model.evaluate(validation, steps=1)` builds them"
            )
        self.optimizer = model.optimizer
        self.names: tuple[str, ...] = (
            "gradient_norm",
            "learning_rate",
            *model.get_metrics_result(),
        )
        self._model = model
        self._of_thread = threading.local()  # replicas are traced in threads of their own
        with model.distribute_strategy.scope():
            self.variable = tf.Variable(
                tf.zeros([len(self.names)]),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.MEAN,
            )
        self._train_step = functools.partial(type(model).train_step, model)
        self._apply = functools.partial(type(model.optimizer).apply, model.optimizer)
        model.train_step = self._recorded_train_step
        model.optimizer.apply = self._recorded_apply
        model.make_train_function(force=True)

    def read(self) -> dict[str, float]:
        """The values of the last step, by name."""
        return dict(zip(self.names, self.variable.read_value().numpy().tolist(), strict=True))

    def _recorded_train_step(self, data: Any) -> Any:
        # Metrics start from zero, which leaves those of this step, and get back what they had:
        # 0 + new and then old + new is the same, to the last bit, as old + new.
        variables = self._model.metrics_variables
        before = [tf.convert_to_tensor(variable) for variable in variables]
        _assign(variables, [tf.zeros_like(value) for value in before])
        self._train_step(data)
        of_step = [tf.convert_to_tensor(variable) for variable in variables]
        _assign(variables, _add_up_replicas(of_step))
        metrics = self._model.get_metrics_result().values()
        self.variable.assign(tf.stack([*self._of_thread.values, *metrics]))
        _assign(variables, [old + new for old, new in zip(before, of_step, strict=True)])
        return self._model.get_metrics_result()

    def _recorded_apply(self, gradients: Any, trainable_variables: Any = None) -> Any:
        scale = self.optimizer.scale_loss(tf.ones([]))
        known = [gradient for gradient in gradients if gradient is not None]
        norm = tf.linalg.global_norm(_add_up_replicas(known)) / scale
        self._of_thread.values = [norm, tf.cast(self.optimizer.learning_rate, "float32")]
        return self._apply(gradients, trainable_variables)


def _assign(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _add_up_replicas(tensors: list[Any]) -> list[Any]:
    """Sums over the devices that share a batch; where there is one, nothing is added."""
    context = replica_context()
    return tensors if context is None else list(context.all_reduce("SUM", tensors))
