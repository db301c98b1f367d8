"""Header map -> Document: every rule of spec/format.md that needs no operator.

Parsing builds typed objects and hands each thing that does not fit to a Report: the loader's raises at once, the
validator's keeps the fault and goes on with what remains.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from nnpack.errors import FormatError, Report, RequirementError, pointer
from nnpack.format.digest import sha256
from nnpack.format.document import (
    FEATURES,
    NONFINITE,
    Document,
    Json,
    Layer,
    Quantization,
    SelfTest,
    State,
    Tensor,
    Value,
    finite,
    show,
)
from nnpack.format.dtypes import COMPUTED, DTYPES
from nnpack.format.fields import (
    Parser,
    anything,
    extensions,
    hexadecimal,
    layer_entry,
    list_of,
    listed,
    mapping,
    name,
    record,
    state_entry,
    tensor_entry,
    text,
    value_entry,
)
from nnpack.format.limits import BATCH, aligned


def parse(
    header: Mapping[str, Any],
    payload: memoryview,
    version: tuple[int, int],
    operators: Collection[str],
    report: Report,
    *,
    verify: bool = True,
) -> Document | None:
    """Builds the document that a header and a payload stand for.

    Args:
        header: the decoded header.
        payload: the bytes behind it.
        version: (major, minor) of the file.
        operators: what the reader knows, as "dense@1".
        report: takes each fault, a FormatError.
        verify: whether to read the payload: its hash, gaps, booleans, NaN.

    Returns:
        The document; None where a fault was reported.
    """
    return _HeaderParser(header, payload, version, operators, report, verify).document()


class _HeaderParser:
    def __init__(
        self,
        header: Mapping[str, Any],
        payload: memoryview,
        version: tuple[int, int],
        operators: Collection[str],
        report: Report,
        verify: bool,
    ) -> None:
        self.header, self.payload, self.version, self.verify = header, payload, version, verify
        self.operators, self.faults, self._report = operators, 0, report

    def report(self, code: str, at: str, expected: object, received: object) -> None:
        self.keep(FormatError(code, at, expected, received))

    def keep(self, fault: FormatError) -> None:
        self.faults += 1
        self._report(fault)

    def attempt(self, parser: Parser, item: Any, at: str) -> Any:
        """What `parser` makes of an item; None, and a fault reported, where it does not fit."""
        try:
            return parser(item, at)
        except FormatError as fault:
            self.keep(fault)
            return None

    def each(self, parser: Parser, items: Any, at: str, least: int = 0) -> Iterator[tuple[str, Any]]:
        """(where, what) for each element that fits of a list; an absent one has been reported as a missing key."""
        if items is not None and self.attempt(list_of(anything, least), items, at) is not None:
            for i, item in enumerate(items):
                parsed = self.attempt(parser, item, pointer(at, i))
                if parsed is not None:
                    yield pointer(at, i), parsed

    def stated(self, key: str) -> int:
        """How many elements a list of the header has, those that do not fit included."""
        items = self.header.get(key)
        return len(items) if type(items) is list else 0

    def document(self) -> Document | None:
        self.requirements()
        self.fields = self.top()
        tensors = self.tensors()
        inputs = self.inputs()
        states = self.states({value.name for value in inputs})
        layers, outputs = self.graph(inputs, states)
        self.carried(states, layers, tensors)
        selftest = self.selftest(self.stated("inputs"), self.stated("outputs"), tensors)
        self.references(layers, tensors, selftest, [state for _, state in states])
        structure = self.structure(self.stated("outputs"))
        if self.faults:
            return None
        document = Document(
            name=self.fields["model"]["name"],
            metadata=self.fields["model"].get("metadata"),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
            layers=tuple(layer for _, layer in layers),
            tensors={name: tensor for name, (_, tensor) in tensors.items()},
            producer=self.fields["producer"],
            version=self.version,
            output_structure=structure,
            selftest=selftest,
            ext=self.fields.get("ext"),
            states=tuple(state for _, state in states),
        )
        self.complete(document)
        return None if self.faults else document

    # The top level, requirements

    def top(self) -> dict[str, Any]:
        """The header's own fields; lists are left to the methods that read them."""
        required: dict[str, Parser] = {
            "inputs": anything,
            "layers": anything,
            "model": record({"name": name}, {"metadata": mapping}),
            "outputs": anything,
            "payload_sha256": hexadecimal,
            "producer": record({"name": text, "version": text}),
            "requires": list_of(text),
            "tensors": anything,
        }
        optional = {"ext": extensions, "output_structure": anything, "selftest": anything, "states": anything}
        return self.fields_of(self.header, "", required, optional)

    def fields_of(
        self, item: Mapping[str, Any], at: str, required: Mapping[str, Parser], optional: Mapping[str, Parser]
    ) -> dict[str, Any]:
        for key in sorted(item.keys() - required.keys() - optional.keys()):
            self.report("unknown-key", pointer(at, key), f"one of {listed([*required, *optional])}", repr(key))
        for key in sorted(required.keys() - item.keys()):
            self.report("missing-key", at, f"the key {key!r}", "no such key")
        known = {**required, **optional}
        parsed = {key: self.attempt(known[key], item[key], pointer(at, key)) for key in sorted(item) if key in known}
        return {key: value for key, value in parsed.items() if value is not None}

    def requirements(self) -> None:
        """Refuses what this reader lacks, all of it in one fault, before anything that it may be the reason of."""
        known = {f"dtype:{dtype}" for dtype in (*DTYPES, *COMPUTED)} | set(FEATURES)
        requires = self.header.get("requires")
        stated = [item for item in requires if type(item) is str] if type(requires) is list else []
        lacking = [item for item in stated if item not in known and not self._is_operator(item)]
        if lacking:
            expected = "only what this reader has"
            self.keep(RequirementError("requires-unknown", "/requires", expected, ", ".join(map(repr, lacking))))

    def _is_operator(self, item: str) -> bool:
        kind, _, op = item.partition(":")
        return kind == "op" and op in self.operators

    def complete(self, document: Document) -> None:
        """`requires` lists exactly what is used, sorted."""
        stated = self.fields["requires"]
        nonfinite = not all(map(finite, document.tensors.values())) if self.verify else NONFINITE in stated
        actual = document.requires(nonfinite=nonfinite)
        if stated == actual:
            return
        missing, unused = sorted(set(actual) - set(stated)), sorted(set(stated) - set(actual))
        if missing == [NONFINITE]:
            bad = next(n for n, tensor in enumerate(document.tensors.values()) if not finite(tensor))
            expected = f"finite numbers, or {NONFINITE!r} in /requires"
            self.report("weight-not-finite", f"/tensors/{bad}", expected, "NaN or infinity")
        elif missing:
            self.report("requires-incomplete", "/requires", listed(missing), "a list without it")
        elif unused:
            self.report("requires-unused", "/requires", "only what the model uses", listed(unused))
        else:
            self.report("requires-order", "/requires", ", ".join(actual), ", ".join(stated))

    # Tensors

    def tensors(self) -> dict[str, tuple[str, Tensor]]:
        """name -> (where, tensor), every rule of spec/format.md, "Tensors", held."""
        found: dict[str, tuple[str, Tensor]] = {}
        end = 0
        for at, entry in self.in_order(list(self.each(tensor_entry, self.header.get("tensors"), "/tensors"))):
            if entry["name"] in found:
                self.report("duplicate-tensor", pointer(at, "name"), "a name of its own", repr(entry["name"]))
            if self.placed(entry, at, end):
                end = entry["offset"] + entry["nbytes"]
                tensor = self.view(entry, at)
                found[entry["name"]] = (at, tensor)
        if len(self.payload) != end and not self.faults:
            self.report("payload-size", "/tensors", f"tensors that end the payload of {len(self.payload)} bytes", end)
        if self.verify and "payload_sha256" in self.fields:
            digest = sha256([self.payload])
            if digest != self.fields["payload_sha256"]:
                self.report("hash-mismatch", "/payload_sha256", self.fields["payload_sha256"], digest)
        for at, tensor in found.values():
            if tensor.quantization:
                self.quantized(tensor, tensor.quantization, at, found)
        return found

    def in_order(self, entries: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
        """The entries by their offsets, which is how they must be listed."""
        for (_, before), (at, entry) in pairwise(entries):
            if entry["offset"] < before["offset"]:
                expected = f"{before['offset']} or more: tensors in the order of their offsets"
                self.report("tensor-order", pointer(at, "offset"), expected, entry["offset"])
        return sorted(entries, key=lambda item: item[1]["offset"])

    def placed(self, entry: dict[str, Any], at: str, end: int) -> bool:
        """Whether a tensor lies where it must: behind the one that ends at `end`, only alignment between."""
        where, offset = pointer(at, "offset"), entry["offset"]
        before = self.faults
        if offset % 64:
            self.report("tensor-misaligned", where, "a multiple of 64", offset)
        elif offset < end:
            self.report("tensor-overlap", where, f"{aligned(end)} or more", offset)
        elif offset > aligned(end):
            self.report("tensor-hole", where, aligned(end), offset)
        elif offset + entry["nbytes"] > len(self.payload):
            expected = f"a tensor within the payload of {len(self.payload)} bytes"
            self.report("tensor-bounds", where, expected, f"bytes {offset} to {offset + entry['nbytes']}")
        elif self.verify and any(self.payload[end:offset]):
            self.report("gap-not-zero", where, f"zeros from {end} to {offset} of the payload", "other bytes")
        return self.faults == before

    def view(self, entry: dict[str, Any], at: str) -> Tensor:
        data = self.payload[entry["offset"] : entry["offset"] + entry["nbytes"]]
        if self.verify and entry["dtype"] == "bool" and (np.frombuffer(data, np.uint8) > 1).any():
            self.report("bool-byte", at, "bytes 0 and 1", "another byte")
        array = np.frombuffer(data, DTYPES[entry["dtype"]].stored).reshape(entry["shape"])
        array.flags.writeable = False
        return Tensor(entry["name"], entry["dtype"], array, entry.get("quantization"))

    def quantized(self, tensor: Tensor, q: Quantization, at: str, tensors: dict[str, tuple[str, Tensor]]) -> None:
        at = pointer(at, "quantization")
        if tensor.dtype != "int8":
            self.report("quantization-dtype", at, "a tensor of int8", tensor.dtype)
        if q.axis is not None and q.axis >= len(tensor.shape):
            self.report("axis-range", pointer(at, "axis"), f"an axis below {len(tensor.shape)}", q.axis)
            return
        expected: tuple[int, ...] = () if q.axis is None else (tensor.shape[q.axis],)
        for role, dtype in (("scale", "float32"), ("zero_point", "int8")):
            where, part = pointer(at, role), tensors.get(getattr(q, role))
            if part is None:
                self.report("tensor-missing", where, "the name of a tensor", repr(getattr(q, role)))
            elif part[1].dtype != dtype or part[1].shape != expected or part[1].quantization:
                received = f"{part[1].dtype} {part[1].shape}"
                self.report("quantization-part", where, f"{dtype} {expected}, not quantized", received)
            elif role == "scale" and not bool(np.all(_positive(part[1].array))):
                self.report("scale-range", where, "finite numbers above 0", "another number")

    # Graph

    def inputs(self) -> list[Value]:
        inputs = []
        names: set[str] = set()
        for at, value in self.each(value_entry, self.header.get("inputs"), "/inputs", least=1):
            if value.name in names:
                self.report("duplicate-value", pointer(at, "name"), "a name of its own", repr(value.name))
            if value.shape[:1] != (BATCH,) or BATCH in value.shape[1:]:
                expected = f"{BATCH!r} as first dimension and nowhere else"
                self.report("batch-axis", pointer(at, "shape"), expected, list(value.shape))
            names.add(value.name)
            inputs.append(value)
        return inputs

    def states(self, names: set[str]) -> list[tuple[str, State]]:
        """What is carried from call to call; the values that it begins with are read like inputs."""
        if "states" not in self.header:
            return []
        states = []
        for at, state in self.each(state_entry, self.header["states"], "/states", least=1):
            value, where = state.input, pointer(at, "input")
            if value.name in names:
                self.report("duplicate-value", pointer(where, "name"), "a name of its own", repr(value.name))
            if value.shape[:1] != (BATCH,) or BATCH in value.shape[1:]:
                expected = f"{BATCH!r} as first dimension and nowhere else"
                self.report("batch-axis", pointer(where, "shape"), expected, list(value.shape))
            names.add(value.name)
            states.append((at, state))
        return states

    def carried(
        self,
        states: list[tuple[str, State]],
        layers: list[tuple[str, Layer]],
        tensors: dict[str, tuple[str, Tensor]],
    ) -> None:
        """What a state becomes, and what one row of it is at first, are of its own dtype and shape."""
        values = {value.name: value for _, layer in layers for value in layer.outputs}
        for at, state in states:
            value, found = values.get(state.output), tensors.get(state.initial)
            if value is None:
                where = pointer(at, "output")
                self.report("undefined-output", where, "a value that a layer makes", repr(state.output))
            elif (value.dtype, value.shape) != (state.input.dtype, state.input.shape):
                self.report("state-mismatch", pointer(at, "output"), str(state.input), str(value))
            if found is None:
                self.report("tensor-missing", pointer(at, "initial"), "the name of a tensor", repr(state.initial))
            elif (found[1].dtype, found[1].shape) != (state.input.dtype, state.input.shape[1:]) or found[
                1
            ].quantization:
                expected = f"{state.input.dtype} {show(state.input.shape[1:])}, not quantized"
                received = f"{found[1].dtype} {show(found[1].shape)}"
                self.report("state-mismatch", pointer(at, "initial"), expected, received)

    def graph(self, inputs: list[Value], states: list[tuple[str, State]]) -> tuple[list[tuple[str, Layer]], list[str]]:
        entries = list(self.each(layer_entry, self.header.get("layers"), "/layers"))
        later = {value.name for _, layer in entries for value in layer.outputs}
        values = {value.name: value for value in [*inputs, *(state.input for _, state in states)]}
        layers: set[str] = set()
        for at, layer in entries:
            self.known(layer, at, layers)
            for i, source in enumerate(layer.inputs):
                if source not in values:
                    code = "forward-reference" if source in later else "undefined-value"
                    self.report(code, f"{at}/inputs/{i}", "a value made before this layer", repr(source))
            for i, value in enumerate(layer.outputs):
                if value.name in values:
                    where = f"{at}/outputs/{i}/name"
                    self.report("duplicate-value", where, "a name of its own", repr(value.name))
                values[value.name] = value
        outputs = self.outputs(values)
        if not self.faults:
            self.alive(entries, [*outputs, *(state.output for _, state in states)])
        return entries, outputs

    def outputs(self, values: Mapping[str, Value]) -> list[str]:
        outputs = []
        for at, output in self.each(name, self.header.get("outputs"), "/outputs", least=1):
            if output not in values:
                self.report("undefined-output", at, "a value of the graph", repr(output))
            elif values[output].shape[:1] != (BATCH,):
                self.report("batch-axis", at, f"a value with {BATCH!r} as first dimension", str(values[output]))
            elif values[output].dtype == "string":
                self.report("dtype-mismatch", at, "a value of numbers or booleans", str(values[output]))
            outputs.append(output)
        return outputs

    def known(self, layer: Layer, at: str, layers: set[str]) -> None:
        """A layer has a name of its own, and one of the reader's operators (or `requirements` has named it)."""
        if layer.name in layers:
            self.report("duplicate-layer", pointer(at, "name"), "a name of its own", repr(layer.name))
        layers.add(layer.name)
        if layer.op in self.operators or f"op:{layer.op}" in self.fields.get("requires", ()):
            return
        versions = {op.partition("@")[0] for op in self.operators}
        code = "operator-version" if layer.op.partition("@")[0] in versions else "operator-unknown"
        self.keep(RequirementError(code, pointer(at, "op"), "an operator of this reader", repr(layer.op)))

    def alive(self, entries: list[tuple[str, Layer]], outputs: list[str]) -> None:
        """Refuses a layer that no output depends on."""
        needed = set(outputs)
        for at, layer in reversed(entries):
            if not any(value.name in needed for value in layer.outputs):
                self.report("dead-layer", at, "a layer that some output depends on", repr(layer.name))
            needed.update(layer.inputs)

    def references(
        self,
        layers: list[tuple[str, Layer]],
        tensors: dict[str, tuple[str, Tensor]],
        selftest: SelfTest | None,
        states: list[State],
    ) -> None:
        """Every tensor that is named exists; every tensor that exists is named."""
        used = {state.initial for state in states}
        for at, layer in layers:
            for role, tensor in layer.weights.items():
                if tensor not in tensors:
                    where = pointer(f"{at}/weights", role)
                    self.report("tensor-missing", where, "the name of a tensor", repr(tensor))
                used.add(tensor)
        for _, found in tensors.values():
            if found.quantization:
                used |= {found.quantization.scale, found.quantization.zero_point}
        used.update(name for names in selftest or () for name in names)
        if not self.faults:
            for name, (at, _) in tensors.items():
                if name not in used:
                    self.report("tensor-unreferenced", at, "a tensor that something uses", repr(name))

    def selftest(self, n_inputs: int, n_outputs: int, tensors: dict[str, tuple[str, Tensor]]) -> SelfTest | None:
        if "selftest" not in self.header:
            return None
        at = "/selftest"
        names = list_of(name)
        fields = self.attempt(
            record({"inputs": names, "outputs": names, "tolerances": names}), self.header["selftest"], at
        )
        if fields is None:
            return None
        for key, n in (("inputs", n_inputs), ("outputs", n_outputs), ("tolerances", n_outputs)):
            if len(fields[key]) != n:
                self.report("selftest-count", pointer(at, key), f"{n} names of tensors", len(fields[key]))
            for i, tensor in enumerate(fields[key]):
                if tensor not in tensors:
                    self.report("tensor-missing", f"{at}/{key}/{i}", "the name of a tensor", repr(tensor))
        return SelfTest(*(tuple(fields[key]) for key in ("inputs", "outputs", "tolerances")))

    def structure(self, n_outputs: int) -> Json:
        """The nest that the outputs are answered in; its leaves are their indices, each once."""
        if "output_structure" not in self.header:
            return None
        structure, at = self.header["output_structure"], "/output_structure"
        leaves: list[Any] = []
        _leaves(structure, leaves)
        if sorted(leaves, key=repr) != sorted(range(n_outputs), key=repr) or any(type(i) is not int for i in leaves):
            self.report("output-structure", at, f"the numbers 0 to {n_outputs - 1}, each once", leaves)
        return structure


def _leaves(structure: Json, leaves: list[Any]) -> None:
    if isinstance(structure, dict | list):
        for member in structure.values() if isinstance(structure, dict) else structure:
            _leaves(member, leaves)
    else:
        leaves.append(structure)


def _positive(scale: Any) -> Any:
    return np.isfinite(scale) & (scale > 0)
