"""Each constraint of each operator, broken once. Labels are those of the operators' pages, spec/ops/."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, Stored, document, layer, stored, value
from generate.negative.declare import numbers, reject, unary

Shape = list[Any]


def _case(op: str, name: str, title: str, code: str, at: str, file: File, constraint: str | None = None) -> None:
    reject(f"{op}/{name}", title, code, f"/layers/{at}", file, constraint=constraint, level="L1")


def _weighted(
    op: str, shape: Shape, made: Shape, weights: dict[str, Stored], dtype: str = "float32", **attributes: Any
) -> File:
    """x -> y, one operator with weights."""
    names = {role: role for role in weights}
    return document(
        [value("x", shape, dtype)], [layer(op, ["x"], value("y", made, dtype), names, **attributes)], ["y"], weights
    )


def _inputs(op: str, *shapes: Shape, made: Shape, dtypes: tuple[str, ...] = (), **attributes: Any) -> File:
    """x0, x1, … -> y, one operator; y has the first input's dtype."""
    dtypes = dtypes or ("float32",) * len(shapes)
    inputs = [value(f"x{i}", shape, dtype) for i, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=True))]
    names = [item["name"] for item in inputs]
    return document(inputs, [layer(op, names, value("y", made, dtypes[0]), **attributes)], ["y"])


# Attributes: missing, unknown, of another type, out of range

AXIS = {
    "0": (0, "wrong-value"),
    "negative": (-1, "wrong-value"),
    "8": (8, "wrong-value"),
    "float": (1.0, "wrong-type"),
    "boolean": (True, "wrong-type"),
    "list": ([1], "wrong-type"),
}
NUMBER = {"integer": (1, "wrong-type"), "string": ("1.0", "wrong-type"), "boolean": (True, "wrong-type")}
NOT_NEGATIVE = {**NUMBER, "negative": (-0.5, "wrong-value")}
NONZERO = {**NUMBER, "zero": (0.0, "wrong-value")}
BOOLEAN = {"integer": (1, "wrong-type"), "string": ("tanh", "wrong-type")}
AXES = {
    "empty": ([], "wrong-value"),
    "0": ([0, 1], "wrong-value"),
    "negative": ([-1], "wrong-value"),
    "descending": ([2, 1], "wrong-value"),
    "twice": ([1, 1], "wrong-value"),
    "8": ([1, 8], "wrong-value"),
    "integer": (1, "wrong-type"),
    "float": ([1.0], "wrong-type"),
    "boolean": ([True], "wrong-type"),
}
TARGET_SHAPE = {
    "two-inferred": ([-1, -1], "wrong-value"),
    "zero": ([0, 4], "wrong-value"),
    "minus-2": ([-2, 2], "wrong-value"),
    "2-31": ([2**31], "wrong-value"),
    "rank-9": ([1] * 7 + [4], "wrong-value"),
    "integer": (4, "wrong-type"),
    "float": ([4.0], "wrong-type"),
    "symbol": (["time", 4], "wrong-type"),
}
DTYPE = {
    "storage-type": ("float16", "wrong-value"),
    "unknown": ("complex64", "wrong-value"),
    "integer": (32, "wrong-type"),
}

