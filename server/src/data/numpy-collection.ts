/** Data in NumPy's formats: which array goes to which input. */
import { basename } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import { Source } from "../formats/source.js";
import type { Graph, ValueInfo } from "../graph/graph.js";
import type { Collection } from "./collection.js";
import { fileBytes } from "./file-bytes.js";
import { listed } from "./listed.js";
import { npyArray } from "./npy.js";
import { openNpz } from "./npz.js";
import type { StoredArray } from "./stored-array.js";

/** A collection whose file stays open until it is closed. */
export interface OpenCollection extends Collection {
  close(): void;
}

/**
 * One array per input, by name; `labels`, and `targets` or arrays named like outputs. A model with one input takes a
 * single array of any other name as well.
 * @throws PruneScopeError `missing-data` for an input without an array, `unsupported-format` for what cannot be read.
 */
export async function npzCollection(file: string, graph: Graph): Promise<OpenCollection> {
  const npz = await openNpz(file);
  try {
    const left = new Set(npz.names);
    const take = async (name: string): Promise<StoredArray | null> =>
      left.delete(name) ? await npz.array(name) : null;
    const notes: string[] = [];
    const inputs = new Map<string, StoredArray>();
    const missing: ValueInfo[] = [];
    for (const input of graph.inputs) {
      const array = await take(input.name);
      if (array === null) missing.push(input);
      else inputs.set(input.name, array);
    }
    const labels = await take("labels");
    const targets = new Map<string | null, StoredArray>();
    for (const name of ["targets", ...graph.outputs.map((output) => output.name)]) {
      const array = await take(name);
      if (array !== null) targets.set(name === "targets" ? null : name, array);
    }
    const [only] = left;
    const [input] = missing;
    if (only !== undefined && left.size === 1 && input !== undefined && graph.inputs.length === 1) {
      inputs.set(input.name, (await take(only))!);
      notes.push(`Array "${only}" is fed to "${input.name}", the model's only input.`);
    } else if (input !== undefined) {
      const shape = input.shape?.map((dim) => dim ?? "any").join(", ") ?? "any shape";
      throw new PruneScopeError(
        "missing-data",
        `${file} has no array for input "${input.name}" (${input.dtype} [${shape}]). It holds ${listed(npz.names)}.`,
        { file, value: input.name },
      );
    }
    if (left.size > 0) notes.push(`Not used: ${listed([...left])} of ${basename(file)}.`);
    const collection = { kind: "npz", file, title: basename(file), inputs, labels, targets, notes } as const;
    return { ...collection, close: () => npz.close() };
  } catch (error) {
    npz.close();
    throw error;
  }
}

/** One array, for a model with one input. @throws PruneScopeError `missing-data` when the model has more. */
export async function npyCollection(file: string, graph: Graph): Promise<OpenCollection> {
  const [input] = graph.inputs;
  if (input === undefined || graph.inputs.length > 1) {
    throw new PruneScopeError(
      "missing-data",
      `${file} holds one array, and the model has ${graph.inputs.length} inputs: ${listed(graph.inputs.map(({ name }) => name))}. Use a .npz file with an array for each.`,
      { file },
    );
  }
  const source = new Source(file);
  try {
    const inputs = new Map([[input.name, await npyArray(fileBytes(source), `The array in ${file}`, file)]]);
    const collection = {
      kind: "npy",
      file,
      title: basename(file),
      inputs,
      labels: null,
      targets: new Map<null, never>(),
    } as const;
    return { ...collection, notes: [], close: () => source.close() };
  } catch (error) {
    source.close();
    throw error;
  }
}
