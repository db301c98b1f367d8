"""What every operator computes, in words that a person can follow with awk or a pocket calculator: spec/ops/*.md."""

from __future__ import annotations

from collections.abc import Sequence

NOTATION = """\
A formula without [ ] holds for every element by itself. Two values of different shapes are laid over each other from
their last axes on; an axis of 1 element, or one that is missing in front, is repeated.
x[..., i] stands for element i of the last axis, whatever the axes before it are. Axes and indices count from 0, and
axis 0 is the batch. "A group over axes" is the elements whose indices differ along these axes alone.
"a if c, else b" is a where c holds. exp, log (the natural one), sqrt, floor and ceil are the usual ones, ^ is "to the
power of", pi = 3.141592653589793, and
  sigmoid(v) = 1 / (1 + exp(-v))
  tanh(v)    = 1 - 2 / (1 + exp(2 * v))
  erf(v)     = 2 / sqrt(pi) * exp(-v^2) * (t0 + t1 + ...), t0 = v, each next t[n] = t[n - 1] * 2 * v^2 / (2 * n + 1)
"""

_WINDOWS = """\
along each spatial axis, with I elements of x, O of y, k of {kernel}, s of strides{dilated}:
  ke = {extent};  P = max((O - 1) * s + ke - I, 0)
  before = 0 with padding valid, floor(P / 2) with same{causal}
"""
_CONV_WINDOWS = _WINDOWS.format(
    kernel="kernel", dilated=", d of dilation_rate", extent="(k - 1) * d + 1", causal=", {causal}"
)
_POOL_WINDOWS = _WINDOWS.format(kernel="pool_size", dilated="", extent="k", causal="")
_ADAPTIVE_WINDOWS = """\
along each spatial axis, of I elements in x and O of output_size in y, the window of p is
floor(p * I / O) to ceil((p + 1) * I / O) - 1;
"""
_KEEPDIMS = ";\n  these axes stay, of 1 element, if keepdims is true, else they are left out"
_KEEPDIM = ";\n  this axis stays, of 1 element, if keepdims is true, else it is left out"
_STEPS = """\
{state}
for the steps t from first to last, or from last to first if go_backwards is true:
{step}
  the output of the step is {out}
  where mask[b, t] is false instead, nothing changes, and the output of the step is 0 if zero_output_for_mask
  is true, else that of the step taken before (0 before the first)
y = the outputs in the order in which the steps are taken if return_sequences is true, else the last one;
behind y the layer makes {final}"""
_FROM_ZERO = "{0} begins as the input of that name, or as 0 without one"