# op -> (attribute -> (a sound item, faults)), the shape of x, that of y
ATTRIBUTES: dict[str, tuple[dict[str, tuple[Any, dict[str, Any]]], Shape, Shape]] = {
    "leaky_relu": ({"negative_slope": (0.25, NUMBER)}, ["batch", 4], ["batch", 4]),
    "thresholded_relu": (
        {"negative_slope": (0.25, NUMBER), "threshold": (1.0, NUMBER)},
        ["batch", 4],
        ["batch", 4],
    ),
    "clipped_relu": (
        {"max_value": (6.0, NOT_NEGATIVE), "negative_slope": (0.25, NUMBER), "threshold": (1.0, NUMBER)},
        ["batch", 4],
        ["batch", 4],
    ),
    "elu": ({"alpha": (1.0, NUMBER)}, ["batch", 4], ["batch", 4]),
    "celu": ({"alpha": (1.0, NONZERO)}, ["batch", 4], ["batch", 4]),
    "gelu": ({"approximate": (False, BOOLEAN)}, ["batch", 4], ["batch", 4]),
    "hard_shrink": ({"threshold": (0.5, NUMBER)}, ["batch", 4], ["batch", 4]),
    "soft_shrink": ({"threshold": (0.5, NUMBER)}, ["batch", 4], ["batch", 4]),
    "threshold": ({"threshold": (0.5, NUMBER), "default_value": (0.0, NUMBER)}, ["batch", 4], ["batch", 4]),
    "squareplus": ({"b": (4.0, NOT_NEGATIVE)}, ["batch", 4], ["batch", 4]),
    "softmax": ({"axes": ([1], AXES)}, ["batch", 3, 4], ["batch", 3, 4]),
    "log_softmax": ({"axes": ([1], AXES)}, ["batch", 3, 4], ["batch", 3, 4]),
    "sparsemax": ({"axis": (1, AXIS)}, ["batch", 4], ["batch", 4]),
    "glu": ({"axis": (1, AXIS)}, ["batch", 4], ["batch", 2]),
    "concatenate": ({"axis": (1, AXIS)}, ["batch", 4], ["batch", 4]),
    "reshape": ({"target_shape": ([2, 2], TARGET_SHAPE)}, ["batch", 4], ["batch", 2, 2]),
    "cast": ({"dtype": ("float32", DTYPE)}, ["batch", 4], ["batch", 4]),
}
PLAIN = (
    "exponential",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "tanh",
    "tanh_shrink",
    "identity",
)


def _changed(file: File, **attributes: Any) -> File:
    """The attributes of the only layer; None takes one away."""

    def change(header: dict[str, Any]) -> None:
        for key, item in attributes.items():
            header["layers"][0]["attributes"][key] = item
            if item is None:
                del header["layers"][0]["attributes"][key]

    return file.but(change)


def _attributes(op: str, file: File, attributes: dict[str, tuple[Any, dict[str, Any]]]) -> None:
    _case(op, "attribute-unknown", "An attribute that the operator does not have.", "attribute-unknown",
          "0/attributes/units", _changed(file, units=3))  # fmt: skip
    for key, (_, faults) in attributes.items():
        name = key.replace("_", "-")
        _case(op, f"{name}-missing", f"Without {key}: nothing has a default.", "attribute-missing", "0/attributes",
              _changed(file, **{key: None}))  # fmt: skip
        for fault, (item, code) in faults.items():
            what = "of another type" if code == "wrong-type" else "out of its range"
            _case(
                op, f"{name}-{fault}", f"{key} is {what}.", code, f"0/attributes/{key}", _changed(file, **{key: item})
            )


def _attributes_of(op: str) -> dict[str, Any]:
    return {key: item for key, (item, _) in ATTRIBUTES[op][0].items()}


for _op, (_known, _x, _y) in ATTRIBUTES.items():
    # layer and unary take an attribute called dtype too
    _file = document([value("x", _x)], [layer(_op, ["x"], value("y", _y), **_attributes_of(_op))], ["y"])
    _attributes(_op, _file, _known)
for _op in PLAIN:
    _attributes(_op, unary(_op), {})


# Inputs of operators of one input: how many, of which dtype

for _op in (*ATTRIBUTES, *PLAIN):
    if _op == "concatenate":
        continue
    _known, _x, _y = ATTRIBUTES.get(_op, ({}, ["batch", 4], ["batch", 4]))
    _given = _attributes_of(_op) if _known else {}
    _case(_op, "two-inputs", "An input too many.", "input-count", "0/inputs",
          document([value("x", _x)], [layer(_op, ["x", "x"], value("y", _y), **_given)], ["y"]))  # fmt: skip
    if _op not in ("identity", "cast", "reshape"):
        _case(_op, "integers", "Integers where numbers belong.", "dtype-mismatch", "0/inputs/0",
              unary(_op, _x, _y, "int32", **_given), "C1")  # fmt: skip

