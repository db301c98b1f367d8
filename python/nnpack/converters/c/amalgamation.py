"""The C runtime as one file, with no more of it than some operators need."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from nnpack.version import __version__

_CORE = ("names", "errors", "msgpack", "sha256", "tensors", "header", "graph", "rules", "open", "workspace")
"""What every model needs, in the order in which it is read best."""

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include "([^"]+)".*\n', re.M)
_SUFFIXES = ("", "_f32", "_f64", "_i8", "_i32", "_i64", "_u8", "_integers")
"""What the names of functions that are written once for several types end in."""


@cache
def sources() -> Path:
    """The directory of the runtime's sources: data of the package, in the repository c/."""
    inside = Path(__file__).parents[2] / "c"
    return inside if inside.is_dir() else Path(__file__).parents[4] / "c"


def header() -> str:
    """nnp.h."""
    return (sources() / "include" / "nnp.h").read_text("utf-8")


def runtime(names: Iterable[str], *, float64: bool, states: bool, storage: bool) -> str:
    """nnp.c: the runtime with these operators.

    Args:
        names: of the operators, such as "dense".
        float64: whether values or weights are float64.
        states: whether models have states.
        storage: whether weights are stored as float16, as bfloat16 or quantized.
    """
    names = sorted(names)
    files = _needed(names)
    families = sorted({family for families, members in _families() for family in families if members & set(names)})
    options = {"NNP_ALL": 0, **dict.fromkeys(families, 1), "NNP_WITH_FLOAT64": float64, "NNP_STATES": states}
    options["NNP_STORAGE"] = storage
    text = _Text()
    parts = [
        f"/* nnpack {__version__}: the C runtime, with the operators {', '.join(names)}.\n"
        " * Made by `nnpack convert`; the sources are those of nnpack's c/src. */\n",
        *(f"#ifndef {name}\n#define {name} {int(value)}\n#endif\n" for name, value in options.items()),
        # of the files only some functions are needed; the others are left out when this is compiled
        '#ifdef __GNUC__\n#pragma GCC diagnostic ignored "-Wunused-function"\n#endif\n',
        text.included("src/internal.h"),
        *(text.unit(file) for file in files),
        _table(names),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def _table(names: list[str]) -> str:
    entries = "".join(f"    &nnp_{name},\n" for name in names)
    return (
        f"/* The operators that are built in. */\nconst nnp_operator *const nnp_operators[] = {{\n{entries}}};\n"
        f"const size_t nnp_operator_count = {len(names)};\n"
    )


# Which files are needed


@cache
def _read(file: str) -> str:
    return (sources() / file).read_text("utf-8")


@cache
def _closure(file: str) -> str:
    """A file with all that it includes but headers."""
    return _INCLUDE.sub(lambda match: _closure(_path(file, match[1])) if match[1].endswith(".inc") else "", _read(file))


def _path(file: str, included: str) -> str:
    """What an include in a file means, as a path below sources()."""
    for folder in (Path(file).parent, Path("src"), Path("include")):
        if (sources() / folder / included).is_file():
            return str((sources() / folder / included).resolve().relative_to(sources().resolve()))
    raise FileNotFoundError(included)


def _units() -> list[str]:
    root = sources()
    found = [*(root / "src").glob("*.c"), *(root / "src" / "ops").glob("*.c")]
    return sorted(str(path.relative_to(root)) for path in found if path.stem not in ("nnp_file", "operators"))


@cache
def _defines() -> dict[str, str]:
    """Every function and operator that a file defines for others -> the file."""
    found = {}
    for file in _units():
        text = _closure(file)
        names = re.findall(r"^(?!static\b|typedef\b|extern\b|#)[a-z][\w \*]*?\b(nnp_\w+)\(", text, re.M)
        names += [f"nnp_{name}{end}" for name in _templated(text, shared=True) for end in _SUFFIXES[1:]]
        found.update(dict.fromkeys(names, file))
    for name in operators():
        found[f"nnp_{name}"] = next(file for file in _units() if _defines_operator(_closure(file), name))
    return found


@cache
def operators() -> tuple[str, ...]:
    """The names of all operators of the runtime."""
    return tuple(re.findall(r"&nnp_(\w+)", _read("src/operators.c")))


def _defines_operator(text: str, name: str) -> bool:
    named = re.search(rf"^const nnp_operator nnp_{name}\b", text, re.M)
    return bool(named or re.search(rf"^[A-Z][A-Z_]*\({name}[,)]", text, re.M))


def _templated(text: str, *, shared: bool) -> set[str]:
    """The names of functions that are written once for several types."""
    names = set(re.findall(r"^(?![#\s]|[A-Z_]{2,}\()[^\n=;]*?\b[A-Z]\((\w+)\)\(", text, re.M)) | set(
        re.findall(r"^[A-Z][A-Z_]*\((\w+)[,)]", text, re.M)
    )
    return {name.removeprefix("nnp_") if shared else name for name in names if name.startswith("nnp_") == shared}


def _needed(names: list[str]) -> list[str]:
    """The files of the core, and those that these operators need."""
    core = [f"src/{name}.c" for name in _CORE]
    queue = [*core, *(_defines()[f"nnp_{name}"] for name in names)]
    needed: list[str] = []
    table = {f"nnp_{name}" for name in operators()}
    while queue:
        file = queue.pop(0)
        if file in needed:
            continue
        needed.append(file)
        text = _closure(file)
        used = {name for name in re.findall(r"\bnnp_\w+", text) if name not in table}
        used |= {f"{name}_f32" for name in re.findall(r"\b[A-Z]\((nnp_\w+)\)", text)}
        queue += [_defines()[name] for name in sorted(used) if name in _defines()]
    rest = [file for file in needed if file not in core]
    return [*core, *sorted(rest)]


@cache
def _families() -> list[tuple[list[str], set[str]]]:
    """The families that operators are built in with, and these operators: the sections of the table."""
    sections = re.findall(r"^#if (.*)\n((?:.*\n)*?)#endif", _read("src/operators.c"), re.M)
    return [
        (re.findall(r"NNP_\w+", condition), set(re.findall(r"&nnp_(\w+)", entries))) for condition, entries in sections
    ]


# One file of many


class _Text:
    """Files as one text: each header once, and what is written for several types wherever it is included."""

    def __init__(self) -> None:
        self._headers: set[str] = set()

    def included(self, file: str) -> str:
        """A file with what it includes."""
        if file == "include/nnp.h":
            return '#include "nnp.h"\n'
        again = file.endswith((".inc", "real32.h", "real64.h"))
        if not again and file in self._headers:
            return ""
        self._headers.add(file)
        return _INCLUDE.sub(lambda match: self.included(_path(file, match[1])), _read(file))

    def unit(self, file: str) -> str:
        """A source file, whose own names do not meet those of another."""
        stem = Path(file).stem
        members = set(re.findall(r"(?:\.|->)(\w+)", _closure(file)))  # which may be those of a shared type
        own = sorted(_own(file) - members)
        macros = sorted(set(re.findall(r"^[ \t]*#[ \t]*define (\w+)", _read(file), re.M)))
        text = [f"/* {file} */"]
        text += [f"#define {name} {name}_of_{stem}" for name in own]
        text.append(self.included(file))
        text += [f"#undef {name}" for name in (*own, *macros)]
        return "\n".join(text) + "\n"


@cache
def _own(file: str) -> frozenset[str]:
    """The names that a file has for itself: functions, types, constants."""
    text = re.sub(r"/\*.*?\*/", "", _closure(file), flags=re.S)
    names = set(re.findall(r"^(?:static|typedef)\b[^\n=;]*?\b(\w+)(?:\(|\[)", text, re.M))
    names |= set(re.findall(r"^\} (\w+)(?:\[[^\]]*\])?(?: =|;)", text, re.M))
    names |= set(re.findall(r"^static const [\w \*]+?\b(\w+)(?: =|\[)", text, re.M))
    for constants in re.findall(r"^(?:typedef )?enum(?: \w+)? \{(.*?)\}", text, re.M | re.S):
        names |= set(re.findall(r"(?:^|,)\s*([A-Za-z_]\w*)", constants))
    names |= {name + end for name in _templated(text, shared=False) for end in _SUFFIXES[1:]}
    return frozenset(name for name in names if not name.startswith("nnp_") and len(name) > 1)
