"""MultiHeadAttention, GroupQueryAttention, Attention and AdditiveAttention."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np
from keras import layers

from nnpack.exporters.keras.call import Array, Call, Ref, to_numpy
from nnpack.exporters.keras.registry import handles
from nnpack.format.document import Value
from nnpack.format.limits import BATCH

LOWEST = -1e38
"""What takes the place of a score that does not count, where Keras takes −2.4e38.

Verification leaves out rows with numbers beyond 2¹²⁷, and −2.4e38 is one. The results are the same: softmax subtracts
the largest score from all, so that those that do not count become exp of less than −1000, which is 0, unless all
scores that count are below −1e37; and where none counts, all are equal, whatever they are.
"""

_MASKED = -1e9
"""What the layer Softmax puts there."""


# Multi-head attention


@handles(layers.MultiHeadAttention, masks=True)
def multi_head_attention(call: Call) -> list[Value]:
    layer, call.unmasks = call.operation, True
    # Keras takes the mask that the queries carry, and not the argument query_mask
    mask = _attention_mask(call, call.arguments["query"].mask, layer._sliding_window)
    query, key, value, gate = _projected(call, layer._use_gate)
    equations = (layer._dot_product_equation, layer._combine_equation)
    scale, axes = layer._inverse_sqrt_key_dim, len(layer._attention_axes)
    y, scores = _attended(call, (query, key, value), equations, scale, mask, axes, layer._dropout)
    return _answered(call, y, gate, scores)


@handles(layers.GroupQueryAttention, masks=True)
def group_query_attention(call: Call) -> list[Value]:
    layer = call.operation
    mask = _attention_mask(call, call.arguments["query_mask"], layer.sliding_window)
    query, key, value, gate = _projected(call, layer.use_gate)
    if layer.num_repeats > 1:
        repeats = {"axis": 2, "repeats": int(layer.num_repeats)}
        key, value = (call.emit("repeat", [x], attributes=repeats) for x in (key, value))
    equations = ("bkuh,bquh->buqk", layer._combine_equation)
    scale = layer._inverse_sqrt_head_dim
    y, scores = _attended(call, (query, key, value), equations, scale, mask, 1, layer.dropout)
    return _answered(call, y, gate, scores)


def _projected(call: Call, use_gate: bool) -> tuple[Value, Value, Value, Value | None]:
    """Queries, keys and values of all heads, (batch, …, heads, features), and the gate."""
    layer, arguments = call.operation, call.arguments
    query, value = arguments["query"], arguments["value"]
    key = value if arguments.get("key") is None else arguments["key"]
    gate = _part(call, layer._gate_dense, query) if use_gate else None
    return (
        _part(call, layer._query_dense, query),
        _part(call, layer._key_dense, key),
        _part(call, layer._value_dense, value),
        gate,
    )


def _part(call: Call, layer: Any, x: Ref) -> Value:
    """What a layer within the layer makes of a value."""
    return call.value(call.trace(layer, Ref(x.name))[0])


def _answered(call: Call, y: Value, gate: Value | None, scores: Value) -> list[Value]:
    if gate is not None:
        y = call.emit("multiply", [y, gate], part="gated")
    outputs = [_part(call, call.operation._output_dense, Ref(y.name))]
    return [*outputs, scores] if call.arguments["return_attention_scores"] else outputs


def _attended(
    call: Call,
    projected: tuple[Value, Value, Value],
    equations: tuple[str, str],
    scale: float,
    mask: Value | None,
    axes: int,
    dropout: float,
) -> tuple[Value, Value]:
    """The values that the queries attend to, and the weights, in the one of two ways that Keras takes."""
    if dropout > 0 or call.arguments["return_attention_scores"] or len(projected[0].shape) != 4:
        return _explicit(call, projected, equations, scale, mask, axes)
    return _native(call, projected, scale, mask)


def _native(call: Call, projected: tuple[Value, Value, Value], scale: float, mask: Value | None) -> tuple[Value, Value]:
    """As keras.ops.dot_product_attention: where no key counts, all count the same."""
    query, key, value = projected
    scores = call.emit("einsum", [query, key], attributes={"equation": "btnh,bsnh->bnts"}, part="scores")
    scores = call.emit("multiply", [scores, _scale(call, scale, scores.dtype)], part="scaled")
    if mask is not None:
        scores = _masked(call, _of_rank(call, mask, 4, 1), scores, LOWEST)
    weights = _softmax(call, scores, 1)
    equation = {"equation": "bnts,bsnh->btnh"}
    return call.emit("einsum", [weights, value], attributes=equation, part="combined"), weights


def _explicit(
    call: Call,
    projected: tuple[Value, Value, Value],
    equations: tuple[str, str],
    scale: float,
    mask: Value | None,
    axes: int,
) -> tuple[Value, Value]:
    """As with the layer Softmax: where no key counts, the weights are 0."""
    query, key, value = projected
    query = call.emit("multiply", [query, _scale(call, scale, query.dtype)], part="scaled")
    scores = call.emit("einsum", [key, query], attributes={"equation": equations[0]}, part="scores")
    if mask is not None:
        mask = _of_rank(call, mask, len(scores.shape), axes)
        scores = _masked(call, mask, scores, _MASKED)
    weights = _softmax(call, scores, axes)
    if mask is not None:
        weights = _masked(call, mask, weights, 0.0)
    return call.emit("einsum", [weights, value], attributes={"equation": equations[1]}, part="combined"), weights


def _scale(call: Call, scale: float, dtype: str) -> Value:
    """TensorFlow makes a float32 of a number before it casts it."""
    return call.constant(np.float32(scale), dtype, "scale")


def _masked(call: Call, mask: Value, x: Value, otherwise: float) -> Value:
    return call.emit("where", [mask, x, call.constant(otherwise, x.dtype, "masked")])


def _softmax(call: Call, scores: Value, axes: int) -> Value:
    """Along so many axes, the last ones."""
    rank = len(scores.shape)
    return call.emit("softmax", [scores], attributes={"axes": list(range(rank - axes, rank))})


# Masks, true where a key counts for a query


def _attention_mask(call: Call, query_mask: Any, window: int | None) -> Value | None:
    """All masks of a call together, (batch, queries, keys) or what broadcasts to it."""
    arguments = call.arguments
    query, value = call.value(arguments["query"]), call.value(arguments["value"])
    masks = []
    for given, axis in ((query_mask, -1), (arguments["value_mask"], -2), (arguments["key_mask"], -2)):
        if given is not None:
            masks.append(_expanded(call, _given(call, given, query), axis))
    if arguments["use_causal_mask"]:
        masks.append(_causal(call, query, value))
    if window is not None:
        masks.append(_within(call, query, value, window))
    if arguments["attention_mask"] is not None:
        masks.append(_given(call, arguments["attention_mask"], query))
    return _all(call, masks)


def _all(call: Call, masks: Sequence[Value]) -> Value | None:
    if not masks:
        return None
    both, *rest = masks
    for mask in rest:
        both = call.emit("logical_and", [both, mask])
    return both


def _given(call: Call, mask: Any, like: Value) -> Value:
    """A mask among the arguments, as bool; an array has one for all rows."""
    if isinstance(mask, Ref):
        return call.cast(call.value(mask), "bool")
    array: Array = to_numpy(mask).astype(bool)
    if array.ndim == len(like.shape) and array.shape[0] > 1:
        if not (array == array[:1]).all():
            raise call.refuse("a mask that is an array and differs from row to row", "a mask that is an input")
        array = array[:1]
    return call.constant(array, "bool", "attention_mask")


def _expanded(call: Call, mask: Value, axis: int) -> Value:
    """With another axis, counted from the end."""
    return call.emit("expand_dims", [mask], attributes={"axis": len(mask.shape) + 1 + axis})


def _of_rank(call: Call, mask: Value, rank: int, axes: int) -> Value:
    """A mask with axes of 1 before those of queries and keys, as many of each as `axes`."""
    while len(mask.shape) < rank and mask.shape[:1] == (BATCH,):
        mask = _expanded(call, mask, -2 * axes - 1)
    return mask


def _positions(call: Call, x: Value, part: str) -> Value:
    return call.emit("positions", [x], attributes={"axis": 1}, part=part)


def _causal(call: Call, query: Value, value: Value) -> Value:
    """(queries, keys): true where the key is not behind the query."""
    rows = _expanded(call, _positions(call, query, "queries"), -1)
    return call.emit("greater_equal", [rows, _positions(call, value, "keys")], part="causal")


def _within(call: Call, query: Value, value: Value, window: int) -> Value:
    """(queries, keys): true where both are less than `window` apart."""
    rows = _expanded(call, _positions(call, query, "queries"), -1)
    apart = call.emit("abs", [call.emit("subtract", [rows, _positions(call, value, "keys")], part="apart")])
    return call.emit("less", [apart, call.constant(window, "int32", "window")], part="within")


# Attention and AdditiveAttention


@handles(layers.Attention, layers.AdditiveAttention, masks=True)
def attention(call: Call) -> list[Value]:
    layer, arguments = call.operation, call.arguments
    query, value, *rest = (call.value(ref) for ref in arguments["inputs"])
    key = rest[0] if rest else value
    letters = ascii_lowercase[: len(key.shape) - 1]
    key, value = call.export.unify_labels([key, value], [letters, letters])
    query_mask, value_mask, *_ = arguments["mask"] or (None, None)
    additive = isinstance(layer, layers.AdditiveAttention)
    scores = _additive_scores(call, query, key) if additive else _scores(call, query, key)
    masks = [] if value_mask is None else [_given(call, value_mask, query)]
    if masks and (len(masks[0].shape) == 2 or arguments["use_causal_mask"]):
        masks = [_expanded(call, masks[0], -2)]
    if arguments["use_causal_mask"]:
        rows = _expanded(call, _positions_of(call, scores, 2, "queries"), -1)
        masks.append(call.emit("greater_equal", [rows, _positions_of(call, scores, 1, "keys")], part="causal"))
    mask = _all(call, masks)
    if mask is not None:
        scores = _lowered(call, mask, scores)
    weights = _softmax(call, scores, 1)
    y = call.emit("matmul", [weights, value], part="combined")
    if query_mask is not None:
        y = _masked(call, _expanded(call, _given(call, query_mask, query), -1), y, 0.0)
    return [y, weights] if arguments["return_attention_scores"] else [y]


def _lowered(call: Call, mask: Value, scores: Value) -> Value:
    """The scores, and 1e9 less where they do not count.

    Where no key counts, softmax is that of all scores less 1e9. What is left of them then are multiples of the distance
    of numbers around 1e9, and these are the weights that Keras answers; so they are written out.
    """
    distance = float(np.spacing(np.asarray(1e9, scores.dtype)))
    steps = call.emit("multiply", [scores, call.constant(1 / distance, scores.dtype, "per_step")], part="in_steps")
    rounded = call.emit("multiply", [call.emit("round", [steps]), call.constant(distance, scores.dtype, "step")])
    some = call.emit("any", [mask], attributes={"axes": [len(mask.shape) - 1], "keepdims": True}, part="some_key")
    masked = call.emit("where", [some, call.constant(_MASKED, scores.dtype, "masked"), rounded], part="not_counted")
    return call.emit("where", [mask, scores, masked], part="counted")


def _positions_of(call: Call, scores: Value, axis: int, part: str) -> Value:
    """The numbers of an axis, counted from the end."""
    return call.emit("positions", [scores], attributes={"axis": len(scores.shape) - axis}, part=part)


def _scores(call: Call, query: Value, key: Value) -> Value:
    layer = call.operation
    if layer.score_mode == "dot":
        rank = len(key.shape)
        turned = call.emit("transpose", [key], attributes={"perm": [*range(rank - 2), rank - 1, rank - 2]})
        scores = call.emit("matmul", [query, turned], part="scores")
        return scores if layer.scale is None else _scaled(call, scores, layer.scale, "scale")
    both = _sums(call, query, key)
    if layer.scale is not None:
        both = _scaled(call, both, layer.scale, "scale")
    return _scaled(call, _summed(call, call.emit("tanh", [both])), layer.concat_score_weight, "concat_score_weight")


def _additive_scores(call: Call, query: Value, key: Value) -> Value:
    y = call.emit("tanh", [_sums(call, query, key)])
    return _summed(call, _scaled(call, y, call.operation.scale, "scale") if call.operation.use_scale else y)


def _sums(call: Call, query: Value, key: Value) -> Value:
    """The sum of each query with each key, (batch, queries, keys, features)."""
    return call.emit("add", [_expanded(call, query, -2), _expanded(call, key, -3)], part="sums")


def _summed(call: Call, x: Value) -> Value:
    return call.emit("sum", [x], attributes={"axes": [len(x.shape) - 1], "keepdims": False}, part="scores")


def _scaled(call: Call, x: Value, scale: Any, part: str) -> Value:
    return call.emit("multiply", [x, call.constant(scale, x.dtype, part)], part=f"times_{part}")
