"""What an .nnpack file says, as immutable objects: spec/format.md, "Header".

Tuples with names where they suffice: a dataclass costs a millisecond of every program's start.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nnpack.format.dtypes import DTYPES, from_bfloat16
from nnpack.format.limits import MAJOR

if TYPE_CHECKING:
    from nnpack.format.dtypes import Array

Dimension = int | str
Shape = tuple[Dimension, ...]
Json = Any
NOTHING: Mapping[str, Any] = MappingProxyType({})

NONFINITE = "feature:nonfinite"
QUANTIZATION = "feature:quantization"
STATES = "feature:states"
FEATURES = (NONFINITE, QUANTIZATION, STATES)


class Value(NamedTuple):
    """What flows along an edge of the graph; a dimension is a number or the name of one."""

    name: str
    dtype: str
    shape: Shape

    def __str__(self) -> str:
        return f"{self.dtype} {show(self.shape)}"


class Quantization(NamedTuple):
    """weight = (int32(q) - int32(zero_point)) * scale, along `axis` or for the whole tensor."""

    scale: str
    zero_point: str
    axis: int | None = None


class Tensor(NamedTuple):
    """An array of the payload, as stored: read-only, a view of the file where there is one."""

    name: str
    dtype: str
    array: Array
    quantization: Quantization | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    def widened(self) -> Array:
        """The numbers that are stored, read-only; a view, but for bfloat16, which numpy does not have."""
        return read_only(from_bfloat16(self.array)) if self.dtype == "bfloat16" else self.array


class Source(NamedTuple):
    """The Keras layer that a layer was made from; never changes numbers."""

    class_name: str
    name: str


class Layer(NamedTuple):
    """One operator applied: values in, values out, weights by role, attributes all explicit."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[Value, ...]
    weights: Mapping[str, str] = NOTHING
    attributes: Mapping[str, Any] = NOTHING
    source: Source | None = None

    @property
    def made_from(self) -> Source:
        """`source`, or what its absence says: a layer of the same name and of the operator's own class."""
        return self.source or namesake(self.name, self.op)


class State(NamedTuple):
    """What a model carries from call to call: `output` of one call is `input` of the next.

    Attributes:
        input: the value that layers read.
        output: the name of the value that it becomes.
        initial: the name of the tensor that one row of it is before the first call.
    """

    input: Value
    output: str
    initial: str


class SelfTest(NamedTuple):
    """Names of the tensors that hold a few rows of each input, and each output's expected values and tolerances."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tolerances: tuple[str, ...]


class _Document(NamedTuple):
    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[str, ...]
    layers: tuple[Layer, ...]
    tensors: Mapping[str, Tensor]
    producer: Mapping[str, str]
    version: tuple[int, int] = (MAJOR, 0)
    metadata: Mapping[str, Json] | None = None
    output_structure: Json = None
    selftest: SelfTest | None = None
    ext: Mapping[str, Json] | None = None
    states: tuple[State, ...] = ()


class Document(_Document):
    """A whole file. Its canonical bytes are a function of it alone."""

    @cached_property
    def values(self) -> Mapping[str, Value]:
        """Every value of the graph by its name: the inputs, the states, and what the layers make."""
        made = [*self.sources, *(value for layer in self.layers for value in layer.outputs)]
        return MappingProxyType({value.name: value for value in made})

    @property
    def sources(self) -> tuple[Value, ...]:
        """The values that no layer makes: the inputs, then the states."""
        return (*self.inputs, *(state.input for state in self.states))

    def initial_states(self, rows: int) -> list[Array]:
        """What each state is before the first call, for so many rows."""
        rows_of = [self.computed(state.initial) for state in self.states]
        return [np.broadcast_to(row, (rows, *row.shape)) for row in rows_of]

    @property
    def row_elements(self) -> int:
        """The elements that all values of the graph have for one row, a symbol counting as 1."""
        return sum(prod(n for n in value.shape if isinstance(n, int)) for value in self.values.values())

    def requires(self, nonfinite: bool | None = None) -> list[str]:
        """Everything that a reader must have, sorted: operators, dtypes, features.

        Args:
            nonfinite: whether some weight is NaN or infinite; None finds out, which reads every weight.
        """
        items = {f"op:{layer.op}" for layer in self.layers}
        items |= {f"dtype:{value.dtype}" for value in self.values.values()}
        items |= {f"dtype:{tensor.dtype}" for tensor in self.tensors.values()}
        if any(tensor.quantization for tensor in self.tensors.values()):
            items.add(QUANTIZATION)
        if self.states:
            items.add(STATES)
        if not all(map(finite, self.tensors.values())) if nonfinite is None else nonfinite:
            items.add(NONFINITE)
        return sorted(items)

    def without_selftest(self) -> Document:
        """The same model, without the self-test and the tensors that only it uses."""
        if self.selftest is None:
            return self
        used = {name for layer in self.layers for name in layer.weights.values()}
        used |= {state.initial for state in self.states}
        dropped = {name for names in self.selftest for name in names} - used
        tensors = {name: tensor for name, tensor in self.tensors.items() if name not in dropped}
        return self._replace(tensors=tensors, selftest=None)

    def weight(self, name: str) -> Array:
        """The numbers that tensor `name` stands for, read-only: a view of the file where numpy has its type.

        float16 stays float16; bfloat16 and quantized tensors are widened to float32.
        """
        tensor = self.tensors[name]
        if tensor.quantization:
            return read_only(self._dequantized(tensor, tensor.quantization))
        return tensor.widened()

    def computed(self, name: str) -> Array:
        """The numbers of tensor `name` in the type that layers compute in."""
        array = self.weight(name)
        return array.astype(np.float32) if array.dtype == np.float16 else array

    def computed_dtype(self, name: str) -> str:
        """The dtype of `computed(name)`, without making it."""
        tensor = self.tensors[name]
        return "float32" if tensor.quantization else DTYPES[tensor.dtype].computed

    def _dequantized(self, tensor: Tensor, quantization: Quantization) -> Array:
        scale = self.tensors[quantization.scale].array
        zero_point = self.tensors[quantization.zero_point].array
        if quantization.axis is not None:
            along = [1] * len(tensor.shape)
            along[quantization.axis] = -1
            scale, zero_point = scale.reshape(along), zero_point.reshape(along)
        steps: Array = tensor.array.astype(np.int32) - zero_point.astype(np.int32)
        return np.asarray(steps.astype(np.float32) * scale)


def finite(tensor: Tensor) -> bool:
    """Whether every number of a tensor is neither NaN nor infinite."""
    if tensor.dtype == "bfloat16":
        return not bool(np.any((tensor.array & np.uint16(0x7F80)) == 0x7F80))
    if tensor.array.dtype.kind != "f":
        return True
    # the extremes carry a NaN or an infinity along, and need no temporary array
    return bool(np.isfinite(tensor.array.min()) and np.isfinite(tensor.array.max()))


def read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def namesake(name: str, op: str) -> Source:
    """The source of a layer that says nothing of it: `dense_1`, `dense@1` was made from the Dense called dense_1."""
    words = op.partition("@")[0].split("_")
    return Source("".join(word.capitalize() for word in words), name)


def show(shape: Shape) -> str:
    """(batch, 4)"""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
