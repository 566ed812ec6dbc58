/** Where a saved TensorFlow.js model says what was done to it: `userDefinedMetadata.prunescope` of its model.json. */
import type { Model } from "../../graph/graph.js";
import { isObject, type TfjsDocument } from "./document.js";

/** The records that a save left there, under the keys that an ONNX model has them under (`prunescope.recipe`). */
export function provenanceIn({ rest }: TfjsDocument): Model["metadata"] {
  const metadata = rest["userDefinedMetadata"];
  const records = isObject(metadata) ? metadata["prunescope"] : undefined;
  if (!isObject(records)) return [];
  return Object.entries(records).flatMap(([key, value]) =>
    typeof value === "string" ? [{ key: `prunescope.${key}`, value }] : [],
  );
}