_SIMPLE_RNN = _STEPS.format(
    state=_FROM_ZERO.format("state"),
    step="  state = activation(x[b, t] * kernel + state * recurrent_kernel + bias)     (rows times matrices)",
    out="state",
    final="state",
)
_LSTM = _STEPS.format(
    state=_FROM_ZERO.format("each of state_h and state_c"),
    step="""\
  s = x[b, t] * kernel + state_h * recurrent_kernel + bias     (rows times matrices)
  i, f, g, o = the four quarters of s, one behind the other
  state_c = recurrent_activation(f) * state_c + recurrent_activation(i) * activation(g)
  state_h = recurrent_activation(o) * activation(state_c)""",
    out="state_h",
    final="state_h and state_c",
)
_CONV_LSTM = (
    _CONV_WINDOWS.format(causal="for the convolution of x")
    + "  (the convolution of state_h has strides 1, dilation_rate 1 and padding same, whatever the layer has)\n"
    + _LSTM.replace(
        "s = x[b, t] * kernel + state_h * recurrent_kernel + bias     (rows times matrices)",
        "s[p, q, f] = bias[f]\n"
        "    + sum over i, j, c of x[b, t, p*s1 + i*d1 - before1, q*s2 + j*d2 - before2, c] * kernel[i, j, c, f]\n"
        "    + the same sum of state_h[b, ...] with recurrent_kernel; x and state_h are 0 outside of their axes",
    ).replace("four quarters of s", "four quarters of the last axis of s")
)
_GRU = _STEPS.format(
    state=_FROM_ZERO.format("state"),
    step="""\
  W and U are kernel and recurrent_kernel, a and v the two rows of bias if reset_after is true, else bias and 0;
  each of the four has three thirds of its last axis, one behind the other: z, r and g
  z = recurrent_activation(x[b, t] * Wz + az + state * Uz + vz)     (rows times matrices)
  r = recurrent_activation(x[b, t] * Wr + ar + state * Ur + vr)
  g = activation(x[b, t] * Wg + ag + r * (state * Ug + vg)) if reset_after is true,
      else activation(x[b, t] * Wg + ag + (r * state) * Ug)
  state = z * state + (1 - z) * g""",
    out="state",
    final="state",
)
_RESIZE = """\
y[b, p, q, c] = sum over i, j of H[p, i] * x[b, i, j, c] * W[q, j], where H and W follow from the sizes alone.
For an axis of I elements in x and O in y, the weights w of output p are 0 but for these; f32 rounds to float32:
  nearest: w[min(floor(f32((p + 0.5) * step)), I - 1)] = 1, step = f32(I / O)
  area: step = f32(I / O), start = f32(p * step), end = f32((p + 1) * step); for i = floor(start) to ceil(end) - 1:
    part = step if i < start and i + 1 > end; i + 1 - start if i < start; end - i if i + 1 > end; else 1
    w[min(i, I - 1)] grows by part / step
  bilinear{plain}: at = f32(f32((p + 0.5) * f32(I / O)) - 0.5), low = floor(at), l = f32(at - low)
    w[max(low, 0)] grows by 1 - l, w[min(low + 1, I - 1)] by l
  bicubic{plain}: at and low as before, l = round(f32(at - low) * 1024) / 1024
    w[low + j] = k(|j - l|) for j = -1, 0, 1, 2 within the axis, then all divided by their sum
  else: step = f32(1 / f32(O / I)), at = f32((p + 0.5) * step), widen = {widen};
    w[i] = k(|i + 0.5 - at| / widen) for every i, then all divided by their sum
  k(t) of bilinear: 1 - t if t < 1, else 0
  k(t) of bicubic: 1.5*t^3 - 2.5*t^2 + 1 if t < 1; -0.5*t^3 + 2.5*t^2 - 4*t + 2 if t < 2; else 0
  k(t) of lanczos3 and lanczos5, R = 3 or 5: 1 if t <= 0.001; else R * sin(pi*t) * sin(pi*t / R) / (pi*t)^2 if t <= R;
    else 0
The rule is that of interpolation{last}"""

