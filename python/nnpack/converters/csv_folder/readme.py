"""The page that goes with the CSV files: how to compute this very model with nothing else at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple

from nnpack.converters.csv_folder import cells
from nnpack.converters.formulas import ABSENT, FORMULAS, NOTATION, activation, input_names, output_names
from nnpack.errors import printable
from nnpack.format.document import Document, Layer, Quantization, Value, show
from nnpack.ops import OPERATORS

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

INLINE = 12
"""The most numbers that stand in the page itself."""

_INDENT = " " * 4
_LABEL = 22  # characters, with the spaces behind it


class Example(NamedTuple):
    """The values of the graph for one row, by name; where there are none, why."""

    values: Mapping[str, Array]
    missing: str = ""


_PAGE = Template("""\
$name: a trained network as CSV files
$rule

This folder holds all that the network computes with. What follows says how to compute it, in any language, for this
very model: ${count}. No other program is needed.

  README.txt   this page
  model.json   the header of the .nnpack file that this was made from, and which file holds which tensor
  weights/     a CSV file for each tensor that the layers use
$folders
nnpack makes the same .nnpack file of this folder again, byte for byte, and refuses a number that was changed:
  nnpack convert FOLDER --to nnpack -o m.nnpack


THE FILES

Numbers have a "." before their fraction and "," between them; there is no line of names above them. A vector is one
line. A matrix has a line for each row. Of an array of more axes, the last axis is a line; the lines follow each other
in C order: the axis before the last varies fastest, the first one slowest. So element [i, j, k] of an array (a, b, c)
is cell k (from 0) of line i * b + j (from 0). A scalar is one cell. The bias of a dense layer is one line, whose cells
belong to the columns of its kernel. With awk, from the file of a matrix:
  awk -F, '{ for (i = 1; i <= NF; i++) w[NR - 1, i - 1] = $$i }'

$storage

HOW TO READ THE FORMULAS

$notation

INPUTS AND OUTPUTS

$ends

LAYERS

Compute them in this order. x, x1, ... are what a layer reads, y is what it makes; "batch" in a shape is the number of
rows. An attribute or a weight is called by its name.
$example
$layers""")

_STORAGE = {
    "float32": """\
float32: cells have the fewest digits that tell a number from all others of float32. Read as double precision they are
off by less than 1 part in 10 million.""",
    "float64": "float64: cells have the fewest digits that tell a number from all others; compute in double precision.",
    "float16": """\
float16: cells have the fewest digits that tell a number from all others of float16, so that each has to be rounded to
the nearest of them first. For a cell v other than 0 (floor of the logarithm to base 2; round half to even):
  step = 2 ^ (max(floor(log2(|v|)), -14) - 10);  number = round(v / step) * step""",
    "bfloat16": """\
