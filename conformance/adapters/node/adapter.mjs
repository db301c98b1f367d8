// An adapter: makes the runtime beside it speak the protocol of conformance/PROTOCOL.md: a line of JSON in, a
// line of JSON out. Nothing else may go to standard output; console.error is the log.

import { readFileSync, writeFileSync } from "node:fs";
import { fromBytes, STORAGE, toBytes } from "./runtime/arrays.mjs";
import { NnpackError } from "./runtime/errors.mjs";
import { FEATURES } from "./runtime/header.mjs";
import { load } from "./runtime/model.mjs";
import { OPERATORS } from "./runtime/operators.mjs";

// What the runtime lacks is not listed, and it refuses the files that require it.
const HELLO = {
  protocol: 1,
  name: "nnpack-node-example",
  version: "1.0.0",
  language: "JavaScript",
  spec: [[1, 0]],
  ops: Object.keys(OPERATORS),
  dtypes: Object.keys(STORAGE),
  features: FEATURES,
  dump: true,
  selftest: true,
};

/** @type {Map<unknown, import("./runtime/model.mjs").Model>} by handle */
const models = new Map();
let lastHandle = 0;

/** @type {Record<string, (request: any) => object | void>} what an answer has beside "seq" and "ok" */
const commands = {
  load({ model }) {
    models.set(++lastHandle, load(readFileSync(model)));
    return { handle: lastHandle };
  },
  run({ handle, inputs, out_dir }) {
    const model = find(handle);
    const arrays = inputs.map((/** @type {any} */ x) => fromBytes(readFileSync(x.path), x.dtype, x.shape));
    const start = process.hrtime.bigint();
    const results = model.predict(arrays);
    const ns = Number(process.hrtime.bigint() - start);
    const outputs = results.map((array, i) => {
      const path = `${out_dir}/${i}`;
      writeFileSync(path, toBytes(array));
      return { name: model.outputs[i], dtype: array.dtype, shape: array.shape, path };
    });
    return { outputs, ns };
  },
  dump: ({ handle, path }) => writeFileSync(path, find(handle).dump()),
  selftest: ({ handle }) => find(handle).selftest(),
  unload({ handle }) {
    find(handle);
    models.delete(handle);
  },
};

/** @param {unknown} handle */
function find(handle) {
  const model = models.get(handle);
  if (!model) throw new Error(`no model has the handle ${handle}`);
  return model;
}

/** @param {string} text that may hold what a file says; a line has at most 1 MiB */
const brief = (text) => text.slice(0, 1000);

/** @param {string} line */
function answer(line) {
  /** @type {any} */
  let request = {};
  try {
    request = { ...JSON.parse(line) };
    if (request.cmd === "hello") return HELLO;
    if (request.cmd === "stop") process.exit();
    if (!Object.hasOwn(commands, request.cmd)) throw new Error(`there is no command ${request.cmd}`);
    return { seq: request.seq, ok: true, ...commands[request.cmd](request) };
  } catch (error) {
    console.error(error);
    // Only a fault of the file is a refusal: one of the runtime must not pass for it.
    const refusal = error instanceof NnpackError && ["load", "selftest"].includes(request.cmd);
    if (!refusal) return { seq: request.seq, error: brief(String(error)) };
    return { seq: request.seq, rejected: error.code, at: brief(error.at), message: brief(error.message) };
  }
}

async function converse() {
  let rest = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) process.stdout.write(JSON.stringify(answer(line)) + "\n");
  }
}

await converse();
