"""Inputs of a model with or without a mask, as data sets give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["unpack"]


def unpack(inputs: Any, mask: Any | None = None) -> tuple[Any, Any | None]:
    """Frames and mask of what `make_dataset` gives a model.

    Args:
        inputs: [B, T, N, F], or a dictionary of such `"inputs"` and of a `"mask"`.
        mask: bool [B, N], false for padded particles, if there is one beside the inputs.

    Returns:
        Inputs [B, T, N, F] and mask [B, N] or nothing.

    Raises:
        ValueError: there are two masks, or the dictionary has other keys.
    """
    if isinstance(mask, Mapping):  # Keras' own masks of a dictionary's parts, which have none
        mask = None
    if not isinstance(inputs, Mapping):
        return inputs, mask
    if inputs.keys() != {"inputs", "mask"} or mask is not None:
        raise ValueError(
            "inputs: expected an array, or a dictionary of inputs and mask and no other mask, "
            f"found {sorted(inputs)}{'' if mask is None else ' beside a mask'}"
        )
    return inputs["inputs"], inputs["mask"]
