/**
 * `node test/support/run-ts.mjs test/oracle/make-gradients.ts [NAME…]`: computes the references of gradient-cases.ts
 * with gradients.py (Debian's python3-torch and python3-onnx) and writes gradients/NAME.json. Before that, the script
 * tests itself by finite differences on three networks; after it, every loss is held against ONNX Runtime's forward pass.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import type { Feed, Integers } from "../support/networks/index.js";
import { type GradientCase, gradientCases, type GradientProblem, type GradientReference } from "./gradient-cases.js";

const folder = "test/oracle";
const selfTests = ["resnet-32.snip.batch", "unet.snip", "vit.snip"];

const temporary = mkdtempSync(join(tmpdir(), "prunescope-gradients-"));
try {
  const names = process.argv.slice(2);
  const cases = gradientCases.filter(({ name }) => names.length === 0 || names.includes(name));
  for (const each of gradientCases.filter(({ name }) => names.length === 0 && selfTests.includes(name))) {
    console.log(each.name, "against finite differences");
    python(each, each.problem(), ["--self-test"]);
  }
  mkdirSync(`${folder}/gradients`, { recursive: true });
  for (const each of cases) {
    const problem = each.problem();
    const text = python(each, problem, []);
    const reference = JSON.parse(text) as GradientReference;
    const difference = each.criterion === "synflow" ? null : await lossDifference(each, problem, reference.loss);
    writeFileSync(`${folder}/gradients/${each.name}.json`, text);
    console.log(
      `${each.name}: ${reference.layers.length} layers, loss ${reference.loss}` +
        (difference === null ? "" : `, ONNX Runtime's differs by ${difference.toExponential(1)}`) +
        `, no score ${reference.noScore.length}, ties ${Object.values(reference.ties).join("/")}`,
    );
  }
} finally {
  rmSync(temporary, { recursive: true });
}

/** Runs gradients.py on a problem. @returns what it prints. */
function python(each: GradientCase, { bytes, feeds, labels, output }: GradientProblem, options: string[]): string {
  const model = join(temporary, "model.onnx");
  const data = join(temporary, "data");
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data);
  writeFileSync(model, bytes);
  for (const [name, feed] of Object.entries(feeds)) writeNpy(join(data, `${name}.npy`), feed);
  if (labels !== null) writeNpy(join(data, "labels.npy"), labels);
  const { criterion, batchNorm, loss } = each;
  const settings = ["--criterion", criterion, "--batchnorm", batchNorm, "--loss", loss, "--output", output];
  return execFileSync("/usr/bin/python3", [`${folder}/gradients.py`, model, data, ...settings, ...options], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Version 1.0 of NumPy's format: magic, length of the header, header padded to 64 bytes, elements. */
function writeNpy(path: string, { data, shape }: Feed | Integers): void {
  const descr = data instanceof Float32Array ? "<f4" : "<i8";
  const words = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.map((dim) => `${dim},`).join(" ")})}`;
  const header = words.padEnd(64 * Math.ceil((words.length + 11) / 64) - 11) + "\n";
  const start = Buffer.from([
    0x93,
    ...Buffer.from("NUMPY"),
    1,
    0,
    header.length % 256,
    Math.floor(header.length / 256),
  ]);
  writeFileSync(path, Buffer.concat([start, Buffer.from(header), new Uint8Array(data.buffer)]));
}

/**
 * How far the loss of ONNX Runtime's own forward pass is from the reference, relative; null where the reference's
 * forward pass is another one (statistics of the batch).
 * @throws Error when it is further than float32 arithmetic explains.
 */
async function lossDifference(each: GradientCase, problem: GradientProblem, expected: number): Promise<number | null> {
  if (each.batchNorm === "batch") return null;
  const session = await ort.InferenceSession.create(problem.bytes, { logSeverityLevel: 3 });
  const feeds = Object.entries(problem.feeds).map(([name, { data, shape }]) => [name, tensor(data, shape)] as const);
  const made = (await session.run(Object.fromEntries(feeds)))[problem.output];
  await session.release();
  if (made === undefined) throw new Error(`${each.name}: no output ${problem.output}`);
  const y = Float64Array.from(made.data as Float32Array);
  const loss =
    problem.labels === null
      ? y.reduce((sum, value) => sum + value ** 2, 0) / (2 * y.length)
      : crossEntropy(y, made.dims, problem.labels.data, each.criterion === "grasp" ? 200 : 1);
  const difference = Math.abs(loss - expected) / Math.abs(expected);
  // Seen: 1e-7 in most, up to 6e-6 where float32 loses digits (the chaotic network, nearly saturated sigmoids).
  if (!(difference < 1e-3)) throw new Error(`${each.name}: loss ${expected}, but ${loss} by ONNX Runtime`);
  return difference;
}

function tensor(data: Feed["data"] | Integers["data"], shape: readonly number[]): ort.Tensor {
  return data instanceof Float32Array ? new ort.Tensor("float32", data, shape) : new ort.Tensor("int64", data, shape);
}

/** Mean cross-entropy of logits [batch, classes, ...pixels] divided by a temperature. */
function crossEntropy(
  logits: Float64Array,
  dims: readonly number[],
  labels: BigInt64Array,
  temperature: number,
): number {
  const classes = dims[1]!;
  const pixels = dims.slice(2).reduce((product, dim) => product * dim, 1);
  let sum = 0;
  labels.forEach((label, i) => {
    const start = Math.floor(i / pixels) * classes * pixels + (i % pixels);
    const at = (k: number): number => logits[start + k * pixels]! / temperature;
    let exponentials = 0;
    for (let k = 0; k < classes; k++) exponentials += Math.exp(at(k) - at(Number(label)));
    sum += Math.log(exponentials);
  });
  return sum / labels.length;
}
