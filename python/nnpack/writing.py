"""Writing: Keras model or Model -> bytes or path, verified before anything appears."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nnpack.engine.accuracy import Sampled, evaluate
from nnpack.engine.model import Model
from nnpack.engine.samples import rows_of, sample_inputs
from nnpack.errors import ExportMismatchError, FormatError, ModelError, UnsupportedModelError
from nnpack.format import container, files
from nnpack.format.build import build
from nnpack.format.digest import sha256
from nnpack.format.document import Document, SelfTest, Tensor, finite
from nnpack.format.limits import MAJOR, MINOR, PAYLOAD_BYTES
from nnpack.format.storage import store
from nnpack.reading import aligned_view, opened

if TYPE_CHECKING:
    from nnpack.exporters.keras import Comparison, Exported
    from nnpack.format.dtypes import Array


SELFTEST_ROWS = 16
SELFTEST_BYTES = (2**10, 2**16)
"""A self-test takes an eighth of the weights' bytes at most, but always may take the first of these, never more
than the second."""


@dataclass(frozen=True)
class DumpReport:
    """What `dump` wrote, and how it was verified.

    Attributes:
        path: where the file is.
        nbytes: its size.
        sha256: the hash of the whole file, which names the model.
        comparison: Keras's numbers against the file's; None where there was nothing to compare.
        storage_errors: output name -> the largest difference that the storage type of the weights makes, on varied
            inputs; empty for float32.
    """

    path: str
    nbytes: int
    sha256: str
    comparison: Comparison | None = None
    storage_errors: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.path}: {self.nbytes:,} bytes, SHA-256 {self.sha256}"]
        if self.comparison and self.comparison.compared < self.comparison.rows:
            left = self.comparison.rows - self.comparison.compared
            lines.append(f"  {left} of {self.comparison.rows} rows leave float32's range and were not compared")
        for output in self.comparison.outputs if self.comparison and self.comparison.compared else ():
            part = f"{output.tolerance_use:.0%} of the tolerance"
            lines.append(f"  {output.name}: largest difference from Keras {output.largest_error:.3g}, {part}")
        for name, error in self.storage_errors.items():
            lines.append(f"  {name}: largest difference from float32 weights {error:.3g}")
        return "\n".join(lines)


def dump(
    model: Any,
    path: files.Path,
    *,
    weights: str = "float32",
    selftest: bool = True,
    verify: bool = True,
    target: tuple[int, int] | None = None,
    allow_nonfinite: bool = False,
    inputs: Any = None,
) -> DumpReport:
    """Writes a model to a file that predicts what the model predicts, or raises and writes nothing.

    The file is written under a temporary name, loaded, and compared with Keras on varied inputs; only then is it
    renamed to `path`. A file that was there before stays as it was until then.

    Args:
        model: a built Keras model, or an `nnpack.Model`.
        path: where to write; the directory must exist.
        weights: how to store float32 weights: "float32", "float16", "bfloat16" or "int8" (per channel, symmetric).
            What a `Model` already stores in another type stays as it is.
        selftest: whether to add a few rows of input with Keras's outputs, which `Model.selftest` predicts again.
            Large models get none. A `Model` keeps the self-test that it has, unless its weights change.
        verify: whether to compare with Keras on varied inputs. With False only the rows of the self-test are compared.
        target: the version (major, minor) that readers must need at most; None lets the model decide.
        allow_nonfinite: whether weights may be NaN or infinite; the file then says so.
        inputs: for a subclassed Keras model, the nest of `keras.Input`s (or `keras.InputSpec`s) that it is exported
            for; None takes the shapes that it was built with, as numbers of its own dtype.

    Returns:
        Size, hash, and the differences that were found.

    Raises:
        UnsupportedModelError: Keras's model cannot be exported; the error lists every reason.
        ModelError: `weights` or `target` is unknown or out of reach; weights are not finite or overflow.
        ExportMismatchError: the file would predict other numbers; the error names the first layer that diverges.
        FileError: the file cannot be written.

    Example:
        >>> nnpack.dump(model, "m.nnpack")
        >>> nnpack.load("m.nnpack").predict(x)

    Source: spec/format.md, spec/accuracy.md.
    """
    prepared = _Prepared(model, weights, selftest, target, allow_nonfinite, inputs)
    with files.replacing(path) as temporary:
        files.write(temporary, prepared.pieces)
        written = opened(files.read(temporary))
        comparison = prepared.verified(written, verify)
        errors = prepared.storage_errors(written)
    nbytes = sum(map(len, prepared.pieces))
    return DumpReport(os.fsdecode(path), nbytes, sha256(prepared.pieces), comparison, errors)


def dumps(
    model: Any,
    *,
    weights: str = "float32",
    selftest: bool = True,
    verify: bool = True,
    target: tuple[int, int] | None = None,
    allow_nonfinite: bool = False,
    inputs: Any = None,
) -> bytes:
    """The bytes that `dump` would write; arguments and errors as there."""
    prepared = _Prepared(model, weights, selftest, target, allow_nonfinite, inputs)
    data = b"".join(prepared.pieces)
    prepared.verified(opened(aligned_view(data)), verify)
    return data


class _Prepared:
    """A model on its way into a file."""

    def __init__(
        self,
        model: Any,
        weights: str,
        selftest: bool,
        target: tuple[int, int] | None,
        allow_nonfinite: bool,
        inputs: Any,
    ) -> None:
        self.keras_model = None if isinstance(model, Model) else model
        self.exported = None if isinstance(model, Model) else _exported(model, inputs)
        original = model.document if self.exported is None else self.exported.document
        _check_target(original, target)
        if not allow_nonfinite:
            _check_finite(original)
        self.base = _model(original)
        self.rows: list[Array] = []
        self.sampled: Sampled | None = None
        document = store(original, weights)
        self.converted = document is not original
        if selftest and document.selftest is None and (self.keras_model is not None or self.converted):
            document, self.rows, self.sampled = _with_selftest(document)
        elif not selftest and document.selftest is not None:
            document = document.without_selftest()
        head, payload = build(document)
        if sum(map(len, payload)) >= PAYLOAD_BYTES:
            expected = f"less than {PAYLOAD_BYTES} bytes of weights"
            raise ModelError("model-size", f"model {document.name!r}", expected, str(sum(map(len, payload))))
        self.pieces = container.write(document.version, head, payload)

    def verified(self, written: Model, everything: bool) -> Comparison | None:
        """Compares with Keras and runs the self-test; raises where the numbers differ."""
        comparison = None
        if self.keras_model is not None and (everything or self.rows):
            comparison = self.compared(written, everything)
        if written.document.selftest is not None:
            written.selftest()
        return comparison

    def compared(self, written: Model, everything: bool) -> Comparison:
        from nnpack.exporters.keras import compare

        # a smaller storage type changes numbers: what Keras confirms is the same model with float32 weights
        model = self.base if self.converted else written
        inputs = None if everything or model.states else self.rows
        sampled = None if self.converted else self.sampled
        comparison = compare(self.keras_model, model, inputs, exported=self.exported, sampled=sampled)
        if comparison.agrees:
            return comparison
        worst = max(comparison.outputs, key=lambda output: output.tolerance_use)
        index = ", ".join(map(str, worst.at))
        theirs, ours = (float(numbers[worst.name][worst.at]) for numbers in (comparison.keras, comparison.nnpack))
        raise ExportMismatchError(
            "export-mismatch",
            comparison.diverging or worst.name,
            "Keras's numbers within the tolerance",
            f"{worst.name}[{index}]: Keras {theirs:.9g}, nnpack {ours:.9g}, {worst.tolerance_use:.3g} × tolerance",
        )

    def storage_errors(self, written: Model) -> dict[str, float]:
        """How far the smaller weights move each output, on varied inputs."""
        if not self.converted:
            return {}
        inputs = sample_inputs(self.base.document)
        names = list(self.base.document.outputs)
        before, after = (model.predict(inputs, outputs=names) for model in (self.base, written))
        with np.errstate(all="ignore"):
            return {
                name: float(np.nanmax(np.abs(b.astype(np.float64) - a.astype(np.float64)), initial=0.0))
                for name, b, a in zip(names, before, after, strict=True)
            }


def _model(document: Document) -> Model:
    """The model of an exported document; what the format cannot say of it is a refusal."""
    try:
        return Model(document)
    except FormatError as fault:
        layer = document.layers[int(fault.at.split("/")[2])].name if fault.at.startswith("/layers/") else document.name
        expected = f"what the format can say: {fault.expected}"
        problem = ModelError("layer-unsupported", f"layer {layer!r}", expected, f"{fault.code}: {fault.received}")
        raise UnsupportedModelError([problem]) from fault


def _exported(model: Any, inputs: Any) -> Exported:
    if "keras" not in sys.modules:  # then it is no Keras model, and importing Keras would not make it one
        received = f"{type(model).__module__}.{type(model).__name__}"
        raise ModelError("model-type", "model", "a keras.Model of Keras 3, or an nnpack.Model", received)
    from nnpack.exporters.keras import export

    return export(model, inputs)


def _check_target(document: Document, target: tuple[int, int] | None) -> None:
    if target is None:
        return
    pair = tuple(target) if isinstance(target, Sequence) else ()
    if len(pair) != 2 or not all(type(n) is int for n in pair) or pair[0] != MAJOR or not 0 <= pair[1] <= MINOR:
        raise ModelError("target-unknown", "target", f"({MAJOR}, 0) to ({MAJOR}, {MINOR})", repr(target))
    if pair < document.version:
        needed = f"version {document.version[0]}.{document.version[1]}"
        raise ModelError("target-too-old", "target", needed, f"{pair[0]}.{pair[1]}")


def _check_finite(document: Document) -> None:
    bad = [name for name, tensor in document.tensors.items() if not finite(tensor)]
    if bad:
        expected = "finite weights (allow_nonfinite=True writes them all the same)"
        names = ", ".join(map(repr, bad))
        raise ModelError("weights-not-finite", f"model {document.name!r}", expected, f"NaN or infinity in {names}")


def _with_selftest(document: Document) -> tuple[Document, list[Array], Sampled | None]:
    """The document with a few rows of input, their outputs and tolerances; without, where one row would be large.

    Returns:
        The document, the rows, and all rows that were evaluated to choose them.
    """
    if any(value.dtype == "string" for value in document.inputs):  # which no tensor holds
        return document, [], None
    candidates = sample_inputs(document)
    least, most = SELFTEST_BYTES
    weight_bytes = sum(tensor.array.nbytes for tensor in document.tensors.values())
    allowed = max(least, min(most, weight_bytes // 8))
    if sum(x[0].nbytes for x in candidates) > allowed:
        return document, [], None
    evaluation = evaluate(document, candidates)
    sampled = Sampled(candidates, evaluation)
    outputs = [document.values[name] for name in document.outputs]
    references = [evaluation.outputs[name] for name in document.outputs]
    row_bytes = sum(x[0].nbytes for x in candidates) + sum(
        2 * reference.values[0].size * np.dtype(value.dtype).itemsize
        for value, reference in zip(outputs, references, strict=True)
    )
    count = min(SELFTEST_ROWS, allowed // row_bytes)
    chosen = np.flatnonzero(evaluation.in_range)[:count]
    if not chosen.size:
        return document, [], sampled
    rows = rows_of(candidates, chosen)
    tensors: dict[str, Tensor] = {}

    def add(kind: str, i: int, dtype: str, array: Array) -> str:
        name = f"{kind}{i}"  # no slash: no weight is called so
        tensors[name] = Tensor(name, dtype, array.astype(dtype))
        return name

    test = SelfTest(
        tuple(add("in", i, value.dtype, x) for i, (value, x) in enumerate(zip(document.inputs, rows, strict=True))),
        tuple(add("out", i, outputs[i].dtype, reference.values[chosen]) for i, reference in enumerate(references)),
        tuple(add("tol", i, outputs[i].dtype, reference.tolerance[chosen]) for i, reference in enumerate(references)),
    )
    # in front: their sizes leave fewer gaps than the last weights do
    return document._replace(tensors={**tensors, **document.tensors}, selftest=test), rows, sampled
