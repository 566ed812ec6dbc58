/** Forward parity: a lowered model in ONNX Runtime against the original in TensorFlow.js, on the same inputs. */
import * as ort from "onnxruntime-node";
import { expect } from "vitest";
import { withModel } from "../../../server/src/analysis/open-model.js";
import { constantTensor } from "../../../server/src/autodiff/constant-tensor.js";
import type { Model } from "../../../server/src/graph/graph.js";
import { Program } from "../../../server/src/runtime/program.js";
import { type Backend, useBackend } from "./backends.js";
import { runOriginal, type TensorValue, type TensorValues } from "./reference.js";

/** Outputs of the model at `path` as we lower it, computed by ONNX Runtime. Inputs go by their names in its graph. */
export async function runLowered(path: string, inputs: TensorValues): Promise<TensorValues> {
  // Topologies are rebuilt without elements, which the wasm backend does not take; the engine never has that one.
  await useBackend("cpu");
  return withModel(path, async ({ model, source }) => {
    const names = model.graph.outputs.map(({ name }) => name);
    const program = await Program.open(model, model.graph, {
      outputs: names,
      inputShapes: new Map(Object.entries(inputs).map(([name, { shape }]) => [name, shape])),
      threads: 1,
      optimise: false,
      constant: (constant) => constantTensor(source, constant),
    });
    try {
      const found = await program.run(feedsOf(model, inputs));
      return Object.fromEntries(names.map((name) => [name, valueOf(found[name]!)]));
    } finally {
      await program.close();
    }
  });
}

/** Inputs as ONNX Runtime takes them, in the element types that the graph's inputs have. */
export function feedsOf(model: Model, inputs: TensorValues): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const { name, dtype } of model.graph.inputs) {
    const given = inputs[name];
    if (given === undefined) throw new Error(`nothing is fed to input "${name}" of the lowered graph`);
    const { shape, data } = given;
    if (dtype === "float") feeds[name] = new ort.Tensor("float32", Float32Array.from(data), shape);
    else if (dtype === "int32") feeds[name] = new ort.Tensor("int32", Int32Array.from(data), shape);
    else if (dtype === "int64")
      feeds[name] = new ort.Tensor("int64", BigInt64Array.from(Array.from(data, BigInt)), shape);
    else if (dtype === "bool") feeds[name] = new ort.Tensor("bool", Uint8Array.from(data), shape);
    else throw new Error(`inputs of type ${dtype} are not fed here`);
  }
  return feeds;
}

function valueOf({ dims, type, data }: ort.Tensor): TensorValue {
  return {
    shape: dims,
    dtype: type === "float32" ? "float32" : type === "bool" ? "bool" : "int32",
    data: Float64Array.from(data as ArrayLike<number | bigint>, Number),
  };
}

/**
 * The worst of all outputs' max|Δ| / max|y|, outputs taken in order; Infinity where numbers of outputs, shapes or
 * elements that are no numbers differ.
 */
export function largestDifference(expected: TensorValues, found: TensorValues): number {
  const [a, b] = [Object.values(expected), Object.values(found)];
  if (a.length !== b.length) return Infinity;
  return Math.max(...a.map((value, i) => difference(value, b[i]!)));
}

function difference(expected: TensorValue, found: TensorValue): number {
  if (expected.shape.join() !== found.shape.join()) return Infinity;
  let worst = 0;
  let scale = 1e-30;
  for (let i = 0; i < expected.data.length; i++) {
    const [y, z] = [expected.data[i]!, found.data[i]!];
    if (Object.is(y, z)) continue;
    if (!Number.isFinite(y - z)) return Infinity;
    worst = Math.max(worst, Math.abs(y - z));
  }
  for (let i = 0; i < expected.data.length; i++)
    if (Number.isFinite(expected.data[i]!)) scale = Math.max(scale, Math.abs(expected.data[i]!));
  return worst / scale;
}

export interface ParityOptions {
  /** The backend to hold it against: cpu, unless the model is too large for that. */
  readonly reference?: Backend;
  /**
   * Whether the other backend runs too, for its difference is the measure of what rounding does. Without it the tolerance
   * is 1e-5, which most small models keep to.
   */
  readonly both?: boolean;
}

/** What parity came to. */
export interface Parity {
  /** max|Δ| / max|y| of the lowered graph. */
  readonly difference: number;
  /** Of tfjs' other backend; 0 where it did not run. */
  readonly betweenBackends: number;
  readonly outputs: TensorValues;
}

/** Runs original and lowered graph on the same inputs. */
export async function parityOf(path: string, inputs: TensorValues, options: ParityOptions = {}): Promise<Parity> {
  const { reference = "cpu", both = false } = options;
  const original = await runOriginal(path, inputs, reference);
  const other = both ? await runOriginal(path, inputs, reference === "cpu" ? "wasm" : "cpu") : original;
  const outputs = await runLowered(path, inputs);
  return {
    difference: largestDifference(original, outputs),
    betweenBackends: largestDifference(original, other),
    outputs,
  };
}

/**
 * Expects max|Δ| / max|y| of at most 1e-5 (sums of some thousand float32 products in another order), or four times the
 * difference between tfjs' own two backends where `both` run.
 */
export async function expectParity(path: string, inputs: TensorValues, options: ParityOptions = {}): Promise<Parity> {
  const parity = await parityOf(path, inputs, options);
  expect(parity.difference).toBeLessThanOrEqual(Math.max(1e-5, 4 * parity.betweenBackends));
  return parity;
}
