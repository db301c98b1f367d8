// The graph: names and references, then each layer against its operator (spec/format.md, "Reading, step by step", 6
// and 7).

import { product, same } from "./arrays.mjs";
import { fail, pointer } from "./errors.mjs";
import { SUPPORTED } from "./header.mjs";
import { isNumber, NEW_SYMBOL, withNumbers } from "./operator.mjs";
import { OPERATORS } from "./operators.mjs";
import { MAX_DIMENSION } from "./schema.mjs";

/** @typedef {import("./arrays.mjs").NdArray} NdArray */
/** @typedef {import("./header.mjs").Header} Header */
/** @typedef {import("./header.mjs").Value} Value */
/** @typedef {import("./operator.mjs").Dimension} Dimension */
/** @typedef {import("./operator.mjs").Operator} Operator */
/** @typedef {import("./operator.mjs").Type} Type */
/** @typedef {import("./tensors.mjs").Tensor} Tensor */

/** @typedef {Map<string, { value: Value, maker: number }>} Values by name; the maker is a layer, or -1 for an input */
/** @typedef {Map<string, Tensor>} Tensors */

/**
 * A layer that is ready to compute. Values have places: the inputs of the model first, then what each layer makes.
 * @typedef {object} Layer
 * @property {Operator} operator
 * @property {number[]} inputs places
 * @property {Record<string, NdArray | undefined>} weights
 * @property {Record<string, any>} attributes
 * @property {Dimension[]} declared the shape of what it makes
 * @property {string} at
 */

const BATCH = "batch";
const MAX_RANK = 8;
const MAX_ELEMENTS = 2 ** 30;

/**
 * @param {Header} header
 * @param {Tensors} tensors
 * @returns {{ layers: Layer[], outputs: number[] }} the outputs are places
 */
export function readGraph(header, tensors) {
  const values = readValues(header);
  checkReferences(header, values);
  checkDeadLayers(header);
  checkOperators(header);
  checkTensorReferences(header, tensors);
  checkSelftest(header, tensors, values);
  checkRequires(header, tensors, values);
  return bind(header, tensors);
}

/** @param {Header} header @returns {Values} */
function readValues({ inputs, layers }) {
  /** @type {Values} */
  const values = new Map();
  /** @param {Value} value @param {string} at @param {number} maker */
  const declare = (value, at, maker) => {
    if (values.has(value.name)) fail("duplicate-value", `${at}/name`, "a name of its own", value.name);
    if (value.shape.lastIndexOf(BATCH) > 0) fail("batch-axis", `${at}/shape`);
    values.set(value.name, { value, maker });
  };
  inputs.forEach((value, i) => {
    declare(value, `/inputs/${i}`, -1);
    if (value.shape[0] !== BATCH) fail("batch-axis", `/inputs/${i}/shape`);
  });
  const names = new Set();
  layers.forEach(({ name, outputs }, i) => {
    if (names.has(name)) fail("duplicate-layer", `/layers/${i}/name`, "a name of its own", name);
    names.add(name);
    outputs.forEach((value, j) => declare(value, `/layers/${i}/outputs/${j}`, i));
  });
  return values;
}

/** @param {Header} header @param {Values} values */
function checkReferences({ layers, outputs }, values) {
  layers.forEach(({ inputs }, i) =>
    inputs.forEach((name, j) => {
      const at = `/layers/${i}/inputs/${j}`;
      const { maker } = values.get(name) ?? fail("undefined-value", at, "a value", name);
      if (maker >= i) fail("forward-reference", at, "an input or what an earlier layer makes", name);
    }),
  );
  outputs.forEach((name, i) => {
    const { value } = values.get(name) ?? fail("undefined-output", `/outputs/${i}`, "a value", name);
    if (value.shape[0] !== BATCH) fail("batch-axis", `/outputs/${i}`);
  });
}

/** @param {Header} header */
function checkDeadLayers({ layers, outputs }) {
  const needed = new Set(outputs);
  for (let i = layers.length - 1; i >= 0; i--) {
    if (!layers[i].outputs.some(({ name }) => needed.has(name))) fail("dead-layer", `/layers/${i}`);
    layers[i].inputs.forEach((name) => needed.add(name));
  }
}

/** @param {Header} header */
function checkOperators({ layers }) {
  layers.forEach(({ op }, i) => {
    if (SUPPORTED.has(`op:${op}`)) return;
    const [name] = op.split("@");
    const code = SUPPORTED.has(`op:${name}@1`) ? "operator-version" : "operator-unknown";
    fail(code, `/layers/${i}/op`, "an operator of format 1.0", op);
  });
}

/** @param {Header} header @param {Tensors} tensors */
function checkTensorReferences({ layers, selftest }, tensors) {
  /** @type {Set<string | undefined>} */
  const used = new Set();
  layers.forEach(({ weights }, i) => {
    for (const [role, name] of weights) {
      if (!tensors.has(name)) fail("tensor-missing", `/layers/${i}/weights${pointer(role)}`, "a tensor", name);
      used.add(name);
    }
  });
  for (const [part, names] of Object.entries(selftest ?? {})) {
    names.forEach((name, i) => {
      if (!tensors.has(name)) fail("tensor-missing", `/selftest/${part}/${i}`, "a tensor", name);
      used.add(name);
    });
  }
  for (const { entry } of tensors.values()) {
    used.add(entry.quantization?.scale);
    used.add(entry.quantization?.zero_point);
  }
  for (const { entry, at } of tensors.values()) if (!used.has(entry.name)) fail("tensor-unreferenced", at);
}

