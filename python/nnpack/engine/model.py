"""A model that predicts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from math import prod
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.engine.check import bind, check
from nnpack.engine.passes import chosen
from nnpack.engine.plan import Plan
from nnpack.engine.reference import SMALLEST, Reference, worst
from nnpack.engine.samples import sample_inputs
from nnpack.errors import InputError, SelfTestError, ShapeError, stop
from nnpack.format.document import Document, Json, Layer, Value, show
from nnpack.format.limits import ACTIVATION_ELEMENTS, BATCH
from nnpack.ops import OPERATORS

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array


CHUNK_ELEMENTS = 2**20
"""The most elements that one value has while predict works through a large array."""

SELFTEST_ELEMENTS = 2**24
"""The most elements that the values of the graph may have together for `load` to run the self-test by itself."""


Origin = Callable[[], "tuple[Callable[..., Model], tuple[Any, ...]]"]
"""Answers a function that makes the same model again, and its arguments."""


class SelfTest(NamedTuple):
    """What `Model.selftest` found.

    Attributes:
        rows: how many rows were predicted.
        worst: the largest difference from the expected outputs, as a part of its tolerance.
    """

    rows: int
    worst: float


class Model:
    """A trained network that predicts with numpy alone.

    `nnpack.load` and `nnpack.loads` make one. Without states it is immutable: threads may share it. A model with
    states carries them from call to call, for the same rows, until `reset_states`.

    Attributes:
        document: what the file says.
        layers: the layer list, in topological order.
        inputs: name, dtype and shape of each input.
        outputs: name, dtype and shape of each output.
        states: name, dtype and shape of each state; the first dimension is the rows'.
        weights: name -> read-only array, a view of the mapped file; bfloat16 and quantized weights, which numpy
            cannot view, are widened to float32 when asked for.

    Source: spec/format.md; `keras.Model` for the meaning of predict and of a call.
    """

    def __init__(
        self,
        document: Document,
        *,
        activation_limit: int = ACTIVATION_ELEMENTS,
        optimize: bool | Iterable[str] = True,
        origin: Origin | None = None,
    ) -> None:
        check(document, stop, activation_limit)
        self.document = document
        self.optimize = chosen(optimize)
        self._origin = origin
        self._other: tuple[tuple[str, ...], Plan] | None = None
        self._states: list[Array] | None = None
        self._quick = self._quick_dtype()

    @cached_property
    def _plan(self) -> Plan:
        """Made by the first call: passes read weights, and copy those that they change."""
        return Plan(self.document, self._with_states(self.document.outputs), self.optimize)

    def _quick_dtype(self) -> Any:
        """Of a model that takes one array and gives one, the dtype that is taken as it is."""
        document = self.document
        one = len(document.inputs) == len(document.outputs) == 1 and document.output_structure is None
        if not one or document.states or document.inputs[0].dtype == "string":
            return None
        return np.dtype(document.inputs[0].dtype)

    # Copies

    def __reduce__(self) -> Any:
        """A model travels as the path or the bytes that it was loaded from, or would be; without its states."""
        if self._origin is not None:
            return self._origin()
        from nnpack.format import container
        from nnpack.format.build import build

        pieces = container.write(self.document.version, *build(self.document))
        return _of_bytes, (b"".join(pieces), self.optimize)

    def __copy__(self) -> Model:
        """A model of the same weights, with states of its own."""
        return Model(self.document, optimize=self.optimize, origin=self._origin)

    def __deepcopy__(self, memo: Any) -> Model:
        return self.__copy__()  # weights never change

    @property
    def name(self) -> str:
        return self.document.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.document.layers

    @property
    def inputs(self) -> tuple[Value, ...]:
        return self.document.inputs

    @property
    def outputs(self) -> tuple[Value, ...]:
        return tuple(self.document.values[name] for name in self.document.outputs)

    @property
    def states(self) -> tuple[Value, ...]:
        return tuple(state.input for state in self.document.states)

    @property
    def weights(self) -> Mapping[str, Array]:
        return _Weights(self.document)

    def reset_states(self) -> None:
        """Makes the next call the first one: every state is what it was at the beginning, for any number of rows.

        Source: `reset_states` of Keras's recurrent layers.
        """
        self._states = None

    def __repr__(self) -> str:
        inputs = ", ".join(f"{value.name} {show(value.shape)}" for value in self.inputs)
        outputs = ", ".join(f"{value.name} {show(value.shape)}" for value in self.outputs)
        return f"<nnpack.Model {self.name}: {inputs} -> {outputs}>"

    def __call__(self, x: Any) -> Any:
        """Predicts all rows at once: no batching, the least overhead.

        Args:
            x: as for `predict`.

        Returns:
            As `predict`.

        Raises:
            ShapeError, InputError: as `predict`.
        """
        if type(x) is np.ndarray and x.dtype is self._quick:
            quick = self._plan.quick(x.shape)
            if quick is not None:
                return quick(x)
        return self._packed(self._stepped(self._plan.run, self.fitted(x)))

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        progress: bool = False,
        outputs: str | Sequence[str] | None = None,
    ) -> Any:
        """Predicts, in chunks of rows that keep memory bounded.

        Args:
            x: an array of shape (rows, …); for several inputs a list of them in the order of `inputs`, or a dict
                by input name. Any real dtype whose numbers the input's dtype can hold; a memory-mapped array is
                read chunk by chunk. An iterator of such things is predicted one after the other.
            batch_size: rows per chunk; None chooses it by the size of the layers. The result does not depend on
                it but for the rounding of sums.
            progress: whether to show a progress bar on stderr.
            outputs: the name of a value of the graph, or a list of names, to return instead of the model's outputs.

        Returns:
            What `keras.Model.predict` returns: an array of shape (rows, …), or a list or dict of arrays; for
            `outputs` an array or a list of arrays.

        Raises:
            ShapeError: an input has another shape than `inputs` says.
            InputError: an input is missing or unknown, its dtype does not fit, or `outputs` names no value.

        Source: `keras.Model.predict`; spec/format.md.
        """
        names = self._named(self.document.outputs if outputs is None else outputs)
        plan = self._plan if outputs is None else self._planned(names)
        if isinstance(x, Iterator):
            results = self._joined(names, [self._predicted(plan, names, item, batch_size, progress) for item in x])
        else:
            results = self._predicted(plan, names, x, batch_size, progress)
        if outputs is None:
            return self._packed(results)
        return results[0] if isinstance(outputs, str) else results

    def _planned(self, names: Sequence[str]) -> Plan:
        """The plan for other values than the model's outputs; the last one is kept."""
        key = tuple(names)
        if self._other is None or self._other[0] != key:
            self._other = key, Plan(self.document, self._with_states(names), self.optimize)
        return self._other[1]

    def _predicted(
        self, plan: Plan, names: Sequence[str], x: Any, batch_size: int | None, progress: bool
    ) -> list[Array]:
        arrays = self._arrays(x)
        rows = self._rows(arrays)
        size = self._chunk_rows() if batch_size is None else _size(batch_size)

        def run(given: Sequence[Array]) -> list[Array]:
            if rows <= size:
                return plan.run(self._fitted(given))
            return self._chunked(plan, self._with_states(names), given, size, progress)

        return self._stepped(run, arrays)

    def _joined(self, names: Sequence[str], parts: Sequence[Sequence[Array]]) -> list[Array]:
        """The rows of all parts; what is the same for every row, of the last."""
        if not parts:
            raise InputError("shape", "x", "at least one array", "an iterator at its end")
        by_rows = [self.document.values[name].shape[:1] == (BATCH,) for name in names]
        return [
            np.concatenate(made) if rows else made[-1]
            for rows, made in zip(by_rows, zip(*parts, strict=True), strict=True)
        ]

    @property
    def selftest_is_cheap(self) -> bool:
        """Whether there is a self-test, and running it takes no more memory than any small model's would."""
        test = self.document.selftest
        if test is None:
            return False
        rows = self.document.tensors[test.inputs[0]].shape[0]
        return rows * self.document.row_elements <= SELFTEST_ELEMENTS

    def selftest(self) -> SelfTest:
        """Predicts the rows that the file carries and compares with the outputs that it carries.

        Returns:
            The number of rows, and the largest difference as a part of its tolerance.

        Raises:
            SelfTestError: the file has no self-test, or an output is over its tolerance.

        Source: spec/format.md, "Self-test".
        """
        test = self.document.selftest
        if test is None:
            raise SelfTestError("selftest-absent", self.name, "a file with a self-test", "none")
        inputs = [self.document.tensors[name].array for name in test.inputs]
        results = self._plan.run([*inputs, *self.document.initial_states(len(inputs[0]))])
        largest = 0.0
        for value, y, expected_name, tolerance_name in zip(
            self.outputs, results[: len(self.outputs)], test.outputs, test.tolerances, strict=True
        ):
            expected = self.document.tensors[expected_name].array.astype(np.float64)
            tolerance = self.document.tensors[tolerance_name].array.astype(np.float64)
            tolerance = np.maximum(tolerance, SMALLEST.get(value.dtype, 0.0))
            use, index = worst(y, Reference(expected, tolerance))
            if use > 1:
                at = f"{value.name}[{', '.join(map(str, index))}]"
                wanted = f"{expected[index]:.9g} within {tolerance[index]:.3g}"
                raise SelfTestError("selftest-failed", at, wanted, f"{y[index]:.9g}")
            largest = max(largest, use)
        return SelfTest(len(inputs[0]), largest)

    def summary(self, print_fn: Callable[[str], object] = print, *, plan: bool = False) -> None:
        """Prints the layers with their operators, output shapes and numbers of weights, as Keras's summary does.

        Args:
            print_fn: takes each line.
            plan: whether to print how a row is computed, too: what each pass took away, and the kernel of each node.
        """
        rows = [("Layer", "Operator", "Output shape", "Weights", "From")]
        rows += [(value.name, "input", show(value.shape), "", "Input") for value in self.inputs]
        for layer in self.layers:
            count = sum(self.document.tensors[name].array.size for name in layer.weights.values())
            shape = ", ".join(show(value.shape) for value in layer.outputs)
            rows.append((layer.name, layer.op, shape, f"{count:,}" if count else "", layer.made_from.class_name))
        print_fn(f"Model: {self.name}")
        _print_table(rows, print_fn)
        used = {name for layer in self.layers for name in layer.weights.values()}
        total = sum(self.document.tensors[name].array.size for name in used)
        nbytes = sum(self.document.tensors[name].array.nbytes for name in used)
        print_fn(f"Weights: {total:,} ({nbytes:,} bytes)")
        if plan:
            self._print_plan(print_fn)

    def _print_plan(self, print_fn: Callable[[str], object]) -> None:
        """What the passes did, and how each node is computed for one row."""
        print_fn("")
        print_fn("Passes")
        for name, layers in self._plan.changes.items():
            told = ", ".join(layers) if len(layers) <= 8 else f"{', '.join(layers[:8])} and {len(layers) - 8} more"
            print_fn(f"  {name}: {told or 'nothing to do'}")
        inputs = [*sample_inputs(self.document, rows=1), *self.document.initial_states(1)]
        workspace = self._plan.workspace(inputs)
        rows = [("Node", "Operator", "Then", "Kernel", "Calls", "Output shape")]
        for node, kernel, shape, calls in workspace.bound:
            operator = node.op + (" with zeros around" if node.pads else "")
            then = ", ".join(function.op for function in node.then)
            rows.append((node.name, operator, then, kernel.note, str(calls), show(shape)))
        print_fn("")
        shapes = ", ".join(f"{v.name} {show(x.shape)}" for v, x in zip(self.document.sources, inputs, strict=True))
        print_fn(f"Plan for {shapes}")
        _print_table(rows, print_fn)
        print_fn(f"Memory: {workspace.nbytes:,} bytes")

    # What goes in

    def fitted(self, x: Any) -> list[Array]:
        """What `predict` takes, as one array for each input, of the input's shape and dtype.

        Args:
            x: as for `predict`.

        Raises:
            ShapeError, InputError: as `predict`.
        """
        arrays = self._arrays(x)
        self._rows(arrays)
        return self._fitted(arrays)

    def _arrays(self, x: Any) -> list[Array]:
        """One array for each input, not yet of its dtype."""
        inputs = self.inputs
        if isinstance(x, Mapping):
            return self._by_name(x)
        if len(inputs) == 1:
            if isinstance(x, list | tuple) and len(x) == 1 and _rank(x[0]) == len(inputs[0].shape):
                x = x[0]  # Keras's list of one input
            return [_array(x, inputs[0])]
        if not isinstance(x, list | tuple) or len(x) != len(inputs):
            received = f"{type(x).__name__} of {len(x)}" if isinstance(x, list | tuple) else type(x).__name__
            names = ", ".join(value.name for value in inputs)
            raise InputError("input-number", "x", f"a list of {len(inputs)} arrays, or a dict ({names})", received)
        return [_array(item, value) for item, value in zip(x, inputs, strict=True)]

    def _by_name(self, x: Mapping[Any, Any]) -> list[Array]:
        names = [value.name for value in self.inputs]
        x = {str(name): array for name, array in x.items()}
        if set(x) != set(names):
            raise InputError("input-names", "x", f"the keys {', '.join(names)}", ", ".join(map(str, x)) or "no key")
        return [_array(x[value.name], value) for value in self.inputs]

    def _rows(self, arrays: Sequence[Array]) -> int:
        """The number of rows; raises where a shape does not fit."""
        bound: dict[str, int] = {}
        for i, (value, array) in enumerate(zip(self.inputs, arrays, strict=True)):
            before = {n: bound[n] for n in value.shape if isinstance(n, str) and n in bound}
            if not bind(value.shape, array.shape, bound):
                where = f" with {', '.join(f'{n} = {m}' for n, m in before.items())}" if before and i else ""
                raise ShapeError("shape", f"input {value.name!r}", show(value.shape) + where, show(array.shape))
        return arrays[0].shape[0]

    def _fitted(self, arrays: Sequence[Array]) -> list[Array]:
        return [_fit(array, value) for value, array in zip(self.document.sources, arrays, strict=False)]

    # States, which are inputs that the last call made

    def _with_states(self, outputs: Sequence[str]) -> list[str]:
        return [*outputs, *(state.output for state in self.document.states)]

    def _stepped(self, run: Callable[[Sequence[Array]], list[Array]], arrays: Sequence[Array]) -> list[Array]:
        """What a run answers, the states apart: they are kept for the next call."""
        n, rows = len(self.document.states), len(arrays[0])
        if not n:
            return run(arrays)
        states = self.document.initial_states(rows) if self._states is None else self._states
        if len(states[0]) != rows:
            expected = f"{len(states[0])} rows, as in the call before, or reset_states()"
            raise ShapeError("shape", f"input {self.inputs[0].name!r}", expected, f"{rows} rows")
        results = run([*arrays, *states])
        self._states = results[-n:]
        return results[:-n]

    def _chunk_rows(self) -> int:
        """How many rows make the largest value of the graph fill a chunk."""
        largest = max(prod(n for n in value.shape if isinstance(n, int)) for value in self.document.values.values())
        return max(1, CHUNK_ELEMENTS // largest)

    # What comes out

    def _named(self, outputs: str | Sequence[str]) -> list[str]:
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        for name in names:
            if name not in self.document.values:
                known = ", ".join(self.document.values)
                raise InputError("output-name", "outputs", f"one of {known}", repr(name))
        return names

    def _chunked(
        self, plan: Plan, names: Sequence[str], arrays: Sequence[Array], size: int, progress: bool
    ) -> list[Array]:
        rows = len(arrays[0])
        results: dict[str, Array] = {}
        for start in range(0, rows, size):
            chunk = plan.run(self._fitted([array[start : start + size] for array in arrays]))
            for name, y in zip(names, chunk, strict=True):
                if self.document.values[name].shape[:1] != (BATCH,):  # the same for every row
                    results[name] = y
                    continue
                if name not in results:
                    results[name] = np.empty((rows, *y.shape[1:]), y.dtype)
                results[name][start : start + size] = y
            if progress:
                _show_progress(min(start + size, rows), rows)
        return [results[name] for name in names]

    def _packed(self, results: list[Array]) -> Any:
        """The outputs in Keras's own structure."""
        structure = self.document.output_structure
        if structure is not None:
            return _pack(structure, results)
        return results[0] if len(results) == 1 else results


def _of_bytes(data: bytes, optimize: Iterable[str]) -> Model:
    from nnpack.format import container, header

    parts = container.read(memoryview(data))
    document = header.parse(parts.header, parts.payload, parts.version, OPERATORS, stop, verify=False)
    assert document is not None  # stop raises
    return Model(document, optimize=optimize)


class _Weights(Mapping[str, "Array"]):
    """name -> the numbers of a tensor that some layer uses."""

    def __init__(self, document: Document) -> None:
        self._document = document
        used = {name for layer in document.layers for name in layer.weights.values()}
        self._names = tuple(name for name in document.tensors if name in used)

    def __getitem__(self, name: str) -> Array:
        if name not in self._names:
            raise KeyError(name)
        return self._document.weight(name)

    def __iter__(self) -> Any:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _size(batch_size: Any) -> int:
    if not hasattr(batch_size, "__index__") or isinstance(batch_size, bool) or batch_size < 1:
        raise InputError("batch-size", "batch_size", "a whole number of at least 1", repr(batch_size))
    return index(batch_size)


def _pack(structure: Json, results: Sequence[Array]) -> Any:
    if isinstance(structure, dict):
        return {key: _pack(member, results) for key, member in structure.items()}
    if isinstance(structure, list):
        return [_pack(member, results) for member in structure]
    return results[structure]


def _rank(x: Any) -> int:
    return len(x.shape) if hasattr(x, "shape") else np.ndim(x)


def _array(x: Any, value: Value) -> Array:
    """x as an array of real numbers, or of strings."""
    try:
        array = np.asarray(x)
    except (ValueError, TypeError) as error:
        raise InputError("input-type", f"input {value.name!r}", f"an array of {value}", error) from error
    if value.dtype == "string":
        return _strings(array, value)
    if array.dtype.kind not in "fiub":
        received = f"an array of {array.dtype}"
        raise InputError("input-type", f"input {value.name!r}", f"an array of {value}", received)
    return _ranked(array, value)


def _ranked(array: Array, value: Value) -> Array:
    """As in Keras, a last axis of 1 that is missing is added, one too many dropped."""
    if array.ndim == len(value.shape) - 1 and value.shape[-1] == 1:
        return array[..., np.newaxis]
    if array.ndim == len(value.shape) + 1 and array.shape[-1] == 1:
        return array[..., 0]
    return array


def _strings(array: Array, value: Value) -> Array:
    """An array of str; bytes are taken for UTF-8, as Keras takes them."""
    if array.dtype.kind not in "OUS":
        raise InputError("input-type", f"input {value.name!r}", f"an array of {value}", f"an array of {array.dtype}")
    strings = array.astype(object)
    for at, item in np.ndenumerate(strings):
        if isinstance(item, bytes):
            try:
                strings[at] = item.decode()
            except UnicodeDecodeError as error:
                raise InputError("input-type", f"input {value.name!r}", "bytes of UTF-8", repr(item)) from error
        elif not isinstance(item, str):
            raise InputError("input-type", f"input {value.name!r}", f"an array of {value}", type(item).__name__)
    return _ranked(strings, value)


def _fit(array: Array, value: Value) -> Array:
    """An array of an input's own dtype; numbers that it cannot hold are refused."""
    if value.dtype == "string":
        return array
    dtype = np.dtype(value.dtype)
    if array.dtype == dtype and array.dtype.isnative:
        return array
    at = f"input {value.name!r}"
    if dtype.kind == "f":
        try:
            with np.errstate(over="raise"):
                return array.astype(dtype)
        except FloatingPointError as error:
            raise InputError("input-range", at, f"numbers within {dtype}'s range", "a larger one") from error
    if array.dtype.kind == "f" or (dtype.kind == "b" and array.dtype.kind != "b"):
        raise InputError("input-type", at, f"an array of {value}", f"an array of {array.dtype}")
    if array.size and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        low, high = int(array.min()), int(array.max())
        if low < limits.min or high > limits.max:
            expected = f"numbers from {limits.min} to {limits.max}"
            raise InputError("input-range", at, expected, f"{low} to {high}")
    return array.astype(dtype)


def _print_table(rows: Sequence[Sequence[str]], print_fn: Callable[[str], object]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for i, row in enumerate(rows):
        print_fn("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if i == 0:
            print_fn("  ".join("─" * width for width in widths))


def _show_progress(done: int, rows: int) -> None:
    width = 30
    filled = width * done // rows
    end = "\n" if done == rows else ""
    sys.stderr.write(f"\r{'█' * filled}{'░' * (width - filled)} {done:,} of {rows:,} rows{end}")
    sys.stderr.flush()
