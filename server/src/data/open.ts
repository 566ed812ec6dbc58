/** Opens data for a model, whatever its form: `.npz`, `.npy`, ONNX test data, images, or none. */
import { readdirSync, statSync } from "node:fs";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Graph } from "../graph/graph.js";
import { assemble } from "./assemble.js";
import type { DataOptions, Dataset } from "./dataset.js";
import { npyCollection, npzCollection, type OpenCollection } from "./numpy-collection.js";
import { syntheticCollection } from "./synthetic.js";
import { holdsTestData, testDataCollection } from "./test-data-set.js";

/**
 * The data at `path` for the inputs of `graph`, chosen samples read into memory; synthetic data for null. Lengths of
 * dynamic axes are those of the data.
 * @throws PruneScopeError `missing-data`, `unsupported-format`, `shape-mismatch`, `non-finite` or `out-of-memory`, with what
 * was expected and what was found.
 */
export async function openDataset(path: string | null, graph: Graph, options: DataOptions): Promise<Dataset> {
  if (!Number.isSafeInteger(options.batch) || options.batch < 1) {
    throw new PruneScopeError("bad-request", `${options.batch} samples cannot be used: give a whole number from 1 on.`);
  }
  if (path === null) return assemble(graph.inputs, syntheticCollection(graph, options), options);
  let collection: OpenCollection | undefined;
  try {
    collection = await openCollection(path, graph, options);
    return await assemble(graph.inputs, collection, options);
  } catch (error) {
    throw unreadable(error, path);
  } finally {
    collection?.close();
  }
}

/** What the system says of a file (no permission, a broken link) as a coded error. */
function unreadable(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  return new PruneScopeError(
    "missing-data",
    `${path} cannot be read: ${error.message}.`,
    { file: path },
    { cause: error },
  );
}

async function openCollection(path: string, graph: Graph, options: DataOptions): Promise<OpenCollection> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new PruneScopeError("missing-data", `${path} does not exist.`, { file: path });
  if (found.isDirectory()) {
    const names = readdirSync(path);
    const folder = holdsTestData(path, names)
      ? testDataCollection(path, names, graph, options)
      : (await import("./images.js")).imageCollection(path, graph, options);
    return { ...folder, close: () => undefined };
  }
  if (/\.npz$/i.test(path)) return npzCollection(path, graph);
  if (/\.npy$/i.test(path)) return npyCollection(path, graph);
  throw new PruneScopeError(
    "unsupported-format",
    `${path} is no data that PruneScope reads: give a .npz or .npy file, a folder of images, or a folder of ONNX test data.`,
    { file: path },
  );
}
