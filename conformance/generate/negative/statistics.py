"""Faults of layer_, rms_, unit_ and group_normalization."""

from __future__ import annotations

from typing import Any

from generate.encoding import File, Stored
from generate.negative.declare import numbers, put
from generate.negative.operators import AXES, AXIS, NOT_NEGATIVE, Shape, case, every, weighted
from generate.negative.spatial import GROUPS

X = ["batch", 3, 4]
ROLES = {
    "layer_normalization": ("beta", "gamma"),
    "rms_normalization": ("scale",),
    "unit_normalization": (),
    "group_normalization": ("beta", "gamma"),
}


def _normalization(
    op: str, x: Shape | None = None, dtype: str = "float32", weights: dict[str, Stored] | None = None, **attributes: Any
) -> File:
    """Over the last axis, or the channels, of 4 elements; `weights` replaces all weights."""
    usual: dict[str, Any] = {"axis": 2, "groups": 2} if op == "group_normalization" else {"axes": [2]}
    present = {role: numbers(4, dtype=dtype) for role in ROLES[op]} if weights is None else weights
    return weighted(op, x or X, x or X, present, dtype, **usual | {"epsilon": 0.001} | attributes)


def _faults(op: str) -> None:
    grouped = op == "group_normalization"
    sound = _normalization(op)
    epsilon = {"epsilon": (0.001, NOT_NEGATIVE)}
    every(
        op, sound, {"axis": (2, AXIS), "groups": (2, GROUPS)} | epsilon if grouped else {"axes": ([2], AXES)} | epsilon
    )
    twice = sound.but(put("layers", 0, "inputs", ["x", "x"]))
    case(op, "two-inputs", "An input too many.", "input-count", "0/inputs", twice)
    unknown = _normalization(op, weights={"kernel": numbers(4)})
    case(op, "weight-unknown", "A role that it does not have.", "weight-unknown", "0/weights/kernel", unknown)
    integers = _normalization(op, dtype="int32", weights={})
    case(op, "integers", "Integers where numbers belong.", "dtype-mismatch", "0/inputs/0", integers, "C1")
    place = "0/attributes/axis" if grouped else "0/attributes/axes"
    beyond = _normalization(op, weights={}, **({"axis": 3} if grouped else {"axes": [1, 3]}))
    case(op, "axis-beyond-rank", "Axis 3 of three axes.", "axis-range", place, beyond, "C2")
    label = "C5" if grouped else "C3"
    for role in ROLES[op]:
        double = _normalization(op, weights={role: numbers(4, dtype="float64")})
        case(op, f"{role}-float64", f"{role} in float64.", "dtype-mismatch", f"0/weights/{role}", double, "C1")
        for name, title, shape in (
            ("length", f"{role} for the other axis.", (3,)),
            ("one", f"{role} of one number, which is not stretched.", (1,)),
            ("rank", f"{role} in a row of a matrix.", (1, 4)),
        ):
            file = _normalization(op, weights={role: numbers(*shape)})
            case(op, f"{role}-{name}", title, "weight-shape", f"0/weights/{role}", file, label)


for _op in ROLES:
    _faults(_op)

for _op in ("layer_normalization", "rms_normalization"):
    _role = ROLES[_op][-1]
    for _name, _title, _x, _axes, _shape in (
        ("transposed", "The dimensions at axes in another order.", X, [1, 2], (4, 3)),
        ("flat", "The dimensions at axes, flattened.", X, [1, 2], (12,)),
        ("of-last-axis", "One axis of two, as numpy would stretch it.", X, [1, 2], (4,)),
        ("of-symbol", "A weight for an axis that only running tells.", ["batch", "time", 4], [1], (4,)),
    ):
        case(
            _op,
            f"{_role}-{_name}",
            _title,
            "weight-shape",
            f"0/weights/{_role}",
            _normalization(_op, _x, weights={_role: numbers(*_shape)}, axes=_axes),
            "C3",
        )

case(
    "group_normalization",
    "symbolic-channels",
    "A symbol for the channels.",
    "axis-range",
    "0/attributes/axis",
    _normalization("group_normalization", ["batch", 4, "channels"], weights={}).but(
        put("layers", 0, "attributes", "groups", 1)
    ),
    "C3",
)
case(
    "group_normalization",
    "groups-odd",
    "3 groups of 4 channels.",
    "groups-divide",
    "0/attributes/groups",
    _normalization("group_normalization", groups=3),
    "C4",
)
case(
    "group_normalization",
    "groups-more-than-channels",
    "8 groups of 4 channels.",
    "groups-divide",
    "0/attributes/groups",
    _normalization("group_normalization", groups=8),
    "C4",
)
case(
    "group_normalization",
    "gamma-of-groups",
    "gamma for each group.",
    "weight-shape",
    "0/weights/gamma",
    _normalization("group_normalization", weights={"gamma": numbers(2)}),
    "C5",
)
