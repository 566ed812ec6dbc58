/** Saves whose result is known without scores: every byte of every weight is the same. */
import { withModel } from "../../server/src/analysis/open-model.js";
import { storedElements } from "../../server/src/formats/stored-elements.js";

/** Saves the model at `path` to `target`, which may be itself, with every byte of its weights set to `filling`. */
export async function filledCopy(path: string, target: string, filling: number): Promise<void> {
  await withModel(path, ({ format, source, model, search }) =>
    format.write(source, model, {
      target,
      replaceOriginal: path === target,
      edits: search.weights.map((weight) => ({
        name: weight.name,
        tensor: weight.tensor,
        elements: storedElements(source, weight),
        edit: (bytes) => {
          bytes.fill(filling);
        },
      })),
      scales: [],
      provenance: [],
      progress: () => Promise.resolve(),
      beforeCommit: () => undefined,
    }),
  );
}
