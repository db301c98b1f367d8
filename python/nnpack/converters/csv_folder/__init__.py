"""A model as a folder of CSV files with a page that says how to compute it by hand; and back, byte for byte.

```
README.txt     how to compute this model, step by step
model.json     the header of the file, and which file holds what
weights/       a CSV file for each tensor that the model computes with
selftest/      … and for each of the self-test
example/       every value of the graph for one row
```
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nnpack.converters import parts
from nnpack.converters.csv_folder import cells, readme
from nnpack.converters.csv_folder.readme import Example
from nnpack.converters.directory import entries, make
from nnpack.engine.samples import sample_inputs
from nnpack.errors import FileError, FormatError, MissingFileError, NnpackError, pointer
from nnpack.format import files
from nnpack.format.document import NONFINITE

if TYPE_CHECKING:
    from nnpack.converters.parts import Parts
    from nnpack.engine.model import Model
    from nnpack.format.document import Document

README = "README.txt"
FOLDERS = ("weights", "selftest", "example")

_PLACE = re.compile(r"(weights|selftest)/[\w.-]+\.csv", re.ASCII)
_STEM = 100  # characters of a file's name
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # by Windows


def write(path: files.Path, directory: files.Path) -> None:
    """Writes a folder of CSV files, and a README.txt by which a person can compute the model in any language.

    Args:
        path: the nnpack file. `read` gives its bytes back; those of its canonical form, where it is not in that.
        directory: made where it does not exist; it may hold what an earlier call wrote, which is replaced.

    Raises:
        FormatError: the file is damaged, or no nnpack file.
        SelfTestError: its self-test fails.
        ModelError: a tensor has a NaN whose bits text does not bring back.
        FileError: a file cannot be read or written, or the directory holds something else.

    Source: spec/format.md.
    """
    model = parts.opened(path)
    document = model.document
    for tensor in document.tensors.values():
        cells.check_nan(tensor)
    example = _example(model)
    places, shown = _places(document), _named("example", example.values)
    texts = {
        parts.NAME: parts.described(document, places, shown),  # first: by it the next call knows what this one wrote
        README: readme.readme(document, places, shown, example),
    }
    target = Path(os.fsdecode(directory))
    _clear(target, {*texts, *places.values(), *shown.values()})
    for name, text in texts.items():
        with files.replacing(target / name) as temporary:
            Path(temporary).write_text(text, "utf-8", newline="\n")
    for name, place in places.items():
        cells.write(target / place, document.tensors[name].array, document.tensors[name].dtype)
    for name, place in shown.items():
        cells.write(target / place, example.values[name], document.values[name].dtype)


def read(directory: files.Path) -> bytes:
    """The bytes of the nnpack file that a folder was written from.

    Args:
        directory: what `write` wrote. README.txt and the files of the example are not read.

    Raises:
        FileError: a file is missing, cannot be read, or is one too many.
        FormatError: what is in one is not what has to be there, with file, line and column.
        SelfTestError: the model's self-test fails.
    """
    folder = Path(os.fsdecode(directory))
    told = _told(folder)
    _complete(folder, told)
    finite = NONFINITE not in str(told.header.get("requires"))
    arrays = (
        cells.read(folder / told.places[entry["name"]], entry["dtype"], entry["shape"], finite)
        for entry in told.tensors
    )
    return parts.joined(told, arrays, str(folder / parts.NAME))


def _example(model: Model) -> Example:
    """Every value of the graph for one row, as after a reset; none, where no row is known that the model takes."""
    document = model.document
    # the last of the sampled rows is one of a corner: all 0, or all masked
    tried = [[array[:1] for array in sample_inputs(document, rows=2)]]
    if document.selftest:
        tried.append([document.tensors[name].array[:1] for name in document.selftest.inputs])
    made = [value.name for layer in document.layers for value in layer.outputs]
    names = [*(value.name for value in document.sources), *made]
    missing = ""
    for inputs in tried:
        try:
            arrays = model.predict(inputs, outputs=made) if made else []
        except NnpackError as error:
            missing = missing or str(error)
        else:
            return Example(dict(zip(names, [*inputs, *document.initial_states(1), *arrays], strict=True)))
    return Example({}, missing)


# Files


def _places(document: Document) -> dict[str, str]:
    """The name of each tensor -> its file."""
    needed = document.without_selftest().tensors
    return {
        **_named("weights", needed),
        **_named("selftest", [name for name in document.tensors if name not in needed]),
    }


def _named(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Each name -> a file in a folder whose own name every system takes, and tells from the others in any case."""
    found: dict[str, str] = {}
    taken: dict[str, int] = {}
    for name in names:
        stem = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII)[:_STEM].lstrip(".-") or "_"
        stem = f"_{stem}" if _RESERVED.match(stem) else stem
        new = stem
        while new.lower() in taken:
            taken[stem.lower()] += 1
            new = f"{stem}_{taken[stem.lower()]}"
        taken[new.lower()] = 1
        found[name] = f"{folder}/{new}.csv"
    return found


def _clear(target: Path, wanted: set[str]) -> None:
    """Makes the directory and its folders; what an earlier call wrote, and this one will not, is removed."""
    earlier = _earlier(target)
    make(target, earlier)
    with files.guarded(str(target), "a directory that can be written"):
        for name in sorted({*entries(target, FOLDERS)} - {*FOLDERS} - wanted):
            (target / name).unlink()
        for folder in sorted({name.partition("/")[0] for name in wanted if "/" in name}):
            (target / folder).mkdir(exist_ok=True)


def _earlier(target: Path) -> set[str]:
    """What an earlier call wrote."""
    with suppress(FileError, FormatError):
        return _own(_told(target))
    return set()


def _told(folder: Path) -> Parts:
    """What the `model.json` of a folder says."""
    path = folder / parts.NAME
    with files.guarded(path, "a file that can be read"):
        return parts.understood(path.read_bytes(), str(path))


def _own(told: Parts) -> set[str]:
    """Everything that belongs into a folder."""
    return {parts.NAME, README, *FOLDERS, *told.places.values(), *told.example.values()}


def _complete(folder: Path, told: Parts) -> None:
    """Refuses a folder that lacks a tensor's file, or has a file that nothing speaks of."""
    with parts.placed(str(folder / parts.NAME)):
        for name, place in told.places.items():
            if not _PLACE.fullmatch(place):
                raise FormatError("wrong-value", pointer("/tensors", name), "weights/….csv", ascii(place))
    with files.guarded(str(folder), "a directory that can be read"):
        present = {*entries(folder, FOLDERS)}
    for name, place in told.places.items():
        if place not in present:
            raise MissingFileError("file-not-found", str(folder / place), f"the tensor {name!r}", "no such file")
    # systems leave hidden files wherever somebody looks
    foreign = sorted(name for name in present - _own(told) if not name.rpartition("/")[2].startswith("."))
    if foreign:
        raise FileError("file-foreign", str(folder / foreign[0]), f"a file that {parts.NAME} names", "another")
