"""A file taken apart, into its header and one array for each tensor, and put together again, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from nnpack.errors import FormatError
from nnpack.format import container, files
from nnpack.format.build import build
from nnpack.format.fields import Parser, integer, list_of, map_of, mapping, record, tensor_entry, text
from nnpack.format.limits import INTEGER, aligned
from nnpack.reading import loads

if TYPE_CHECKING:
    from nnpack.engine.model import Model
    from nnpack.format.document import Document
    from nnpack.format.dtypes import Array

NAME = "model.json"
"""The file, or the array, that says what the others are."""


class Parts(NamedTuple):
    """What `model.json` says.

    Attributes:
        version: (major, minor) of the format.
        header: the header of the file, as it is.
        tensors: what the header says of each tensor: name, dtype, shape, …
        places: the name of each tensor -> where its numbers are.
        example: the name of each value -> where its numbers for the example row are.
    """

    version: tuple[int, int]
    header: dict[str, Any]
    tensors: list[dict[str, Any]]
    places: Mapping[str, str]
    example: Mapping[str, str]


def opened(path: files.Path) -> Model:
    """The model of a file that is sound and passes its self-test, as its canonical bytes give it, layer by layer.

    Raises:
        FileError, FormatError, SelfTestError: as `nnpack.load`.
    """
    document = loads(bytes(files.read(path)), optimize=False).document
    return loads(_canonical(document), verify=False, optimize=False)


def described(document: Document, places: Mapping[str, str], example: Mapping[str, str] | None = None) -> str:
    """The text of `model.json`."""
    header, _ = build(document)
    told: dict[str, Any] = {"version": list(document.version), "header": header, "tensors": dict(places)}
    if example is not None:
        told["example"] = dict(example)
    return json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


_RECORD = record(
    {"version": list_of(integer(0, INTEGER), 2, 2), "header": mapping, "tensors": map_of(text)},
    {"example": map_of(text)},
)


def understood(data: bytes, at: str) -> Parts:
    """What a `model.json` says.

    Args:
        data: its bytes.
        at: where it is, for errors.

    Raises:
        FormatError: it is not what `described` makes.
    """
    try:
        told = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise FormatError("table-file", at, "JSON in UTF-8", error) from error
    with placed(at):
        fields = _RECORD(told, "")
        parser: Parser = list_of(tensor_entry)
        tensors = parser(fields["header"].get("tensors", []), "/header/tensors")
        names = [entry["name"] for entry in tensors]
        for name in sorted({*names} ^ {*fields["tensors"]}):
            raise FormatError("tensor-missing", "/tensors", "the tensors of the header", f"another: {name!r}")
    version = (fields["version"][0], fields["version"][1])
    return Parts(version, fields["header"], tensors, fields["tensors"], fields.get("example", {}))


def joined(parts: Parts, arrays: Iterable[Array], at: str) -> bytes:
    """The bytes of the file that the parts and the tensors' arrays, as stored, stand for.

    Args:
        parts: what `model.json` says.
        arrays: one for each of its tensors.
        at: where `model.json` is, for errors.

    Raises:
        FormatError: they are no sound file.
        SelfTestError: its self-test fails.
    """
    payload = list(_payload(arrays))  # before the errors of the header are looked for
    with placed(at):
        try:
            pieces = container.write(parts.version, parts.header, payload)
        except (OverflowError, RecursionError, ValueError) as error:  # integers, nesting, half characters
            raise FormatError("wrong-value", "/header", "what a header may hold", error) from error
        return _canonical(loads(b"".join(pieces)).document)


def _payload(arrays: Iterable[Array]) -> Iterator[bytes]:
    """The tensors one behind the other, aligned as they are in a file."""
    end = 0
    for array in arrays:
        yield bytes(aligned(end) - end)
        yield array.tobytes()
        end = aligned(end) + array.nbytes


def _canonical(document: Document) -> bytes:
    return b"".join(container.write(document.version, *build(document)))


@contextmanager
def placed(at: str) -> Iterator[None]:
    """Says of a fault whose place is a JSON pointer which file it points into."""
    try:
        yield
    except FormatError as fault:
        raise fault.under(f"{at}#") from fault


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key that its map has already")
    return result


def _refused(word: str) -> Any:
    raise ValueError(f"{word}, which is no JSON")
