/** A model that is open for one job: its files, its graph, and its prunable weights. */
import { formatOf } from "../formats/index.js";
import type { Format } from "../formats/format.js";
import { Source } from "../formats/source.js";
import type { Model } from "../graph/graph.js";
import { findPrunable, type PrunableSearch } from "../graph/prunable.js";

export interface OpenModel {
  /** The person's file, whatever copy of it is open. */
  readonly path: string;
  readonly format: Format;
  readonly source: Source;
  readonly model: Model;
  readonly search: PrunableSearch;
  readonly fingerprint: string;
}

/** Opens the model at `path`, hands it to `work` and closes its files whatever happens. */
export async function withModel<T>(path: string, work: (model: OpenModel) => Promise<T>): Promise<T> {
  const format = formatOf(path);
  const source = new Source(path);
  try {
    const model = await format.read(source);
    return await work({ path, format, source, model, search: findPrunable(model), fingerprint: source.fingerprint() });
  } finally {
    source.close();
  }
}
