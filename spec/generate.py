"""Writes the list of operators in README.md, from the operators of the package.

python spec/generate.py           writes it
python spec/generate.py --check   fails where it is out of date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nnpack.ops import OPERATORS
from nnpack.ops.operator import Operator

SPEC = Path(__file__).parent
README = SPEC / "README.md"
START, END = "<!-- operators -->\n", "<!-- /operators -->\n"


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


def generated(text: str) -> str:
    """The text of README.md with the list as it should be."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n{table()}\n{END}{after}"


def main(arguments: list[str]) -> int:
    text = README.read_text("utf-8")
    if "--check" not in arguments:
        README.write_text(generated(text), "utf-8")
    elif generated(text) != text:
        sys.stderr.write("spec/README.md is out of date: run python spec/generate.py\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