for _op in ("relu", "identity", "concatenate"):
    _given = {"axis": 1} if _op == "concatenate" else {}
    _case(_op, "no-input", "An operator without its input.", "input-count", "1/inputs",
          document([value("x", ["batch", 4])],
                   [layer("tanh", ["x"], value("z", ["batch", 4])),
                    layer(_op, [], value("y", ["batch", 4]), **_given)], ["z", "y"]))  # fmt: skip


# Arithmetic

for _op in ("add", "subtract", "multiply", "divide", "maximum", "minimum"):
    _four = ["batch", 4]
    _sound = _inputs(_op, _four, _four, made=_four)
    _attributes(_op, _sound, {})
    _case(_op, "one-input", "An input is missing.", "input-count", "0/inputs", unary(_op))
    _case(_op, "three-inputs", "An input too many.", "input-count", "0/inputs",
          _inputs(_op, _four, _four, _four, made=_four))  # fmt: skip
    _case(_op, "integers", "Integers where numbers belong.", "dtype-mismatch", "0/inputs/0",
          _inputs(_op, _four, _four, made=_four, dtypes=("int32", "int32")), "C1")  # fmt: skip
    _case(_op, "two-dtypes", "float32 and float64.", "dtype-mismatch", "0/inputs/1",
          _inputs(_op, _four, _four, made=_four, dtypes=("float32", "float64")), "C1")  # fmt: skip
    _case(_op, "broadcast", "3 and 4 do not broadcast.", "broadcast-mismatch", "0/inputs/1",
          _inputs(_op, ["batch", 3], _four, made=_four), "C2")  # fmt: skip
    _case(_op, "broadcast-symbols", "Two symbols do not broadcast, whatever they stand for.", "broadcast-mismatch",
          "0/inputs/1",
          _inputs(_op, ["batch", "time", 4], ["batch", "steps", 4], made=["batch", "time", 4]), "C2")  # fmt: skip
    _case(_op, "broadcast-symbol-and-number", "A symbol and a number other than 1.", "broadcast-mismatch", "0/inputs/1",
          _inputs(_op, ["batch", "time", 4], ["batch", 5, 4], made=["batch", "time", 4]), "C2")  # fmt: skip
    _case(_op, "broadcast-ranks", "Shapes are aligned at their ends.", "broadcast-mismatch", "1/inputs/1",
          document([value("x", ["batch", 3, 4])],
                   [layer("constant", [], value("c", [3]), {"value": "v"}),
                    layer(_op, ["x", "c"], value("y", ["batch", 3, 4]))], ["y"], {"v": numbers(3)}), "C2")  # fmt: skip
    _case(_op, "batch-moved", "The batch of the input of lower rank comes to lie at axis 1.", "batch-axis",
          "0/inputs", _inputs(_op, ["batch", 1, 4], _four, made=["batch", "batch", 4]), "C3")  # fmt: skip


# dense


def _dense(kernel: Stored, bias: Stored | None = None, shape: Shape | None = None, made: Shape | None = None,
           dtype: str = "float32") -> File:  # fmt: skip
    weights = {"kernel": kernel} if bias is None else {"bias": bias, "kernel": kernel}
    return _weighted("dense", shape or ["batch", 4], made or ["batch", 3], weights, dtype)


_KERNEL, _BIAS = numbers(4, 3), numbers(3)
_SOUND = _dense(_KERNEL, _BIAS)
_attributes("dense", _SOUND, {})
_case("dense", "two-inputs", "An input too many.", "input-count", "0/inputs",
      _SOUND.but(lambda h: h["layers"][0].update(inputs=["x", "x"])))  # fmt: skip
_case("dense", "no-kernel", "A dense layer without its kernel.", "weight-missing", "0/weights",
      _weighted("dense", ["batch", 4], ["batch", 3], {"bias": _BIAS}))  # fmt: skip
