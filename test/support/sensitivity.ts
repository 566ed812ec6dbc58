/** Scores of small models by the gradient engine, with data in memory or made up. */
import { writeFileSync } from "node:fs";
import { expect } from "vitest";
import { withModel } from "../../server/src/analysis/open-model.js";
import { type Circumstance, Sensitivity } from "../../server/src/autodiff/sensitivity.js";
import type { SensitivityInput } from "../../server/src/autodiff/plan.js";
import type { Criterion } from "../../server/src/criteria/criterion.js";
import { snip } from "../../server/src/criteria/snip.js";
import type { DataArray } from "../../server/src/data/array.js";
import { openDataset } from "../../server/src/data/open.js";
import { elementCount } from "../../server/src/graph/tensor.js";
import { storedElements } from "../../server/src/formats/stored-elements.js";
import { counted, npz } from "./arrays-on-disk.js";
import type { TestModel } from "./model-builder.js";
import { normals } from "./model-elements.js";
import { ModelFolder } from "./model-folder.js";

export interface ScoreOptions extends Partial<
  Pick<SensitivityInput, "activationBytes" | "batchNorm" | "checkpoint" | "loss" | "progress" | "seed">
> {
  readonly criterion?: Criterion;
  /** Arrays of the data; made-up values when they are absent. */
  readonly data?: Readonly<Record<string, DataArray>>;
  readonly batch?: number;
}

/** What a criterion found in a model: scores by the weight's id, and how they came about. */
export interface Scored extends Omit<Circumstance, "loss"> {
  readonly loss: number;
  readonly scores: Readonly<Record<string, Float32Array>>;
  /** Reasons of the weights without scores, by id. */
  readonly unscored: Readonly<Record<string, string>>;
  /** The weights themselves. */
  readonly weights: Readonly<Record<string, Float32Array>>;
}

/** Hands the engine for a model, or for one in a file, to `work`, with the ids of the model's weights. */
export async function withSensitivity<T>(
  made: TestModel | string,
  { data, batch = 100, seed = 1, ...rest }: ScoreOptions,
  work: (engine: Sensitivity, input: SensitivityInput) => Promise<T>,
): Promise<T> {
  const folder = new ModelFolder();
  try {
    const file = data === undefined ? null : folder.file("data.npz");
    if (file !== null) writeFileSync(file, await npz(data!));
    const path = typeof made === "string" ? made : folder.write("model.onnx", made);
    return await withModel(path, async ({ model, source, search }) => {
      const input: SensitivityInput = {
        model,
        source,
        weights: search.weights,
        data: await openDataset(file, model.graph, { seed, dynamicAxes: {}, batch }),
        loss: rest.loss ?? null,
        batchNorm: rest.batchNorm ?? "auto",
        seed,
        threads: 1,
        activationBytes: rest.activationBytes ?? 1e9,
        progress: rest.progress ?? (() => undefined),
        checkpoint: rest.checkpoint ?? (() => Promise.resolve()),
      };
      return work(new Sensitivity(input), input);
    });
  } finally {
    folder.dispose();
  }
}

/** Scores of every weight of a model, or of one in a file, SNIP's unless another criterion is asked for. */
export function scored(made: TestModel | string, { criterion = snip, ...options }: ScoreOptions = {}): Promise<Scored> {
  return withSensitivity(made, options, async (engine, { weights, source, seed, progress, checkpoint }) => {
    const stored = weights.map((weight) => storedElements(source, weight));
    const { fields, circumstance } = await criterion.score({
      weights,
      values: (i) => stored[i]!,
      seed,
      excluded: weights.map(() => false),
      sensitivity: () => Promise.resolve(engine),
      given: () => Promise.reject(new Error("there is no file of scores")),
      progress: (done, total) => {
        progress("", done, total);
      },
      checkpoint,
    });
    if (circumstance?.loss == null) throw new Error(`${criterion.id} takes no gradients of a loss`);
    const { loss } = circumstance;
    const read = (field: (typeof stored)[number] | (typeof fields)[number]): Float32Array => {
      const out = new Float32Array(field?.size ?? 0);
      field?.read(0, out.length, out);
      return out;
    };
    const byId = <V>(values: (i: number) => V, wanted: boolean): Record<string, V> =>
      Object.fromEntries(weights.flatMap(({ id }, i) => ((fields[i] !== null) === wanted ? [[id, values(i)]] : [])));
    return {
      ...circumstance,
      loss,
      scores: byId((i) => read(fields[i]!), true),
      unscored: byId((i) => circumstance.reasons[i] ?? "", false),
      weights: Object.fromEntries(weights.map(({ id }, i) => [id, read(stored[i]!)])),
    };
  });
}

/** Largest |a − b| over the largest |b|; Infinity where lengths differ or an element is no number. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let scale = 0;
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    scale = Math.max(scale, Math.abs(b[i]!));
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference;
  }
  return worst === 0 ? 0 : worst / scale;
}

/**
 * Scores that are sums of the same float32 products in another order: each addition rounds by 6e-8 of the terms, which
 * may be larger than their sum.
 */
export const rounding = 1e-5;

/** Standard normal numbers. */
export const floats = (shape: readonly number[], seed = 7): DataArray => ({
  dtype: "float",
  shape,
  values: Float32Array.from(normals(seed, elementCount(shape))),
});
/** Class numbers. */
export const labels = (count: number, classes: number): DataArray =>
  counted("int64", [count], (i) => (3 * i) % classes);

/** Expects the same layers, scores and loss. */
export function expectSame(found: Scored, expected: Scored, tolerance = rounding): void {
  expect(Object.keys(found.scores)).toEqual(Object.keys(expected.scores));
  for (const [id, scores] of Object.entries(expected.scores))
    expect(relativeError(found.scores[id]!, scores), id).toBeLessThan(tolerance);
  expect(relativeError([found.loss], [expected.loss])).toBeLessThan(tolerance);
}

/** A model whose first input and output have this batch axis. */
export function fixedBatch(made: TestModel, batch: number | string): TestModel {
  for (const info of [...made.proto.graph!.input, ...made.proto.graph!.output]) {
    const { value: type } = info.type!.value as { value: { shape: { dim: { value: unknown }[] } } };
    type.shape.dim[0]!.value =
      typeof batch === "number" ? { case: "dimValue", value: BigInt(batch) } : { case: "dimParam", value: batch };
  }
  return made;
}