/** @param {Header} header @param {Tensors} tensors @param {Values} values */
function checkSelftest({ inputs, outputs, selftest }, tensors, values) {
  if (!selftest) return;
  const outputValues = outputs.map((name) => /** @type {Value} */ (values.get(name)?.value));
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @param {"inputs" | "outputs" | "tolerances"} part @param {Value[]} expected */
  const check = (part, expected) => {
    const names = selftest[part];
    if (names.length !== expected.length) fail("selftest-count", `/selftest/${part}`, expected.length, names.length);
    expected.forEach(({ dtype, shape }, i) => {
      const { entry } = /** @type {Tensor} */ (tensors.get(names[i]));
      const numbered = withNumbers(shape, entry.shape, numbers);
      const fits = entry.dtype === dtype && !entry.quantization && same(entry.shape, numbered);
      if (!fits) fail("selftest-tensor", `/selftest/${part}/${i}`, `${dtype} of shape (${numbered})`, names[i]);
    });
  };
  check("inputs", inputs);
  check("outputs", outputValues);
  check("tolerances", outputValues);
}

/** @param {Header} header @param {Tensors} tensors @param {Values} values */
function checkRequires({ layers, requires }, tensors, values) {
  const entries = [...tensors.values()].map(({ entry }) => entry);
  const used = new Set([
    ...layers.map(({ op }) => `op:${op}`),
    ...[...values.values()].map(({ value }) => `dtype:${value.dtype}`),
    ...entries.map(({ dtype }) => `dtype:${dtype}`),
  ]);
  if (entries.some(({ quantization }) => quantization)) used.add("feature:quantization");
  if ([...tensors.values()].some(({ nonfinite }) => nonfinite)) used.add("feature:nonfinite");

  requires.forEach((item, i) => {
    if (i > 0 && item <= requires[i - 1]) fail("requires-order", "/requires", `${requires[i - 1]} behind it`, item);
    if (!used.has(item)) fail("requires-unused", "/requires", "what the model uses", item);
  });
  for (const item of used) if (!requires.includes(item)) fail("requires-incomplete", "/requires", item, "none");
}

/** @param {Header} header @param {Tensors} tensors */
function bind(header, tensors) {
  /** @type {Map<string, number>} */
  const places = new Map();
  /** @type {Type[]} */
  const types = [];
  /** @param {Value} value */
  const declare = ({ name, dtype, shape }) => {
    places.set(name, types.length);
    types.push({ dtype, shape });
  };
  const placesOf = (/** @type {string[]} */ names) => names.map((name) => /** @type {number} */ (places.get(name)));

  header.inputs.forEach(declare);
  const layers = header.layers.map((entry, i) => {
    const at = `/layers/${i}`;
    const operator = OPERATORS[entry.op];
    checkCounts(entry, operator, at);
    const inputs = placesOf(entry.inputs);
    const read = inputs.map((place) => types[place]);
    const roles = Object.entries(operator.weights(entry.weights, `${at}/weights`));
    const weights = Object.fromEntries(roles.map(([role, name]) => [role, tensors.get(name)?.array]));
    const attributes = rounded(operator.attributes(entry.attributes, `${at}/attributes`), read[0]);
    const made = operator.rule({ inputs: read, x: read[0], weights, attributes, at });
    checkDeclared(entry.outputs[0], made, `${at}/outputs/0`);
    const elements = [...read, made].reduce((sum, { shape }) => sum + product(shape.filter(isNumber)), 0);
    if (elements > MAX_ELEMENTS) fail("activation-limit", at, `at most ${MAX_ELEMENTS} elements`, elements);
    declare(entry.outputs[0]);
    return { operator, inputs, weights, attributes, declared: entry.outputs[0].shape, at };
  });
  return { layers, outputs: placesOf(header.outputs) };
}

/** @typedef {Header["layers"][number]} LayerEntry */

/** @param {LayerEntry} entry @param {Operator} operator @param {string} at */
function checkCounts({ inputs, outputs }, operator, at) {
  const { min, max } = operator.inputs;
  const fits = inputs.length >= min && inputs.length <= max;
  if (!fits) fail("input-count", `${at}/inputs`, `${min} to ${max}`, inputs.length);
  if (outputs.length !== 1) fail("output-count", `${at}/outputs`, 1, outputs.length);
}

/**
 * Numbers are rounded to the dtype of the layer's input.
 * @param {Record<string, any>} attributes
 * @param {Type | undefined} input
 */
function rounded(attributes, input) {
  if (input?.dtype !== "float32") return attributes;
  const round = (/** @type {any} */ value) => (typeof value === "number" ? Math.fround(value) : value);
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, round(value)]));
}

/**
 * @param {Value} declared
 * @param {Type} made
 * @param {string} at
 */
function checkDeclared({ dtype, shape }, made, at) {
  if (dtype !== made.dtype) fail("dtype-mismatch", `${at}/dtype`, made.dtype, dtype);
  if (made.shape.length > MAX_RANK) fail("rank-range", `${at}/shape`, `at most ${MAX_RANK}`, made.shape.length);
  made.shape.forEach((d, j) => {
    if (isNumber(d) && (d < 1 || d > MAX_DIMENSION)) fail("dimension-range", `${at}/shape/${j}`, "1 to 2^31 - 1", d);
  });
  if (shape.length !== made.shape.length) fail("shape-declared", `${at}/shape`, `(${made.shape})`, `(${shape})`);
  shape.forEach((d, j) => {
    const isNew = made.shape[j] === NEW_SYMBOL;
    const expected = isNew ? "a symbol or a number" : made.shape[j];
    if (isNew ? d === BATCH : d !== expected) fail("shape-declared", `${at}/shape/${j}`, expected, d);
  });
}
