// The operators of level L1, by the pages of spec/ops/.

import { ACTIVATIONS, sigmoid } from "./activations.mjs";
import { DTYPES, isFloat, product } from "./arrays.mjs";
import { fail } from "./errors.mjs";
import {
  attributesOf,
  checkAxis,
  checkFloat,
  checkNumber,
  checkWeightDtypes,
  checkWeightShape,
  DEFAULTS,
  isNumber,
  NEW_SYMBOL,
  sameType,
  weightsOf,
} from "./operator.mjs";
import { integer, list, MAX_DIMENSION, number, oneOf } from "./schema.mjs";

/** @typedef {import("./arrays.mjs").Dtype} Dtype */
/** @typedef {import("./operator.mjs").Dimension} Dimension */
/** @typedef {import("./operator.mjs").Operator} Operator */
/** @typedef {import("./operator.mjs").Type} Type */

const { exp, log, max, min, sqrt } = Math;

const axis = integer(1, 7);

/**
 * The numbers of elements before an axis, along it, and behind it.
 * @param {number[]} shape
 * @param {number} axis
 */
function around(shape, axis) {
  return { outer: product(shape.slice(0, axis)), n: shape[axis], inner: product(shape.slice(axis + 1)) };
}

/** @param {Type} x @param {number} axis @param {Dimension} dimension @returns {Type} */
function replaced({ dtype, shape }, axis, dimension) {
  return { dtype, shape: shape.map((d, i) => (i === axis ? dimension : d)) };
}

/** @type {Operator} */
const batchNormalization = {
  ...DEFAULTS,
  weights: weightsOf(["moving_mean", "moving_variance"], ["gamma", "beta"]),
  attributes: attributesOf({ axis, epsilon: number((v) => v >= 0) }),
  rule({ x, weights, attributes: { axis, epsilon }, at }) {
    checkFloat(x, at); // C1
    checkWeightDtypes(weights, x.dtype, at); // C1
    checkAxis(x, axis, `${at}/attributes/axis`); // C2
    const channels = x.shape[axis];
    if (!isNumber(channels)) fail("axis-range", `${at}/attributes/axis`, "an axis of a number", channels); // C3
    for (const role of Object.keys(weights)) checkWeightShape(weights, role, [channels], at); // C4
    for (const variance of weights.moving_variance.data) {
      if (!(variance + epsilon > 0)) fail("variance-range", `${at}/weights/moving_variance`); // C5
    }
    return sameType(x);
  },
  formula({ x, weights, attributes: { axis, epsilon } }, y) {
    const { outer, n: channels, inner } = around(x.shape, axis);
    for (let c = 0; c < channels; c++) {
      const gamma = weights.gamma ? weights.gamma.data[c] : 1;
      const beta = weights.beta ? weights.beta.data[c] : 0;
      const mean = weights.moving_mean.data[c];
      const scale = gamma / sqrt(weights.moving_variance.data[c] + epsilon);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const at = (o * channels + c) * inner + i;
          y.data[at] = (x.data[at] - mean) * scale + beta;
        }
      }
    }
  },
};

/**
 * What a typed array does not do by itself when it is assigned to.
 * @param {number | bigint} v
 * @param {Dtype} dtype
 */
function convert(v, dtype) {
  if (dtype === "bool") return Number(v) === 0 ? 0 : 1;
  if (dtype === "int64") return typeof v === "bigint" ? v : BigInt(Number.isFinite(v) ? Math.trunc(v) : 0);
  if (typeof v === "bigint") return isFloat(dtype) ? Number(v) : Number(BigInt.asIntN(32, v));
  return v;
}

/** @type {Operator} */
const cast = {
  ...DEFAULTS,
  attributes: attributesOf({ dtype: oneOf(DTYPES) }),
  rule: ({ x, attributes: { dtype } }) => ({ dtype, shape: x.shape }),
  formula({ x }, y) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = convert(x.data[i], y.dtype);
  },
};

