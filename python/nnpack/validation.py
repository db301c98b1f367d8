"""Validating: path -> every fault of a file, in one go. Loading stops at the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from nnpack.engine.check import check
from nnpack.engine.model import Model
from nnpack.errors import FormatError, SelfTestError
from nnpack.format import container, fields, files, header
from nnpack.format.document import Document, Layer, Tensor
from nnpack.format.dtypes import DTYPES
from nnpack.format.scan import scan
from nnpack.format.schema import schema_faults
from nnpack.ops import OPERATORS

T = TypeVar("T")

_ABSENCE = {"attribute-missing", "missing-key", "weight-missing"}
"""Codes whose place is where something should be: two of them at one place are two faults."""


def validate(path: files.Path) -> list[FormatError]:
    """Finds every fault of a file.

    Args:
        path: an .nnpack file.

    Returns:
        The faults, in the order of the file; none where it is valid. `nnpack.load` refuses the file exactly where one
        of them is not of the canonical form, that is, has a code that does not start with "canonical-".

    Raises:
        FileError: the file is missing, a directory, or cannot be read.

    Source: spec/format.md, spec/errors.md.
    """
    try:
        data = files.read(path)
    except FormatError as fault:
        return [fault]
    return faults(data)


def faults(data: memoryview) -> list[FormatError]:
    """Finds every fault of a file's bytes; result as for `validate`."""
    found: list[FormatError] = []
    try:
        parts = container.read(data)
        scan(data, container.VERSION_AT, found.append)
        scan(data, parts.header_at, found.append)
    except FormatError as fault:  # what follows cannot be read
        return [fault]
    document = header.parse(parts.header, parts.payload, parts.version, OPERATORS, found.append)
    if document is not None:
        before = len(found)
        check(document, found.append)
        if len(found) == before:
            _check_selftest(document, found.append)
    else:
        _check_sound_part(parts.header, parts.payload, found.append)
    found = _without_consequences(parts.header, found) + schema_faults(parts.header, OPERATORS)
    once: dict[tuple[str, str, str], FormatError] = {}
    for item in found:
        once.setdefault((item.code, item.at, item.expected if item.code in _ABSENCE else ""), item)
    return sorted(once.values(), key=lambda item: _place(item.at))


def _check_selftest(document: Document, report: Callable[[FormatError], None]) -> None:
    """A file whose self-test fails is damaged, where its hash cannot tell: in the numbers of the header."""
    model = Model(document)
    if model.selftest_is_cheap:
        try:
            model.selftest()
        except SelfTestError as error:
            report(FormatError(error.code, "/selftest", f"{error.at} = {error.expected}", error.received))


def _check_sound_part(head: Mapping[str, Any], payload: memoryview, report: Callable[[FormatError], None]) -> None:
    """Holds to their operators those layers of a broken document of which everything is there."""
    inputs = [value for _, value in _fitting(fields.value_entry, head.get("inputs"))]
    inputs += [state.input for _, state in _fitting(fields.state_entry, head.get("states"))]
    tensors = dict(_views(head.get("tensors"), payload))
    values = {value.name for value in inputs}
    layers: list[Layer] = []
    places: list[int] = []
    for i, layer in _fitting(fields.layer_entry, head.get("layers")):
        made = {value.name for value in layer.outputs}
        known = layer.op in OPERATORS and values.issuperset(layer.inputs) and values.isdisjoint(made)
        if known and tensors.keys() >= set(layer.weights.values()):
            layers.append(layer)
            places.append(i)
            values |= made
    sound = Document(
        name="",
        inputs=tuple(inputs),
        outputs=(),
        layers=tuple(layers),
        tensors=tensors,
        producer={},
    )

    def report_in_place(fault: FormatError) -> None:
        _, _, index, rest = fault.at.split("/", 3)
        report(type(fault)(fault.code, f"/layers/{places[int(index)]}/{rest}", fault.expected, fault.received))

    check(sound, report_in_place)


def _without_consequences(head: Mapping[str, Any], found: list[FormatError]) -> list[FormatError]:
    """Leaves out what is wrong only because something else is: a name whose owner is broken, the place behind it."""
    layers, tensors, states = (_maps(head.get(key)) for key in ("layers", "tensors", "states"))
    made = [value.get("name") for layer in layers for value in _maps(layer.get("outputs"))]
    given = _maps(head.get("inputs")) + _maps([state.get("input") for state in states])
    names = [*made, *(value.get("name") for value in given)]
    there = {
        "undefined-value": names,
        "undefined-output": names,
        "tensor-missing": [tensor.get("name") for tensor in tensors],
    }
    broken: set[str] = set()  # tensors, by their pointers
    kept = []
    for fault in found:
        steps = fault.at.split("/")
        tensor = "/".join(steps[:3]) if steps[1:2] == ["tensors"] and len(steps) > 2 else ""
        before = f"/tensors/{int(steps[2]) - 1}" if tensor else ""
        consequence = fault.code == "tensor-hole" and before in broken
        if fault.code in there:
            becomes = fault.code == "undefined-output" and steps[1:2] == ["states"]
            consequence = _item(head, fault.at) in (made if becomes else there[fault.code])
        if not consequence:
            kept.append(fault)
        if tensor:
            broken.add(tensor)
    return kept


def _item(head: Mapping[str, Any], at: str) -> Any:
    """What a pointer points to."""
    item: Any = head
    for step in at.split("/")[1:]:
        item = item[int(step)] if type(item) is list else item[step.replace("~1", "/").replace("~0", "~")]
    return item


def _maps(items: Any) -> list[dict[str, Any]]:
    return [item for item in items if type(item) is dict] if type(items) is list else []


def _fitting(parser: Callable[[Any, str], T], items: Any) -> Iterator[tuple[int, T]]:
    """(index, what it says) for each element that `parser` takes."""
    for i, item in enumerate(items if type(items) is list else ()):
        try:
            yield i, parser(item, "")
        except FormatError:
            continue


def _views(items: Any, payload: memoryview) -> Iterator[tuple[str, Tensor]]:
    """The tensors that lie within the payload; not those that hang together with others by quantization."""
    for _, entry in _fitting(fields.tensor_entry, items):
        data = payload[entry["offset"] : entry["offset"] + entry["nbytes"]]
        if len(data) == entry["nbytes"] and "quantization" not in entry:
            array = np.frombuffer(data, DTYPES[entry["dtype"]].stored).reshape(entry["shape"])
            yield entry["name"], Tensor(entry["name"], entry["dtype"], array)


def _place(at: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts bytes before pointers, and pointers as a canonical header has them: keys by name, elements by number."""
    if at.startswith("byte "):
        return ((0, int(at[5:]), ""),)
    return tuple((1, int(step), "") if step.isdecimal() else (2, 0, step) for step in at.split("/"))
