"""Networks: several operators in a row, several inputs and outputs, shared layers; some of them trained."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

from generate.case import Draw
from generate.graph import Graph, Node
from generate.pages import Quote, quote
from generate.positive.activations import ACTIVATIONS
from generate.positive.declare import Make, declare
from generate.positive.elementwise import OPERATORS
from generate.trained import arrays


def _weights(r: Draw, n: int, units: int, spread: float = 1.0) -> dict[str, Any]:
    return {"kernel": r.normal(n, units, scale=spread / sqrt(n)), "bias": r.normal(units, scale=0.1)}


def _classifier(r: Draw) -> Graph:
    graph = Graph()
    x: Node = graph.input("pixels", r.normal(5, 8, 3))
    x = graph.apply("flatten", "reshape", x, target_shape=[-1])
    for i, units in enumerate((32, 16)):
        n = int(x.shape[-1])
        x = graph.apply(f"dense_{i}", "dense", x, weights=_weights(r, n, units))
        moments = {"moving_mean": r.normal(units, scale=0.1), "moving_variance": r.uniform(0.5, 2, units)}
        affine = {"gamma": r.uniform(0.5, 2, units), "beta": r.normal(units, scale=0.1)}
        x = graph.apply(
            f"normalized_{i}", "batch_normalization", x, weights={**moments, **affine}, axis=1, epsilon=1e-3
        )
        x = graph.apply(f"active_{i}", "relu", x)
    x = graph.apply("scores", "dense", x, weights=_weights(r, 16, 10))
    graph.outputs.append(graph.apply("classes", "softmax", x, axes=[1]))
    return graph


def _two_by_two(r: Draw) -> Graph:
    """Two inputs, a layer that both share, two outputs of which one is also read further on."""
    graph = Graph()
    left, right = graph.input("left", r.normal(4, 6)), graph.input("right", r.normal(4, 6))
    a = graph.apply("encoded_left", "dense", left, weights=_weights(r, 6, 5))
    shared = {"kernel": "encoded_left/kernel", "bias": "encoded_left/bias"}
    b = graph.apply("encoded_right", "dense", right, weights=shared)
    a, b = graph.apply("tanh_left", "tanh", a), graph.apply("tanh_right", "tanh", b)
    product = graph.apply("product", "multiply", a, b)
    joined = graph.apply("joined", "concatenate", a, product, b, axis=1)
    score = graph.apply("score", "sigmoid", graph.apply("dense", "dense", joined, weights=_weights(r, 15, 1)))
    graph.outputs += [score, product]
    return graph


def _sequence(r: Draw) -> Graph:
    """Over a time axis of any length, with a residual connection and a constant position."""
    graph = Graph()
    x = graph.input("x", r.normal(2, 5, 4), ("batch", "time", 4))
    value = graph.apply("offset", "constant", weights={"value": r.normal(4)}, shape=(4,))
    shifted = graph.apply("shifted", "add", x, value, shape=("batch", "time", 4))
    up = graph.apply("up", "dense", shifted, weights=_weights(r, 4, 12), shape=("batch", "time", 12))
    gated = graph.apply("gated", "glu", up, shape=("batch", "time", 6), axis=2)
    active = graph.apply("active", "gelu", gated, shape=("batch", "time", 6), approximate=False)
    down = graph.apply("down", "dense", active, weights=_weights(r, 6, 4), shape=("batch", "time", 4))
    total = graph.apply("residual", "add", down, x, shape=("batch", "time", 4))
    graph.outputs.append(graph.apply("y", "log_softmax", total, shape=("batch", "time", 4), axes=[2]))
    return graph


# Depth, breadth, scales


def _deep(r: Draw) -> Graph:
    graph = Graph()
    x: Node = graph.input("x", r.normal(3, 6))
    for i in range(10):
        x = graph.apply(f"dense_{i}", "dense", x, weights=_weights(r, 6, 6, spread=1.5))
        x = graph.apply(f"tanh_{i}", "tanh", x)
    graph.outputs.append(graph.apply("y", "dense", x, weights=_weights(r, 6, 2)))
    return graph


def _residual(r: Draw) -> Graph:
    """Four blocks, each of which adds to what it was given; the last value is read by nobody else."""
    graph = Graph()
    x: Node = graph.input("x", r.normal(4, 5))
    for i, op in enumerate(("relu", "silu", "softsign", "mish")):
        up = graph.apply(f"up_{i}", "dense", x, weights=_weights(r, 5, 9))
        active = graph.apply(f"active_{i}", op, up)
        down = graph.apply(f"down_{i}", "dense", active, weights=_weights(r, 9, 5))
        x = graph.apply(f"sum_{i}", "add", x, down)
    graph.outputs.append(x)
    return graph


def _branches(r: Draw) -> Graph:
    """Branches of different depths; one value is read by three layers, and is an output."""
    graph = Graph()
    x = graph.input("x", r.normal(3, 5))
    stem = graph.apply("stem", "dense", x, weights=_weights(r, 5, 6))
    short = graph.apply("short", "sigmoid", stem)
    long = graph.apply("long", "dense", stem, weights=_weights(r, 6, 4))
    long = graph.apply("longer", "elu", long, alpha=0.5)
    long = graph.apply("longest", "dense", long, weights=_weights(r, 4, 3))
    joined = graph.apply("joined", "concatenate", short, stem, long, axis=1)
    graph.outputs += [graph.apply("y", "dense", joined, weights=_weights(r, 15, 2)), stem]
    return graph


def _shared_thrice(r: Draw) -> Graph:
    """One kernel three times in a row, and the difference of what the first and the last make."""
    graph = Graph()
    x: Node = graph.input("x", r.normal(3, 4))
    first = x = graph.apply("pass_0", "dense", x, weights=_weights(r, 4, 4))
    for i in (1, 2):
        active = graph.apply(f"active_{i}", "hard_tanh", x)
        x = graph.apply(f"pass_{i}", "dense", active, weights={"kernel": "pass_0/kernel", "bias": "pass_0/bias"})
    graph.outputs.append(graph.apply("y", "subtract", x, first))
    return graph


def _wide_softmax(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(2, 8))
    scores = graph.apply("scores", "dense", x, weights=_weights(r, 8, 500, spread=12))
    graph.outputs.append(graph.apply("y", "softmax", scores, axes=[1]))
    return graph


def _scales(r: Draw) -> Graph:
    """Up by 1e20, down by 1e25, up by 1e5: no value leaves float32's range."""
    graph = Graph()
    x: Node = graph.input("x", r.normal(4, 5))
    for i, scale in enumerate((1e20, 1e-25, 1e5)):
        weights = {"kernel": r.normal(5, 5, scale=scale), "bias": r.normal(5, scale=[1e20, 1e-5, 1.0][i])}
        x = graph.apply(f"dense_{i}", "dense", x, weights=weights)
        x = graph.apply(f"active_{i}", "leaky_relu", x, negative_slope=0.1)
    graph.outputs.append(x)
    return graph


