// What an operator is, and what the rules of several have in common.

import { isFloat, same } from "./arrays.mjs";
import { fail } from "./errors.mjs";
import { record, string } from "./schema.mjs";

/** @typedef {import("./arrays.mjs").Dtype} Dtype */
/**
 * @template T
 * @typedef {import("./schema.mjs").Reader<T>} Reader
 */
/** @typedef {number | string} Dimension a number, or a symbol */
/** @typedef {{ dtype: Dtype, shape: Dimension[] }} Type */

/**
 * A layer and its inputs.
 * @template Input
 * @typedef {object} Call
 * @property {Input[]} inputs
 * @property {Input} x the first of them
 * @property {Record<string, any>} weights arrays by role
 * @property {Record<string, any>} attributes numbers are rounded to the dtype of the first input
 * @property {string} at
 */

/**
 * The rule holds the constraints of the operator's page (C1, C2, …) and infers dtype and shape: of symbols when a file
 * is loaded, of numbers in each call. The formula computes in float64 and stores into the elements of y, which rounds.
 * @typedef {object} Operator
 * @property {{ min: number, max: number }} inputs how many
 * @property {Reader<Record<string, string>>} weights names of tensors by role
 * @property {Reader<Record<string, any>>} attributes
 * @property {(call: Call<Type>) => Type} rule
 * @property {(call: Call<any>, y: any) => void} formula
 */

/** A dimension that only a call tells; no name is like it. */
export const NEW_SYMBOL = "\0";

/** @type {(dimension: Dimension) => dimension is number} */
export const isNumber = (dimension) => typeof dimension === "number";

/**
 * The shape in numbers. A symbol stands for the one that is met first, in this shape or in one before it.
 * @param {Dimension[]} shape
 * @param {number[]} actual
 * @param {Map<string, number>} numbers of the symbols
 * @returns {Dimension[]}
 */
export function withNumbers(shape, actual, numbers) {
  shape.forEach((d, i) => {
    if (!isNumber(d) && !numbers.has(d)) numbers.set(d, actual[i]);
  });
  return shape.map((d) => (isNumber(d) ? d : (numbers.get(d) ?? d)));
}

/**
 * @param {string[]} needed roles
 * @param {string[]} [optional] roles
 * @returns {Reader<Record<string, string>>}
 */
export function weightsOf(needed, optional = []) {
  const readers = (/** @type {string[]} */ roles) => Object.fromEntries(roles.map((role) => [role, string]));
  return record(readers(needed), readers(optional), { unknown: "weight-unknown", missing: "weight-missing" });
}

/** @param {Record<string, Reader<any>>} readers @returns {Reader<Record<string, any>>} */
export function attributesOf(readers) {
  return record(readers, {}, { unknown: "attribute-unknown", missing: "attribute-missing" });
}

/** What most operators have. */
export const DEFAULTS = { inputs: { min: 1, max: 1 }, weights: weightsOf([]), attributes: attributesOf({}) };

/** @type {(x: Type) => Type} */
export const sameType = ({ dtype, shape }) => ({ dtype, shape });

/** @param {Type} x @param {string} at */
export function checkFloat({ dtype }, at) {
  if (!isFloat(dtype)) fail("dtype-mismatch", `${at}/inputs/0`, "float32 or float64", dtype);
}

/** @param {Type} x @param {string} at */
export function checkNumber({ dtype }, at) {
  if (dtype === "bool") fail("dtype-mismatch", `${at}/inputs/0`, "float32, float64 or an integer", dtype);
}

/** @param {Type} x @param {number} axis @param {string} at */
export function checkAxis({ shape }, axis, at) {
  if (axis >= shape.length) fail("axis-range", at, `below ${shape.length}`, axis);
}

/** @param {Record<string, Type>} weights @param {Dtype} expected @param {string} at */
export function checkWeightDtypes(weights, expected, at) {
  for (const [role, { dtype }] of Object.entries(weights)) {
    if (dtype !== expected) fail("dtype-mismatch", `${at}/weights/${role}`, expected, dtype);
  }
}

/** @param {Record<string, Type>} weights @param {string} role @param {Dimension[]} expected @param {string} at */
export function checkWeightShape(weights, role, expected, at) {
  const { shape } = weights[role];
  if (!same(shape, expected)) fail("weight-shape", `${at}/weights/${role}`, `(${expected})`, `(${shape})`);
}
