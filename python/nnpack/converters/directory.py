"""Directories that a conversion writes: nothing of anybody else's is written over."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from nnpack.errors import FileError
from nnpack.format import files


def make(directory: Path, own: Collection[str]) -> None:
    """Makes a directory, or takes one that holds nothing but what an earlier call wrote.

    Args:
        directory: made where it does not exist, with those above it.
        own: the paths that may be in it, directories too, with "/" between their parts.

    Raises:
        FileError: there is something else in it, or it cannot be made.
    """
    with files.guarded(str(directory), "a directory that can be written"):
        directory.mkdir(parents=True, exist_ok=True)
        foreign = sorted({*entries(directory, own)} - {*own})
    if foreign:
        raise FileError("directory-not-empty", str(directory), "an empty directory", foreign[0])


def entries(directory: Path, own: Collection[str], at: str = "") -> Iterator[str]:
    """The paths of what is in a directory, and in those of its directories that are among `own`."""
    for entry in directory.iterdir():
        name = f"{at}{entry.name}"
        yield name
        if name in own and entry.is_dir():
            yield from entries(entry, own, f"{name}/")
