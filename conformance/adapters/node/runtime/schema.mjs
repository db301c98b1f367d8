// Readers of what a header holds: each takes a node and its place, and gives a typed value or refuses (spec/errors.md,
// "Schema"). Readers are put together from readers, as a JSON Schema is from schemas.

import { fail, pointer } from "./errors.mjs";
import { Float } from "./msgpack.mjs";

/** @typedef {import("./msgpack.mjs").Node} Node */
/**
 * @template T
 * @typedef {(node: Node, at: string) => T} Reader
 */

export const MAX_DIMENSION = 2 ** 31 - 1;

/** @param {Node} node */
function typeOf(node) {
  if (node instanceof Float) return "number";
  if (node instanceof Map) return "map";
  if (Array.isArray(node)) return "list";
  return typeof node === "number" ? "integer" : typeof node;
}

/** @param {Node} node @param {string} at @param {string} expected @returns {never} */
const wrongType = (node, at, expected) => fail("wrong-type", at, expected, typeOf(node));

/** @type {Reader<string>} */
export function string(node, at) {
  return typeof node === "string" ? node : wrongType(node, at, "string");
}

/** @type {Reader<boolean>} */
export function boolean(node, at) {
  return typeof node === "boolean" ? node : wrongType(node, at, "boolean");
}

/** @type {Reader<Map<string, Node>>} */
export function map(node, at) {
  return node instanceof Map ? node : wrongType(node, at, "map");
}

/** @type {Reader<string>} */
export function name(node, at) {
  const text = string(node, at);
  const bytes = Buffer.byteLength(text);
  if (bytes < 1 || bytes > 256) fail("name-length", at, "1 to 256 bytes", bytes);
  if (text.includes("\0")) fail("name-nul", at);
  return text;
}

/** @param {number} from @param {number} to @returns {Reader<number>} */
export function integer(from, to, code = "wrong-value") {
  return (node, at) => {
    if (typeof node !== "number") wrongType(node, at, "integer");
    if (node < from || node > to) fail(code, at, `${from} to ${to}`, node);
    return node;
  };
}

/** @param {(x: number) => boolean} [fits] @returns {Reader<number>} */
export function number(fits = () => true) {
  return (node, at) => {
    if (!(node instanceof Float)) wrongType(node, at, "number");
    if (!fits(node.value)) fail("wrong-value", at, "a number in its range", node.value);
    return node.value;
  };
}

/**
 * @template {string} T
 * @param {T[]} choices
 * @returns {Reader<T>}
 */
export function oneOf(choices, code = "wrong-value") {
  return (node, at) => {
    const text = string(node, at);
    return choices.find((choice) => choice === text) ?? fail(code, at, choices.join(", "), text);
  };
}

/**
 * @template T
 * @param {Reader<T>} item
 * @param {{ min?: number, max?: number, code?: string }} [limits]
 * @returns {Reader<T[]>}
 */
export function list(item, { min = 0, max = Infinity, code = "list-length" } = {}) {
  return (node, at) => {
    if (!Array.isArray(node)) wrongType(node, at, "list");
    if (node.length < min || node.length > max) fail(code, at, `${min} to ${max} elements`, node.length);
    return node.map((element, i) => item(element, at + pointer(i)));
  };
}

/**
 * A map whose keys are names.
 * @template T
 * @param {Reader<T>} item
 * @returns {Reader<Map<string, T>>}
 */
export function mapOf(item) {
  return (node, at) => {
    const entries = [...map(node, at)];
    return new Map(entries.map(([key, value]) => [name(key, at + pointer(key)), item(value, at + pointer(key))]));
  };
}

/**
 * A map of known keys.
 * @template {Record<string, Reader<any>>} R
 * @template {Record<string, Reader<any>>} [O={}]
 * @param {R} required
 * @param {O} [optional]
 * @param {{ unknown: string, missing: string }} [codes]
 * @returns {Reader<{ [K in keyof R]: ReturnType<R[K]> } & { [K in keyof O]?: ReturnType<O[K]> }>}
 */
export function record(required, optional, codes = { unknown: "unknown-key", missing: "missing-key" }) {
  const readers = new Map(Object.entries({ ...required, ...optional }));
  return (node, at) => {
    const fields = map(node, at);
    for (const key of fields.keys()) if (!readers.has(key)) fail(codes.unknown, at + pointer(key));
    for (const key of Object.keys(required)) if (!fields.has(key)) fail(codes.missing, at, key, "none");
    /** @type {any} */
    const values = {};
    for (const [key, reader] of readers) {
      const field = fields.get(key);
      if (field !== undefined) values[key] = reader(field, at + pointer(key));
    }
    return values;
  };
}

/** @type {Reader<number | string>} */
export function dimension(node, at) {
  if (typeof node === "string") return name(node, at);
  return integer(1, MAX_DIMENSION, "dimension-range")(node, at);
}
