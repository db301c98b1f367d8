"""How a file with one fault is declared, and the sound files that the faults are put into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from generate.case import Case, Draw, at_least
from generate.encoding import File, Stored, document, layer, stored, value
from generate.negative.sentences import demanded
from generate.pages import Quote, operator, quote, rules

CASES: dict[str, Case] = {}


def reject(
    case_id: str,
    title: str,
    code: str,
    at: str,
    data: File | bytes,
    *,
    constraint: str | None = None,
    level: str = "L0",
    says: str | Quote | None = None,
) -> None:
    """Adds a file with exactly one fault.

    Args:
        case_id: of the case.
        title: what is wrong with the file.
        code: the code that a reader answers, from spec/errors.md.
        at: the place: a JSON pointer, or "byte N".
        data: the file.
        constraint: its label: "C2" of the page of the operator that the id begins with, "G4" of every operator.
        level: L0, or the level of the operator whose constraint it is.
        says: the sentence that the file contradicts, of format.md or another page; None is the constraint, or else what
            is demanded of every file.
    """
    spec = says or _broken(case_id, code, constraint)
    files = {"model.nnpack": bytes(data)}
    detail = {"code": code, "at": at}
    level = at_least(level, data.header) if isinstance(data, File) else level
    _add(Case(case_id, "reject", level, title, _quoted(spec), _listed(data), files, constraint, detail))


def _broken(case_id: str, code: str, constraint: str | None) -> Quote:
    if constraint is None:
        return demanded(code)
    of = rules() if constraint.startswith("G") else operator(case_id.partition("/")[0]).constraints
    if code not in of[constraint].codes:
        raise ValueError(f"{case_id}: {constraint} has the codes {of[constraint].codes}, not {code}")
    return of[constraint].quote


def _quoted(spec: str | Quote) -> Quote:
    return quote("format.md", spec) if isinstance(spec, str) else spec


def canonical(
    case_id: str,
    title: str,
    says: str | Quote,
    data: File | bytes,
    *,
    code: str | None = None,
    at: str | None = None,
    becomes: File | None = None,
) -> None:
    """Adds a file that a reader accepts and writes again byte for byte; or, with a code, a departure from that form.

    Args:
        case_id: of the case.
        title: what is peculiar about the file.
        says: the sentence that it keeps to, or departs from, of format.md or another page.
        data: the file.
        code: what a validator answers; None where the file is sound.
        at: the place.
        becomes: what a reader that accepts the departure writes.
    """
    files = {"model.nnpack": bytes(data)}
    if becomes is not None:
        files["canonical.nnpack"] = bytes(becomes)
    detail = {"code": code, "at": at}
    requires = _listed(data if becomes is None else becomes)
    level = at_least("L0", data.header) if isinstance(data, File) else "L0"
    _add(Case(case_id, "canonical", level, title, _quoted(says), requires, files, detail=detail))


def _add(case: Case) -> None:
    if case.id in CASES:
        raise ValueError(f"the case {case.id} is declared twice")
    CASES[case.id] = case


def _listed(data: File | bytes) -> list[str]:
    """What the header lists, where there is one to read and it lists strings."""
    requires = data.header.get("requires") if isinstance(data, File) else None
    return [item for item in requires if isinstance(item, str)] if isinstance(requires, list) else []


# Changes of a header

Header = dict[str, Any]


def put(*path: Any) -> Callable[[Header], None]:
    """Sets what the last element but one names to the last: put("layers", 0, "name", "")."""
    *steps, key, item = path

    def change(header: Header) -> None:
        at: Any = header
        for step in steps:
            at = at[step]
        at[key] = item

    return change


def without(*path: Any) -> Callable[[Header], None]:
    *steps, key = path

    def change(header: Header) -> None:
        at: Any = header
        for step in steps:
            at = at[step]
        del at[key]

    return change


def pointer(path: Any) -> str:
    return "".join(f"/{step}" for step in path)


# Sound files


def numbers(*shape: int, dtype: str = "float32") -> Stored:
    """Positive numbers, all different."""
    return stored(Draw(f"numbers{shape}").uniform(0.25, 2, *shape), dtype)


def perceptron(**optional: Any) -> File:
    """x (batch, 4) -> hidden (batch, 3), dense -> y (batch, 3), leaky_relu."""
    return document(
        [value("x", ["batch", 4])],
        [
            layer("dense", ["x"], value("hidden", ["batch", 3]), {"kernel": "kernel", "bias": "bias"}),
            layer("leaky_relu", ["hidden"], value("y", ["batch", 3]), negative_slope=0.25),
        ],
        ["y"],
        {"bias": numbers(3), "kernel": numbers(4, 3)},
        **optional,
    )


def unary(op: str, shape: Any = ("batch", 4), made: Any = None, dtype: str = "float32", **attributes: Any) -> File:
    """x -> y, one operator without weights."""
    output = value("y", made or shape, dtype)
    return document([value("x", shape, dtype)], [layer(op, ["x"], output, **attributes)], ["y"])


PERCEPTRON = perceptron()
QUANTIZED = document(
    [value("x", ["batch", 4])],
    [layer("dense", ["x"], value("y", ["batch", 3]), {"kernel": "kernel"})],
    ["y"],
    {
        "kernel": Stored(
            "int8",
            Draw("quantized").integers(-128, 128, 4, 3, dtype="int8"),
            {"axis": 1, "scale": "scale", "zero_point": "zero_point"},
        ),
        "scale": numbers(3),
        "zero_point": stored([0, 1, -1], "int8"),
    },
)
TESTED = document(
    [value("x", ["batch", 4])],
    [layer("relu", ["x"], value("y", ["batch", 4]))],
    ["y"],
    {"test/x": numbers(2, 4), "test/y": numbers(2, 4), "test/tolerance": stored([[0.5] * 4] * 2)},
    selftest={"inputs": ["test/x"], "outputs": ["test/y"], "tolerances": ["test/tolerance"]},
)
