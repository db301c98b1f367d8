"""Writes the parts of the documents that follow from code: the operators, the example file, what is supported.

python spec/generate.py           writes them
python spec/generate.py --check   fails where one is out of date
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from nnpack.format import container
from nnpack.format.build import build
from nnpack.format.document import Document, Layer, Source, Tensor, Value
from nnpack.ops import OPERATORS
from nnpack.ops.operator import Operator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SPEC = Path(__file__).resolve().parent


def pages() -> dict[str, str]:
    """Operator id -> the name of its page, which is that of its schema."""
    found = {}
    for path in sorted((SPEC / "schema" / "1" / "ops").glob("*.schema.json")):
        schema = json.loads(path.read_text("utf-8"))
        for definition in schema["$defs"].values():
            found[definition["properties"]["op"]["const"]] = path.name.partition("@")[0]
    return found


def row(operator: Operator, page: str) -> str:
    least, most = operator.inputs
    inputs = f"{least}" if least == most else f"{least} to {most:,}"
    weights = ", ".join(role if required else f"{role} (may be absent)" for role, required in operator.weights.items())
    attributes = "; ".join(f"{name}: {attribute.kind}" for name, attribute in operator.attributes.items())
    return f"| `{operator.id}` | {inputs} | {weights} | {attributes} | [{page}](ops/{page}.md) |\n"


def table() -> str:
    known = pages()
    rows = [row(OPERATORS[op], known[op]) for op in sorted(OPERATORS, key=lambda op: (known[op], op))]
    return "| operator | inputs | weights | attributes | page |\n| --- | --- | --- | --- | --- |\n" + "".join(rows)


def example() -> str:
    """A whole small file, byte by byte, and its header as JSON."""
    weights = {"kernel": np.array([[2.0], [-1.0]], np.float32), "bias": np.array([0.5], np.float32)}
    tensors = {f"sum/{role}": Tensor(f"sum/{role}", "float32", array) for role, array in weights.items()}
    roles = {role: f"sum/{role}" for role in weights}
    document = Document(
        name="example",
        inputs=(Value("x", "float32", ("batch", 2)),),
        outputs=("y",),
        layers=(
            Layer("sum", "dense@1", ("x",), (Value("sum", "float32", ("batch", 1)),), roles, {}, Source("Dense", "y")),
            Layer("y", "relu@1", ("sum",), (Value("y", "float32", ("batch", 1)),), {}, {}, Source("Dense", "y")),
        ),
        tensors=tensors,
        producer={"name": "nnpack", "version": "1.0.0"},
    )
    fields, payload = build(document)
    data = b"".join(container.write(document.version, fields, payload))
    dump = "".join(f"{at:04x}  {data[at : at + 32].hex(' ')}\n" for at in range(0, len(data), 32))
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(fields[key], sort_keys=True)}" for key in sorted(fields))
    shown = "{\n" + lines.replace('}, {"', '},\n  {"') + "\n}"
    return (
        f"```json\n{shown}\n```\n\nIts {len(data)} bytes, 32 a line:\n\n```hex\n{dump}```\n\n"
        "For the row (1, 3) it predicts relu(2·1 − 3 + 0.5) = 0, for (2, 1) it predicts 3.5.\n"
    )


def supported() -> str:
    """What becomes of each class of keras.layers and of each function of keras.ops."""
    from nnpack.exporters.keras import coverage, coverage_layers
    from nnpack.exporters.keras.refusals import REFUSED

    def listed(names: Iterable[str]) -> str:
        return ", ".join(f"`{name}`" for name in sorted(names))

    def reasons(refused: Mapping[str, str]) -> str:
        by_reason: dict[str, list[str]] = {}
        for name, reason in refused.items():
            by_reason.setdefault(reason, []).append(name)
        return "; ".join(f"{listed(names)} ({reason})" for reason, names in sorted(by_reason.items()))

    rows = [
        ("layers, exported", listed(coverage_layers.EXPORTED)),
        ("layers that vanish at inference", listed(coverage_layers.VANISHING)),
        ("layers, refused", reasons(REFUSED)),
        ("activations", "every function of `keras.activations`"),
        ("operations, exported", listed(coverage.EXPORTED)),
        ("operations, refused", reasons(coverage.REFUSED)),
    ]
    return "| | |\n| --- | --- |\n" + "".join(f"| **{what}** | {names} |\n" for what, names in rows)


PARTS: list[tuple[Path, str, Callable[[], str]]] = [
    (SPEC / "README.md", "operators", table),
    (SPEC / "format.md", "example", example),
    (SPEC.parent / "README.md", "supported", supported),
    (SPEC / "keras.md", "supported", supported),
]


def generated(text: str, mark: str, part: str) -> str:
    """A document with the part between its marks as it should be."""
    start, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->\n"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}\n{part}\n{end}{after}"


def main(arguments: list[str]) -> int:
    stale = 0
    for path, mark, part in PARTS:
        text = path.read_text("utf-8")
        new = generated(text, mark, part())
        if new == text:
            continue
        if "--check" in arguments:
            sys.stderr.write(f"{path.name} is out of date: run python spec/generate.py\n")
            stale = 1
        else:
            path.write_text(new, "utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
