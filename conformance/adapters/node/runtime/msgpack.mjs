// The msgpack of a header: what JSON can represent, within limits (spec/format.md, "Header" and "Limits").
// The reader takes heads that are not the shortest, float32 and unsorted keys; the writer has the canonical form only.

import { fail, pointer } from "./errors.mjs";

/** A float, which JavaScript's own numbers would not tell from an integer. */
export class Float {
  /** @param {number} value */
  constructor(value) {
    this.value = value;
  }
}

/** @typedef {boolean | number | string | Float | any[] | Map<string, any>} Node arrays and maps hold nodes */

const MAX_BYTES = 16 * 2 ** 20;
const MAX_NESTING = 16;
const MAX_STRING = 65536;
const MAX_ITEMS = 65536;
const MAX_INTEGER = 2n ** 53n;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class Decoder {
  /**
   * @param {Uint8Array} bytes the whole file
   * @param {number} position where to start
   */
  constructor(bytes, position) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
    this.end = Infinity;
    /** @type {(string | number)[]} */
    this.path = [];
  }

  /** Reads one object, of at most 16 MiB. */
  read() {
    this.end = this.position + MAX_BYTES;
    const node = this.#node();
    this.end = Infinity;
    return node;
  }

  /**
   * Steps over bytes, and says where they start.
   * @param {number} size
   */
  take(size) {
    const start = this.position;
    if (start + size > this.end) fail("limit-header", `byte ${start}`);
    if (start + size > this.bytes.length) fail("truncated-header", `byte ${this.bytes.length}`);
    this.position += size;
    return start;
  }

  /** @param {number} size */
  unsigned(size) {
    return this.#integer(size, false);
  }

  /** @param {number} size @param {boolean} signed */
  #integer(size, signed) {
    const start = this.take(size);
    let n = 0n;
    for (let i = start; i < start + size; i++) n = n * 256n + BigInt(this.bytes[i]);
    if (signed) n = BigInt.asIntN(8 * size, n);
    if (n > MAX_INTEGER || n < -MAX_INTEGER) fail("integer-range", pointer(...this.path), "-2^53 to 2^53", n);
    return Number(n);
  }

  /** @returns {Node} */
  #node() {
    const start = this.take(1);
    const head = this.bytes[start];
    const length = this.#stringLength(head);
    if (length !== null) return this.#string(length, start);
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f, start);
    if (head < 0xa0) return this.#array(head & 0x0f, start);
    if (head >= 0xe0) return head - 256;
    if (head >= 0xcc && head <= 0xcf) return this.#integer(2 ** (head - 0xcc), false);
    if (head >= 0xd0 && head <= 0xd3) return this.#integer(2 ** (head - 0xd0), true);
    if (head === 0xc2 || head === 0xc3) return head === 0xc3;
    if (head === 0xca) return this.#float(this.view.getFloat32(this.take(4), false));
    if (head === 0xcb) return this.#float(this.view.getFloat64(this.take(8), false));
    if (head === 0xdc) return this.#array(this.unsigned(2), start);
    if (head === 0xdd) return this.#array(this.unsigned(4), start);
    if (head === 0xde) return this.#map(this.unsigned(2), start);
    if (head === 0xdf) return this.#map(this.unsigned(4), start);
    return this.#refuse(head, start);
  }

  /**
   * What msgpack has and a header has not.
   * @param {number} head
   * @param {number} start
   * @returns {never}
   */
  #refuse(head, start) {
    if (head === 0xc0) fail("msgpack-nil", `byte ${start}`);
    if (head === 0xc1) fail("msgpack-invalid-byte", `byte ${start}`);
    if (head >= 0xc4 && head <= 0xc6) fail("msgpack-bin", `byte ${start}`);
    // ext 8, 16 and 32 have their length between head and type.
    if (head >= 0xc7 && head <= 0xc9) this.take(2 ** (head - 0xc7));
    const type = this.view.getInt8(this.take(1));
    fail(type === -1 ? "msgpack-timestamp" : "msgpack-ext", `byte ${start}`);
  }

  /**
   * The number of bytes of a string; null where the head is none of a string.
   * @param {number} head
   */
  #stringLength(head) {
    if (head >= 0xa0 && head < 0xc0) return head & 0x1f;
    if (head === 0xd9) return this.unsigned(1);
    if (head === 0xda) return this.unsigned(2);
    if (head === 0xdb) return this.unsigned(4);
    return null;
  }

  /** @param {number} length @param {number} start */
  #string(length, start) {
    if (length > MAX_STRING) fail("limit-string", `byte ${start}`, `at most ${MAX_STRING} bytes`, length);
    const from = this.take(length);
    try {
      return utf8.decode(this.bytes.subarray(from, from + length));
    } catch {
      return fail("utf8-invalid", `byte ${start}`);
    }
  }

  /** @param {number} length @param {number} start */
  #array(length, start) {
    this.#limits(length, start);
    const array = [];
    for (let i = 0; i < length; i++) {
      this.path.push(i);
      array.push(this.#node());
      this.path.pop();
    }
    return array;
  }

  /** @param {number} length @param {number} start */
  #map(length, start) {
    this.#limits(length, start);
    /** @type {Map<string, Node>} */
    const map = new Map();
    for (let i = 0; i < length; i++) {
      const key = this.#key();
      if (map.has(key)) fail("duplicate-key", pointer(...this.path, key));
      this.path.push(key);
      map.set(key, this.#node());
      this.path.pop();
    }
    return map;
  }

  #key() {
    const start = this.take(1);
    const head = this.bytes[start];
    const length = this.#stringLength(head);
    if (length === null) fail(head === 0xc1 ? "msgpack-invalid-byte" : "key-type", `byte ${start}`);
    return this.#string(length, start);
  }

  /** @param {number} length @param {number} start */
  #limits(length, start) {
    if (length > MAX_ITEMS) fail("limit-items", `byte ${start}`, `at most ${MAX_ITEMS}`, length);
    const depth = this.path.length + 1;
    if (depth > MAX_NESTING) fail("limit-nesting", `byte ${start}`, `at most ${MAX_NESTING}`, depth);
  }

  /** @param {number} value */
  #float(value) {
    if (!Number.isFinite(value)) fail("number-not-finite", pointer(...this.path), "a finite number", value);
    return new Float(value);
  }
}

