// Arrays of numbers, and the bytes that they are stored as: little-endian, in C order.

/** @typedef {"float32" | "float64" | "int8" | "int32" | "int64" | "uint8" | "bool"} Dtype */
/** @typedef {Float32Array | Float64Array | Int8Array | Int32Array | BigInt64Array | Uint8Array} Data */
/** @typedef {{ dtype: Dtype, shape: number[], data: Data }} NdArray */

/** @type {Dtype[]} */
export const DTYPES = ["float32", "float64", "int8", "int32", "int64", "uint8", "bool"];

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/**
 * How the elements of a tensor are stored, and what they are computed as.
 * @type {Record<string, { size: number, dtype: Dtype, get: (view: DataView, at: number) => number | bigint }>}
 */
export const STORAGE = {
  float32: { size: 4, dtype: "float32", get: (view, at) => view.getFloat32(at, true) },
  float64: { size: 8, dtype: "float64", get: (view, at) => view.getFloat64(at, true) },
  float16: { size: 2, dtype: "float32", get: (view, at) => float16(view.getUint16(at, true)) },
  bfloat16: { size: 2, dtype: "float32", get: (view, at) => bfloat16(view.getUint16(at, true)) },
  int8: { size: 1, dtype: "int8", get: (view, at) => view.getInt8(at) },
  int32: { size: 4, dtype: "int32", get: (view, at) => view.getInt32(at, true) },
  int64: { size: 8, dtype: "int64", get: (view, at) => view.getBigInt64(at, true) },
  uint8: { size: 1, dtype: "uint8", get: (view, at) => view.getUint8(at) },
  bool: { size: 1, dtype: "bool", get: (view, at) => view.getUint8(at) },
};

/** @type {Record<Dtype, (view: DataView, at: number, x: any) => void>} */
const SET = {
  float32: (view, at, x) => view.setFloat32(at, x, true),
  float64: (view, at, x) => view.setFloat64(at, x, true),
  int8: (view, at, x) => view.setInt8(at, x),
  int32: (view, at, x) => view.setInt32(at, x, true),
  int64: (view, at, x) => view.setBigInt64(at, x, true),
  uint8: (view, at, x) => view.setUint8(at, x),
  bool: (view, at, x) => view.setUint8(at, x),
};

/** @param {number} bits */
function float16(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @param {number} bits the upper half of a float32 */
function bfloat16(bits) {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits * 2 ** 16, true);
  return view.getFloat32(0, true);
}

/** @param {number[]} shape */
export const product = (shape) => shape.reduce((a, b) => a * b, 1);

/** @param {Dtype} dtype */
export const isFloat = (dtype) => dtype === "float32" || dtype === "float64";

/** @param {unknown[]} a @param {unknown[]} b */
export function same(a, b) {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}

/** @param {Dtype} dtype @param {number[]} shape @returns {NdArray} */
export function zeros(dtype, shape) {
  return { dtype, shape, data: new ARRAYS[dtype](product(shape)) };
}

/**
 * @param {Uint8Array} bytes
 * @param {string} stored a key of STORAGE
 * @param {number[]} shape
 */
export function fromBytes(bytes, stored, shape) {
  const { size, dtype, get } = STORAGE[stored];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const array = zeros(dtype, shape);
  for (let i = 0; i < array.data.length; i++) array.data[i] = get(view, i * size);
  return array;
}

/** @param {NdArray} array */
export function toBytes({ dtype, data }) {
  const { size } = STORAGE[dtype];
  const bytes = new Uint8Array(data.length * size);
  const view = new DataView(bytes.buffer);
  data.forEach((x, i) => SET[dtype](view, i * size, x));
  return bytes;
}