# Many inputs, outputs, symbols, layers; one tensor in many roles


def _many(r: Draw) -> Graph:
    """Twelve inputs of other shapes and dtypes; neither their names nor those of the outputs are in order."""
    graph = Graph()
    order = (7, 1, 11, 0, 10, 4, 2, 9, 3, 8, 6, 5)
    made: dict[int, Node] = {}
    for i in order:
        array = r.integers(-9, 9, 4, 1 + i, dtype="int32") if i % 3 == 0 else r.normal(4, 1 + i)
        made[i] = graph.input(f"x{i}", array)
    numbers = [graph.apply(f"as float {i}", "cast", node, dtype="float32") for i, node in made.items() if i % 3 == 0]
    joined = graph.apply("joined", "concatenate", *numbers, *(made[i] for i in (5, 1, 10)), axis=1)
    scores = graph.apply("b", "dense", joined, weights=_weights(r, int(joined.shape[1]), 3))
    active = graph.apply("c", "tanh", scores)
    graph.outputs += [graph.apply("a", "relu", made[8]), active, *(made[i] for i in (11, 0, 2, 9)), numbers[1], scores]
    graph.outputs += [graph.apply("d", "softmax", node, axes=[1]) for node in (made[4],)]
    graph.outputs.append(graph.apply("e", "multiply", made[7], made[7]))
    graph.outputs.append(graph.apply("f", "reshape", made[3], target_shape=[2, 2]))
    graph.outputs.append(graph.apply("g", "identity", made[6]))
    return graph


def _roles(r: Draw) -> Graph:
    """One tensor is a bias, gamma, beta, the moving mean and variance, and a constant."""
    graph = Graph()
    x = graph.input("x", r.normal(3, 4))
    first = graph.apply("first", "dense", x, weights={"kernel": r.normal(4, 4), "bias": r.uniform(0.5, 2, 4)})
    roles = dict.fromkeys(("moving_mean", "moving_variance", "gamma", "beta"), "first/bias")
    second = graph.apply("second", "batch_normalization", first, weights=roles, axis=1, epsilon=0.1)
    vector = graph.apply("vector", "constant", weights={"value": "first/bias"}, shape=(4,))
    matrix = graph.apply("matrix", "constant", weights={"value": "first/kernel"}, shape=(4, 4))
    tall = graph.apply("tall", "reshape", graph.apply("total", "add", second, vector), target_shape=[4, 1])
    graph.outputs += [graph.apply("y", "multiply", tall, matrix), first]
    return graph


