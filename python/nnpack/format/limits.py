"""The limits of spec/format.md, enforced before anything is allocated."""

MAGIC = b"\x95\xa6nnpack"
MAJOR, MINOR = 1, 0

HEADER_BYTES = 16 * 2**20
NESTING = 16
STRING_BYTES = 64 * 2**10
NAME_BYTES = 256
ITEMS = 65_536  # layers, tensors, and the length of any array or map
RANK = 8
DIMENSION = 2**31  # exclusive
INTEGER = 2**53  # inclusive, for its magnitude: what JSON numbers hold exactly
PAYLOAD_BYTES = 2**32  # exclusive
ALIGNMENT = 64
ACTIVATION_ELEMENTS = 2**30

BATCH = "batch"
"""The symbol of axis 0 of every input: rows of a batch are independent of each other."""


def aligned(offset: int) -> int:
    """The first multiple of the alignment at or after `offset`."""
    return -(-offset // ALIGNMENT) * ALIGNMENT
