// The tensors of the payload, verified, as layers see them (spec/format.md, "Tensors"; "Reading, step by step", 5).

import { createHash } from "node:crypto";
import { fromBytes, isFloat, product, same, STORAGE, zeros } from "./arrays.mjs";
import { fail } from "./errors.mjs";

/** @typedef {import("./arrays.mjs").NdArray} NdArray */
/** @typedef {import("./header.mjs").Header} Header */
/** @typedef {import("./header.mjs").TensorEntry} TensorEntry */

/**
 * @typedef {object} Tensor
 * @property {TensorEntry} entry
 * @property {string} at
 * @property {boolean} nonfinite whether NaN or an infinity is stored
 * @property {NdArray} array what layers see: float16 and bfloat16 widened, quantized numbers as float32
 */

const ALIGNMENT = 64;

/** @param {Header} header @param {Uint8Array} payload @returns {Map<string, Tensor>} */
export function readTensors(header, payload) {
  const { tensors: entries, payload_sha256: expected } = header;
  entries.forEach(checkSize);
  checkPlaces(entries, payload);
  const received = createHash("sha256").update(payload).digest("hex");
  if (received !== expected) fail("hash-mismatch", "/payload_sha256", expected, received);

  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  entries.forEach((entry, i) => {
    const at = `/tensors/${i}`;
    if (tensors.has(entry.name)) fail("duplicate-tensor", `${at}/name`);
    const bytes = payload.subarray(entry.offset, entry.offset + entry.nbytes);
    if (entry.dtype === "bool" && bytes.some((byte) => byte > 1)) fail("bool-byte", at);
    const array = fromBytes(bytes, entry.dtype, entry.shape);
    const nonfinite = hasNonfinite(array);
    if (nonfinite && !header.requires.includes("feature:nonfinite")) fail("weight-not-finite", at);
    tensors.set(entry.name, { entry, at, nonfinite, array });
  });

  const quantized = [...tensors.values()].filter(({ entry }) => entry.quantization);
  for (const tensor of quantized) tensor.array = dequantize(tensor, tensors);
  return tensors;
}

/** @param {NdArray} array */
function hasNonfinite({ dtype, data }) {
  return isFloat(dtype) && data.some((/** @type {any} */ x) => !Number.isFinite(x));
}

/** @param {TensorEntry} entry @param {number} i */
function checkSize({ dtype, nbytes, shape }, i) {
  const elements = product(shape);
  if (elements > 2 ** 53) fail("element-count", `/tensors/${i}/shape`, "at most 2^53 elements", elements);
  const expected = elements * STORAGE[dtype].size;
  if (nbytes !== expected) fail("tensor-nbytes", `/tensors/${i}/nbytes`, expected, nbytes);
}

/** @param {TensorEntry[]} entries @param {Uint8Array} payload */
function checkPlaces(entries, payload) {
  entries.forEach(({ offset }, i) => {
    const least = i === 0 ? 0 : entries[i - 1].offset;
    if (offset < least) fail("tensor-order", `/tensors/${i}/offset`, `${least} or more`, offset);
  });
  let end = 0;
  entries.forEach(({ offset, nbytes }, i) => {
    const at = `/tensors/${i}/offset`;
    const next = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    if (offset % ALIGNMENT !== 0) fail("tensor-misaligned", at, `a multiple of ${ALIGNMENT}`, offset);
    if (offset < next) fail("tensor-overlap", at, next, offset);
    if (offset > next) fail("tensor-hole", at, next, offset);
    const last = offset + nbytes;
    if (last > payload.length) fail("tensor-bounds", `/tensors/${i}/nbytes`, `an end at ${payload.length}`, last);
    if (payload.subarray(end, offset).some((byte) => byte !== 0)) fail("gap-not-zero", `/tensors/${i}`);
    end = last;
  });
  if (end !== payload.length) fail("payload-size", "/tensors", end, payload.length);
}

/** @param {Tensor} tensor @param {Map<string, Tensor>} tensors */
function dequantize({ entry, at, array }, tensors) {
  const { scale, zero_point, axis } = /** @type {NonNullable<TensorEntry["quantization"]>} */ (entry.quantization);
  if (entry.dtype !== "int8") fail("quantization-dtype", `${at}/dtype`, "int8", entry.dtype);
  if (axis !== undefined && axis >= entry.shape.length) fail("axis-range", `${at}/quantization/axis`);
  const shape = axis === undefined ? [] : [entry.shape[axis]];

  /** @param {string} name @param {string} dtype @param {string} place */
  const part = (name, dtype, place) => {
    const found = tensors.get(name) ?? fail("tensor-missing", place, "a tensor", name);
    const fits = found.entry.dtype === dtype && !found.entry.quantization && same(found.entry.shape, shape);
    if (!fits) fail("quantization-part", place, `${dtype} of shape (${shape})`, name);
    return /** @type {Float32Array | Int8Array} */ (found.array.data);
  };
  const scales = part(scale, "float32", `${at}/quantization/scale`);
  const zeroPoints = part(zero_point, "int8", `${at}/quantization/zero_point`);
  if (scales.some((x) => !(x > 0 && x < Infinity))) fail("scale-range", `${at}/quantization/scale`);

  const weights = zeros("float32", entry.shape);
  const inner = axis === undefined ? Infinity : product(entry.shape.slice(axis + 1));
  array.data.forEach((q, i) => {
    const c = Math.floor(i / inner) % scales.length;
    weights.data[i] = (Number(q) - zeroPoints[c]) * scales[c];
  });
  return weights;
}
