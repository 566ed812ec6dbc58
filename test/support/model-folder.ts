/** A temporary folder of model files, and the product's reading of them. */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Jobs } from "../../server/protocol/requests.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { readOnnx } from "../../server/src/formats/onnx/read.js";
import { Source } from "../../server/src/formats/source.js";
import type { Model } from "../../server/src/graph/graph.js";
import { findPrunable, type PrunableSearch } from "../../server/src/graph/prunable.js";
import { type TestModel, writeModel } from "./model-builder.js";

export class ModelFolder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "prunescope-models-")));

  file(name: string): string {
    return join(this.path, name);
  }

  /** Makes an empty folder in it. @returns its path. */
  place(): string {
    return mkdtempSync(this.file("place-"));
  }

  /** Writes a model, or bytes as they are. @returns its path. */
  write(name: string, content: TestModel | Uint8Array | string): string {
    const path = this.file(name);
    if (typeof content === "string" || content instanceof Uint8Array) writeFileSync(path, content);
    else writeModel(path, content);
    return path;
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A model that was read, with its files open. */
export interface ReadModel {
  readonly source: Source;
  readonly model: Model;
  readonly search: PrunableSearch;
}

/** Reads the model at `path`, hands it to `work` and closes its files. */
export function reading<T>(path: string, work: (read: ReadModel) => T): T {
  const source = new Source(path);
  try {
    const model = readOnnx(source);
    return work({ source, model, search: findPrunable(model) });
  } finally {
    source.close();
  }
}

/** Parameters of a save; by default to `NAME-pruned.onnx` beside the model, at sparsity 0.5, with metadata. */
export function saveParams(
  path: string,
  {
    recipe = {},
    ...rest
  }: Partial<Omit<Jobs["save"]["params"], "recipe">> & { recipe?: Partial<Jobs["save"]["params"]["recipe"]> } = {},
): Jobs["save"]["params"] {
  return {
    uri: path,
    path,
    target: `${path.replace(/\.onnx$/, "")}-pruned.onnx`,
    replaceOriginal: false,
    metadata: true,
    ...rest,
    recipe: { ...defaultRecipe, sparsity: 0.5, ...recipe },
  };
}
