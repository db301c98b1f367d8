"""The commands and their options."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from nnpack.cli import conformance
from nnpack.cli.faults import as_dict, print_json, reported
from nnpack.errors import FileError, InputError, printable
from nnpack.format.digest import sha256
from nnpack.format.files import read, replacing, write
from nnpack.format.limits import BATCH, MAJOR, MINOR
from nnpack.version import __version__

if TYPE_CHECKING:
    from nnpack.engine.model import Model
    from nnpack.exporters.keras import Comparison, Exported
    from nnpack.format.document import Document, Tensor
    from nnpack.format.dtypes import Array

P = ParamSpec("P")

app = typer.Typer(
    help="The file a trained neural network travels in when there is no Keras at the other end.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

app.add_typer(conformance.app, name="conformance")


class Storage(str, Enum):
    """The storage types of weights."""

    float32 = "float32"
    float16 = "float16"
    bfloat16 = "bfloat16"
    int8 = "int8"


KerasFile = Annotated[str, typer.Argument(metavar="MODEL.keras", help="A file that keras.Model.save wrote.")]
ModelFile = Annotated[str, typer.Argument(metavar="MODEL.nnpack", help="An nnpack file.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"nnpack {__version__} (format {MAJOR}.{MINOR})")
        raise typer.Exit


@app.callback()
def nnpack(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
@reported
def export(
    keras_file: KerasFile,
    path: Annotated[str, typer.Argument(metavar="MODEL.nnpack", help="The file to write.")],
    weights: Annotated[Storage, typer.Option(help="How weights are stored.")] = Storage.float32,
    selftest: Annotated[
        bool, typer.Option("--selftest/--no-selftest", help="Let rows and their expected outputs travel in the file.")
    ] = True,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Predict with Keras and with the file, and compare.")
    ] = True,
    json_output: Json = False,
) -> None:
    """Write a Keras model as an nnpack file, and prove that both predict the same."""
    from nnpack.cli.keras_models import load_keras

    _distinct(path, keras_file)
    keras_model = load_keras(keras_file)
    from nnpack import dump

    report = dump(keras_model, path, weights=weights.value, selftest=selftest, verify=verify)
    facts: dict[str, Any] = {
        "file": report.path,
        "nbytes": report.nbytes,
        "sha256": report.sha256,
        "comparison": None if report.comparison is None else _compared(report.comparison),
        "storage": weights.value,
        "storage_errors": dict(report.storage_errors),
    }
    if json_output:
        print_json(facts)
        return
    from nnpack.cli import show

    lines = [("File", f"{report.path} ({report.nbytes:,} bytes)"), ("SHA-256", report.sha256)]
    for name, error in report.storage_errors.items():
        lines.append((f"{weights.value} weights", f"move {name} by at most {error:.3g} from float32"))
    if report.comparison is None:
        lines.append(("Keras", "not compared"))
    else:
        show.comparison(facts["comparison"])
    show.show(*show.fields(lines))


@app.command()
@reported
def info(path: ModelFile, json_output: Json = False) -> None:
    """Show layers, weights, inputs and outputs of a file."""
    from nnpack import load

    facts = _facts(path, load(path).document)
    if json_output:
        print_json(facts)
        return
    from nnpack.cli import show

    show.info(facts)


@app.command()
@reported
def validate(path: ModelFile, json_output: Json = False) -> None:
    """Check a file against the format and print every fault; exit code 1 when there is one."""
    from nnpack import validate as faults_of

    faults = faults_of(path)
    if json_output:
        print_json({"file": path, "valid": not faults, "faults": [as_dict(fault) for fault in faults]})
    else:
        for fault in faults:
            print(printable(str(fault)))
        if not faults:
            print(f"{printable(path)}: valid")
    if faults:
        raise typer.Exit(1)


@app.command()
@reported
def predict(
    path: ModelFile,
    data: Annotated[str, typer.Argument(metavar="X", help="The inputs: .npy, .npz, .csv or .parquet.")],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="Y", help="The file to write: .npy, .npz, .csv or .parquet.")
    ],
    batch_size: Annotated[int | None, typer.Option(min=1, help="Rows predicted at a time.")] = None,
    outputs: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A value of the graph to write instead of the outputs; may be repeated."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar, no summary.")] = False,
) -> None:
    """Predict rows of a table of any size, in bounded memory."""
    from nnpack import load
    from nnpack.cli import show, tables

    tables.kind_of(output)
    _distinct(output, data, path)
    model = _answering(load(path), outputs)
    rows = 0
    with (
        tables.open_reader(data, model.inputs) as reader,
        tables.open_writer(output, model.outputs) as writer,
        show.progress(quiet) as bar,
    ):
        for arrays in reader.chunks(max(batch_size or 1, _chunk_rows(model.document))):
            answer = model.predict(arrays if len(arrays) > 1 else arrays[0], batch_size=batch_size)
            writer.write(answer if len(model.outputs) > 1 else [answer])
            rows += len(arrays[0])
            bar.advance(rows, reader.fraction(rows))
        bar.advance(rows, 1.0)
    if not quiet:
        print(f"{printable(output)}: {rows:,} rows of {', '.join(printable(value.name) for value in model.outputs)}")


@app.command()
@reported
def verify(
    path: ModelFile,
    keras_file: KerasFile,
    data: Annotated[
        str | None,
        typer.Option(metavar="X", help="The inputs: .npy, .npz, .csv or .parquet; without it, random ones."),
    ] = None,
    plot: Annotated[str | None, typer.Option(metavar="PNG", help="Draw Keras predict against nnpack predict.")] = None,
    html: Annotated[
        str | None, typer.Option(metavar="PAGE", help="Write a page of pictures and tables, layer by layer.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Compare a file with the Keras model that it was made from; exit code 1 when they diverge."""
    from nnpack import load
    from nnpack.cli.keras_models import load_keras

    for written in filter(None, (plot, html)):
        _distinct(written, path, keras_file, *([data] if data else []))
    model = load(path)
    inputs = None if data is None else _whole_table(data, model)
    keras_model = load_keras(keras_file)
    from nnpack.exporters.keras import compare
    from nnpack.exporters.keras import export as lowered

    exported = lowered(keras_model)
    arrays = _rows_to_compare(inputs, model, exported)
    comparison = compare(keras_model, model, arrays, exported=exported)
    facts = {"file": path, **_compared(comparison)}
    note = _storage_note(model.document)
    if plot:
        from nnpack.cli.plot import parity_plot

        pairs = {
            name: (y, comparison.nnpack[name])
            for name, y in comparison.keras.items()
            if name in comparison.nnpack and y.shape == comparison.nnpack[name].shape
        }
        largest = max(output.largest_error for output in comparison.outputs)
        parity_plot(pairs, plot, f"{model.name}, {comparison.rows:,} rows: largest difference {largest:.3g}")
    if html:
        from nnpack.cli.parity import measure
        from nnpack.cli.parity_report import parity_page

        parity = measure(comparison, exported, model, arrays)
        told = _origins(path, keras_file, data, model.document)
        page = parity_page(model.name, comparison, parity, told, note)
        with replacing(html) as temporary:
            write(temporary, [page.encode()])
    if json_output:
        print_json({**facts, "plot": plot, "html": html})
    else:
        from nnpack.cli import show

        show.comparison(facts)
        show.show(*(f"{kind}: {written}" for kind, written in (("Plot", plot), ("Page", html)) if written))
        if note:
            show.show(note)
        if not comparison.agrees:
            layer = comparison.diverging
            show.show("They diverge." if layer is None else f"They diverge: the first layer that does is {layer}.")
    if not comparison.agrees:
        raise typer.Exit(1)


