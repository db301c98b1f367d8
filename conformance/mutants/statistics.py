"""Mistakes in what normalizes groups of elements: spec/ops/{layer,rms,unit,group}_normalization.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mutants.mutant import FLOAT32, Mutant, changing, of_faults, of_numbers, overlooking, without
from naive.arithmetic import FLOAT64, Arithmetic, Number, larger
from naive.arrays import Array, elements
from naive.operators import normalization, reduction, weights
from naive.operators.normalization import Norm, over_axes, standardized
from naive.operators.operator import Call, Compute, around

# Formulas of a group


def squares(x: Sequence[Number]) -> list[Number]:
    return [v * v for v in x]


def epsilon_outside(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    mean = reduction.mean(a, x)
    deviation = a.sqrt(reduction.mean(a, squares([v - mean for v in x]))) + epsilon
    return [a.divide(v - mean, deviation) for v in x]


def of_a_sample(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    """Bessel's correction."""
    mean = reduction.mean(a, x)
    variance = a.divide(a.sum(squares([v - mean for v in x])), max(len(x) - 1, 1))
    return [a.divide(v - mean, a.sqrt(variance + epsilon)) for v in x]


def by_squares(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    mean = reduction.mean(a, x)
    variance = larger(reduction.mean(a, squares(x)) - mean * mean, a.number(0))
    return [a.divide(v - mean, a.sqrt(variance + epsilon)) for v in x]


def by_the_variance(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    mean = reduction.mean(a, x)
    variance = reduction.mean(a, squares([v - mean for v in x]))
    return [a.divide(v - mean, variance + epsilon) for v in x]


def around_0(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    """The mean is not taken off."""
    mean = reduction.mean(a, x)
    variance = reduction.mean(a, squares([v - mean for v in x]))
    return [a.divide(v, a.sqrt(variance + epsilon)) for v in x]


def without_epsilon(norm: Norm) -> Norm:
    return lambda a, x, epsilon: norm(a, x, a.number(0))


def usual_epsilon(norm: Norm, usual: float) -> Norm:
    return lambda a, x, epsilon: norm(a, x, a.number(usual))


def over_root_of_sum(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    return [a.divide(v, a.sqrt(a.sum(squares(x)) + epsilon)) for v in x]


def over_root_and_epsilon(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    return [a.divide(v, a.sqrt(reduction.mean(a, squares(x))) + epsilon) for v in x]


def over_bounded_square(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    return [a.divide(v, a.sqrt(larger(a.sum(squares(x)), epsilon))) for v in x]


def over_sum_of_sizes(a: Arithmetic, x: list[Number], epsilon: Number) -> list[Number]:
    return [a.divide(v, larger(a.sum([abs(v) for v in x]), epsilon)) for v in x]


# Other groups, other places of the weights


def over_other_axes(compute: Compute, choose: str) -> Compute:
    """Weights are repeated as far as they are needed."""

    def changed(call: Call) -> list[Number]:
        rank, axes = len(call.shape), call.attributes["axes"]
        chosen = {"last": [rank - 1], "first": axes[:1], "all": [*range(1, rank)], "batch": [0, *axes]}[choose]
        count = elements([call.shape[axis] for axis in chosen])
        weights = {role: replace(w, data=(w.data * count)[:count]) for role, w in call.weights.items()}
        return compute(replace(call, weights=weights, attributes={**call.attributes, "axes": chosen}))

    return changed


def by_place_in_x(compute: Compute) -> Compute:
    """The weights by i mod n, which is right where axes is the last axis alone."""

    def changed(call: Call) -> list[Number]:
        y = compute(replace(call, weights={}))
        scale, shift = (call.weights.get(role) for role in ("gamma" if "gamma" in call.weights else "scale", "beta"))
        if scale is not None:
            y = [v * scale.data[i % len(scale.data)] for i, v in enumerate(y)]
        if shift is not None:
            y = [v + shift.data[i % len(shift.data)] for i, v in enumerate(y)]
        return y

    return changed


def shift_before_scale(compute: Compute) -> Compute:
    """(normalized + beta) · gamma."""

    def changed(call: Call) -> list[Number]:
        if not {"gamma", "beta"} <= call.weights.keys():
            return compute(call)
        gamma, beta = call.weights["gamma"], call.weights["beta"]
        product = [g * b for g, b in zip(gamma.data, beta.data, strict=True)]
        return compute(replace(call, weights={"gamma": gamma, "beta": replace(beta, data=product)}))

    return changed


# Groups of channels

Choose = Callable[[int, int, int], int]
"""(a channel, the number of channels of a group, that of groups) -> the group."""


def by_groups(norm: Norm, group: Choose = lambda c, width, groups: c // width) -> Compute:
    def compute(call: Call) -> list[Number]:
        x, axis, groups = call.inputs[0].data, call.attributes["axis"], call.attributes["groups"]
        _, channels, inner = around(call.shape, axis)
        row = elements(call.shape[1:])
        places: dict[tuple[int, int], list[int]] = {}
        for i in range(len(x)):
            places.setdefault((i // row, group(i // inner % channels, channels // groups, groups)), []).append(i)
        y = list(x)
        for at in places.values():
            for i, v in zip(at, norm(call.a, [x[i] for i in at], call.attributes["epsilon"]), strict=True):
                (y[i],) = normalization.adjusted(call, [v], [i // inner % channels])
        return y

    return compute


def channels_last(call: Call) -> list[Number]:
    """The weights are repeated as far as the last axis needs them."""
    last = len(call.shape) - 1
    n = call.shape[last]
    weights = {role: replace(w, data=(w.data * n)[:n]) for role, w in call.weights.items()}
    groups = call.attributes["groups"] if n % call.attributes["groups"] == 0 else 1
    attributes = {**call.attributes, "axis": last, "groups": groups}
    return normalization.compute_group(replace(call, weights=weights, attributes=attributes))


def each_place_apart(call: Call) -> list[Number]:
    """Along the channels alone, whatever the other axes are."""
    outer, channels, inner = around(call.shape, call.attributes["axis"])
    width = channels // call.attributes["groups"]
    split = (outer * channels // width, width, inner)
    found = over_axes(standardized)(
        replace(
            call,
            inputs=[Array(call.dtype, split, call.inputs[0].data)],
            weights={},
            shape=split,
            attributes={"axes": [1], "epsilon": call.attributes["epsilon"]},
        )
    )
    at = [i // inner % channels for i in range(len(found))]
    return normalization.adjusted(call, found, at)


# The catalogue


def of_statistics(op: str, name: str, says: str, compute: Compute, arithmetic: Arithmetic = FLOAT64) -> Mutant:
    change = changing(op, compute=compute)
    return of_numbers(f"{op}: {name}", says, change, page=f"ops/{op}.md", groups=(op,), arithmetic=arithmetic)


FORMULA = "(x − mean) / √(variance + epsilon)"
VARIANCE = "variance = Σ (x − mean)² / n"
GROUP = "a group is the elements whose indices differ in axes alone"
PLACES = "gamma and beta have one element for each place in a group"


def both_standardized(op: str, of: Callable[[Norm], Compute]) -> tuple[Mutant, ...]:
    right = normalization.OPERATORS[f"{op}@1"].compute
    return (
        of_statistics(op, "epsilon left out", FORMULA, of(without_epsilon(standardized))),
        of_statistics(op, "epsilon is always 0.001", "epsilon is an attribute", of(usual_epsilon(standardized, 1e-3))),
        of_statistics(op, "epsilon outside of the root", FORMULA, of(epsilon_outside)),
        of_statistics(op, "divided by the variance", FORMULA, of(by_the_variance)),
        of_statistics(op, "variance of a sample", VARIANCE, of(of_a_sample)),
        of_statistics(op, "mean of the squares less the square of the mean", VARIANCE, of(by_squares), FLOAT32),
        of_statistics(op, "the mean stays", FORMULA, of(around_0)),
        of_statistics(op, "gamma left out", "times gamma", lambda call: right(without(call, "gamma"))),
        of_statistics(op, "beta left out", "plus beta", lambda call: right(without(call, "beta"))),
        of_statistics(op, "beta before gamma", "times gamma, plus beta", shift_before_scale(right)),
    )


def both_over_axes(op: str) -> tuple[Mutant, ...]:
    right = normalization.OPERATORS[f"{op}@1"].compute
    return (
        of_statistics(op, "always over the last axis", GROUP, over_other_axes(right, "last")),
        of_statistics(op, "over the first of axes", GROUP, over_other_axes(right, "first")),
        of_statistics(op, "over all axes but the batch", GROUP, over_other_axes(right, "all")),
        of_statistics(op, "over the batch too", GROUP, over_other_axes(right, "batch")),
    )


RMS = "x / √(Σ x² / n + epsilon) · scale"
UNIT = "x / max(√(Σ x²), epsilon): epsilon is a bound of the norm, not of its square"
CHANNELS = "channels / groups channels in a row, with everything along the other axes"


def rms(norm: Norm) -> Compute:
    return over_axes(norm, scale="scale")


RIGHT_RMS = normalization.OPERATORS["rms_normalization@1"].compute

MUTANTS = (
    *both_standardized("layer_normalization", over_axes),
    *both_over_axes("layer_normalization"),
    of_statistics("layer_normalization", "weights by i mod n", PLACES, by_place_in_x(over_axes(standardized))),
    *both_over_axes("rms_normalization"),
    of_statistics("rms_normalization", "the sum of the squares", RMS, rms(over_root_of_sum)),
    of_statistics("rms_normalization", "epsilon outside of the root", RMS, rms(over_root_and_epsilon)),
    of_statistics(
        "rms_normalization", "epsilon left out", RMS, rms(without_epsilon(normalization.over_root_mean_square))
    ),
    of_statistics("rms_normalization", "the mean is taken off", RMS, rms(standardized)),
    of_statistics("rms_normalization", "scale left out", RMS, lambda call: RIGHT_RMS(without(call, "scale"))),
    of_statistics("rms_normalization", "scale by i mod n", "one element for each place", by_place_in_x(RIGHT_RMS)),
    *both_over_axes("unit_normalization"),
    of_statistics("unit_normalization", "epsilon bounds the square", UNIT, over_axes(over_bounded_square)),
    of_statistics("unit_normalization", "epsilon is added", UNIT, over_axes(over_root_of_sum)),
    of_statistics("unit_normalization", "epsilon left out", UNIT, over_axes(without_epsilon(normalization.over_norm))),
    of_statistics("unit_normalization", "the sum of the magnitudes", UNIT, over_axes(over_sum_of_sizes)),
    *both_standardized("group_normalization", by_groups),
    of_statistics(
        "group_normalization",
        "channels of a group interleaved",
        CHANNELS,
        by_groups(standardized, lambda c, width, groups: c % groups),
    ),
    of_statistics(
        "group_normalization",
        "groups is the number of channels of a group",
        CHANNELS,
        by_groups(standardized, lambda c, width, groups: c // groups),
    ),
    of_statistics("group_normalization", "one group", CHANNELS, by_groups(standardized, lambda c, width, groups: 0)),
    of_statistics("group_normalization", "always the last axis", "channels elements along axis", channels_last),
    of_statistics("group_normalization", "each place by itself", CHANNELS, each_place_apart),
    *(
        of_faults(
            f"{op}: weights of another shape",
            "a weight has the shape of the dimensions at axes, or of the channels",
            overlooking(weights, "weight-shape"),
            groups=(op,),
            page=f"ops/{op}.md",
        )
        for op in ("layer_normalization", "rms_normalization", "group_normalization")
    ),
    of_faults(
        "group_normalization: groups that do not divide",
        "groups divides channels",
        overlooking(normalization, "groups-divide"),
        groups=("group_normalization",),
        page="ops/group_normalization.md",
    ),
)
