// The model file alone in JavaScript: node alone.mjs onnxruntime-node|onnxruntime-web FILE ROWS
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [runtime, file, rows] = process.argv.slice(2);
const ort = createRequire(process.env.NODE_MODULES + "/")(runtime);
if (runtime === "onnxruntime-web") ort.env.wasm.numThreads = 1;

const columns = JSON.parse(rows);
const session = await ort.InferenceSession.create(readFileSync(file));
const inputs = {};
for (const [name, values] of Object.entries(columns)) {
  const texts = values.some((value) => typeof value === "string");
  const data = texts ? values.map((value) => value ?? "") : Float32Array.from(values, (value) => value ?? NaN);
  inputs[name] = new ort.Tensor(texts ? "string" : "float32", data, [values.length, 1]);
}
const { probabilities } = await session.run(inputs, ["probabilities"]);
console.log(JSON.stringify([...probabilities.data]));
