"""Who may import whom, and what a program that only predicts has to load."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "nnpack"

# what each part may import of nnpack, beside itself
MAY = {
    "errors": set(),
    "version": set(),
    "format": {"errors"},
    "ops": {"errors", "format"},
    "engine": {"errors", "format", "ops"},
    "exporters": {"errors", "format", "ops", "engine", "version"},
    "reading": {"errors", "format", "ops", "engine"},
    "validation": {"errors", "format", "ops", "engine"},
    "writing": {"errors", "format", "ops", "engine", "reading", "exporters"},
    "conformance": {"errors", "format"},
    "converters": {"errors", "format", "ops", "engine", "reading", "version"},
    "difference": {"errors", "format"},
    "__init__": {"engine", "errors", "reading", "validation", "version", "writing"},
    "__main__": {"cli"},
}
EXTRAS = {
    *("keras", "tensorflow", "typer", "rich", "pyarrow", "matplotlib"),
    *("jsonschema", "referencing", "psutil", "hypothesis", "xlsxwriter"),
}
MAY_IMPORT_EXTRAS = {
    "exporters/keras": {"keras", "tensorflow"},
    "converters/spreadsheet": {"xlsxwriter"},
    "format/schema.py": {"jsonschema", "referencing"},
    "conformance": {"jsonschema", "referencing", "psutil", "hypothesis"},
}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_go_one_way(module):
    part = module.parts[0].removesuffix(".py")
    names = {name.split(".")[1] for name in imports(PACKAGE / module) if name.startswith("nnpack.")}
    if part != "cli":
        assert names - {part} <= MAY[part]
    extras = {name.partition(".")[0] for name in imports(PACKAGE / module)} & EXTRAS
    allowed = set().union(*(names for place, names in MAY_IMPORT_EXTRAS.items() if str(module).startswith(place)))
    if part != "cli":
        assert extras <= allowed


def test_predicting_loads_numpy_and_msgpack_only(tmp_path):
    from nnpack.format import container, files
    from nnpack.format.build import build
    from nnpack.format.document import Document, Layer, Value

    layer = Layer("y", "gelu@1", ("x",), (Value("y", "float32", ("batch", 2)),), {}, {"approximate": False})
    x = Value("x", "float32", ("batch", 2))
    document = Document("m", (x,), ("y",), (layer,), {}, {"name": "nnpack", "version": "1.0.0"})
    files.write(tmp_path / "m.nnpack", container.write((1, 0), *build(document)))
    code = (
        "import sys, numpy\nbefore = set(sys.modules)\nimport nnpack\n"
        f"nnpack.load({str(tmp_path / 'm.nnpack')!r}).predict([[1, 2]])\n"
        "print(*set(sys.modules) - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = done.stdout.split()
    loaded = {name.partition(".")[0] for name in modules}
    foreign = {name for name in loaded - set(sys.stdlib_module_names) if "cython" not in name}
    assert foreign - {"org"} == {"nnpack", "msgpack"}  # org: what the standard library asks Jython for
    assert "nnpack.ops.recurrent" not in modules  # families that the file has no operator of