/** @type {Operator} */
const concatenate = {
  ...DEFAULTS,
  inputs: { min: 1, max: 65536 },
  attributes: attributesOf({ axis }),
  rule({ x, inputs, attributes: { axis }, at }) {
    checkAxis(x, axis, `${at}/attributes/axis`); // C1
    inputs.forEach(({ dtype, shape }, i) => {
      if (dtype !== x.dtype) fail("dtype-mismatch", `${at}/inputs/${i}`, x.dtype, dtype); // C2
      const fits = shape.length === x.shape.length && shape.every((d, j) => j === axis || d === x.shape[j]);
      if (!fits) fail("concatenate-mismatch", `${at}/inputs/${i}`, `(${x.shape})`, `(${shape})`); // C3
    });
    if (inputs.length === 1) return sameType(x);
    const along = inputs.map(({ shape }) => shape[axis]);
    return replaced(x, axis, along.every(isNumber) ? along.reduce((a, b) => a + b) : NEW_SYMBOL);
  },
  formula({ inputs, attributes: { axis } }, y) {
    const { outer } = around(y.shape, axis);
    let at = 0;
    for (let o = 0; o < outer; o++) {
      for (const x of inputs) {
        const { n, inner } = around(x.shape, axis);
        y.data.set(x.data.subarray(o * n * inner, (o + 1) * n * inner), at);
        at += n * inner;
      }
    }
  },
};

/** @type {Operator} */
const constant = {
  ...DEFAULTS,
  inputs: { min: 0, max: 0 },
  weights: weightsOf(["value"]),
  rule: ({ weights: { value } }) => ({ dtype: value.dtype, shape: value.shape }),
  formula: ({ weights: { value } }, y) => y.data.set(value.data),
};

/** @type {Operator} */
const dense = {
  ...DEFAULTS,
  weights: weightsOf(["kernel"], ["bias"]),
  rule({ x, weights, at }) {
    checkFloat(x, at); // C1
    checkWeightDtypes(weights, x.dtype, at); // C1
    const last = x.shape.length - 1;
    const n = x.shape[last];
    const units = weights.kernel.shape[1];
    if (last < 1 || !isNumber(n)) fail("rank-range", `${at}/inputs/0`, "(…, a number)", `(${x.shape})`); // C2
    checkWeightShape(weights, "kernel", [n, units], at); // C3
    if (weights.bias) checkWeightShape(weights, "bias", [units], at); // C4
    return replaced(x, last, units);
  },
  formula({ x, weights: { kernel, bias } }, y) {
    const [n, units] = kernel.shape;
    const sums = new Float64Array(units);
    for (let row = 0; row < y.data.length / units; row++) {
      sums.fill(0);
      if (bias) sums.set(bias.data);
      for (let i = 0; i < n; i++) {
        for (let u = 0; u < units; u++) sums[u] += x.data[row * n + i] * kernel.data[i * units + u];
      }
      y.data.set(sums, row * units);
    }
  },
};

/**
 * @template T a number; a bigint, of int64
 * @typedef {(x1: T, x2: T) => T} Of
 */

/**
 * @param {Of<any>} f
 * @param {(x: Type, at: string) => void} [check] of the dtype
 * @returns {Operator}
 */
function elementwise(f, check = checkNumber) {
  return {
    ...DEFAULTS,
    inputs: { min: 2, max: 2 },
    rule({ inputs: [x1, x2], at }) {
      check(x1, at); // C1
      if (x2.dtype !== x1.dtype) fail("dtype-mismatch", `${at}/inputs/1`, x1.dtype, x2.dtype); // C1
      const rank = max(x1.shape.length, x2.shape.length);
      const [shape1, shape2] = [align(x1.shape, rank), align(x2.shape, rank)];
      const shape = shape1.map((m, i) => {
        const n = shape2[i];
        if (m !== n && m !== 1 && n !== 1) fail("broadcast-mismatch", `${at}/inputs/1`, m, n); // C2
        return m === 1 ? n : m;
      });
      if (shape.lastIndexOf("batch") > 0) fail("batch-axis", `${at}/outputs/0/shape`); // C3
      return { dtype: x1.dtype, shape };
    },
    formula({ inputs: [x1, x2] }, y) {
      const strides1 = strides(align(x1.shape, y.shape.length));
      const strides2 = strides(align(x2.shape, y.shape.length));
      for (let out = 0; out < y.data.length; out++) {
        let [rest, a, b] = [out, 0, 0];
        for (let axis = y.shape.length - 1; axis >= 0; axis--) {
          const index = rest % y.shape[axis];
          rest = (rest - index) / y.shape[axis];
          a += index * strides1[axis];
          b += index * strides2[axis];
        }
        y.data[out] = f(x1.data[a], x2.data[b]);
      }
    },
  };
}

