"""Faults of the operators that have weights: dense, constant, batch_normalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from generate.encoding import File, Stored, document, layer, stored, value
from generate.negative.declare import numbers, put
from generate.negative.operators import AXIS, NOT_NEGATIVE, Shape, case, every, weighted

# dense


def _dense(
    kernel: Stored,
    bias: Stored | None = None,
    shape: Shape | None = None,
    made: Shape | None = None,
    dtype: str = "float32",
) -> File:
    weights = {"kernel": kernel} if bias is None else {"bias": bias, "kernel": kernel}
    return weighted("dense", shape or ["batch", 4], made or ["batch", 3], weights, dtype)


_KERNEL, _BIAS = numbers(4, 3), numbers(3)
_SOUND = _dense(_KERNEL, _BIAS)
every("dense", _SOUND, {})
case(
    "dense",
    "two-inputs",
    "An input too many.",
    "input-count",
    "0/inputs",
    _SOUND.but(put("layers", 0, "inputs", ["x", "x"])),
)
case(
    "dense",
    "no-kernel",
    "A dense layer without its kernel.",
    "weight-missing",
    "0/weights",
    weighted("dense", ["batch", 4], ["batch", 3], {"bias": _BIAS}),
)
case(
    "dense",
    "weight-unknown",
    "A role that the operator does not have.",
    "weight-unknown",
    "0/weights/gamma",
    weighted("dense", ["batch", 4], ["batch", 3], {"kernel": _KERNEL, "gamma": _BIAS}),
)
case(
    "dense",
    "integers",
    "Integers where numbers belong.",
    "dtype-mismatch",
    "0/inputs/0",
    _dense(stored([[1, 2, 3]] * 4, "int32"), dtype="int32"),
    "C1",
)
case(
    "dense",
    "kernel-float64",
    "A kernel of another dtype than the input.",
    "dtype-mismatch",
    "0/weights/kernel",
    _dense(numbers(4, 3, dtype="float64")),
    "C1",
)
case(
    "dense",
    "bias-float64",
    "A bias of another dtype than the input.",
    "dtype-mismatch",
    "0/weights/bias",
    _dense(_KERNEL, numbers(3, dtype="float64")),
    "C1",
)
case(
    "dense",
    "float16-with-float64",
    "float16 is widened to float32, which float64 does not take.",
    "dtype-mismatch",
    "0/weights/kernel",
    _dense(numbers(4, 3, dtype="float16"), dtype="float64"),
    "C1",
)
case(
    "dense",
    "kernel-int8",
    "int8 that is not quantized is integers.",
    "dtype-mismatch",
    "0/weights/kernel",
    _dense(stored([[1, 2, 3]] * 4, "int8")),
    "C1",
)
case(
    "dense",
    "rank-1",
    "No axis to multiply.",
    "rank-range",
    "0/inputs/0",
    _dense(_KERNEL, _BIAS, ["batch"], [3]).but(put("layers", 0, "outputs", 0, "shape", ["batch", 3])),
    "C2",
)
case(
    "dense",
    "rank-1-of-constant",
    "A row of a number of elements that is known.",
    "rank-range",
    "1/inputs/0",
    document(
        [value("x", ["batch", 3])],
        [
            layer("constant", [], value("c", [4]), {"value": "v"}),
            layer("dense", ["c"], value("d", [3]), {"kernel": "kernel"}),
            layer("add", ["x", "d"], value("y", ["batch", 3])),
        ],
        ["y"],
        {"v": numbers(4), "kernel": _KERNEL},
    ),
    "C2",
)
case(
    "dense",
    "symbolic-last-axis",
    "The number of products is not known.",
    "rank-range",
    "0/inputs/0",
    _dense(_KERNEL, _BIAS, ["batch", "features"]),
    "C2",
)
case(
    "dense",
    "kernel-rows",
    "A kernel for 5 inputs.",
    "weight-shape",
    "0/weights/kernel",
    _dense(numbers(5, 3), _BIAS),
    "C3",
)
case(
    "dense",
    "kernel-transposed",
    "(units, in) instead of (in, units).",
    "weight-shape",
    "0/weights/kernel",
    _dense(numbers(3, 4), _BIAS),
    "C3",
)
case(
    "dense",
    "kernel-rank-3",
    "A kernel of three dimensions.",
    "weight-shape",
    "0/weights/kernel",
    _dense(numbers(4, 3, 1), _BIAS),
    "C3",
)
case(
    "dense",
    "kernel-rank-1",
    "A kernel of one dimension.",
    "weight-shape",
    "0/weights/kernel",
    _dense(numbers(4), _BIAS),
    "C3",
)
case(
    "dense",
    "bias-length",
    "A bias for 4 units of 3.",
    "weight-shape",
    "0/weights/bias",
    _dense(_KERNEL, numbers(4)),
    "C4",
)
case(
    "dense",
    "bias-one",
    "A bias of one number, which is not stretched.",
    "weight-shape",
    "0/weights/bias",
    _dense(_KERNEL, numbers(1)),
    "C4",
)
case(
    "dense",
    "bias-rank-2",
    "A bias in a row of a matrix.",
    "weight-shape",
    "0/weights/bias",
    _dense(_KERNEL, numbers(1, 3)),
    "C4",
)


# constant


def _constant(weights: dict[str, str], inputs: list[str], **attributes: Any) -> File:
    return document(
        [value("x", ["batch", 4])],
        [
            layer("constant", inputs, value("c", [4]), weights, **attributes),
            layer("add", ["x", "c"], value("y", ["batch", 4])),
        ],
        ["y"],
        {"v": numbers(4)} if weights else {},
    )


every("constant", _constant({"value": "v"}, []), {})
case(
    "constant",
    "one-input",
    "A constant that reads a value.",
    "input-count",
    "0/inputs",
    _constant({"value": "v"}, ["x"]),
)
case("constant", "no-value", "A constant without its value.", "weight-missing", "0/weights", _constant({}, []))
case(
    "constant",
    "declared-shape-throughout",
    "One element more is declared than the weight has, here and where it is read.",
    "shape-declared",
    "0/outputs/0/shape",
    document(
        [value("x", ["batch", 1])],
        [
            layer("constant", [], value("c", [5]), {"value": "v"}),
            layer("add", ["x", "c"], value("y", ["batch", 5])),
        ],
        ["y"],
        {"v": numbers(4)},
    ),
)
case(
    "constant",
    "weight-unknown",
    "A role that the operator does not have.",
    "weight-unknown",
    "0/weights/kernel",
    _constant({"value": "v", "kernel": "v"}, []),
)


# batch_normalization


def _normalization(
    x: Shape | None = None, axis: Any = 1, epsilon: Any = 0.001, weights: Mapping[str, Stored | None] | None = None
) -> File:
    """Four channels; `weights` replaces those it names, None takes one away."""
    roles = dict.fromkeys(("beta", "gamma", "moving_mean", "moving_variance"), numbers(4)) | dict(weights or {})
    present = {role: weight for role, weight in roles.items() if weight is not None}
    shape = x or ["batch", 4]
    return weighted("batch_normalization", shape, shape, present, axis=axis, epsilon=epsilon)


every("batch_normalization", _normalization(), {"axis": (1, AXIS), "epsilon": (0.001, NOT_NEGATIVE)})
case(
    "batch_normalization",
    "two-inputs",
    "An input too many.",
    "input-count",
    "0/inputs",
    _normalization().but(put("layers", 0, "inputs", ["x", "x"])),
)
for _role in ("moving_mean", "moving_variance"):
    case(
        "batch_normalization",
        f"no-{_role.replace('_', '-')}",
        f"Without {_role}.",
        "weight-missing",
        "0/weights",
        _normalization(weights={_role: None}),
    )
case(
    "batch_normalization",
    "weight-unknown",
    "A role that the operator does not have.",
    "weight-unknown",
    "0/weights/kernel",
    _normalization(weights={"kernel": numbers(4)}),
)
case(
    "batch_normalization",
    "integers",
    "Integers where numbers belong.",
    "dtype-mismatch",
    "0/inputs/0",
    weighted(
        "batch_normalization",
        ["batch", 4],
        ["batch", 4],
        {role: stored([1, 2, 3, 4], "int32") for role in ("moving_mean", "moving_variance")},
        "int32",
        axis=1,
        epsilon=0.001,
    ),
    "C1",
)
case(
    "batch_normalization",
    "beta-float64",
    "A weight of another dtype.",
    "dtype-mismatch",
    "0/weights/beta",
    _normalization(weights={"beta": numbers(4, dtype="float64")}),
    "C1",
)
case(
    "batch_normalization",
    "axis-beyond-rank",
    "Axis 2 of two axes.",
    "axis-range",
    "0/attributes/axis",
    _normalization(axis=2),
    "C2",
)
case(
    "batch_normalization",
    "axis-0-of-constant",
    "Axis 0 of a value that is the same for every row.",
    "wrong-value",
    "1/attributes/axis",
    document(
        [value("x", ["batch", 4, 3])],
        [
            layer("constant", [], value("c", [4, 3]), {"value": "v"}),
            layer(
                "batch_normalization",
                ["c"],
                value("n", [4, 3]),
                {"moving_mean": "mean", "moving_variance": "variance"},
                axis=0,
                epsilon=0.001,
            ),
            layer("add", ["x", "n"], value("y", ["batch", 4, 3])),
        ],
        ["y"],
        {"v": numbers(4, 3), "mean": numbers(4), "variance": numbers(4)},
    ),
)
case(
    "batch_normalization",
    "symbolic-axis",
    "The number of channels is not known.",
    "axis-range",
    "0/attributes/axis",
    _normalization(["batch", "channels"]),
    "C3",
)
for _role in ("gamma", "beta", "moving_mean", "moving_variance"):
    case(
        "batch_normalization",
        f"{_role.replace('_', '-')}-length",
        f"{_role} for 3 channels of 4.",
        "weight-shape",
        f"0/weights/{_role}",
        _normalization(weights={_role: numbers(3)}),
        "C4",
    )
case(
    "batch_normalization",
    "gamma-one",
    "A gamma of one number, which is not stretched.",
    "weight-shape",
    "0/weights/gamma",
    _normalization(weights={"gamma": numbers(1)}),
    "C4",
)
case(
    "batch_normalization",
    "other-axis",
    "Weights as long as another axis.",
    "weight-shape",
    "0/weights/moving_mean",
    _normalization(["batch", 3, 4], weights={"beta": None, "gamma": None}),
    "C4",
)
case(
    "batch_normalization",
    "variance-0",
    "A variance and an epsilon of 0.",
    "variance-range",
    "0/weights/moving_variance",
    _normalization(epsilon=0.0, weights={"moving_variance": stored([1, 0, 2, 3])}),
    "C5",
)
case(
    "batch_normalization",
    "variance-0-tiny-epsilon",
    "A variance of 0 and an epsilon that is 0 as float32.",
    "variance-range",
    "0/weights/moving_variance",
    _normalization(epsilon=1e-50, weights={"moving_variance": stored([1, 0, 2, 3])}),
    "C5",
)
case(
    "batch_normalization",
    "variance-negative",
    "A variance below minus epsilon.",
    "variance-range",
    "0/weights/moving_variance",
    _normalization(weights={"moving_variance": stored([1, 2, -0.002, 3])}),
    "C5",
)
_NAN = _normalization(weights={"moving_variance": stored([1, 2, np.nan, 3])})
case(
    "batch_normalization",
    "variance-nan",
    "A variance that is not a number, in a file that may hold such.",
    "variance-range",
    "0/weights/moving_variance",
    _NAN.but(lambda h: h.update(requires=sorted([*h["requires"], "feature:nonfinite"]))),
    "C5",
)
