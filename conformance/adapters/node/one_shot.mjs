// The protocol's other form ("One-shot"), for runtimes that cannot hold a conversation:
//   node one_shot.mjs MODEL [IN… OUT…]

import { readFileSync, writeFileSync } from "node:fs";
import { fromBytes, toBytes } from "./runtime/arrays.mjs";
import { NnpackError } from "./runtime/errors.mjs";
import { load } from "./runtime/model.mjs";

const REFUSED = 10;
const UNSUPPORTED = 11;

const [file, ...paths] = process.argv.slice(2);
const model = loadOrRefuse(file);
if (model && paths.length > 0) predict(model, paths);

/** @param {string} path */
function loadOrRefuse(path) {
  try {
    return load(readFileSync(path));
  } catch (error) {
    if (!(error instanceof NnpackError)) throw error;
    console.log(error.code);
    process.exitCode = error.code === "requires-unknown" ? UNSUPPORTED : REFUSED;
    return null;
  }
}

/**
 * @param {import("./runtime/model.mjs").Model} model
 * @param {string[]} paths of the inputs, then of the outputs
 */
function predict(model, paths) {
  const inputs = model.inputs.map(({ dtype }, i) => fromBytes(readFileSync(paths[i]), dtype, shapeOf(paths[i])));
  model.predict(inputs).forEach((output, i) => {
    writeFileSync(paths[inputs.length + i], toBytes(output));
    console.log([output.dtype, ...output.shape].join(" "));
  });
}

/** @param {string} path that ends as in x.2x6 */
function shapeOf(path) {
  return path
    .slice(path.lastIndexOf(".") + 1)
    .split("x")
    .map(Number);
}
