/** What gradients are taken on: samples for every input of a model, with labels or targets where there are any. */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import type { DynamicAxes } from "../../protocol/requests.js";

export interface DataOptions {
  readonly seed: number;
  /** Lengths of dynamic axes; they matter where the data does not tell them. */
  readonly dynamicAxes: DynamicAxes;
  /** Samples to use; of more, a seeded choice without replacement is used. */
  readonly batch: number;
  /** Which of the batches that share no sample, where there are samples for several; the first when absent. */
  readonly part?: number;
  /** Per channel, on values scaled to [0, 1]: images become (x − mean) / std. One number serves all channels. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Whether sub-folders of an image folder, in the order of their names, are classes; they are by default. */
  readonly labelledFolders?: boolean;
  /** Whether the outputs of a test data set are used as targets. */
  readonly outputsAsTargets?: boolean;
}

/** Class indices. The first axis is that of the samples; a label per pixel or token has more axes. */
export interface Labels {
  readonly values: BigInt64Array<ArrayBuffer>;
  readonly shape: readonly number[];
  /** Where they come from, for messages. */
  readonly label: string;
  readonly file: string;
}

/** Values that an output should have. */
export interface Target {
  /** Name of the output; null when the data does not say which. */
  readonly output: string | null;
  readonly values: Float32Array<ArrayBuffer>;
  /** The first axis is that of the samples. */
  readonly shape: readonly number[];
}

/** Some samples, ready to be run. */
export interface Batch {
  readonly feeds: Record<string, Ort.Tensor>;
  readonly labels: Labels | null;
  readonly targets: readonly Target[];
}

export type DataKind = "npz" | "npy" | "test-data-set" | "images" | "synthetic";

export interface Dataset {
  readonly kind: DataKind;
  readonly samples: number;
  /** How many there are to choose from. */
  readonly available: number;
  /** How many samples the model takes in one run, no more and no less; null when it takes any number. */
  readonly samplesPerRun: number | null;
  /** What is used, for the report: `128 of 20000 samples of mnist.npz` for example. */
  readonly words: string;
  /** Sentences about choices that were made for the user. */
  readonly notes: readonly string[];
  /** Hash of everything that is fed, of labels and of targets. */
  readonly fingerprint: string;
  /** Those of all samples. */
  readonly labels: Labels | null;
  readonly targets: readonly Target[];
  /** Shape of each input when `count` samples are run at once. */
  shapes(count: number): Map<string, readonly number[]>;
  /** Samples `start` to `start + count`. */
  batch(start: number, count: number): Promise<Batch>;
}

/**
 * Checks labels against the number of classes that a model's output has.
 * @throws PruneScopeError `shape-mismatch` for a label below 0 or beyond the last class.
 */
export function checkLabels({ values, label, file }: Labels, classes: number): void {
  const at = values.findIndex((value) => value < 0n || value >= BigInt(classes));
  if (at < 0) return;
  throw new PruneScopeError(
    "shape-mismatch",
    `${label} holds ${values[at]} at place ${at}, and the model has ${classes} classes: labels go from 0 to ${classes - 1}.`,
    { file },
  );
}
