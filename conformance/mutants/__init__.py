"""Known mistakes: the naive interpreter, wrong in one place at a time.

People who write a runtime make the same mistakes. Here each of them is made on purpose, in a few lines, with the
sentence of the specification that it breaks:

    activations, weighted, elementwise, unary, comparison, reduction, along_axes, convolution, pooling,
    statistics, resizing, shapes, moving, indexing, products, recurrent
                    the formulas of spec/ops
    storage         what stored bytes stand for, and the dtype that is computed in
    calls, states   inputs, outputs, layers, rows, and calls one after the other; what is carried between them
    container, header, payload, graph                           what a reader has to refuse, and what not
    writing         the canonical form

The suite has to notice each of them: a mutant that passes all cases is a hole in the suite. And a runtime whose wrong
numbers are those of a mutant is told which mistake it makes.
"""

from mutants import (
    activations,
    along_axes,
    calls,
    comparison,
    container,
    convolution,
    elementwise,
    graph,
    header,
    indexing,
    moving,
    payload,
    pooling,
    products,
    recurrent,
    reduction,
    resizing,
    shapes,
    states,
    statistics,
    storage,
    unary,
    weighted,
    writing,
)
from mutants.mutant import Mutant

MODULES = (
    activations,
    weighted,
    elementwise,
    unary,
    comparison,
    reduction,
    along_axes,
    convolution,
    pooling,
    statistics,
    resizing,
    shapes,
    moving,
    indexing,
    products,
    recurrent,
    storage,
    calls,
    states,
    container,
    header,
    payload,
    graph,
    writing,
)

MUTANTS: dict[str, Mutant] = {mutant.name: mutant for module in MODULES for mutant in module.MUTANTS}