_case("dense", "weight-unknown", "A role that the operator does not have.", "weight-unknown", "0/weights/gamma",
      _weighted("dense", ["batch", 4], ["batch", 3], {"kernel": _KERNEL, "gamma": _BIAS}))  # fmt: skip
_case("dense", "integers", "Integers where numbers belong.", "dtype-mismatch", "0/inputs/0",
      _dense(stored([[1, 2, 3]] * 4, "int32"), dtype="int32"), "C1")  # fmt: skip
_case("dense", "kernel-float64", "A kernel of another dtype than the input.", "dtype-mismatch", "0/weights/kernel",
      _dense(numbers(4, 3, dtype="float64")), "C1")  # fmt: skip
_case("dense", "bias-float64", "A bias of another dtype than the input.", "dtype-mismatch", "0/weights/bias",
      _dense(_KERNEL, numbers(3, dtype="float64")), "C1")  # fmt: skip
_case("dense", "float16-with-float64", "float16 is widened to float32, which float64 does not take.", "dtype-mismatch",
      "0/weights/kernel",
      _dense(numbers(4, 3, dtype="float16"), dtype="float64"), "C1")  # fmt: skip
_case("dense", "kernel-int8", "int8 that is not quantized is integers.", "dtype-mismatch", "0/weights/kernel",
      _dense(stored([[1, 2, 3]] * 4, "int8")), "C1")  # fmt: skip
_case("dense", "rank-1", "No axis to multiply.", "rank-range", "0/inputs/0",
      _dense(_KERNEL, _BIAS, ["batch"], [3]).but(lambda h: h["layers"][0]["outputs"][0].update(shape=["batch", 3])),
      "C2")  # fmt: skip
_case("dense", "symbolic-last-axis", "The number of products is not known.", "rank-range", "0/inputs/0",
      _dense(_KERNEL, _BIAS, ["batch", "features"]), "C2")  # fmt: skip
_case("dense", "kernel-rows", "A kernel for 5 inputs.", "weight-shape", "0/weights/kernel",
      _dense(numbers(5, 3), _BIAS), "C3")  # fmt: skip
_case("dense", "kernel-transposed", "(units, in) instead of (in, units).", "weight-shape", "0/weights/kernel",
      _dense(numbers(3, 4), _BIAS), "C3")  # fmt: skip
_case("dense", "kernel-rank-3", "A kernel of three dimensions.", "weight-shape", "0/weights/kernel",
      _dense(numbers(4, 3, 1), _BIAS), "C3")  # fmt: skip
_case("dense", "kernel-rank-1", "A kernel of one dimension.", "weight-shape", "0/weights/kernel",
      _dense(numbers(4), _BIAS), "C3")  # fmt: skip
_case("dense", "bias-length", "A bias for 4 units of 3.", "weight-shape", "0/weights/bias",
      _dense(_KERNEL, numbers(4)), "C4")  # fmt: skip
_case("dense", "bias-one", "A bias of one number, which is not stretched.", "weight-shape", "0/weights/bias",
      _dense(_KERNEL, numbers(1)), "C4")  # fmt: skip
_case("dense", "bias-rank-2", "A bias in a row of a matrix.", "weight-shape", "0/weights/bias",
      _dense(_KERNEL, numbers(1, 3)), "C4")  # fmt: skip


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


_attributes("constant", _constant({"value": "v"}, []), {})
_case("constant", "one-input", "A constant that reads a value.", "input-count", "0/inputs",
      _constant({"value": "v"}, ["x"]))  # fmt: skip
_case("constant", "no-value", "A constant without its value.", "weight-missing", "0/weights", _constant({}, []))
_case("constant", "weight-unknown", "A role that the operator does not have.", "weight-unknown", "0/weights/kernel",
      _constant({"value": "v", "kernel": "v"}, []))  # fmt: skip


# batch_normalization