/** @type {Of<any>} NaN where either is; Math.max takes no bigint */
const larger = (x1, x2) => (typeof x1 === "number" ? max(x1, x2) : x1 > x2 ? x1 : x2);

/** @type {Of<any>} */
const smaller = (x1, x2) => (typeof x1 === "number" ? min(x1, x2) : x1 < x2 ? x1 : x2);

/**
 * The shape with as many dimensions of 1 in front as it lacks.
 * @template {Dimension} D
 * @param {D[]} shape
 * @param {number} rank
 * @returns {(D | 1)[]}
 */
function align(shape, rank) {
  return [...Array(rank - shape.length).fill(1), ...shape];
}

/**
 * How many elements a step along each axis moves: none where there is one element, which is broadcast.
 * @param {number[]} shape
 */
function strides(shape) {
  return shape.map((n, axis) => (n === 1 ? 0 : product(shape.slice(axis + 1))));
}

/** @type {Operator} */
const glu = {
  ...DEFAULTS,
  attributes: attributesOf({ axis }),
  rule({ x, attributes: { axis }, at }) {
    checkFloat(x, at); // C1
    checkAxis(x, axis, `${at}/attributes/axis`); // C2
    const n = x.shape[axis];
    if (!isNumber(n) || n % 2 !== 0) fail("axis-odd", `${at}/attributes/axis`, "an even number of elements", n); // C3
    return replaced(x, axis, n / 2);
  },
  formula({ x, attributes: { axis } }, y) {
    const { outer, n, inner } = around(y.shape, axis);
    const half = n * inner;
    for (let o = 0; o < outer; o++) {
      for (let j = 0; j < half; j++) {
        const at = 2 * o * half + j;
        y.data[o * half + j] = x.data[at] * sigmoid(x.data[at + half]);
      }
    }
  },
};

/** @type {Operator} */
const identity = {
  ...DEFAULTS,
  rule: ({ x }) => sameType(x),
  formula: ({ x }, y) => y.data.set(x.data),
};

/** @type {import("./schema.mjs").Reader<number[]>} */
function targetShape(node, at) {
  const target = list(integer(-1, MAX_DIMENSION), { max: 7, code: "wrong-value" })(node, at);
  if (target.includes(0)) fail("wrong-value", at, "dimensions of 1 or more, or -1", 0);
  if (target.indexOf(-1) !== target.lastIndexOf(-1)) fail("wrong-value", at, "one -1 at most", `(${target})`);
  return target;
}

/** @type {Operator} */
const reshape = {
  ...DEFAULTS,
  attributes: attributesOf({ target_shape: targetShape }),
  rule({ x, attributes: { target_shape: target }, at }) {
    if (x.shape.length < 1) fail("rank-range", `${at}/inputs/0`, "1 or more dimensions", 0); // C1
    const [rows, ...row] = x.shape;
    const inferred = inferDimension(row, target);
    if (inferred === null) fail("reshape-count", `${at}/attributes/target_shape`, `(${row})`, `(${target})`);
    return { dtype: x.dtype, shape: [rows, ...target.map((/** @type {number} */ d) => (d === -1 ? inferred : d))] };
  },
  formula: ({ x }, y) => y.data.set(x.data),
};

/**
 * What -1 in the target stands for, 1 where there is none; null where the numbers of elements do not fit.
 * @param {Dimension[]} row
 * @param {number[]} target
 */
function inferDimension(row, target) {
  const symbols = row.filter((d) => !isNumber(d));
  const have = product(row.filter(isNumber));
  const want = product(target.filter((d) => d !== -1));
  if (!target.includes(-1)) return symbols.length === 0 && have === want ? 1 : null; // C2
  if (symbols.length === 0) return have % want === 0 && have / want <= MAX_DIMENSION ? have / want : null; // C3
  return symbols.length === 1 && have === want ? symbols[0] : NEW_SYMBOL;
}