def _two_symbols(r: Draw) -> Graph:
    """Height and width, which only running tells, and which differ."""
    graph = Graph()
    shape = ("batch", "height", "width", 4)
    x, other = (
        graph.input("x", r.normal(2, 3, 5, 4), shape),
        graph.input("z", r.normal(2, 1, 5, 4), ("batch", 1, *shape[2:])),
    )
    up = graph.apply("up", "dense", x, weights=_weights(r, 4, 6), shape=(*shape[:3], 6))
    gated = graph.apply("gated", "glu", up, shape=(*shape[:3], 3), axis=3)
    down = graph.apply("down", "dense", gated, weights=_weights(r, 3, 4), shape=shape)
    total = graph.apply("total", "subtract", other, down, shape=shape)
    graph.outputs.append(graph.apply("rows", "softmax", total, shape=shape, axes=[1]))
    graph.outputs.append(graph.apply("columns", "softmax", total, shape=shape, axes=[2]))
    graph.outputs.append(graph.apply("plane", "log_softmax", total, shape=shape, axes=[1, 2]))
    flat = graph.apply("flat", "reshape", total, shape=("batch", "pixels", 4), target_shape=[-1, 4])
    graph.outputs.append(graph.apply("pixels", "sparsemax", flat, shape=("batch", "pixels", 4), axis=1))
    return graph


def _long(r: Draw) -> Graph:
    """A hundred layers in a row, each by an operator that keeps its numbers small."""
    graph = Graph()
    x: Node = graph.input("x", r.normal(3, 4))
    for i in range(100):
        op = ("tanh", "softsign", "hard_tanh", "identity", "sigmoid")[i % 5]
        x = graph.apply(f"layer {i}", op, x)
    graph.outputs.append(x)
    return graph


def _ranks(r: Draw) -> Graph:
    """Every function of each element by itself, of arrays of five, six and seven dimensions."""
    graph = Graph()
    x, z = graph.input("x", r.normal(2, 4)), graph.input("z", r.normal(2, 4, mean=4))
    flat = []
    for rank in (5, 6, 7):
        target = [*[1] * (rank - 4), 2, 1, 2]
        one, other = (graph.apply(f"{v.name} {rank}", "reshape", v, target_shape=target) for v in (x, z))
        made = [graph.apply(f"{op} {rank}", op, one, **tried.attributes[0]) for op, tried in ACTIVATIONS.items()]
        made += [graph.apply(f"{op} {rank}", op, one, other) for op in OPERATORS]
        flat += [graph.apply(f"{y.name} flat", "reshape", y, target_shape=[-1]) for y in made]
    graph.outputs.append(graph.apply("y", "concatenate", *flat, axis=1))
    return graph


def _rows(r: Draw) -> Graph:
    """Every activation of 130 rows; a layer adds them up, so that there is less to compare."""
    graph = Graph()
    x = graph.input("x", r.normal(130, 2))
    active = [graph.apply(op, op, x, **activation.attributes[0]) for op, activation in ACTIVATIONS.items()]
    joined = graph.apply("joined", "concatenate", *active, axis=1)
    graph.outputs.append(graph.apply("y", "dense", joined, weights={"kernel": r.uniform(1, 2, 2 * len(active), 1)}))
    return graph


def _output_twice(r: Draw) -> Graph:
    graph = Graph()
    x = graph.input("x", r.normal(3, 4))
    y, z = graph.apply("y", "relu", x), graph.apply("z", "tanh", x)
    graph.outputs += [y, z, y]
    return graph


# Trained


class Trained:
    """A graph made of the layers of a trained network."""

    def __init__(self, name: str) -> None:
        self.graph, self.arrays = Graph(), arrays(name)

    def input(self, name: str, rows: int | None = None, shape: Sequence[int | str] | None = None) -> Node:
        """Rows that were not trained on; all that are stored, or so many."""
        return self.graph.input(name, self.arrays[f"inputs/{name}"][:rows], shape)

    def layer(self, name: str, op: str, x: Node, activation: str | None = None, **attributes: Any) -> Node:
        """A layer of stored weights, and its activation, if it has one."""
        y = self.graph.apply(name, op, x, weights=self.stored(name), **({} if activation else attributes))
        return y if activation is None else self.graph.apply(f"{name}_{activation}", activation, y, **attributes)

    def stored(self, name: str) -> dict[str, Any]:
        """The weights of a layer."""
        return {key.partition("/")[2]: array for key, array in self.arrays.items() if key.startswith(f"{name}/")}

    def answering(self, y: Node) -> Graph:
        self.graph.outputs.append(y)
        return self.graph


