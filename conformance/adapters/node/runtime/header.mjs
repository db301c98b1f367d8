// The header's fields with their types (spec/format.md, "Header"; "Reading, step by step", 4).

import { DTYPES, STORAGE } from "./arrays.mjs";
import { fail, pointer } from "./errors.mjs";
import { OPERATORS } from "./operators.mjs";
import { dimension, integer, list, map, mapOf, MAX_DIMENSION, name, oneOf, record, string } from "./schema.mjs";

/** @typedef {import("./msgpack.mjs").Node} Node */
/** @typedef {ReturnType<typeof header>} Header */
/** @typedef {ReturnType<typeof tensor>} TensorEntry */
/** @typedef {ReturnType<typeof value>} Value */

export const FEATURES = ["nonfinite", "quantization"];

/** Everything that `requires` may ask of this reader. */
export const SUPPORTED = new Set([
  ...Object.keys(OPERATORS).map((op) => `op:${op}`),
  ...Object.keys(STORAGE).map((dtype) => `dtype:${dtype}`),
  ...FEATURES.map((feature) => `feature:${feature}`),
]);

const MAX_RANK = { max: 8, code: "rank-range" };

const value = record({
  dtype: oneOf(DTYPES, "dtype-unknown"),
  name,
  shape: list(dimension, MAX_RANK),
});

const layer = record(
  {
    attributes: map,
    inputs: list(name),
    name,
    op: string,
    outputs: list(value, { min: 1 }),
    weights: mapOf(name),
  },
  { source: record({ class: string, name: string }) },
);

const tensor = record(
  {
    dtype: oneOf(Object.keys(STORAGE), "dtype-unknown"),
    name,
    nbytes: integer(1, 2 ** 32 - 1),
    offset: integer(0, 2 ** 32 - 1),
    shape: list(integer(1, MAX_DIMENSION, "dimension-range"), MAX_RANK),
  },
  { quantization: record({ scale: name, zero_point: name }, { axis: integer(0, 7, "axis-range") }) },
);

const header = record(
  {
    inputs: list(value, { min: 1 }),
    layers: list(layer),
    model: record({ name }, { metadata: map }),
    outputs: list(name, { min: 1 }),
    payload_sha256: sha256,
    producer: record({ name: string, version: string }),
    requires: list(string),
    tensors: list(tensor),
  },
  {
    ext: extensions,
    output_structure: anything,
    selftest: record({ inputs: list(name), outputs: list(name), tolerances: list(name) }),
    states: anything,
  },
);

/** @param {Node} node */
export function readHeader(node) {
  checkRequires(node);
  const fields = header(node, "");
  // This reader has no states: a file that requires them did not get here.
  if (fields.states !== undefined) fail("requires-incomplete", "/requires", "feature:states", "none");
  if (fields.output_structure !== undefined) checkStructure(fields.output_structure, fields.outputs.length);
  return fields;
}

/**
 * Before all else: a file of a later minor may hold keys and dtypes that are unknown here.
 * @param {Node} node
 */
function checkRequires(node) {
  const requires = map(node, "").get("requires");
  if (requires === undefined) return;
  const lacking = list(string)(requires, "/requires").filter((item) => !SUPPORTED.has(item));
  if (lacking.length > 0) fail("requires-unknown", "/requires", "what this reader has", lacking.join(", "));
}

/** @type {import("./schema.mjs").Reader<string>} */
function sha256(node, at) {
  const text = string(node, at);
  return /^[0-9a-f]{64}$/.test(text) ? text : fail("wrong-value", at, "64 hexadecimal digits", text);
}

/** @type {import("./schema.mjs").Reader<Map<string, Node>>} */
function extensions(node, at) {
  const entries = mapOf(anything)(node, at);
  for (const key of entries.keys()) {
    if (!key.includes(".")) fail("wrong-value", at + pointer(key), "a reverse DNS name", key);
  }
  return entries;
}

/** @type {import("./schema.mjs").Reader<Node>} */
function anything(node) {
  return node;
}

/**
 * The leaves are the indices of the outputs, each once.
 * @param {Node} structure
 * @param {number} count
 */
function checkStructure(structure, count) {
  const missing = new Set(Array(count).keys());
  /** @param {Node} node */
  const visit = (node) => {
    if (Array.isArray(node)) node.forEach(visit);
    else if (node instanceof Map) node.forEach(visit);
    else if (typeof node !== "number" || !missing.delete(node)) {
      fail("output-structure", "/output_structure", "each output's index once", node);
    }
  };
  visit(structure);
  if (missing.size > 0) fail("output-structure", "/output_structure", "each output's index once", "fewer");
}