def _normalization(x: Shape | None = None, dtype: str = "float32", axis: Any = 1, epsilon: Any = 0.001,
                   **weights: Stored | None) -> File:  # fmt: skip
    roles = ("beta", "gamma", "moving_mean", "moving_variance")
    kept = {role: weights.get(role, numbers(4)) for role in roles}
    present = {role: weight for role, weight in kept.items() if weight is not None}
    shape = x or ["batch", 4]
    return _weighted("batch_normalization", shape, shape, present, dtype, axis=axis, epsilon=epsilon)


_attributes("batch_normalization", _normalization(), {"axis": (1, AXIS), "epsilon": (0.001, NOT_NEGATIVE)})
_case("batch_normalization", "two-inputs", "An input too many.", "input-count", "0/inputs",
      _normalization().but(lambda h: h["layers"][0].update(inputs=["x", "x"])))  # fmt: skip
for _role in ("moving_mean", "moving_variance"):
    _case("batch_normalization", f"no-{_role.replace('_', '-')}", f"Without {_role}.", "weight-missing", "0/weights",
          _normalization(**{_role: None}))  # fmt: skip
_case("batch_normalization", "integers", "Integers where numbers belong.", "dtype-mismatch", "0/inputs/0",
      _weighted("batch_normalization", ["batch", 4], ["batch", 4],
                {role: stored([1, 2, 3, 4], "int32") for role in ("moving_mean", "moving_variance")}, "int32",
                axis=1, epsilon=0.001), "C1")  # fmt: skip
_case("batch_normalization", "beta-float64", "A weight of another dtype.", "dtype-mismatch", "0/weights/beta",
      _normalization(beta=numbers(4, dtype="float64")), "C1")  # fmt: skip
_case("batch_normalization", "axis-beyond-rank", "Axis 2 of two axes.", "axis-range", "0/attributes/axis",
      _normalization(axis=2), "C2")  # fmt: skip
_case("batch_normalization", "symbolic-axis", "The number of channels is not known.", "axis-range", "0/attributes/axis",
      _normalization(["batch", "channels"]), "C3")  # fmt: skip
for _role in ("gamma", "beta", "moving_mean", "moving_variance"):
    _case("batch_normalization", f"{_role.replace('_', '-')}-length", f"{_role} for 3 channels of 4.", "weight-shape",
          f"0/weights/{_role}", _normalization(**{_role: numbers(3)}), "C4")  # fmt: skip
_case("batch_normalization", "gamma-one", "A gamma of one number, which is not stretched.", "weight-shape",
      "0/weights/gamma", _normalization(gamma=numbers(1)), "C4")  # fmt: skip
_case("batch_normalization", "other-axis", "Weights as long as another axis.", "weight-shape",
      "0/weights/moving_mean", _normalization(["batch", 3, 4], axis=1,
                                              **dict.fromkeys(("beta", "gamma"))), "C4")  # fmt: skip
_case("batch_normalization", "variance-0", "A variance and an epsilon of 0.", "variance-range",
      "0/weights/moving_variance", _normalization(epsilon=0.0, moving_variance=stored([1, 0, 2, 3])), "C5")  # fmt: skip
_case("batch_normalization", "variance-negative", "A variance below minus epsilon.", "variance-range",
      "0/weights/moving_variance", _normalization(moving_variance=stored([1, 2, -0.002, 3])), "C5")  # fmt: skip


# softmax, log_softmax, sparsemax, glu

for _op in ("softmax", "log_softmax"):
    _case(_op, "axis-beyond-rank", "The last of the axes is beyond the rank.", "axis-range", "0/attributes/axes",
          unary(_op, axes=[1, 2]), "C2")  # fmt: skip
for _op, _made in (("sparsemax", ["batch", 4]), ("glu", ["batch", 2])):
    _case(_op, "axis-beyond-rank", "Axis 2 of two axes.", "axis-range", "0/attributes/axis",
          unary(_op, ["batch", 4], _made, axis=2), "C2")  # fmt: skip