_FORMULAS = {
    # activations
    "relu": "y = max(x, 0)",
    "relu6": "y = min(max(x, 0), 6)",
    "leaky_relu": "y = x if x > 0, else negative_slope * x",
    "thresholded_relu": "y = x if x > threshold, else negative_slope * (x - threshold)",
    "clipped_relu": "y = min(max(x, 0), max_value) if x > threshold, else negative_slope * (x - threshold)",
    "elu": "y = x if x > 0, else alpha * (exp(x) - 1)",
    "celu": "y = max(x, 0) + alpha * (exp(min(x, 0) / alpha) - 1)",
    "selu": "y = 1.0507009873554805 * (x if x > 0, else 1.6732632423543772 * (exp(x) - 1))",
    "gelu": "y = x * (1 + erf(x / sqrt(2))) / 2 if approximate is false,\n"
    "else x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x^3))) / 2",
    "sigmoid": "y = 1 / (1 + exp(-x))",
    "silu": "y = x / (1 + exp(-x))",
    "mish": "y = x * tanh(log(1 + exp(x)))",
    "softplus": "y = log(1 + exp(x))",
    "log_sigmoid": "y = -log(1 + exp(-x))",
    "softsign": "y = x / (1 + |x|)",
    "tanh": "y = tanh(x)",
    "tanh_shrink": "y = x - tanh(x)",
    "exponential": "y = exp(x)",
    "hard_sigmoid": "y = min(max(x + 3, 0), 6) / 6",
    "hard_silu": "y = x * min(max(x + 3, 0), 6) / 6",
    "hard_tanh": "y = min(max(x, -1), 1)",
    "hard_shrink": "y = x if |x| > threshold, else 0",
    "soft_shrink": "y = x - threshold if x > threshold; else x + threshold if x < -threshold; else 0",
    "threshold": "y = x if x > threshold, else default_value",
    "sparse_sigmoid": "y = min(max((x + 1) / 2, 0), 1)",
    "sparse_plus": "y = 0 if x <= -1; x if x >= 1; else (x + 1)^2 / 4",
    "squareplus": "y = (x + sqrt(x^2 + b)) / 2",
    "softmax": "in each group over axes, with m its largest element:  y = exp(x - m) / sum of exp(x - m)",
    "log_softmax": "in each group over axes, with m its largest element:  y = x - m - log(sum of exp(x - m))",
    "sparsemax": "for each line along axis, z[1] >= z[2] >= ... its elements in descending order:\n"
    "  S[j] = z[1] + ... + z[j];  the ranks j with z[j] - (S[j] - 1) / j > 0 are kept\n"
    "  tau = (sum of the kept z[j] - 1) / number of kept ranks\n"
    "  y = max(x - tau, 0)",
    "cumulative_sparsemax": "for each line along axis, z[1] >= z[2] >= ... its elements in descending order:\n"
    "  S[j] = z[1] + ... + z[j];  the ranks j with z[j] - (S[j] - 1) / j > 0 are kept\n"
    "  tau = (sum of the kept S[j] - 1) / number of kept ranks\n"
    "  y = max(x - tau, 0)",
    "glu": "y = a * sigmoid(b), with a the first half and b the second half of the elements of x along axis",
    # products
    "dense": "y[..., u] = bias[u] + sum over i of x[..., i] * kernel[i, u]",
    "conv": _CONV_WINDOWS.format(causal="ke - 1 with causal") + "y[b, p, q, f] = bias[f] + sum over i, j, c of\n"
    "  x[b, p*s1 + i*d1 - before1, q*s2 + j*d2 - before2, g*n + c] * kernel[i, j, c, f]\n"
    "  where x is 0 outside of its axes, n = channels of x / groups, g = floor(f / (filters of kernel / groups));\n"
    "  with one spatial axis there is no q and j, with three there is one pair more",
    "conv_transpose": "y begins as bias[f] everywhere; s of strides, d of dilation_rate; before1 and before2 are the\n"
    "first and third number of cropping (the second and fourth say what is cut off behind, as the shape of y does);\n"
    "for all b, h, w, c, i, j, f:  x[b, h, w, c] * kernel[i, j, f, c] is added to\n"
    "  y[b, h*s1 + i*d1 - before1, w*s2 + j*d2 - before2, f], where y has that element;\n"
    "  with one spatial axis there is no w and j, with three there is one pair more",
    "einsum": "equation names the axes of x1, those of x2, and behind -> those of y:\n"
    "y = sum over the names that y does not have of x1 * x2",
    "matmul": "y[..., i, j] = sum over k of x1[..., i, k] * x2[..., k, j]",
    # recurrent
    "simple_rnn": _SIMPLE_RNN,
    "lstm": _LSTM,
    "gru": _GRU,
    "conv_lstm": _CONV_LSTM,
    # pooling
    "max_pool": _POOL_WINDOWS + "y[b, p, q, c] = the largest x[b, h, w, c] of the window: h from p*s1 - before1 on,\n"
    "  k1 elements, w from q*s2 - before2 on, k2 elements; those outside of x do not count",
    "average_pool": _POOL_WINDOWS
    + "y[b, p, q, c] = the mean of x[b, h, w, c] in the window: h from p*s1 - before1 on,\n"
    "  k1 elements, w from q*s2 - before2 on, k2 elements; those outside of x do not count",
    "adaptive_max_pool": _ADAPTIVE_WINDOWS + "y[b, p, q, c] = the largest x[b, h, w, c] of the window",
    "adaptive_average_pool": _ADAPTIVE_WINDOWS + "y[b, p, q, c] = the mean of x[b, h, w, c] in the window",
    # normalization
    "batch_normalization": "y[..., c, ...] = (x[..., c, ...] - moving_mean[c]) * gamma[c] /\n"
    "  sqrt(moving_variance[c] + epsilon) + beta[c],  c the index along axis",
    "layer_normalization": "in each group over axes:  mean = its mean;  variance = the mean of (x - mean)^2\n"
    "y = (x - mean) / sqrt(variance + epsilon) * gamma + beta,  gamma and beta at the indices along axes",
    "group_normalization": "a group is all elements of one index of axis 0 whose index c along axis has the same\n"
    "floor(c / (channels / groups));  mean = its mean;  variance = the mean of (x - mean)^2\n"
    "y = (x - mean) / sqrt(variance + epsilon) * gamma[c] + beta[c]",
    "rms_normalization": "in each group over axes:  y = x / sqrt(mean of x^2 + epsilon) * scale, scale at the indices\n"
    "along axes",
    "unit_normalization": "in each group over axes:  y = x / max(sqrt(sum of x^2), epsilon)",
    # arithmetic, comparison, logic
    "add": "y = x1 + x2",
    "subtract": "y = x1 - x2",
    "multiply": "y = x1 * x2",
    "divide": "y = x1 / x2",
    "maximum": "y = max(x1, x2)",
    "minimum": "y = min(x1, x2)",
    "power": "y = x1 ^ x2",
    "floor_divide": "y = floor(x1 / x2)",
    "mod": "y = x1 - x2 * floor(x1 / x2)",
    "arctan2": "y = the angle from -pi to pi of the point (x2, x1): atan2(x1, x2)",
    "equal": "y = 1 if x1 = x2, else 0",
    "not_equal": "y = 0 if x1 = x2, else 1",
    "less": "y = 1 if x1 < x2, else 0",
    "less_equal": "y = 1 if x1 <= x2, else 0",
    "greater": "y = 1 if x1 > x2, else 0",
    "greater_equal": "y = 1 if x1 >= x2, else 0",
    "logical_and": "y = 1 if x1 and x2 are both 1, else 0",
    "logical_or": "y = 1 if x1 or x2 or both are 1, else 0",
    "logical_xor": "y = 1 if one of x1 and x2 is 1 and the other 0, else 0",
    "logical_not": "y = 1 - x",
    "where": "y = x1 if condition is 1, else x2",
    # functions of one number
    "abs": "y = |x|",
    "negative": "y = -x",
    "sign": "y = 1 if x > 0; -1 if x < 0; else 0",
    "floor": "y = the largest integer that is not above x",
    "ceil": "y = the smallest integer that is not below x",
    "round": "y = the integer nearest to x; of two equally near ones, the even one",
    "trunc": "y = x without its fraction, towards 0",
    "square": "y = x * x",
    "sqrt": "y = sqrt(x)",
    "reciprocal": "y = 1 / x",
    "rsqrt": "y = 1 / sqrt(x)",
    "expm1": "y = exp(x) - 1",
    "log": "y = log(x)",
    "log1p": "y = log(1 + x)",
    "log2": "y = log(x) / log(2)",
    "log10": "y = log(x) / log(10)",
    "sin": "y = sin(x), x in radians",
    "cos": "y = cos(x), x in radians",
    "tan": "y = sin(x) / cos(x), x in radians",
    "arcsin": "y = the angle from -pi/2 to pi/2 whose sine is x: atan2(x, sqrt(1 - x^2))",
    "arccos": "y = the angle from 0 to pi whose cosine is x: atan2(sqrt(1 - x^2), x)",
    "arctan": "y = the angle from -pi/2 to pi/2 whose tangent is x: atan2(x, 1)",
    "sinh": "y = (exp(x) - exp(-x)) / 2",
    "cosh": "y = (exp(x) + exp(-x)) / 2",
    "arcsinh": "y = log(x + sqrt(x^2 + 1))",
    "arccosh": "y = log(x + sqrt(x^2 - 1))",
    "arctanh": "y = log((1 + x) / (1 - x)) / 2",
    "erf": "y = erf(x)",
    "erfc": "y = 1 - erf(x)",
    "isnan": "y = 1 if x is NaN, else 0",
    "isinf": "y = 1 if x is infinite, else 0",
    "isfinite": "y = 0 if x is NaN or infinite, else 1",
    # along axes
    "sum": "y = the sum of x in each group over axes" + _KEEPDIMS,
    "mean": "y = the mean of x in each group over axes" + _KEEPDIMS,
    "prod": "y = the product of x in each group over axes" + _KEEPDIMS,
    "max": "y = the largest x in each group over axes" + _KEEPDIMS,
    "min": "y = the smallest x in each group over axes" + _KEEPDIMS,
    "variance": "y = the mean of (x - mean)^2 in each group over axes, mean that of the group" + _KEEPDIMS,
    "logsumexp": "y = m + log(sum of exp(x - m)) of each group over axes, m its largest element" + _KEEPDIMS,
    "any": "y = 1 if an x in the group over axes is 1, else 0" + _KEEPDIMS,
    "all": "y = 0 if an x in the group over axes is 0, else 1" + _KEEPDIMS,
    "argmax": "y = the index along axis of the largest x, the first of equal ones" + _KEEPDIM,
    "argmin": "y = the index along axis of the smallest x, the first of equal ones" + _KEEPDIM,
    "cumsum": "y = the sum of the elements of x up to this one, along axis",
    "cumprod": "y = the product of the elements of x up to this one, along axis",
    # moving elements
    "identity": "y = x",
    "constant": "y = value",
    "cast": "y = x converted to dtype: fractions are cut off towards 0, for bool 1 where x is not 0; integers that do\n"
    "not fit keep their low bits",
    "reshape": "y = the elements of x in the same C order; its shape is axis 0 of x, then target_shape,\n"
    "where -1 is whatever is left",
    "expand_dims": "y = the elements of x in the same C order; a new axis of 1 element stands at axis",
    "squeeze": "y = the elements of x in the same C order; axes, which have 1 element each, are taken out",
    "fold": "y = the elements of x in the same C order; axis 0 to axis become one",
    "unfold": "y = the elements of x in the same C order; axis 0 becomes axis 0 to axis of like",
    "transpose": "axis k of y is axis perm[k] of x",
    "concatenate": "y = x0, x1, ... one behind the other along axis",
    "slice": "y = the elements of x along axis from start, before stop, every step-th;\n"
    "  a negative start or stop counts from the end, and what lies beyond an end stands for that end",
    "pad": "y = x with elements around it: pad_width is how many before and behind along axis 0, axis 1, ...\n"
    "mode constant: each is constant_value. Else element i of an axis of n, counted from the first one of x, is\n"
    "  reflect: that at -i in front, at 2 * (n - 1) - i behind;  symmetric: that at -1 - i, at 2 * n - 1 - i\n"
    "  edge: that at 0, at n - 1",
    "flip": "y = x, the order of the elements along axes reversed",
    "repeat": "y = x, each element along axis repeats times in a row",
    "tile": "y = x, repeats[k] copies of the whole one behind the other along axis k",
    "take": "y[..., j, ...] = x[..., indices[j], ...], at axis; a negative index counts from the end",
    "take_along_axis": "y[..., j, ...] = x[..., indices[..., j, ...], ...], at axis; a negative index counts\n"
    "from the end",
    "broadcast_batch": "y = the one row of x, as often as like has rows",
    "positions": "y = 0, 1, 2, ... as many as x has elements along axis",
    "resize": "size is the height and width of y.\n"
    + _RESIZE.format(
        plain=" if antialias is false", widen="max(step, 1) if antialias is true, else 1", last=", and of antialias."
    ),
    "upsample": "The height and width of y are those of x times factors.\n"
    + _RESIZE.format(plain="", widen="1", last=" alone."),
    # indices and vocabularies
    "embedding": "y[..., j] = embeddings[x[...], j]; a negative index counts from the end",
    "one_hot": "y[..., j] = 1 if x[...] = j, else 0, for j = 0 to num_classes - 1; of the type dtype",
    "bucketize": "y = how many of boundaries are x or less",
    "integer_lookup": "y = the k with vocabulary[k] = x, -1 if there is none",
    "string_lookup": "vocabulary is the bytes (UTF-8) of all entries, one behind the other; entry k is the bytes from\n"
    "offsets[k] to offsets[k + 1] - 1;  y = the k of the entry that is x, -1 if there is none",
}

