"""A runtime of the format in plain Python: no numpy, no msgpack, every rule and every formula a small function.

It is slow and small on purpose. To learn how a runtime is written, read along the way of a file:

    decode      bytes -> version, header, payload              spec/format.md, "Container", "Header", "Limits"
    document    header -> objects with checked fields          spec/schema
    tensors     payload -> numbers                             spec/format.md, "Tensors"
    graph       names, order, shapes                           spec/format.md, "Reading, step by step", 6 and 7
    operators   the constraints and the formula of each page   spec/ops
    model       all of it together: load, run, dump
    encode      the canonical bytes
    adapter     the protocol of the conformance suite

`arithmetic` is what the formulas are computed in: float64, float32, or 300 bits.
"""