bfloat16: cells have the fewest digits that tell a number from all others of bfloat16, so that each has to be rounded to
the nearest of them first. For a cell v other than 0 (floor of the logarithm to base 2; round half to even):
  step = 2 ^ (max(floor(log2(|v|)), -126) - 7);  number = round(v / step) * step""",
    "bool": "bool: 1 is true, 0 is false.",
    "string": 'string: each text stands between double quotes; a double quote in it is written "".',
}
_QUANTIZED = """\
int8 with a scale: the number that a layer computes with is (cell - zero_point[c]) * scale[c], where c is the index
along the axis that is named, or (cell - zero_point) * scale where none is."""
_NOT_FINITE = 'Numbers that are not finite are "nan", "inf" and "-inf".'


def readme(document: Document, places: Mapping[str, str], shown: Mapping[str, str], example: Example) -> str:
    """The text of README.txt.

    Args:
        document: the model.
        places: the name of each tensor -> its file.
        shown: the name of each value of the example -> its file.
        example: the example row.
    """
    return _Page(document, places, shown, example).text()


class _Page:
    def __init__(
        self, document: Document, places: Mapping[str, str], shown: Mapping[str, str], example: Example
    ) -> None:
        self.document, self.places, self.shown, self.example = document, places, shown, example
        self.explained: dict[str, str] = {}  # formulas of several lines -> the layer that has them

    def text(self) -> str:
        layers = self.document.layers
        title = printable(self.document.name)
        return _PAGE.substitute(
            name=title,
            rule="=" * (len(title) + len(": a trained network as CSV files")),
            count=f"{len(layers)} layer{'s' if len(layers) != 1 else ''}",
            folders=self.folders(),
            storage=self.storage(),
            notation=NOTATION,
            ends=self.ends(),
            example=self.about_example(),
            layers="\n".join(self.layer(number, layer) for number, layer in enumerate(layers, 1)),
        )

    # What there is

    def folders(self) -> str:
        lines = []
        if self.document.selftest:
            lines.append(
                "  selftest/    rows of input, expected outputs and their tolerances, which travel in the file"
            )
        if self.shown:
            lines.append("  example/     every value below for one row of input")
        return "".join(f"{line}\n" for line in lines)

    def storage(self) -> str:
        """How the types that occur are read."""
        tensors = self.document.tensors.values()
        dtypes = {*(tensor.dtype for tensor in tensors), *(value.dtype for value in self.document.values.values())}
        told = [text for dtype, text in _STORAGE.items() if dtype in dtypes]
        if any(tensor.quantization for tensor in tensors):
            told.append(_QUANTIZED)
        return "\n".join([*told, _NOT_FINITE]) + "\n"

    def ends(self) -> str:
        document = self.document
        rows = [_row("input", self.value(value)) for value in document.inputs]
        for state in document.states:
            rows.append(_row("state", self.value(state.input)))
            rows.append(_row("", f"at first it is {self.place(state.initial)}, for every row;"))
            rows.append(_row("", f"after a call it becomes the value {printable(state.output)}, for the next call"))
        rows += [_row("output", self.value(document.values[name])) for name in document.outputs]
        return "\n".join(rows) + "\n"

    def about_example(self) -> str:
        if self.example.missing:
            return f"There is no example: {printable(self.example.missing)}\n"
        sizes = {"batch": 1}
        for name, array in self.example.values.items():
            shape = self.document.values[name].shape
            sizes.update({n: m for n, m in zip(shape, array.shape, strict=True) if isinstance(n, str)})
        chosen = ", ".join(f"{printable(symbol)} = {size}" for symbol, size in sizes.items())
        first = ", before which all states are as at first" if self.document.states else ""
        return (
            f"In example/ there is every value for one row{first}: {chosen}.\n"
            f"Values of {INLINE} elements or fewer stand here too, in C order. They were computed in their own types,\n"
            "so that float32 differs from what double precision gives behind the sixth or seventh digit.\n"
        )

    # Layers

    def layer(self, number: int, layer: Layer) -> str:
        values = [self.document.values[name] for name in layer.inputs]
        rows = [f"{number}. {printable(layer.name)}: {layer.op.partition('@')[0]}"]
        for name, value in zip(input_names(layer.op, [value.dtype for value in values]), values, strict=True):
            rows.append(_row(name, f"{printable(value.name)}, {value}"))
        for role in OPERATORS[layer.op].weights:
            rows += self.weight(role, layer.weights.get(role))
        for name in OPERATORS[layer.op].attributes:
            rows.append(_attribute(name, layer.attributes[name]))
        rows += self.formula(layer)
        for name, value in zip(output_names(layer.op, len(layer.outputs)), layer.outputs, strict=True):
            rows.append(_row(name, self.value(value)))
        return "\n".join(rows) + "\n"

    def formula(self, layer: Layer) -> list[str]:
        """The formula, once for each operator where it is long."""
        lines = FORMULAS[layer.op].split("\n")
        if len(lines) > 2:
            first = self.explained.setdefault(layer.op, layer.name)
            if first == layer.name:
                return [_row("formula", ""), *(f"{_INDENT * 2}{line}" for line in lines)]
            lines = [f"as for the layer {printable(first)}"]
        return [_row("formula" if i == 0 else "", line) for i, line in enumerate(lines)]

    def weight(self, role: str, name: str | None) -> Iterable[str]:
        if name is None:
            yield _row(role, f"none: {ABSENT[role]} in the formula")
            return
        yield _row(role, self.place(name))
        quantization = self.document.tensors[name].quantization
        if quantization:
            yield from self.quantization(quantization)

    def quantization(self, quantization: Quantization) -> Iterable[str]:
        axis = "" if quantization.axis is None else f", along axis {quantization.axis}"
        yield _row("", f"scale{axis}: {self.place(quantization.scale)}")
        yield _row("", f"zero_point{axis}: {self.place(quantization.zero_point)}")

    # Arrays

    def place(self, name: str) -> str:
        """Where a tensor is, and how it lies there."""
        tensor = self.document.tensors[name]
        lines, width = cells.lines_and_cells(tensor.shape)
        lie = f"{lines:,} line{'s' if lines > 1 else ''} of {width:,} cell{'s' if width > 1 else ''}"
        return f"{self.places[name]}, {tensor.dtype} {show(tensor.shape)}: {lie}"

    def value(self, value: Value) -> str:
        """What a value is, and what it is for the example row."""
        text = f"{printable(value.name)}, {value}"
        if value.name not in self.shown:
            return text
        array = self.example.values[value.name]
        if array.size > INLINE:
            return f"{text}\n{_row('', f'{self.shown[value.name]}, {show(array.shape)}')}"
        numbers = cells.texts(array.ravel(), value.dtype).tolist()
        return f"{text}\n{_row('', f'{self.shown[value.name]}, {show(array.shape)}:')}\n" + _row(
            "", ", ".join(printable(number.removesuffix(".0")) for number in numbers)
        )


def _row(label: str, text: str) -> str:
    return f"{_INDENT}{label:<{_LABEL - 1}} {text}".rstrip()


def _attribute(name: str, value: Any) -> str:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    return _row(name, f"{text}: {activation(text)}" if name.endswith("activation") else text)
