"""Bytes <-> path: files are mapped, not read, and appear whole or not at all."""

from __future__ import annotations

import errno
import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from nnpack.errors import FileError, FormatError, MissingFileError

Path = str | bytes | os.PathLike[str]

_CODES = {
    errno.ENOENT: "file-not-found",
    errno.ENOTDIR: "file-not-found",
    errno.EISDIR: "file-is-directory",
    errno.EACCES: "file-not-permitted",
    errno.EPERM: "file-not-permitted",
    errno.EROFS: "file-not-permitted",
    errno.ENOSPC: "disk-full",
    errno.EDQUOT: "disk-full",
    errno.EFBIG: "disk-full",
}


@contextmanager
def guarded(path: Path, expected: str) -> Iterator[None]:
    """Turns the operating system's errors about `path` into nnpack's."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        code = _CODES.get(error.errno or 0, "file-error")
        kind = MissingFileError if code == "file-not-found" else FileError
        fault = kind(code, shown(path), expected, error.strerror or error)
        fault.errno, fault.filename = error.errno, os.fspath(path)
        raise fault from error


def shown(path: Path) -> str:
    """A path as an error message shows it."""
    return os.fsdecode(path) or "''"


def _check_path(path: Path) -> None:
    try:
        usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise MissingFileError("file-not-found", ascii(path), "a path that the system can have", "another")


def _check_regular(path: Path, mode: int) -> None:
    """Refuses devices, pipes and sockets: nothing can be read back from them, and nothing may take their place."""
    if stat.S_ISDIR(mode):
        raise FileError("file-is-directory", shown(path), "a file", "a directory")
    if not stat.S_ISREG(mode):
        raise FileError("file-not-regular", shown(path), "a regular file", stat.filemode(mode))


def read(path: Path) -> memoryview:
    """Maps a file; its bytes are read when they are used.

    Raises:
        FileError: it is missing, a directory, no regular file, or not readable.
        FormatError: it is empty.
    """
    _check_path(path)
    with guarded(path, "a file that can be read"):
        _check_regular(path, os.stat(path).st_mode)  # before it is opened: opening a pipe waits for its writer
    with guarded(path, "a file that can be read"), open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if status.st_size == 0:
            raise FormatError("empty-file", "", "an nnpack file", "0 bytes")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


@contextmanager
def replacing(path: Path) -> Iterator[str]:
    """Gives the name of a temporary file beside `path`, and renames it to `path` when the block succeeds.

    Whatever fails, the temporary file is removed and a file that was at `path` stays as it was.

    Raises:
        FileError: the directory is missing or not writable, or `path` is a directory, a device, a pipe or a socket.
    """
    _check_path(path)
    path = os.fsdecode(path)
    target = os.path.realpath(path)  # a symbolic link stays one
    with guarded(path, "a file that can be written"):
        if not path or path.endswith(os.sep):
            raise FileError("file-is-directory", shown(path), "a file", "a directory")
        if os.path.exists(target):
            _check_regular(path, os.stat(target).st_mode)
        temporary = os.path.join(os.path.dirname(target), f".{os.urandom(6).hex()}.tmp")
        try:
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            yield temporary
            if os.path.exists(target):
                os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
            os.replace(temporary, target)
            _sync_directory(os.path.dirname(target))
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Writes pieces one behind the other and waits until the disk has them. `replacing` guards it."""
    with open(path, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: str) -> None:
    if os.name == "posix":  # so that the new name outlives a power failure
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