class _Different(typer.Exit):
    """The end of a comparison that found a difference, which is no trouble."""


def _as_diff_counts(command: Callable[P, None]) -> Callable[P, None]:
    """A command whose exit code 1 says that two files differ, so that trouble is 2."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except _Different:
            raise
        except typer.Exit as stop:
            raise typer.Exit(2 if stop.exit_code == 1 else stop.exit_code) from None

    return wrapper


@app.command()
@_as_diff_counts
@reported
def diff(
    a: Annotated[str, typer.Argument(metavar="A.nnpack", help="An nnpack file.")],
    b: Annotated[str, typer.Argument(metavar="B.nnpack", help="Another one.")],
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="Weights whose numbers move by at most that count as equal.")
    ] = 0.0,
    json_output: Json = False,
) -> None:
    """Show what differs between two files; exit code 0 for the same model, 1 for another one, 2 for trouble."""
    from nnpack.cli import difference_report
    from nnpack.difference import difference
    from nnpack.reading import opened

    data_a, data_b = read(a), read(b)
    found = difference(opened(data_a).document, opened(data_b).document, tolerance)  # a self-test may well fail
    verdict = "identical" if data_a == data_b else found.verdict
    if json_output:
        print_json({"a": a, "b": b, **difference_report.facts(found, verdict)})
    else:
        difference_report.tell(found, verdict)
    if verdict not in ("identical", "same"):
        raise _Different(1)


class Target(str, Enum):
    """What a file can be converted to."""

    c = "c"
    csv = "csv"
    npz = "npz"
    xlsx = "xlsx"
    nnpack = "nnpack"


@app.command()
@reported
def convert(
    path: Annotated[str, typer.Argument(metavar="FILE", help="An nnpack file; or a CSV folder or .npz to read back.")],
    to: Annotated[
        Target,
        typer.Option(
            "--to",
            help="c: C sources, the model and a runtime for it. csv: a folder of tables with an explanation. "
            "npz: the weights as arrays. xlsx: a spreadsheet that computes. nnpack: back from csv or npz.",
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", metavar="OUT", help="The file or directory to write.")],
    rows: Annotated[int, typer.Option(min=1, help="Of xlsx: how many rows a person can type.")] = 10,
    cells: Annotated[int, typer.Option(min=1, help="Of xlsx: the most cells that the model may take.")] = 200_000,
) -> None:
    """Write a file in another form, for places where nnpack cannot be; and back."""
    from nnpack.converters import c, csv_folder, npz, spreadsheet

    _distinct(output, path)
    if to is Target.c:
        c.convert(path, output)
    elif to is Target.csv:
        csv_folder.write(path, output)
    elif to is Target.npz:
        npz.write(path, output)
    elif to is Target.xlsx:
        spreadsheet.write(path, output, rows=rows, cells=cells)
    else:
        data = csv_folder.read(path) if os.path.isdir(path) else npz.read(path)
        write(output, [data])
    print(f"{printable(output)}: {printable(path)} as {to.value}")


def _distinct(output: str, *inputs: str) -> None:
    """Refuses to write over a file that is read."""
    for path in inputs:
        if os.path.exists(output) and os.path.exists(path) and os.path.samefile(output, path):
            raise FileError("file-same", output, "another file than is read", path)


def _rows_to_compare(inputs: Any, model: Model, exported: Exported) -> list[Array]:
    """An array for each input: those given, or varied ones that are always the same."""
    from nnpack.engine.samples import sample_inputs

    return model.fitted(sample_inputs(model.document, rows=exported.graph.rows) if inputs is None else inputs)


def _storage_note(document: Document) -> str:
    from nnpack.format.storage import stored_as

    storage = stored_as(document)
    if storage == "float32":
        return ""
    return f"The file stores weights as {storage}, which moves numbers; it was judged by what that makes of them."


def _origins(path: str, keras_file: str, data: str | None, document: Document) -> dict[str, str]:
    """What was compared, and by what, for the foot of a page."""
    import platform

    import keras
    import numpy

    producer = document.producer
    return {
        "File": path,
        "SHA-256": sha256([read(path)]),
        "Written by": f"{producer['name']} {producer['version']}, format {'.'.join(map(str, document.version))}",
        "Keras file": keras_file,
        "Its SHA-256": sha256([read(keras_file)]),
        "Rows": data or "varied rows that are always the same",
        "Versions": f"nnpack {__version__}, Keras {keras.__version__} on {keras.backend.backend()}, "
        f"numpy {numpy.__version__}, Python {platform.python_version()}",
    }


def _answering(model: Model, outputs: list[str] | None) -> Model:
    """The model that answers with these values, as a plain list, planned once for all chunks."""
    from nnpack.engine.model import Model

    document = model.document
    names = list(dict.fromkeys(document.outputs if outputs is None else outputs))
    for name in names:
        if name not in document.values:
            raise InputError("output-name", "--outputs", f"one of {', '.join(document.values)}", repr(name))
        if document.values[name].shape[:1] != (BATCH,):
            raise InputError("output-name", "--outputs", f"a value with the axis {BATCH!r}", str(document.values[name]))
    changed = document._replace(outputs=tuple(names), output_structure=None, selftest=None)
    return Model(changed)


def _chunk_rows(document: Document) -> int:
    """How many rows are read and written at a time: as many as make the widest value a few megabytes."""
    from math import prod

    from nnpack.engine.model import CHUNK_ELEMENTS

    widest = max(prod(n for n in value.shape if isinstance(n, int)) for value in document.values.values())
    return max(1, CHUNK_ELEMENTS // widest)


def _whole_table(path: str, model: Model) -> Any:
    """What a table holds, as Model.predict takes it."""
    from nnpack.cli import tables

    arrays = tables.read_all(path, model.inputs, _chunk_rows(model.document))
    return arrays if len(arrays) > 1 else arrays[0]


def _compared(comparison: Comparison) -> dict[str, Any]:
    return {
        "agrees": bool(comparison.agrees),
        "rows": comparison.rows,
        "compared_rows": comparison.compared,
        "diverging": comparison.diverging,
        "outputs": [
            {
                "name": output.name,
                "largest_error": float(output.largest_error),
                "tolerance_use": float(output.tolerance_use),
                "at": [int(i) for i in output.at],
            }
            for output in comparison.outputs
        ],
    }


def _facts(path: str, document: Document) -> dict[str, Any]:
    """Everything that `info` tells."""
    data = read(path)
    makers = {value.name: layer.name for layer in document.layers for value in layer.outputs}
    used = dict.fromkeys(name for layer in document.layers for name in layer.weights.values())
    tensors = [document.tensors[name] for name in used]
    weights = [_stored(document, tensor) for tensor in tensors]
    test = document.selftest
    return {
        "file": path,
        "nbytes": len(data),
        "sha256": sha256([data]),
        "format": ".".join(map(str, document.version)),
        "producer": dict(document.producer),
        "name": document.name,
        "metadata": document.metadata,
        "inputs": [_value(value) for value in document.inputs],
        "outputs": [_value(document.values[name]) for name in document.outputs],
        "layers": [
            {
                "name": layer.name,
                "op": layer.op,
                "outputs": [_value(value) for value in layer.outputs],
                "weights": sum(document.tensors[name].array.size for name in layer.weights.values()),
                "connected_to": [makers.get(name, name) for name in layer.inputs],
                "source": {"class": layer.made_from.class_name, "name": layer.made_from.name},
            }
            for layer in document.layers
        ],
        "weights": weights,
        "total_weights": sum(tensor.array.size for tensor in tensors),
        "total_weight_bytes": sum(weight["nbytes"] for weight in weights),
        "requires": document.requires(),
        "selftest_rows": len(document.tensors[test.inputs[0]].array) if test else 0,
    }


def _value(value: Any) -> dict[str, Any]:
    return {"name": value.name, "dtype": value.dtype, "shape": list(value.shape)}


def _stored(document: Document, tensor: Tensor) -> dict[str, Any]:
    """How a weight is stored; its scale and zero point are part of it."""
    parts = [tensor]
    if tensor.quantization:
        parts += [document.tensors[tensor.quantization.scale], document.tensors[tensor.quantization.zero_point]]
    return {
        "name": tensor.name,
        "storage": tensor.dtype,
        "shape": list(tensor.shape),
        "nbytes": sum(part.array.nbytes for part in parts),
    }
