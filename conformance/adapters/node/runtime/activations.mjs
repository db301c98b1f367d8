// The activations of spec/ops/activations.md, in the order of its table.

import { attributesOf, checkFloat, DEFAULTS, sameType } from "./operator.mjs";
import { boolean, number } from "./schema.mjs";

/** @typedef {import("./operator.mjs").Operator} Operator */

const { abs, exp, expm1, hypot, log1p, max, min, sqrt, tanh } = Math;

/**
 * @param {(x: number, attributes: any) => number} f
 * @param {Record<string, import("./schema.mjs").Reader<any>>} [attributes]
 * @returns {Operator}
 */
function activation(f, attributes = {}) {
  return {
    ...DEFAULTS,
    attributes: attributesOf(attributes),
    rule({ x, at }) {
      checkFloat(x, at); // C1
      return sameType(x);
    },
    formula({ x, attributes }, y) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = f(x.data[i], attributes);
    },
  };
}

/** @param {number} x */
export function sigmoid(x) {
  const e = exp(-abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/** @param {number} x */
const softplus = (x) => max(x, 0) + log1p(exp(-abs(x)));

/** @param {number} v @returns {number} */
function erfc(v) {
  if (v < 0) return 2 - erfc(-v);
  if (v < 2) {
    let sum = 0;
    let term = v;
    for (let n = 1; sum + term !== sum; n++) {
      sum += term;
      term *= (2 * v * v) / (2 * n + 1);
    }
    return 1 - (2 / sqrt(Math.PI)) * exp(-v * v) * sum;
  }
  let f = v;
  for (let n = 200; n >= 1; n--) f = v + n / 2 / f;
  return exp(-v * v) / (sqrt(Math.PI) * f);
}

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** @type {Record<string, Operator>} */
export const ACTIVATIONS = {
  "relu@1": activation((x) => max(x, 0)),
  "relu6@1": activation((x) => min(max(x, 0), 6)),
  "leaky_relu@1": activation((x, a) => (x > 0 ? x : a.negative_slope * x), { negative_slope: number() }),
  "thresholded_relu@1": activation((x, a) => (x > a.threshold ? x : a.negative_slope * (x - a.threshold)), {
    negative_slope: number(),
    threshold: number(),
  }),
  "clipped_relu@1": activation(
    (x, a) => (x > a.threshold ? min(max(x, 0), a.max_value) : a.negative_slope * (x - a.threshold)),
    { max_value: number((v) => v >= 0), negative_slope: number(), threshold: number() },
  ),
  "elu@1": activation((x, a) => (x > 0 ? x : a.alpha * expm1(x)), { alpha: number() }),
  "celu@1": activation((x, a) => max(x, 0) + a.alpha * expm1(min(x, 0) / a.alpha), { alpha: number((v) => v !== 0) }),
  "selu@1": activation((x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * expm1(x))),
  "gelu@1": activation(
    (x, a) =>
      a.approximate
        ? (x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x ** 3)))) / 2
        : (x * erfc(-x * 0.7071067811865476)) / 2,
    { approximate: boolean },
  ),
  "sigmoid@1": activation(sigmoid),
  "silu@1": activation((x) => x * sigmoid(x)),
  "mish@1": activation((x) => x * tanh(softplus(x))),
  "softplus@1": activation(softplus),
  "log_sigmoid@1": activation((x) => min(x, 0) - log1p(exp(-abs(x)))),
  "softsign@1": activation((x) => x / (1 + abs(x))),
  "tanh@1": activation(tanh),
  "tanh_shrink@1": activation((x) => x - tanh(x)),
  "exponential@1": activation(exp),
  "hard_sigmoid@1": activation((x) => min(max(x + 3, 0), 6) / 6),
  "hard_silu@1": activation((x) => x * (min(max(x + 3, 0), 6) / 6)),
  "hard_tanh@1": activation((x) => min(max(x, -1), 1)),
  "hard_shrink@1": activation((x, a) => (abs(x) > a.threshold ? x : 0), { threshold: number() }),
  "soft_shrink@1": activation((x, a) => (x > a.threshold ? x - a.threshold : x < -a.threshold ? x + a.threshold : 0), {
    threshold: number(),
  }),
  "threshold@1": activation((x, a) => (x > a.threshold ? x : a.default_value), {
    threshold: number(),
    default_value: number(),
  }),
  "sparse_sigmoid@1": activation((x) => min(max((x + 1) / 2, 0), 1)),
  "sparse_plus@1": activation((x) => (x <= -1 ? 0 : x >= 1 ? x : (x + 1) ** 2 / 4)),
  "squareplus@1": activation(
    (x, { b }) => {
      const root = hypot(x, sqrt(b));
      return x >= 0 ? (x + root) / 2 : b / 2 / (root - x);
    },
    { b: number((v) => v >= 0) },
  ),
};
