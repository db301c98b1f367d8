"""What format.md and versioning.md demand, by the code of the fault, where they say more than errors.md does."""

from __future__ import annotations

from generate.pages import Quote, faults, quote

_START = "A file that begins otherwise is `wrong-magic`, with two exceptions:"
_PAD = (
    "The pad has the one length below 64 that puts the payload's first byte at a file offset that is a multiple of 64."
)
_JSON = "There is no nil, no binary data, no extension type."
_NUMBERS = "integers from −2⁵³ to 2⁵³, finite floats"
_NAMES = (
    "**Names** (of the model, of layers, values, tensors, inputs, roles, extensions) are strings of 1 to 256 bytes "
    "without U+0000."
)
_OWN_NAMES = "Layers have names of their own, values have names of their own, tensors have names of their own"
_READS = "the names of the values that it reads, each an input of the model, a state, or made by an earlier layer"
_OFFSETS = (
    "Each next tensor has the smallest multiple of 64 that is not inside the one before it: `offset[k + 1] = 64 · "
    "ceil((offset[k] + nbytes[k]) / 64)`. Any other offset is `tensor-misaligned`, `tensor-order`, `tensor-overlap` or "
    "`tensor-hole`."
)
_END = "The last tensor ends the payload (`payload-size`, `tensor-bounds`)"
_SCALES = (
    "`scale` names a float32 tensor, `zero_point` an int8 tensor; with `axis` both have the shape `[shape[axis]]`, "
    "without it the shape `[]`"
)

_FORMAT = {
    "wrong-magic": _START,
    "container-length": _START,
    "trailing-bytes": "Nothing follows the payload.",
    "payload-misaligned": _PAD,
    "msgpack-nil": _JSON,
    "msgpack-bin": _JSON,
    "msgpack-ext": _JSON,
    "msgpack-timestamp": _JSON,
    "duplicate-key": "No map has a key twice.",
    "number-not-finite": _NUMBERS,
    "integer-range": _NUMBERS,
    "limit-nesting": "| nesting of maps and arrays, the header itself counted | 16 | `limit-nesting` |",
    "limit-string": "| a string | 64 KiB | `limit-string` |",
    "limit-items": "| elements of an array, pairs of a map, so also layers and tensors | 65,536 | `limit-items` |",
    "unknown-key": "Keys that this specification does not name are refused (`unknown-key`) everywhere but inside `ext` "
    "and `metadata`.",
    "name-length": _NAMES,
    "name-nul": _NAMES,
    "rank-range": "| dimensions of a shape | 8 | `rank-range` |",
    "dimension-range": "| a dimension | 1 to 2³¹ − 1 | `dimension-range` |",
    "output-structure": "It is a nest of maps and lists whose leaves are the indices of `outputs`, each once",
    "duplicate-tensor": _OWN_NAMES,
    "element-count": "| elements of a tensor | 2⁵³ | `element-count` |",
    "tensor-nbytes": "`nbytes` is the product of `shape` times the size of an element (`tensor-nbytes`)",
    "tensor-misaligned": _OFFSETS,
    "tensor-order": _OFFSETS,
    "tensor-overlap": _OFFSETS,
    "tensor-hole": _OFFSETS,
    "tensor-bounds": _END,
    "payload-size": _END,
    "gap-not-zero": "The bytes between two tensors are 0 (`gap-not-zero`).",
    "hash-mismatch": "SHA-256 of the payload's bytes, 64 lower-case hexadecimal digits",
    "tensor-unreferenced": "Each tensor is used by some layer, by a state, by a `quantization`, or by the self-test "
    "(`tensor-unreferenced`).",
    "bool-byte": "0 or 1; another byte is `bool-byte`",
    "weight-not-finite": "NaN and infinities in a float tensor are refused (`weight-not-finite`) unless `requires` has "
    "`feature:nonfinite`.",
    "quantization-dtype": "`quantization: {scale, zero_point, axis}` makes an int8 tensor stand for float32 numbers:",
    "quantization-part": _SCALES,
    "scale-range": "Scales are finite and above 0 (`scale-range`, also for NaN).",
    "duplicate-layer": _OWN_NAMES,
    "duplicate-value": _OWN_NAMES,
    "undefined-value": _READS,
    "forward-reference": _READS,
    "undefined-output": "list of names of values, at least one; a name may occur twice",
    "dead-layer": "A layer that no output, and no output of a state, depends on is refused (`dead-layer`).",
    "batch-axis": "The first dimension of every input of the model is `batch`, and so is that of every output. A value "
    "that has it has it as first dimension and nowhere else (`batch-axis`).",
    "selftest-count": "one input tensor for each input of the model, one tensor of expected outputs and one of "
    "tolerances for each output (`selftest-count`)",
    "selftest-tensor": "Each is stored in the dtype of its value, not quantized, and has its shape, with one number "
    "for each symbol throughout the test (`selftest-tensor`).",
    "selftest-failed": "a reader that verifies a file should run the self-test too, if it has one (`selftest-failed`)",
    "canonical-order": "the keys of every map are sorted by their UTF-8 bytes (`canonical-order`);",
    "canonical-head": "every integer, string, array and map has the shortest head (`canonical-head`), those of the "
    "version included;",
    "canonical-float32": "every float is a float64 (`canonical-float32`)",
    "canonical-nfc": "strings are in Unicode's normal form C (`canonical-nfc`)",
}
_LISTED = "A sorted list, each item once, of all that the model uses and nothing else"
_VERSIONING = {
    "version-major": "**A reader refuses another major** (`version-major`)",
    "requires-unknown": "it looks at `requires` and refuses only what it lacks (`requires-unknown`), naming all of it",
    "requires-incomplete": _LISTED,
    "requires-unused": _LISTED,
    "requires-order": _LISTED,
}


def demanded(code: str) -> Quote:
    """The sentence that a file with this fault contradicts."""
    if code in _FORMAT:
        return quote("format.md", _FORMAT[code])
    return quote("versioning.md", _VERSIONING[code]) if code in _VERSIONING else faults()[code]