/** @type {import("./schema.mjs").Reader<number[]>} */
function ascendingAxes(node, at) {
  const axes = list(axis, { min: 1, max: 7, code: "wrong-value" })(node, at);
  if (axes.some((a, i) => i > 0 && a <= axes[i - 1])) fail("wrong-value", at, "ascending axes", `(${axes})`);
  return axes;
}

/**
 * For each element, the place of the first one of its group: the same indices, but 0 along the axes.
 * @param {number[]} shape
 * @param {number[]} axes
 */
function groups(shape, axes) {
  const steps = shape.map((_, axis) => product(shape.slice(axis + 1)));
  return Uint32Array.from({ length: product(shape) }, (_, i) =>
    axes.reduce((place, axis) => place - (Math.floor(i / steps[axis]) % shape[axis]) * steps[axis], i),
  );
}

/**
 * @param {(d: number, sum: number) => number} f of x - m and the sum of exp(x - m)
 * @returns {Operator}
 */
function softmax(f) {
  return {
    ...DEFAULTS,
    attributes: attributesOf({ axes: ascendingAxes }),
    rule({ x, attributes: { axes }, at }) {
      checkFloat(x, at); // C1
      checkAxis(x, axes.at(-1), `${at}/attributes/axes`); // C2
      return sameType(x);
    },
    formula({ x, attributes: { axes } }, y) {
      const group = groups(x.shape, axes);
      const largest = new Float64Array(group.length).fill(-Infinity);
      const sum = new Float64Array(group.length);
      group.forEach((g, i) => (largest[g] = max(largest[g], x.data[i])));
      group.forEach((g, i) => (sum[g] += exp(x.data[i] - largest[g])));
      group.forEach((g, i) => (y.data[i] = f(x.data[i] - largest[g], sum[g])));
    },
  };
}

/**
 * @param {(z: number, running: number) => number} term what a kept rank adds to the total
 * @returns {Operator}
 */
function sparsemax(term) {
  return {
    ...DEFAULTS,
    attributes: attributesOf({ axis }),
    rule({ x, attributes: { axis }, at }) {
      checkFloat(x, at); // C1
      checkAxis(x, axis, `${at}/attributes/axis`); // C2
      return sameType(x);
    },
    formula({ x, attributes: { axis } }, y) {
      const { outer, n, inner } = around(x.shape, axis);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          const places = Array.from({ length: n }, (_, j) => (o * n + j) * inner + i);
          const line = places.map((at) => x.data[at]);
          const tau = threshold(line, term);
          for (const at of places) y.data[at] = max(x.data[at] - tau, 0);
        }
      }
    },
  };
}

/** @param {number[]} line @param {(z: number, running: number) => number} term */
function threshold(line, term) {
  const descending = Float64Array.from(line).sort().reverse();
  let [running, total, kept] = [0, 0, 0];
  descending.forEach((z, j) => {
    running += z;
    if (z - (running - 1) / (j + 1) > 0) {
      total += term(z, running);
      kept += 1;
    }
  });
  return (total - 1) / kept;
}

/** @type {Record<string, Operator>} */
export const OPERATORS = {
  ...ACTIVATIONS,
  "batch_normalization@1": batchNormalization,
  "cast@1": cast,
  "concatenate@1": concatenate,
  "constant@1": constant,
  "dense@1": dense,
  "add@1": elementwise((x1, x2) => x1 + x2),
  "divide@1": elementwise((x1, x2) => x1 / x2, checkFloat),
  "maximum@1": elementwise(larger),
  "minimum@1": elementwise(smaller),
  "multiply@1": elementwise((x1, x2) => x1 * x2),
  "subtract@1": elementwise((x1, x2) => x1 - x2),
  "glu@1": glu,
  "identity@1": identity,
  "reshape@1": reshape,
  "log_softmax@1": softmax((d, sum) => d - log(sum)),
  "softmax@1": softmax((d, sum) => exp(d) / sum),
  "cumulative_sparsemax@1": sparsemax((_, running) => running),
  "sparsemax@1": sparsemax((z) => z),
};
