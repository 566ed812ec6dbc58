/** From a collection to a dataset: arrays are held against the model's inputs, samples chosen, read and converted. */
import { createHash } from "node:crypto";
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import { float16Array } from "../graph/float16.js";
import type { ValueInfo } from "../graph/graph.js";
import { onnxRuntime } from "../runtime/session.js";
import { bytesOf, convert, type DataArray, isNumeric } from "./array.js";
import { chooseRows } from "./choose.js";
import type { Collection } from "./collection.js";
import type { DataOptions, Dataset, Labels, Target } from "./dataset.js";
import { fitShape, sampledInputs, type SampledInput, samplesPerRun } from "./sample-axis.js";
import { rowsOf, type StoredArray } from "./stored-array.js";

/** What is fed to one input: all chosen samples, in the input's own type. */
interface Feed extends SampledInput {
  readonly array: DataArray;
}

/**
 * @throws PruneScopeError `missing-data` when there is nothing or too little, `shape-mismatch` when an array does not
 * fit its input or the numbers of samples differ, `non-finite` for NaN and infinities.
 */
export async function assemble(
  inputs: readonly ValueInfo[],
  collection: Collection,
  { batch, seed, part = 0 }: Pick<DataOptions, "batch" | "part" | "seed">,
): Promise<Dataset> {
  const { kind, file, title, targets } = collection;
  const notes = [...collection.notes];
  const sampled = sampledInputs(inputs);
  const perRun = samplesPerRun(sampled);
  const stored = sampled.map((one) => {
    const array = collection.inputs.get(one.input.name);
    if (array === undefined) throw new Error(`${title} was let through without "${one.input.name}"`);
    return { ...one, array, shape: fitShape(one, array.shape, array.label, array.file) };
  });
  agreeOnSymbols(stored);

  const lengths = stored.flatMap(({ axis, shape, array }) => (axis === null ? [] : [{ array, length: shape[axis]! }]));
  const available = Math.max(1, ...lengths.map(({ length }) => length));
  const supervision = [...(collection.labels === null ? [] : [collection.labels]), ...targets.values()];
  const counted = [...lengths, ...supervision.map((array) => ({ array, length: array.shape[0] ?? 1, own: true }))];
  for (const one of counted) {
    if (one.length === available) continue;
    if (one.length === 1 && !("own" in one)) notes.push(`${one.array.label} holds one sample, which serves all.`);
    else {
      throw new PruneScopeError(
        "shape-mismatch",
        `${one.array.label} holds ${one.length} samples, and the inputs ${available}.`,
        { file: one.array.file },
      );
    }
  }
  const unit = perRun ?? 1;
  if (available < unit) {
    throw new PruneScopeError(
      "missing-data",
      `${title} holds ${available} samples, and the model takes ${unit} at a time.`,
      { file },
    );
  }
  const samples = Math.max(unit, Math.floor(Math.min(batch, available) / unit) * unit);
  if ((part + 1) * samples > available) {
    throw new PruneScopeError(
      "missing-data",
      `${title} holds ${available} samples, too few for batch ${part + 1} of ${samples}.`,
      { file },
    );
  }
  const rows = samples === available ? null : chooseRows(available, samples, seed, part * samples);

  const feeds: Feed[] = [];
  for (const one of stored) feeds.push({ input: one.input, axis: one.axis, array: await readFeed(one, rows) });
  const labels = collection.labels === null ? null : await readLabels(collection.labels, rows);
  const wanted: Target[] = [];
  for (const [output, array] of targets) wanted.push(await readTarget(output, array, rows));

  return {
    kind,
    samples,
    available,
    samplesPerRun: perRun,
    words: wordsOf(collection, samples, available, seed, part),
    notes,
    fingerprint: fingerprintOf(feeds, labels, wanted),
    labels,
    targets: wanted,
    shapes: (count) =>
      new Map(
        feeds.map(({ input, axis, array }) => [input.name, array.shape.map((dim, i) => (i === axis ? count : dim))]),
      ),
    batch: async (start, count) => ({
      feeds: await tensorsOf(feeds, start, count),
      labels: labels === null ? null : { ...labels, ...cut(labels, start, count) },
      targets: wanted.map((target) => ({ ...target, ...cut(target, start, count) })),
    }),
  };
}

