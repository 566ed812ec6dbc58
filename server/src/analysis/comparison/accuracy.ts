/** Which share of samples two models give their right label: the largest class score of each, against the data's labels. */
import type * as Ort from "onnxruntime-node";
import type { CompareReport } from "../../../protocol/compare.js";
import { PruneScopeError } from "../../../protocol/errors.js";
import { chooseLoss } from "../../autodiff/loss/choose.js";
import { givenLabels } from "../../autodiff/loss/cross-entropy.js";
import { checkLabels, type Dataset, type Labels } from "../../data/dataset.js";
import type { Model } from "../../graph/graph.js";
import { isFloat } from "../../graph/tensor.js";
import type { ValueType } from "../../graph/value-type.js";
import { largestPlaces, outputNumbers, type Outputs } from "../../runtime/compare.js";
import { valueTypes } from "../../runtime/shapes.js";

/** The output whose largest element is a sample's class. */
export interface ClassOutput {
  readonly name: string;
  readonly axis: number;
}

/**
 * The output that the labels are about, chosen as for the loss (`wanted` as there).
 * @returns null with a sentence where no output holds classes.
 * @throws PruneScopeError `shape-mismatch` for labels beyond the classes.
 */
export async function classOutput(
  model: Model,
  dataset: Dataset,
  count: number,
  wanted: string | undefined,
  threads: number,
): Promise<ClassOutput | string> {
  const { labels } = await dataset.batch(0, count);
  if (labels === null || dataset.labels === null) return "The data holds no labels.";
  let chosen: { output: string; value: string; shape: readonly number[]; classAxis: number };
  let shape: readonly number[];
  try {
    const types = new Map<string, ValueType>();
    // Scores of any float type name a class; losses are made for float32 only.
    for (const [name, type] of await valueTypes(model, dataset.shapes(count), threads))
      types.set(name, isFloat(type.dtype) ? { ...type, dtype: "float" } : type);
    const output = /^[^:]*(:.*)?$/s.exec(wanted ?? "")?.[1] ?? "";
    const offered = { labels: labels.shape, targets: [] };
    chosen = chooseLoss(model.graph, types, offered, `${givenLabels.id}${output}`);
    shape = types.get(chosen.output)?.shape ?? [];
  } catch (error) {
    if (!(error instanceof PruneScopeError) || error.code === "cancelled") throw error;
    return `Accuracy was not measured: ${error.message}`;
  }
  const matches = (axis: number): boolean => shape.filter((_, i) => i !== axis).join() === labels.shape.join();
  // Behind a softmax the scores may have got another shape.
  const axis = [chosen.classAxis, 1, shape.length - 1].find(matches);
  if (axis === undefined) {
    return `Accuracy was not measured: ${labels.label} has shape [${labels.shape.join(", ")}] for output "${chosen.output}" [${shape.join(", ")}].`;
  }
  checkLabels(dataset.labels, shape[axis]!);
  return { name: chosen.output, axis };
}

/** Counts right answers over any number of runs. */
export class AccuracyCount {
  #original = 0;
  #pruned = 0;
  #samples = 0;

  constructor(private readonly output: ClassOutput) {}

  add(original: Outputs, pruned: Outputs, { values }: Labels): void {
    this.#original += this.#right(original.get(this.output.name), values);
    this.#pruned += this.#right(pruned.get(this.output.name), values);
    this.#samples += values.length;
  }

  result(): CompareReport["accuracy"] {
    const samples = this.#samples;
    if (samples === 0) return null;
    return { original: this.#original / samples, pruned: this.#pruned / samples, samples };
  }

  #right(tensor: Ort.Tensor | undefined, labels: BigInt64Array): number {
    if (tensor === undefined) return 0;
    const places = largestPlaces(outputNumbers(tensor), tensor.dims, this.output.axis);
    let right = 0;
    for (let i = 0; i < labels.length; i++) if (places[i] === Number(labels[i])) right++;
    return right;
  }
}
