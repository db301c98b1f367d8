// A loaded model: predict, self-test, dump (spec/format.md, "Reading, step by step", 8 and 9).

import { product, same, zeros } from "./arrays.mjs";
import { readContainer, writeContainer } from "./container.mjs";
import { fail, NnpackError } from "./errors.mjs";
import { readGraph } from "./graph.mjs";
import { readHeader } from "./header.mjs";
import { isNumber, withNumbers } from "./operator.mjs";
import { readTensors } from "./tensors.mjs";

/** @typedef {import("./arrays.mjs").NdArray} NdArray */
/** @typedef {import("./header.mjs").Value} Value */
/** @typedef {import("./tensors.mjs").Tensor} Tensor */

/** A larger self-test waits until it is asked for: a small file can ask for much work. */
const MAX_SELFTEST_ELEMENTS = 2 ** 24;

/** Differences that are smaller pass: results below the smallest normal number may be flushed to 0. */
const FLOORS = new Map([
  ["float32", 2 ** -126],
  ["float64", 2 ** -1022],
]);

/**
 * Reads and verifies a file; a fault is an NnpackError.
 * @param {Uint8Array} bytes
 */
export function load(bytes) {
  const container = readContainer(bytes);
  const header = readHeader(container.header);
  const tensors = readTensors(header, container.payload);
  const model = new Model(container, header, tensors, readGraph(header, tensors));
  if (header.selftest && model.selftestElements() <= MAX_SELFTEST_ELEMENTS) model.selftest();
  return model;
}

export class Model {
  #container;
  #header;
  #tensors;
  #graph;

  /**
   * @param {ReturnType<typeof readContainer>} container
   * @param {ReturnType<typeof readHeader>} header
   * @param {ReturnType<typeof readTensors>} tensors
   * @param {ReturnType<typeof readGraph>} graph
   */
  constructor(container, header, tensors, graph) {
    this.#container = container;
    this.#header = header;
    this.#tensors = tensors;
    this.#graph = graph;
  }

  /** Name, dtype and shape of each input. */
  get inputs() {
    return this.#header.inputs;
  }

  /** The names of the outputs. */
  get outputs() {
    return this.#header.outputs;
  }

  /**
   * @param {NdArray[]} inputs in the model's order
   * @returns {NdArray[]} the outputs in the model's order
   */
  predict(inputs) {
    const types = this.#types(inputs);
    const values = [...inputs];
    for (const layer of this.#graph.layers) {
      const { dtype, shape } = types[values.length];
      const y = zeros(dtype, shape);
      layer.operator.formula(callOf(layer, values), y);
      values.push(y);
    }
    return this.#graph.outputs.map((place) => values[place]);
  }

  /**
   * The dtype and shape of each value in a call.
   * @param {NdArray[]} inputs
   */
  #types(inputs) {
    const numbers = checkInputs(this.inputs, inputs);
    const types = inputs.map(({ dtype, shape }) => ({ dtype, shape }));
    for (const layer of this.#graph.layers) {
      const { dtype, shape } = ruled(layer, types);
      const made = shape.map(Number);
      const declared = withNumbers(layer.declared, made, numbers);
      if (!same(made, declared)) fail("shape", `${layer.at}/outputs/0/shape`, `(${declared})`, `(${made})`);
      types.push({ dtype, shape: made });
    }
    return types;
  }

  /** Computes the inputs that the file carries, and compares. */
  selftest() {
    if (!this.#header.selftest) fail("selftest-absent");
    const outputs = this.predict(this.#selftestArrays("inputs"));
    const expected = this.#selftestArrays("outputs");
    const tolerances = this.#selftestArrays("tolerances");
    outputs.forEach((output, i) => {
      const at = `/selftest/outputs/${i}`;
      if (!same(output.shape, expected[i].shape)) fail("selftest-failed", at, expected[i].shape, output.shape);
      compare(output, expected[i], tolerances[i], at);
    });
  }

  /** The elements of all values while the self-test runs. */
  selftestElements() {
    return this.#types(this.#selftestArrays("inputs")).reduce((sum, { shape }) => sum + product(shape), 0);
  }

  /** @param {"inputs" | "outputs" | "tolerances"} part */
  #selftestArrays(part) {
    const names = this.#header.selftest?.[part] ?? [];
    return names.map((name) => /** @type {Tensor} */ (this.#tensors.get(name)).array);
  }

  /** The file in canonical form. */
  dump() {
    const { inputs, layers, tensors } = this.#header;
    const values = [...inputs, ...layers.flatMap(({ outputs }) => outputs)];
    for (const named of [layers, tensors, values]) checkNormalForm(named.map(({ name }) => name));
    checkNormalForm(values.flatMap(({ shape }) => shape.filter((d) => !isNumber(d))));
    const { version, header, payload } = this.#container;
    return writeContainer(version, header, payload);
  }
}

/**
 * @template T
 * @param {import("./graph.mjs").Layer} layer
 * @param {T[]} values by place
 */
function callOf(layer, values) {
  const inputs = layer.inputs.map((place) => values[place]);
  return { ...layer, inputs, x: inputs[0] };
}

/**
 * What a layer makes in a call.
 * @param {import("./graph.mjs").Layer} layer
 * @param {import("./operator.mjs").Type[]} types
 */
function ruled(layer, types) {
  try {
    return layer.operator.rule(callOf(layer, types));
  } catch (error) {
    // The file was sound: what the rule refuses now are the numbers of this call.
    if (!(error instanceof NnpackError)) throw error;
    return fail("shape", layer.at, "shapes that the layer takes", error.message);
  }
}

/**
 * @param {Value[]} declared
 * @param {NdArray[]} inputs
 * @returns {Map<string, number>} what the symbols stand for
 */
function checkInputs(declared, inputs) {
  if (inputs.length !== declared.length) fail("input-number", "", declared.length, inputs.length);
  /** @type {Map<string, number>} */
  const numbers = new Map();
  declared.forEach(({ dtype, shape }, i) => {
    const input = inputs[i];
    if (input.dtype !== dtype) fail("input-type", `/inputs/${i}`, dtype, input.dtype);
    const expected = withNumbers(shape, input.shape, numbers);
    if (!same(input.shape, expected)) fail("shape", `/inputs/${i}/shape`, `(${expected})`, `(${input.shape})`);
    const elements = product(input.shape);
    if (input.data.length !== elements) fail("input-type", `/inputs/${i}`, `${elements} numbers`, input.data.length);
  });
  return numbers;
}

/**
 * Numbers and BigInts alike.
 * @param {NdArray} output
 * @param {NdArray} expected
 * @param {NdArray} tolerances
 * @param {string} at
 */
function compare({ dtype, data }, expected, tolerances, at) {
  const floor = FLOORS.get(dtype) ?? 0;
  for (let i = 0; i < data.length; i++) {
    const [y, e, tolerance] = [data[i], expected.data[i], tolerances.data[i]];
    if (y === e || (Number.isNaN(y) && Number.isNaN(e))) continue;
    const difference = /** @type {any} */ (y > e ? y : e) - /** @type {any} */ (y > e ? e : y);
    if (!(difference <= tolerance || difference <= floor)) fail("selftest-failed", at, `${e} ± ${tolerance}`, y);
  }
}

/**
 * Names must not become one.
 * @param {(string | number)[]} names
 */
function checkNormalForm(names) {
  const distinct = new Set(names);
  const normal = new Set([...distinct].map((name) => String(name).normalize("NFC")));
  if (normal.size < distinct.size) fail("canonical-nfc", "", "names that differ in normal form C", "two that do not");
}