/** Axes of one name have one length. */
function agreeOnSymbols(stored: readonly (SampledInput & { shape: readonly number[]; array: StoredArray })[]): void {
  const lengths = new Map<string, { length: number; label: string }>();
  for (const { input, axis, shape, array } of stored) {
    for (const [i, dim] of (input.shape ?? []).entries()) {
      if (typeof dim !== "string" || i === axis) continue;
      const known = lengths.get(dim);
      if (known === undefined) lengths.set(dim, { length: shape[i]!, label: array.label });
      else if (known.length !== shape[i]) {
        throw new PruneScopeError(
          "shape-mismatch",
          `Axis "${dim}" of the model is ${known.length} long by ${known.label}, and ${shape[i]} by ${array.label}.`,
          { file: array.file, value: input.name },
        );
      }
    }
  }
}

async function readFeed(
  { input, axis, array, shape }: SampledInput & { array: StoredArray; shape: readonly number[] },
  rows: readonly number[] | null,
): Promise<DataArray> {
  if (!isNumeric(input.dtype)) {
    const type = input.type ?? input.dtype;
    throw new PruneScopeError(
      "unsupported-op",
      `Input "${input.name}" has elements of type ${type}; numbers can be fed.`,
      {
        value: input.name,
      },
    );
  }
  // An axis that was added in front of the samples' moves theirs; one in place of theirs means that there is one sample.
  const added = shape.findIndex((dim, i) => dim !== array.shape[i]);
  const storedAxis = axis === null ? null : array.shape.length < shape.length && added < axis ? axis - 1 : axis;
  const several = axis !== null && shape[axis] !== 1;
  const read = await array.read(storedAxis ?? 0, several ? rows : null);
  const count = several && rows !== null ? rows.length : null;
  const fed = shape.map((dim, i) => (i === axis && count !== null ? count : dim));
  return convert({ ...read, shape: fed }, input.dtype, array.label, array.file);
}

async function readLabels(stored: StoredArray, rows: readonly number[] | null): Promise<Labels> {
  const { label, file } = stored;
  const { values, shape } = convert(await stored.read(0, rows), "int64", label, file);
  return { values: values as BigInt64Array<ArrayBuffer>, shape, label, file };
}

async function readTarget(output: string | null, stored: StoredArray, rows: readonly number[] | null): Promise<Target> {
  const { values, shape } = convert(await stored.read(0, rows), "float", stored.label, stored.file);
  return { output, values: values as Float32Array<ArrayBuffer>, shape };
}

/** Samples `start` to `start + count` of labels or targets. */
function cut<T extends BigInt64Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  { values, shape }: { readonly values: T; readonly shape: readonly number[] },
  start: number,
  count: number,
): { values: T; shape: readonly number[] } {
  const inner = values.length / (shape[0] ?? 1);
  return { values: values.slice(start * inner, (start + count) * inner) as T, shape: [count, ...shape.slice(1)] };
}

async function tensorsOf(feeds: readonly Feed[], start: number, count: number): Promise<Record<string, Ort.Tensor>> {
  const ort = await onnxRuntime();
  const made: Record<string, Ort.Tensor> = {};
  for (const { input, axis, array } of feeds) {
    // A single sample serves all.
    const row = axis !== null && array.shape[axis] === 1 ? () => 0 : (i: number) => start + i;
    const { dtype, shape, values } =
      axis === null
        ? array
        : rowsOf(
            array,
            axis,
            Array.from({ length: count }, (_, i) => row(i)),
          );
    const type = dtype === "float" ? "float32" : dtype === "double" ? "float64" : dtype;
    const data = dtype === "float16" ? float16Array(values as Uint16Array<ArrayBuffer>) : values;
    made[input.name] = new ort.Tensor(type, data as Float32Array, [...shape]);
  }
  return made;
}

function wordsOf({ kind, title }: Collection, samples: number, available: number, seed: number, part: number): string {
  const noun = samples === 1 && available === 1 ? "sample" : "samples";
  if (kind === "synthetic") return `${samples} ${noun} of ${title}`;
  if (samples < available) {
    const which = part === 0 ? "" : `, batch ${part + 1}`;
    return `${samples} of ${available} ${noun} of ${title}, chosen with seed ${seed}${which}`;
  }
  return samples === 1 ? `the one sample of ${title}` : `all ${samples} samples of ${title}`;
}

function fingerprintOf(feeds: readonly Feed[], labels: Labels | null, targets: readonly Target[]): string {
  const hash = createHash("sha256");
  const add = (words: unknown, array: DataArray): void => {
    hash.update(`${JSON.stringify([words, array.dtype, array.shape])}\n`).update(bytesOf(array));
  };
  for (const { input, array } of feeds) add(["input", input.name], array);
  if (labels !== null) add("labels", { ...labels, dtype: "int64" });
  for (const target of targets) add(["target", target.output], { ...target, dtype: "float" });
  return hash.digest("hex").slice(0, 32);
}