def iris(*_: Any) -> Graph:
    net = Trained("iris")
    y = net.layer("hidden", "dense", net.input("flower"), "relu")
    y = net.layer("narrow", "dense", y, "tanh")
    return net.answering(net.layer("scores", "dense", y, "softmax", axes=[1]))


def _digits(*_: Any) -> Graph:
    net = Trained("digits")
    y = net.layer("hidden", "dense", net.input("pixels"))
    y = net.layer("normalized", "batch_normalization", y, axis=1, epsilon=1e-3)
    y = net.graph.apply("active", "relu", y)
    return net.answering(net.layer("scores", "dense", y, "softmax", axes=[1]))


def _breast_cancer(*_: Any) -> Graph:
    net = Trained("breast_cancer")
    y = net.layer("hidden", "dense", net.input("cells"), "silu")
    y = net.layer("narrow", "dense", y, "gelu", approximate=False)
    return net.answering(net.layer("malign", "dense", y, "sigmoid"))


def _diabetes(*_: Any) -> Graph:
    net = Trained("diabetes")
    y = net.layer("hidden", "dense", net.input("patient"), "elu", alpha=1.0)
    y = net.layer("narrow", "dense", y, "softplus")
    return net.answering(net.layer("progression", "dense", y))


def _wine(*_: Any) -> Graph:
    net = Trained("wine")
    acids, colours = net.input("acids"), net.input("colours")
    left = net.layer("left", "dense", acids, "selu")
    right = net.layer("right", "dense", colours, "mish")
    product = net.graph.apply("product", "multiply", left, right)
    joined = net.graph.apply("joined", "concatenate", left, product, right, axis=1)
    return net.answering(net.layer("scores", "dense", joined, "softmax", axes=[1]))


IN_ORDER = quote("format.md", "compute the layers in order")
SHARED = quote("format.md", "Several layers may use one tensor.")
PASSES_ON = quote("accuracy.md", "Errors of one layer pass through the next.")
READS = quote(
    "format.md",
    "the names of the values that it reads, each an input of the model, a state, or made by an earlier layer",
)
INPUTS = quote("format.md", "list of values, at least one")
TWICE = quote("format.md", "list of names of values, at least one; a name may occur twice")
SYMBOLS = quote(
    "format.md",
    "A symbol stands for a number that is known when the model runs; one symbol is one number throughout a call.",
)


def _declare(name: str, title: str, says: Quote, make: Make, *, calls: bool = False) -> None:
    declare(f"network/{name}", title, says, make, kind="network", calls=calls)


_declare("classifier", "A perceptron with batch normalization and softmax.", IN_ORDER, _classifier, calls=True)
_declare("two-inputs-two-outputs", "Two inputs through one shared layer, two outputs.", SHARED, _two_by_two, calls=True)
_declare("sequence", "Gates and a residual connection along a time axis of any length.", SYMBOLS, _sequence, calls=True)
_declare("deep", "Ten dense layers in a row, with tanh.", PASSES_ON, _deep, calls=True)
_declare("residual", "Blocks that add to what they were given.", READS, _residual, calls=True)
_declare(
    "branches", "Branches of different depths, joined; a value in between is an output.", READS, _branches, calls=True
)
_declare("shared-three-times", "One kernel three times in a row.", SHARED, _shared_thrice, calls=True)
_declare("wide-softmax", "Probabilities of 500 classes, of scores far apart.", PASSES_ON, _wide_softmax)
_declare("scales", "Values of 1e20 and of 1e-5 in one network.", PASSES_ON, _scales)
_declare("many-inputs-and-outputs", "Twelve of each, in an order that is their own.", INPUTS, _many, calls=True)
_declare("many-roles", "One tensor is weights of several layers and roles.", SHARED, _roles, calls=True)
_declare("two-symbols", "Two dimensions beside the batch that only running tells.", SYMBOLS, _two_symbols, calls=True)
_declare("long", "A hundred layers in a row.", IN_ORDER, _long)
_declare(
    "ranks", "Every activation, and what works on two values, of five, six and seven dimensions.", IN_ORDER, _ranks
)
_declare("rows", "Every activation of 130 rows.", IN_ORDER, _rows)
_declare("one-output-twice", "One value at two places of the answer.", TWICE, _output_twice, calls=True)
_declare("iris", "Trained on flowers: three classes.", IN_ORDER, iris, calls=True)
_declare("digits", "Trained on images: ten classes, batch normalization.", IN_ORDER, _digits)
_declare("breast-cancer", "Trained on cells: yes or no, by a sigmoid.", IN_ORDER, _breast_cancer)
_declare("diabetes", "Trained on patients: a number.", IN_ORDER, _diabetes)
_declare("wine", "Trained on wines: two inputs, whose branches are multiplied and joined.", IN_ORDER, _wine, calls=True)
