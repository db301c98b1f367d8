// The five elements of a file (spec/format.md, "Container"; "Reading, step by step", 1 to 3).

import { fail } from "./errors.mjs";
import { Decoder, Encoder } from "./msgpack.mjs";

/** @typedef {import("./msgpack.mjs").Node} Node */

const MAGIC = [0x95, 0xa6, 0x6e, 0x6e, 0x70, 0x61, 0x63, 0x6b];
const ALIGNMENT = 64;
const MAJOR = 1;

/**
 * @param {Uint8Array} bytes a whole file
 * @returns {{ version: Node, header: Node, payload: Uint8Array }}
 */
export function readContainer(bytes) {
  checkMagic(bytes);
  const decoder = new Decoder(bytes, MAGIC.length);
  const version = decoder.read();
  checkVersion(version, decoder);
  const header = decoder.read();
  const payload = readPayload(bytes, decoder);
  return { version, header, payload };
}

/** @param {Uint8Array} bytes */
function checkMagic(bytes) {
  if (bytes.length === 0) fail("empty-file");
  /** @param {number} from */
  const matches = (from) => MAGIC.every((byte, i) => i < from || i >= bytes.length || bytes[i] === byte);
  if (!matches(0)) {
    const otherLength = bytes.length >= MAGIC.length && bytes[0] >> 4 === 9 && matches(1);
    fail(otherLength ? "container-length" : "wrong-magic", "byte 0");
  }
  if (bytes.length < MAGIC.length) fail("truncated-header", `byte ${bytes.length}`);
}

/**
 * @param {Node} version
 * @param {Decoder} decoder behind the version
 */
function checkVersion(version, decoder) {
  const at = `byte ${MAGIC.length}`;
  const sound = Array.isArray(version) && version.length === 2;
  if (!sound || !version.every((n) => typeof n === "number" && n >= 0)) fail("version-type", at);
  if (version[0] === MAJOR) return;
  fail("version-major", at, `${MAJOR}.x`, `${version.join(".")}, written by ${producer(decoder)}`);
}

/**
 * Whoever wrote a header of another major version, if it can be told.
 * @param {Decoder} decoder
 */
function producer(decoder) {
  try {
    const { name, version } = Object.fromEntries(/** @type {any} */ (decoder.read()).get("producer"));
    return `${name} ${version}`;
  } catch {
    return "an unknown program";
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Decoder} decoder behind the header
 */
function readPayload(bytes, decoder) {
  const padAt = decoder.take(1);
  if (bytes[padAt] !== 0xc4) fail("pad-length", `byte ${padAt}`, "a bin8", `head ${bytes[padAt]}`);
  const padLength = decoder.unsigned(1);
  if (padLength >= ALIGNMENT) fail("pad-length", `byte ${padAt + 1}`, `less than ${ALIGNMENT}`, padLength);
  const pad = decoder.take(padLength);
  for (let i = pad; i < pad + padLength; i++) if (bytes[i] !== 0) fail("pad-not-zero", `byte ${i}`);

  const payloadAt = decoder.take(1);
  if (bytes[payloadAt] !== 0xc6) fail("payload-head", `byte ${payloadAt}`, "a bin32", `head ${bytes[payloadAt]}`);
  const length = decoder.unsigned(4);
  const start = decoder.position;
  if (start % ALIGNMENT !== 0) fail("payload-misaligned", `byte ${start}`);
  if (start + length > bytes.length) fail("truncated-payload", `byte ${bytes.length}`);
  if (start + length < bytes.length) fail("trailing-bytes", `byte ${start + length}`);
  return bytes.subarray(start);
}

/** @param {Node} version @param {Node} header @param {Uint8Array} payload */
export function writeContainer(version, header, payload) {
  const encoder = new Encoder();
  encoder.write(version);
  encoder.write(header);
  const front = MAGIC.length + encoder.bytes.length;
  const heads = 2 + 5;
  const pad = (ALIGNMENT - ((front + heads) % ALIGNMENT)) % ALIGNMENT;
  const bytes = new Uint8Array(front + heads + pad + payload.length);
  bytes.set(MAGIC);
  bytes.set(encoder.bytes, MAGIC.length);
  bytes.set([0xc4, pad], front);
  bytes[front + 2 + pad] = 0xc6;
  new DataView(bytes.buffer).setUint32(front + 2 + pad + 1, payload.length, false);
  bytes.set(payload, front + heads + pad);
  return bytes;
}
