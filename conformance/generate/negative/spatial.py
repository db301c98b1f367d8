"""Faults of conv, conv_transpose, the pools, resize and upsample."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, Stored, stored
from generate.negative.declare import numbers, put, unary
from generate.negative.operators import BOOLEAN, Shape, case, every, weighted
from generate.pages import operator, quote

# Attributes

SPATIAL: dict[str, tuple[Any, str]] = {
    "empty": ([], "wrong-value"),
    "four": ([1, 1, 1, 1], "wrong-value"),
    "zero": ([1, 0], "wrong-value"),
    "negative": ([-1, 1], "wrong-value"),
    "2-31": ([2**31, 1], "wrong-value"),
    "integer": (1, "wrong-type"),
    "float": ([1, 1.0], "wrong-type"),
    "boolean": ([True, True], "wrong-type"),
    "string": (["1", "1"], "wrong-type"),
}
CROPPING: dict[str, tuple[Any, str]] = {
    "empty": ([], "wrong-value"),
    "one": ([0], "wrong-value"),
    "seven": ([0] * 7, "wrong-value"),
    "2-31": ([0, 0, 0, 2**31], "wrong-value"),
    "minus-2-31": ([0, -(2**31), 0, 0], "wrong-value"),
    "integer": (0, "wrong-type"),
    "pairs": ([[0, 0], [0, 0]], "wrong-type"),
    "float": ([0, 0, 0, 0.0], "wrong-type"),
}
PAIR: dict[str, tuple[Any, str]] = {
    **{fault: told for fault, told in SPATIAL.items() if fault != "four"},
    "one": ([2], "wrong-value"),
    "three": ([2, 2, 1], "wrong-value"),
}
GROUPS: dict[str, tuple[Any, str]] = {
    "zero": (0, "wrong-value"),
    "negative": (-1, "wrong-value"),
    "2-31": (2**31, "wrong-value"),
    "float": (1.0, "wrong-type"),
    "boolean": (True, "wrong-type"),
}
PADDING: dict[str, tuple[Any, str]] = {
    "upper-case": ("SAME", "wrong-value"),
    "full": ("full", "wrong-value"),
    "integer": (0, "wrong-type"),
    "list": (["same"], "wrong-type"),
}
INTERPOLATION: dict[str, tuple[Any, str]] = {
    "unknown": ("cubic", "wrong-value"),
    "upper-case": ("BILINEAR", "wrong-value"),
    "integer": (0, "wrong-type"),
}


def _twice(file: File) -> File:
    return file.but(put("layers", 0, "inputs", ["x", "x"]))


def _none(file: File) -> File:
    return file.but(put("layers", 0, "inputs", []))


def _counts(op: str, file: File) -> None:
    case(op, "two-inputs", "An input too many.", "input-count", "0/inputs", _twice(file))
    case(op, "no-input", "No input.", "input-count", "0/inputs", _none(file))


X, Y = ["batch", 4, 5, 6], ["batch", 4, 5, 3]
SYMBOLS = ["batch", "h", "w", 6]


# conv, conv_transpose


def _slid(
    op: str,
    kernel: Stored,
    bias: Stored | None = None,
    x: Shape | None = None,
    y: Shape | None = None,
    dtype: str = "float32",
    **attributes: Any,
) -> File:
    """A kernel of one element, unless something else is said."""
    n = len(x or X) - 2
    usual: dict[str, Any] = {"strides": [1] * n, "dilation_rate": [1] * n}
    usual |= {"groups": 1, "padding": "valid"} if op == "conv" else {"cropping": [0] * 2 * n}
    weights = {"kernel": kernel} if bias is None else {"bias": bias, "kernel": kernel}
    return weighted(op, x or X, y or Y, weights, dtype, **usual | attributes)


def _kernel(op: str, *size: int, channels: int = 6, filters: int = 3, dtype: str = "float32") -> Stored:
    depths = (channels, filters) if op == "conv" else (filters, channels)
    return numbers(*size, *depths, dtype=dtype)


def _faults_of_kernels(op: str, weight_shape: str, bias_shape: str) -> None:
    """What both have in common; the labels of their constraints of weights differ."""
    kernel, bias = _kernel(op, 1, 1), numbers(3)
    sound = _slid(op, kernel, bias)
    given = sound.header["layers"][0]["attributes"]
    _counts(op, sound)
    case(
        op, "no-kernel", "Without a kernel.", "weight-missing", "0/weights", weighted(op, X, Y, {"bias": bias}, **given)
    )
    unknown = weighted(op, X, Y, {"gamma": bias, "kernel": kernel}, **given)
    case(op, "weight-unknown", "A role that it does not have.", "weight-unknown", "0/weights/gamma", unknown)

    def c1(name: str, title: str, at: str, file: File) -> None:
        case(op, name, title, "dtype-mismatch", f"0/{at}", file, "C1")

    depths = (6, 3) if op == "conv" else (3, 6)
    integers = stored(numbers(1, 1, *depths).array * 9, "int32")
    c1("integers", "Integers where numbers belong.", "inputs/0", _slid(op, integers, dtype="int32"))
    c1("kernel-float64", "A float64 kernel.", "weights/kernel", _slid(op, _kernel(op, 1, 1, dtype="float64")))
    c1("bias-float64", "A float64 bias.", "weights/bias", _slid(op, kernel, numbers(3, dtype="float64")))

    def c2(name: str, title: str, kernel: Stored, x: Shape, y: Shape, **attributes: Any) -> None:
        case(op, name, title, "rank-range", "0/inputs/0", _slid(op, kernel, None, x, y, **attributes), "C2")

    one_axis = {"strides": [1], "dilation_rate": [1]} | ({"cropping": [0, 0]} if op == "conv_transpose" else {})
    three = {"strides": [1] * 3, "dilation_rate": [1] * 3} | ({"cropping": [0] * 6} if op == "conv_transpose" else {})
    c2("rank-2", "No spatial axis.", _kernel(op), ["batch", 6], ["batch", 3], **one_axis)
    c2("rank-6", "Four spatial axes.", _kernel(op, *[1] * 4), ["batch", *[2] * 4, 6], ["batch", *[2] * 4, 3], **three)
    c2("symbolic-channels", "A symbol for the channels.", kernel, ["batch", 4, 5, "channels"], Y)

    def c3(name: str, **attributes: Any) -> None:
        (key,) = attributes
        title = f"Another number of {key.replace('_', ' ')} than of spatial axes."
        case(op, name, title, "rank-range", f"0/attributes/{key}", _slid(op, kernel, bias, **attributes), "C3")

    c3("strides-one", strides=[1])
    c3("strides-three", strides=[1, 1, 1])
    c3("dilation-rate-one", dilation_rate=[1])
    c3("dilation-rate-three", dilation_rate=[1, 1, 1])

    def weight(name: str, title: str, kernel: Stored, x: Shape | None = None, y: Shape | None = None) -> None:
        file = _slid(op, kernel, None, x, y)
        case(op, name, title, "weight-shape", "0/weights/kernel", file, weight_shape)

    weight("kernel-channels", "A kernel for 5 channels of 6.", _kernel(op, 1, 1, channels=5))
    weight(
        "kernel-transposed", "Channels and filters of the kernel in each other's place.", numbers(1, 1, *depths[::-1])
    )
    weight("kernel-filters-first", "The kernel as other formats have it.", numbers(3, 6, 1, 1))
    weight("kernel-rank", "A kernel of one spatial axis.", _kernel(op, 1))
    weight("kernel-axes", "A kernel of two spatial axes for one.", _kernel(op, 1, 1), ["batch", 4, 6], ["batch", 4, 3])

    def biased(name: str, title: str, bias: Stored) -> None:
        case(op, name, title, "weight-shape", "0/weights/bias", _slid(op, kernel, bias), bias_shape)

    biased("bias-length", "A bias for 6 filters of 3.", numbers(6))
    biased("bias-one", "A bias of one number, which is not stretched.", numbers(1))
    biased("bias-rank", "A bias in a row of a matrix.", numbers(1, 3))


every(
    "conv",
    _slid("conv", _kernel("conv", 1, 1), numbers(3)),
    {
        "strides": ([1, 1], SPATIAL),
        "dilation_rate": ([1, 1], SPATIAL),
        "groups": (1, GROUPS),
        "padding": ("valid", PADDING),
    },
)
_faults_of_kernels("conv", "C6", "C8")
case(
    "conv",
    "causal-images",
    "Causal with two spatial axes.",
    "rank-range",
    "0/attributes/padding",
    _slid("conv", _kernel("conv", 1, 1), padding="causal"),
    "C4",
)
case(
    "conv",
    "groups-of-channels",
    "4 groups of 6 channels.",
    "groups-divide",
    "0/attributes/groups",
    _slid("conv", numbers(1, 1, 1, 4), None, X, ["batch", 4, 5, 4], groups=4),
    "C5",
)
case(
    "conv",
    "groups-of-filters",
    "2 groups of 3 filters.",
    "groups-divide",
    "0/attributes/groups",
    _slid("conv", numbers(1, 1, 3, 3), groups=2),
    "C7",
)
case(
    "conv",
    "groups-undivided-kernel",
    "Two groups, and a kernel of all channels.",
    "weight-shape",
    "0/weights/kernel",
    _slid("conv", numbers(1, 1, 6, 4), None, X, ["batch", 4, 5, 4], groups=2),
    "C6",
)
case(
    "conv",
    "depthwise-multiplier-behind",
    "A depthwise kernel as Keras has it: (kernel, kernel, channels, multiplier).",
    "weight-shape",
    "0/weights/kernel",
    _slid("conv", numbers(1, 1, 6, 1), None, X, ["batch", 4, 5, 6], groups=6),
    "C6",
)
TOO_LARGE = "With valid and I < ke, O is below 1: G8 refuses it."
case(
    "conv",
    "kernel-too-large",
    "A kernel of 5 over 4 elements.",
    "dimension-range",
    "0/outputs/0/shape",
    _slid("conv", _kernel("conv", 5, 1), None, X, ["batch", 1, 5, 3]),
    says=quote("ops/conv.md", TOO_LARGE),
)
case(
    "conv",
    "dilated-kernel-too-large",
    "A kernel of 2 that dilation stretches to 5.",
    "dimension-range",
    "0/outputs/0/shape",
    _slid("conv", _kernel("conv", 2, 1), None, X, ["batch", 1, 5, 3], dilation_rate=[4, 1]),
    says=quote("ops/conv.md", TOO_LARGE),
)
case(
    "conv",
    "same-as-valid",
    "same, and what valid makes of it.",
    "shape-declared",
    "0/outputs/0/shape",
    _slid("conv", _kernel("conv", 3, 3), None, X, ["batch", 2, 3, 3], padding="same"),
)
case(
    "conv",
    "symbol-changed",
    "Another symbol than that of x, which stays.",
    "shape-declared",
    "0/outputs/0/shape",
    _slid("conv", _kernel("conv", 3, 3), None, SYMBOLS, ["batch", "h", "v", 3], padding="same"),
)

every(
    "conv_transpose",
    _slid("conv_transpose", _kernel("conv_transpose", 1, 1), numbers(3)),
    {
        "strides": ([1, 1], SPATIAL),
        "dilation_rate": ([1, 1], SPATIAL),
        "cropping": ([0, 0, 0, 0], CROPPING),
    },
)
_faults_of_kernels("conv_transpose", "C5", "C6")
for _name, _title, _cropping in (
    ("cropping-of-one-axis", "What is cut off one axis of two.", [0, 0]),
    ("cropping-three", "A number of elements that belongs to no number of axes.", [0, 0, 0]),
    ("cropping-of-three-axes", "What is cut off three axes of two.", [0] * 6),
):
    case(
        "conv_transpose",
        _name,
        _title,
        "rank-range",
        "0/attributes/cropping",
        _slid("conv_transpose", _kernel("conv_transpose", 1, 1), cropping=_cropping),
        "C3",
    )
case(
    "conv_transpose",
    "cropping-before-negative",
    "Something put in front.",
    "wrong-value",
    "0/attributes/cropping",
    _slid("conv_transpose", _kernel("conv_transpose", 1, 1), None, X, ["batch", 5, 5, 3], cropping=[-1, 0, 0, 0]),
    "C4",
)
case(
    "conv_transpose",
    "cropping-everything",
    "All that there is is cut off.",
    "dimension-range",
    "0/outputs/0/shape",
    _slid("conv_transpose", _kernel("conv_transpose", 1, 1), None, X, ["batch", 4, 1, 3], cropping=[0, 0, 2, 3]),
    says=quote("ops/conv_transpose.md", "An O below 1 is refused by G8."),
)
case(
    "conv_transpose",
    "symbol-changed",
    "Another symbol than that of x, which stays.",
    "shape-declared",
    "0/outputs/0/shape",
    _slid(
        "conv_transpose",
        _kernel("conv_transpose", 3, 1),
        None,
        SYMBOLS,
        ["batch", "high", "w", 3],
        cropping=[1, 1, 0, 0],
    ),
)


# Pools

POOL = {
    "pool_size": ([1, 1], SPATIAL),
    "strides": ([1, 1], SPATIAL),
    "padding": ("valid", {**PADDING, "causal": ("causal", "wrong-value")}),
}
ADAPTIVE = {"output_size": ([4, 5], SPATIAL)}


def _faults_of_pools(op: str, attributes: dict[str, tuple[Any, dict[str, Any]]]) -> None:
    sound = {key: item for key, (item, _) in attributes.items()}
    file = unary(op, X, X, **sound)
    every(op, file, attributes)
    _counts(op, file)
    weight = weighted(op, X, X, {"kernel": numbers(1, 1)}, **sound)
    case(op, "weight-unknown", "A weight, where there is none.", "weight-unknown", "0/weights/kernel", weight)
    integers = unary(op, X, X, "int32", **sound)
    case(op, "integers", "Integers where numbers belong.", "dtype-mismatch", "0/inputs/0", integers, "C1")

    def c2(name: str, title: str, shape: Shape, n: int) -> None:
        adapted = {key: item[:1] * n if isinstance(item, list) else item for key, item in sound.items()}
        case(op, name, title, "rank-range", "0/inputs/0", unary(op, shape, shape, **adapted), "C2")

    c2("rank-2", "No spatial axis.", ["batch", 4], 1)
    c2("rank-6", "Four spatial axes.", ["batch", 4, 4, 4, 4, 3], 3)
    for key, item in sound.items():
        if isinstance(item, list):
            for name, other in (("one", item[:1]), ("three", [*item, 1])):
                made = ["batch", *other, 6] if key == "output_size" else X
                case(
                    op,
                    f"{key.replace('_', '-')}-{name}",
                    f"Another number of elements than of spatial axes in {key}.",
                    "rank-range",
                    f"0/attributes/{key}",
                    unary(op, X, made, **{**sound, key: other}),
                    "C3",
                )


for _op in ("max_pool", "average_pool"):
    _faults_of_pools(_op, POOL)
    case(
        _op,
        "pool-too-large",
        "Windows of 6 over 5 elements.",
        "dimension-range",
        "0/outputs/0/shape",
        unary(_op, X, ["batch", 4, 1, 6], pool_size=[1, 6], strides=[1, 1], padding="valid"),
        says=quote(operator(_op).page, "With valid and I < k, O is below 1: G8 refuses it."),
    )
    case(
        _op,
        "same-rounded-down",
        "5 elements by strides of 2 with same.",
        "shape-declared",
        "0/outputs/0/shape",
        unary(_op, X, ["batch", 4, 2, 6], pool_size=[1, 2], strides=[1, 2], padding="same"),
    )
    case(
        _op,
        "symbol-changed",
        "Another symbol than that of x, which stays.",
        "shape-declared",
        "0/outputs/0/shape",
        unary(_op, SYMBOLS, ["batch", "h", "v", 6], pool_size=[3, 3], strides=[1, 1], padding="same"),
    )
for _op in ("adaptive_max_pool", "adaptive_average_pool"):
    _faults_of_pools(_op, ADAPTIVE)
    case(
        _op,
        "symbol-kept",
        "A symbol of x, where a number is known.",
        "shape-declared",
        "0/outputs/0/shape",
        unary(_op, SYMBOLS, ["batch", 4, "w", 6], output_size=[4, 5]),
    )


# resize, upsample

for _op, _size, _more in (("resize", "size", {"antialias": False}), ("upsample", "factors", {})):
    _made = ["batch", 2, 3, 6] if _op == "resize" else ["batch", 8, 15, 6]
    _sound: dict[str, Any] = {_size: [2, 3], "interpolation": "bilinear", **_more}
    _file = unary(_op, X, _made, **_sound)
    every(
        _op,
        _file,
        {
            _size: ([2, 3], PAIR),
            "interpolation": ("bilinear", INTERPOLATION),
            **({"antialias": (False, BOOLEAN)} if _more else {}),
        },
    )
    _counts(_op, _file)
    case(
        _op,
        "weight-unknown",
        "A weight, where there is none.",
        "weight-unknown",
        "0/weights/kernel",
        weighted(_op, X, _made, {"kernel": numbers(1, 1)}, **_sound),
    )
    for _dtype in ("int32", "uint8"):
        case(
            _op,
            f"bilinear-{_dtype}",
            "Integers, which have nothing in between.",
            "dtype-mismatch",
            "0/inputs/0",
            unary(_op, X, _made, _dtype, **_sound),
            "C1",
        )
    case(
        _op,
        "boolean",
        "Truth values.",
        "dtype-mismatch",
        "0/inputs/0",
        unary(_op, X, _made, "bool", **{**_sound, "interpolation": "nearest"}),
        "C1",
    )
    case(
        _op,
        "rank-3",
        "One image without a batch.",
        "rank-range",
        "0/inputs/0",
        unary(_op, ["batch", 5, 6], _made, **_sound),
        "C2",
    )
    case(
        _op,
        "rank-5",
        "A volume.",
        "rank-range",
        "0/inputs/0",
        unary(_op, ["batch", 2, 4, 5, 6], ["batch", 2, *_made[1:]], **_sound),
        "C2",
    )
case(
    "upsample",
    "too-large",
    "More elements along an axis than there may be.",
    "dimension-range",
    "0/outputs/0/shape",
    unary("upsample", X, ["batch", 2**31 - 1, 5, 6], factors=[2**30, 1], interpolation="nearest"),
)
case(
    "upsample",
    "symbol-changed",
    "Another symbol than that of x, which stays.",
    "shape-declared",
    "0/outputs/0/shape",
    unary("upsample", SYMBOLS, ["batch", "high", "v", 6], factors=[2, 1], interpolation="nearest"),
)
