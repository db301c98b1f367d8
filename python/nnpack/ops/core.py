"""dense, constant, identity, cast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnpack.errors import FormatError
from nnpack.format.document import show
from nnpack.ops.operator import DTYPE, Call, OpenShape, exact, operator, require_float, require_shape, summed

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


def _dense_types(call: Call) -> tuple[str, OpenShape]:
    dtype, x = require_float(call), call.inputs[0]
    if x.rank < 2 or not isinstance(x.shape[-1], int):
        raise FormatError("rank-range", "/inputs/0", "a shape (batch, …, in) with a number as in", show(x.shape))
    require_shape(call, "kernel", x.shape[-1], None)
    units = call.weights["kernel"].shape[1]
    if "bias" in call.weights:
        require_shape(call, "bias", units)
    return dtype, (*x.shape[:-1], units)


def _dense_rounding(y: Array, x: Array, kernel: Array, bias: Array | None = None) -> Array:
    magnitude = np.abs(x) @ np.abs(kernel)
    if bias is not None:
        magnitude = magnitude + np.abs(bias)
    return summed(magnitude, len(kernel) + (bias is not None))


@operator(_dense_types, _dense_rounding, weights={"kernel": True, "bias": False})
def dense(x: Array, kernel: Array, bias: Array | None = None) -> Array:
    """(batch, …, in) · (in, units) + (units,) -> (batch, …, units). Source: spec/ops/dense.md."""
    # one large product is what BLAS is fast at; a stack of small ones is not
    y = x.reshape(-1, x.shape[-1]) @ kernel
    if bias is not None:
        y += bias
    return y.reshape(*x.shape[:-1], kernel.shape[1])


def _constant_types(call: Call) -> tuple[str, OpenShape]:
    value = call.weights["value"]
    return value.dtype, value.shape


@operator(_constant_types, exact, inputs=0, weights={"value": True}, view=True)
def constant(value: Array) -> Array:
    """The weight itself. Source: spec/ops/constant.md."""
    return value


def _identity_types(call: Call) -> tuple[str, OpenShape]:
    return call.inputs[0].dtype, call.inputs[0].shape


@operator(_identity_types, exact, view=True)
def identity(x: Array) -> Array:
    """x. Source: spec/ops/identity.md."""
    return x


def _cast_types(call: Call) -> tuple[str, OpenShape]:
    return call.attributes["dtype"], call.inputs[0].shape


def _cast_rounding(y: Array, x: Array, dtype: str) -> Array:
    """A number that float32 has is not rounded: a bool, a small integer."""
    rounds = dtype == "float32" and y.dtype.kind == "f"
    return np.where(y.astype(np.float32) == y, 0.0, np.abs(y)) if rounds else np.zeros_like(y, np.float64)


@operator(_cast_types, _cast_rounding, attributes={"dtype": DTYPE})
def cast(x: Array, dtype: str) -> Array:
    """x as another dtype. Source: spec/ops/cast.md."""
    return x.astype(dtype)
