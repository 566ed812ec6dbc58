/**
 * Which JSON is a TensorFlow.js model, by the beginning of its text. File names say little (`model.json` is many
 * things) and models can be large, so a bounded head is looked at and never the whole.
 */
import { jsonValues } from "./json-values.js";

/** A network of Keras layers, or a graph of TensorFlow operators. */
export type ModelKind = "graph" | "layers";

/** Characters that are looked at. Every writer puts the format or the topology's first key well within them. */
export const headLength = 65_536;

const formats: ReadonlyMap<string, ModelKind> = new Map([
  ["layers-model", "layers"],
  ["graph-model", "graph"],
]);

/**
 * The kind of model that begins with `head`; null for everything else. It is one when it says so (`format`), or when
 * its topology is a Keras configuration (`class_name`, within `model_config` in files of the converter) or lists nodes.
 */
export function modelKind(head: string): ModelKind | null {
  for (const { path, kind, value } of jsonValues(head.slice(0, headLength))) {
    const [key, inner, innermost] = path;
    if (path.length === 0 && kind !== "object") return null;
    if (path.length === 1 && key === "format" && kind === "string") {
      const named = formats.get(value);
      if (named !== undefined) return named;
    }
    if (key !== "modelTopology") continue;
    if (path.length === 2 && inner === "node" && kind === "array") return "graph";
    const config = path.length === 2 ? inner : path.length === 3 && inner === "model_config" ? innermost : undefined;
    if (config === "class_name" && kind === "string") return "layers";
  }
  return null;
}
