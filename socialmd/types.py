"""Names for the arrays and tensors that flow through the package."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Array",
    "FloatArray",
    "Inputs",
    "IntArray",
    "Mask",
    "Positions",
    "Shape",
    "States",
    "Tensor",
]

# Tensors of TensorFlow or JAX, which share no type; NumPy arrays go wherever one does. To the type
# checker these are all the same, to a reader they are not.
Tensor: TypeAlias = Any
Positions: TypeAlias = Any  # floats [..., D], in units of length: places, and offsets of places
Mask: TypeAlias = Any  # bool [B, N]: whether a particle is there, or padded; None: all are there
Inputs: TypeAlias = Any  # [B, T, N, F], or {"inputs": [B, T, N, F], "mask": bool [B, N]}
States: TypeAlias = Any  # lists or tuples of tensors that one step hands to the next
Shape: TypeAlias = Any  # of a tensor: integers, and None where a length is not known yet

Array: TypeAlias = NDArray[Any]  # of NumPy, of any type
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