FORMULAS = {f"{name}@1": text for name, text in _FORMULAS.items()}
"""The id of each operator -> a few lines that name its inputs, its weights and its attributes."""

ABSENT = {"bias": "0", "gamma": "1", "beta": "0", "scale": "1"}
"""What a weight stands for in the formulas where a layer does not have it."""

_ACTIVATION_ATTRIBUTES = {
    "leaky_relu": "negative_slope = 0.2",
    "elu": "alpha = 1",
    "celu": "alpha = 1",
    "gelu": "approximate is false",
    "hard_shrink": "threshold = 0.5",
    "soft_shrink": "threshold = 0.5",
    "squareplus": "b = 4",
    "softmax": "the group is all units of a row",
    "log_softmax": "the group is all units of a row",
}

_INPUTS = {
    "where@1": ("condition", "x1", "x2"),
    "take@1": ("x", "indices"),
    "take_along_axis@1": ("x", "indices"),
    "broadcast_batch@1": ("x", "like"),
    "unfold@1": ("x", "like"),
    "simple_rnn@1": ("x", "state"),
    "gru@1": ("x", "state"),
    "lstm@1": ("x", "state_h", "state_c"),
    "conv_lstm@1": ("x", "state_h", "state_c"),
}


def activation(name: str) -> str:
    """The formula of an activation that a recurrent layer names: spec/ops/simple_rnn.md, "Activations by name"."""
    if name == "linear":
        return "y = x"
    given = _ACTIVATION_ATTRIBUTES.get(name)
    return FORMULAS[f"{name}@1"].replace("\n", " ") + (f", {given}" if given else "")


def input_names(op: str, dtypes: Sequence[str]) -> list[str]:
    """What the formula of an operator calls the inputs of a layer, whose dtypes these are.

    Args:
        op: the id of an operator.
        dtypes: the dtype of each input, of which a recurrent layer's mask is bool.
    """
    if op == "concatenate@1":
        return [f"x{i}" for i in range(len(dtypes))]
    if op in _INPUTS:
        masked = "state" in _INPUTS[op][1] and len(dtypes) > 1 and dtypes[-1] == "bool"
        return [*_INPUTS[op][: len(dtypes) - masked], *(["mask"] if masked else [])]
    return ["x"] if len(dtypes) == 1 else [f"x{i + 1}" for i in range(len(dtypes))]


def output_names(op: str, count: int) -> list[str]:
    """What the formula of an operator calls the values that a layer makes: y, and a recurrent layer's states."""
    return ["y", *_INPUTS.get(op, ())[1:]][:count]
