"""A model as an .npz file, which numpy.load opens without pickle and without nnpack; and back, byte for byte.

```python
weights = numpy.load("m.npz")
weights["dense/kernel"]  # an array; bfloat16 is widened to float32, quantized weights are int8
json.loads(weights["model.json"].tobytes())  # the header of the file, and which array holds which tensor
```
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.converters import parts
from nnpack.errors import FormatError
from nnpack.format import files
from nnpack.format.document import show
from nnpack.format.dtypes import DTYPES
from nnpack.format.limits import HEADER_BYTES

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip file knows
_SUFFIX = ".npy"
_HEAD = 2**16  # bytes that the head of an array takes at most
_MOST_ABOUT = 16 * HEADER_BYTES  # as JSON
_BROKEN = (
    ValueError,
    EOFError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
)


def write(path: files.Path, target: files.Path) -> None:
    """Writes the tensors of a file, by their names, and its header, as `model.json`.

    Tensors that numpy.load could take for another, or for the header, are given names with `_` behind them.

    Args:
        path: the nnpack file. `read` gives its bytes back; those of its canonical form, where it is not in that.
        target: the .npz file; the same model always gives the same bytes.

    Raises:
        FormatError: the file is damaged, or no nnpack file.
        SelfTestError: its self-test fails.
        FileError: a file cannot be read or written.
    """
    document = parts.opened(path).document
    places = _named(document.tensors)
    about = np.frombuffer(parts.described(document, places).encode(), np.uint8)
    with files.replacing(target) as temporary, zipfile.ZipFile(temporary, "w", allowZip64=True) as archive:
        _add(archive, parts.NAME, about)
        for name, place in places.items():
            _add(archive, place, document.tensors[name].widened())


def read(path: files.Path) -> bytes:
    """The bytes of the nnpack file that an .npz file was written from.

    Args:
        path: what `write` wrote, or numpy.savez of what numpy.load read.

    Raises:
        FileError: it cannot be read.
        FormatError: what is in it is not what has to be there.
        SelfTestError: the model's self-test fails.
    """
    shown = files.shown(path)
    about = f"{shown}: {parts.NAME}"
    with files.guarded(path, "a file that can be read"), open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                told = parts.understood(_array(archive, parts.NAME, _MOST_ABOUT).tobytes(), about)
                _complete(archive, told.places.values(), shown)
                arrays = [_tensor(archive, told.places[entry["name"]], entry, shown) for entry in told.tensors]
        except FormatError:
            raise
        except _BROKEN as error:
            raise FormatError("table-file", shown, "an .npz file of a model", error) from error
    return parts.joined(told, arrays, about)


def _named(names: Iterable[str]) -> dict[str, str]:
    """The name of each tensor -> that of its array, which no other has, and which numpy.load takes for no file's."""
    found: dict[str, str] = {}
    taken = {parts.NAME}
    for name in names:
        place = name
        while place in taken or place.endswith(_SUFFIX):
            place += "_"
        taken.add(place)
        found[name] = place
    return found


def _add(archive: zipfile.ZipFile, name: str, array: Array) -> None:
    member = zipfile.ZipInfo(name + _SUFFIX, _DATE)
    member.create_system, member.external_attr = 3, 0o644 << 16  # the same on every system
    with archive.open(member, "w", force_zip64=True) as file:
        np.save(file, array, allow_pickle=False)


def _array(archive: zipfile.ZipFile, name: str, nbytes: int) -> Array:
    """A member of an archive, of about so many bytes at most."""
    if name + _SUFFIX not in archive.NameToInfo:
        raise ValueError(f"no array {name!r}")
    if archive.getinfo(name + _SUFFIX).file_size > nbytes + _HEAD:
        raise ValueError(f"an array {name!r} of more than {nbytes:,} bytes")
    return np.lib.format.read_array(io.BytesIO(archive.read(name + _SUFFIX)), allow_pickle=False)


def _complete(archive: zipfile.ZipFile, places: Iterable[str], shown: str) -> None:
    """Refuses an archive with other arrays than those of the model, or two of one name."""
    wanted = {name + _SUFFIX for name in (parts.NAME, *places)}
    left = Counter(archive.namelist())
    left.subtract(wanted)
    for name, count in sorted(left.items()):
        if count:
            found = "no such array" if count < 0 else "another array"
            raise FormatError("table-file", f"{shown}: {name}", f"the arrays that {parts.NAME} names", found)


def _tensor(archive: zipfile.ZipFile, place: str, entry: dict[str, Any], shown: str) -> Array:
    """The array of a tensor, as stored."""
    narrow = entry["dtype"] == "bfloat16"
    dtype = np.dtype(np.float32) if narrow else DTYPES[entry["dtype"]].stored
    array = _array(archive, place, prod(entry["shape"]) * dtype.itemsize)
    if array.dtype.newbyteorder("=") != dtype.newbyteorder("=") or array.shape != entry["shape"]:
        received = f"{array.dtype} {show(array.shape)}"
        raise FormatError("table-shape", f"{shown}: {place}", f"{dtype} {show(entry['shape'])}", received)
    array = np.ascontiguousarray(array, dtype).reshape(array.shape)  # which would give a scalar an axis
    return _narrowed(array, f"{shown}: {place}") if narrow else array


def _narrowed(array: Array, at: str) -> Array:
    """float32 -> the bits of bfloat16, which lose nothing."""
    bits = array.view("<u4")
    if (bits & 0xFFFF).any():
        index = np.unravel_index(np.argmax((bits & 0xFFFF) != 0), bits.shape)
        where = f"{at}[{', '.join(map(str, index))}]"
        raise FormatError("table-cell", where, "a number that bfloat16 has", str(array[index]))
    return (bits >> 16).astype("<u2")
