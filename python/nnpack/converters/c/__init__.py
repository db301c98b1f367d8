"""A model as a C program: the file as an array, and the runtime with the operators that it needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from math import prod
from pathlib import Path
from string import Template

from nnpack.converters.c import amalgamation
from nnpack.converters.directory import make
from nnpack.format import files
from nnpack.format.digest import sha256
from nnpack.format.document import Document, Value
from nnpack.format.limits import BATCH
from nnpack.reading import loads

FILES = ("Makefile", "README.md", "main.c", "model.c", "model.h", "nnp.c", "nnp.h", "sizes.c")
"""What is written."""

_BUILT = {"predict", "sizes", "sizes.h", "shapes", "main.o", "model.o", "nnp.o"}

_PER_LINE = 20


def convert(path: files.Path, directory: files.Path) -> None:
    """Writes a directory of C sources that predict with a file: `make && ./predict 1 2 3 4`.

    Where there is a C compiler, it measures how much flash and memory the program takes, which the README then says.

    Args:
        path: the nnpack file.
        directory: made where it does not exist; it may hold what an earlier call wrote, and what was built of that.

    Raises:
        FormatError: the file is damaged, or no nnpack file.
        SelfTestError: its self-test fails.
        FileError: a file cannot be read or written, or the directory holds something else.
    """
    data = bytes(files.read(path))
    document = loads(data).document  # a file that is at fault, or fails its self-test, is not converted
    target = Path(os.fsdecode(directory))
    make(target, {*FILES, *_BUILT})
    texts = _texts(data, document)
    texts["README.md"] = _readme(data, document, texts)
    for name in FILES:
        with files.replacing(target / name) as temporary:
            Path(temporary).write_text(texts[name], "utf-8")


def _texts(data: bytes, document: Document) -> dict[str, str]:
    requires = document.requires()
    operators = [item[3:].partition("@")[0] for item in requires if item.startswith("op:")]
    storage = {"dtype:float16", "dtype:bfloat16", "feature:quantization"}
    macros = list(_symbols(document).values())
    makefile = Template(_template("Makefile"))
    return {
        "Makefile": makefile.substitute(symbols=" ".join(macros), example=f"{macros[-1]}=5" if macros[1:] else "   "),
        "main.c": _template("main.c"),
        "sizes.c": _template("sizes.c"),
        "model.c": _array(data),
        "model.h": _model_header(data, document),
        "nnp.h": amalgamation.header(),
        "nnp.c": amalgamation.runtime(
            operators,
            float64="dtype:float64" in requires,
            states=bool(document.states),
            storage=not storage.isdisjoint(requires),
        ),
    }


def _template(name: str) -> str:
    return (Path(__file__).parent / name).read_text("utf-8")


# The model


def _array(data: bytes) -> str:
    rows = (data[at : at + _PER_LINE] for at in range(0, len(data), _PER_LINE))
    numbers = "\n".join("    " + " ".join(f"{byte}," for byte in row) for row in rows)
    return f'#include "model.h"\n\nconst union model_file model_file = {{{{\n{numbers}\n}}}};\n'


def _symbols(document: Document) -> dict[str, str]:
    """The symbols of the inputs -> the macros that say what they stand for."""
    names = {n: None for value in document.inputs for n in value.shape if isinstance(n, str)}
    macros: dict[str, str] = {}
    for name in names:
        macro = "ROWS" if name == BATCH else "DIM_" + (re.sub(r"\W", "_", name, flags=re.A).upper() or "_")
        while macro in macros.values():
            macro += "_"
        macros[name] = macro
    return macros


def _model_header(data: bytes, document: Document) -> str:
    macros = _symbols(document)
    defined = "".join(
        f"#ifndef {macro}\n#define {macro} 1 /* {_comment(name)} */\n#endif\n" for name, macro in macros.items()
    )
    shapes = ""
    for i, value in enumerate(document.inputs):
        dims = ", ".join(macros[n] if isinstance(n, str) else str(n) for n in value.shape)
        shapes += f"static const int32_t model_shape_{i}[] = {{{dims}}}; /* {_comment(value.name)} */\n"
    listed = ", ".join(f"model_shape_{i}" for i in range(len(document.inputs)))
    strings = [value.shape for value in document.inputs if value.dtype == "string"]
    texts = " + ".join(" * ".join(macros[n] if isinstance(n, str) else str(n) for n in shape) for shape in strings)
    return (
        f"/* {_comment(document.name)}: an nnpack file as an array, and the shapes of its inputs. */\n"
        "#ifndef MODEL_H\n#define MODEL_H\n\n#include <stdint.h>\n\n"
        f"#define MODEL_SIZE {len(data)}U\n#define MODEL_INPUTS {len(document.inputs)}\n\n"
        f"/* What the symbols of shapes stand for. */\n{defined}\n"
        f"#define MODEL_SYMBOLS(X) {' '.join(f'X({macro})' for macro in macros.values())}\n\n"
        f"/* How many elements are texts, and what predict takes. */\n#define MODEL_TEXTS ({texts or 0})\n"
        f'#define MODEL_USAGE "{_usage(document)}"\n\n'
        "/* Aligned as the largest numbers have to be, so that weights are used where they lie. */\n"
        "union model_file {\n    unsigned char bytes[MODEL_SIZE];\n    double alignment;\n"
        "    int64_t alignment_of_int64;\n};\n"
        "extern const union model_file model_file;\n#define model_data (model_file.bytes)\n\n"
        f"{shapes}static const int32_t *const model_shapes[] = {{{listed}}};\n\n#endif\n"
    )


def _comment(text: str) -> str:
    """A text that no comment ends in, and that fits into a line."""
    return (
        "".join(c if c.isprintable() else "?" for c in text)
        .replace("*/", "* /")
        .replace("/*", "/ *")
        .replace("??", "? ?")
    )


def _usage(document: Document) -> str:
    """What stands on the command line, in words that neither C nor a shell reads anything into."""
    counts = []
    for value in document.inputs:
        n, kind = _row_elements(value), "text" if value.dtype == "string" else "number"
        counts.append(f"{n} {kind}{'s' if n > 1 else ''}")
    return " and ".join(counts)


def _row_elements(value: Value) -> int:
    """The elements of a row, where symbols stand for 1."""
    return prod(n for n in value.shape if isinstance(n, int))


# The README


def _readme(data: bytes, document: Document, texts: dict[str, str]) -> str:
    operators = sorted({layer.op.partition("@")[0] for layer in document.layers})
    example = _example(document)
    return Template(_template("README.md")).substitute(
        name=_comment(document.name),
        file_bytes=f"{len(data):,}",
        sha256=sha256([memoryview(data)]),
        usage=example,
        operators=", ".join(operators) or "none",
        values=_values([("input", value) for value in document.inputs])
        + "\n"
        + "\n".join(_value("output", document.values[name]) for name in document.outputs),
        figures=_figures(texts),
        symbols="".join(
            f", `make {macro}=5` with {_comment(name)} 5" for name, macro in list(_symbols(document).items())[1:]
        ),
    )


def _values(pairs: Iterable[tuple[str, Value]]) -> str:
    return "| | name | dtype | shape |\n| --- | --- | --- | --- |\n" + "\n".join(_value(*pair) for pair in pairs)


def _value(kind: str, value: Value) -> str:
    name = _comment(value.name).replace("|", "\\|").replace("`", "'")
    return f"| {kind} | `{name}` | {value.dtype} | ({', '.join(map(str, value.shape))}) |".replace("\n", " ")


def _example(document: Document) -> str:
    """Arguments of a command line that shows a short model, or standard input for a long one."""
    elements = sum(map(_row_elements, document.inputs))
    return " ".join(str(i + 1) for i in range(elements)) if elements <= 12 else "- < numbers.txt"


_UNKNOWN = """\
Where this was made there was no C compiler: `make` writes `sizes.h`, and `size nnp.o model.o` tells the flash."""


def _figures(texts: dict[str, str]) -> str:
    """What a compiler of this machine makes of the sources: a table, or how to get one."""
    compiler = next(
        (name for name in (os.environ.get("CC", ""), "cc", "gcc", "clang") if name and shutil.which(name)), None
    )
    if compiler is None:
        return _UNKNOWN
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            Path(folder, name).write_text(text, "utf-8")
        try:
            _run([compiler, "-std=c99", "sizes.c", "model.c", "nnp.c", "-lm", "-o", "sizes"], folder)
            sizes = _run([str(Path(folder, "sizes"))], folder)
            Path(folder, "sizes.h").write_text(sizes, "utf-8")
            rows = [_flash(compiler, [], folder)]
        except (OSError, subprocess.SubprocessError):
            return _UNKNOWN
        if shutil.which("arm-none-eabi-gcc"):
            with suppress(OSError, subprocess.SubprocessError):  # a compiler without its C library
                rows.append(_flash("arm-none-eabi-gcc", ["-mcpu=cortex-m4", "-mthumb", "--specs=nosys.specs"], folder))
    memory = {name: int(n) for name, n in re.findall(r"#define (\w+)_BYTES (\d+)", sizes)}
    total = sum(memory.values())
    parts = {
        "the model": memory["MODEL"],
        "weights in another form": memory["PREPARED"],
        "the workspace": memory["WORKSPACE"],
        "values": memory["MEMORY"],
        "states": memory["STATE"],
        "inputs": memory["INPUT"],
    }
    listed = ", ".join(f"{what} {n:,}" for what, n in parts.items() if n)
    return (
        f"Memory: {total:,} bytes for one row ({listed}), with pointers of 64 bits; less with shorter ones.\n\n"
        "| flash, built with -Os | runtime | model |\n| --- | --- | --- |\n" + "\n".join(rows)
    )


def _run(command: list[str], folder: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=300)  # noqa: S603
    return done.stdout


def _flash(compiler: str, flags: list[str], folder: str) -> str:
    """A row of the table: bytes of code and constants that the linker keeps, libm and libc aside."""
    common = [compiler, "-std=c99", "-Os", "-ffunction-sections", "-fdata-sections", *flags]
    for name in ("main", "model", "nnp"):
        _run([*common, "-c", f"{name}.c", "-o", f"{name}.o"], folder)
    _run([*common, "main.o", "model.o", "nnp.o", "-lm", "-Wl,--gc-sections", "-Wl,-Map,map", "-o", "predict"], folder)
    text = Path(folder, "map").read_text("utf-8", "replace").partition("Linker script and memory map")[2]
    kept = dict.fromkeys(("nnp.o", "model.o"), 0)
    for section, size, name in re.findall(r"^ (\.\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S+)$", text, re.M):
        if section.startswith((".text", ".rodata", ".data.rel.ro")) and name in kept:
            kept[name] += int(size, 16)
    target = _run([compiler, "-dumpmachine"], folder).strip()
    machine = f"{target}, Cortex-M4" if "-mcpu=cortex-m4" in flags else target
    return f"| {machine} | {kept['nnp.o']:,} | {kept['model.o']:,} |"