_case("glu", "odd", "Five elements cannot be halved.", "axis-odd", "0/inputs/0",
      unary("glu", ["batch", 5], ["batch", 2], axis=1), "C3")  # fmt: skip
_case("glu", "symbolic-axis", "A number that is not known may be odd.", "axis-odd", "0/inputs/0",
      unary("glu", ["batch", "time", 4], ["batch", "half", 4], axis=1), "C3")  # fmt: skip


# reshape, concatenate

_case("reshape", "scalar", "A value without a dimension has no axis 0 to keep.", "rank-range", "1/inputs/0",
      document([value("x", ["batch", 4])],
               [layer("constant", [], value("c", []), {"value": "v"}),
                layer("reshape", ["c"], value("r", [1]), target_shape=[]),
                layer("add", ["x", "r"], value("y", ["batch", 4]))], ["y"], {"v": stored(2.0)}), "C1")  # fmt: skip
_case("reshape", "count", "4 elements into 6.", "reshape-count", "0/attributes/target_shape",
      unary("reshape", ["batch", 4], ["batch", 2, 3], target_shape=[2, 3]), "C2")  # fmt: skip
_case("reshape", "count-fewer", "4 elements into 2.", "reshape-count", "0/attributes/target_shape",
      unary("reshape", ["batch", 4], ["batch", 2], target_shape=[2]), "C2")  # fmt: skip
_case("reshape", "symbol-without-infer", "A symbol into numbers.", "reshape-count", "0/attributes/target_shape",
      unary("reshape", ["batch", "time", 4], ["batch", 2, 4], target_shape=[2, 4]), "C2")  # fmt: skip
_case("reshape", "infer-rest", "3 does not divide 4.", "reshape-count", "0/attributes/target_shape",
      unary("reshape", ["batch", 4], ["batch", 3, 1], target_shape=[3, -1]), "C3")  # fmt: skip
_case("reshape", "infer-less-than-1", "8 is more than 4: -1 would be less than 1.", "reshape-count",
      "0/attributes/target_shape",
      unary("reshape", ["batch", 4], ["batch", 8, 1], target_shape=[8, -1]), "C3")  # fmt: skip

_four = ["batch", 4]
_case("concatenate", "axis-beyond-rank", "Axis 2 of two axes.", "axis-range", "0/attributes/axis",
      _inputs("concatenate", _four, _four, made=_four, axis=2), "C1")  # fmt: skip
_case("concatenate", "two-dtypes", "float32 and int32.", "dtype-mismatch", "0/inputs/1",
      _inputs("concatenate", _four, _four, made=["batch", 8], dtypes=("float32", "int32"), axis=1), "C2")  # fmt: skip
_case("concatenate", "dimension", "Another dimension beside the axis.", "concatenate-mismatch", "0/inputs/1",
      _inputs("concatenate", ["batch", 2, 4], ["batch", 3, 4], made=["batch", 2, 8], axis=2), "C3")  # fmt: skip
_case("concatenate", "rank", "Another rank.", "concatenate-mismatch", "0/inputs/1",
      _inputs("concatenate", ["batch", 2, 4], ["batch", 4], made=["batch", 3, 4], axis=1), "C3")  # fmt: skip
_case("concatenate", "symbols", "Two symbols beside the axis.", "concatenate-mismatch", "0/inputs/1",
      _inputs("concatenate", ["batch", "time", 4], ["batch", "steps", 4], made=["batch", "time", 8], axis=2),
      "C3")  # fmt: skip
_case("concatenate", "batch-and-number", "A constant of one row is not stretched.", "concatenate-mismatch", "1/inputs/1",
      document([value("x", ["batch", 4])],
               [layer("constant", [], value("c", [1, 4]), {"value": "v"}),
                layer("concatenate", ["x", "c"], value("y", ["batch", 8]), axis=1)], ["y"],
               {"v": numbers(1, 4)}), "C3")  # fmt: skip