/** Writes the canonical form: sorted keys, shortest heads, float64, strings in normal form C. */
export class Encoder {
  #scratch = new DataView(new ArrayBuffer(8));

  /** @type {number[]} */
  bytes = [];

  /** @param {Node} node */
  write(node) {
    if (typeof node === "boolean") this.bytes.push(node ? 0xc3 : 0xc2);
    else if (typeof node === "string") this.#string(node);
    else if (typeof node === "number") this.#integer(node);
    else if (node instanceof Float) this.#float(node.value);
    else if (Array.isArray(node)) this.#array(node);
    else this.#map(node);
  }

  /** @param {number} n */
  #integer(n) {
    if (n >= -32 && n < 128) this.bytes.push(n & 0xff);
    else if (n >= 0) this.#unsigned(0xcc, [1, 2, 4, 8], n);
    else {
      const sizes = [1, 2, 4, 8];
      const which = sizes.findIndex((size) => n >= -(2 ** (8 * size - 1)));
      this.bytes.push(0xd0 + which);
      this.#scratch.setBigInt64(0, BigInt(n), false);
      this.#flush(sizes[which]);
    }
  }

  /** @param {number} value */
  #float(value) {
    this.bytes.push(0xcb);
    this.#scratch.setFloat64(0, value, false);
    this.#flush(8);
  }

  /** @param {string} text */
  #string(text) {
    const utf8 = Buffer.from(text.normalize("NFC"));
    if (utf8.length < 32) this.bytes.push(0xa0 + utf8.length);
    else this.#unsigned(0xd9, [1, 2, 4], utf8.length);
    for (const byte of utf8) this.bytes.push(byte);
  }

  /** @param {Node[]} array */
  #array(array) {
    if (array.length < 16) this.bytes.push(0x90 + array.length);
    else this.#unsigned(0xdc, [2, 4], array.length);
    for (const node of array) this.write(node);
  }

  /** @param {Map<string, Node>} map */
  #map(map) {
    if (map.size < 16) this.bytes.push(0x80 + map.size);
    else this.#unsigned(0xde, [2, 4], map.size);
    const entries = [...map].map(([key, value]) => ({ key: key.normalize("NFC"), value }));
    entries.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
    const twice = entries.find(({ key }, i) => i > 0 && key === entries[i - 1].key);
    if (twice) fail("canonical-nfc", "", "keys that differ in normal form C", twice.key);
    for (const { key, value } of entries) {
      this.#string(key);
      this.write(value);
    }
  }

  /**
   * @param {number} head that of the smallest of the sizes; those of the others follow it
   * @param {number[]} sizes
   * @param {number} n
   */
  #unsigned(head, sizes, n) {
    const which = sizes.findIndex((size) => n < 2 ** (8 * size));
    this.bytes.push(head + which);
    this.#scratch.setBigUint64(0, BigInt(n), false);
    this.#flush(sizes[which]);
  }

  /** @param {number} size how many of the scratch's last bytes count */
  #flush(size) {
    for (let i = 8 - size; i < 8; i++) this.bytes.push(this.#scratch.getUint8(i));
  }
}
