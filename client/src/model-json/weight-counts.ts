/** What a `model.json` says of its weights, read from its manifest alone: the topology before it can be large. */
import { jsonValues } from "./json-values.js";

export interface WeightCounts {
  readonly weights: number;
  /** Elements of all weights. */
  readonly parameters: number;
  /** Element types of quantised weights, each once. */
  readonly quantised: readonly string[];
}

/** Most characters of a manifest that are read. */
const longest = 2_000_000;
const quantisedTypes = ["float16", "uint8", "uint16"];

/** @returns null where there is no manifest, or none that can be counted. */
export function weightCounts(text: string): WeightCounts | null {
  // Quotes within a string are escaped, so this is a string of its own; a key is one before a colon.
  const key = '"weightsManifest"';
  const colon = /\s*:/y;
  const found = text.lastIndexOf(key);
  if (found < 0) return null;
  colon.lastIndex = found + key.length;
  if (!colon.test(text)) return null;
  return countedIn(text.slice(colon.lastIndex, colon.lastIndex + longest));
}

function countedIn(manifest: string): WeightCounts | null {
  let weights = 0;
  let parameters = 0;
  const quantised = new Set<string>();
  // Of the weight that is being read; its shape may come before or after its other keys.
  let size = 0;
  const walk = jsonValues(manifest);
  let step = walk.next();
  for (; step.done !== true; step = walk.next()) {
    const { path, kind, value } = step.value;
    const [, list, , key, inner] = path;
    if (path.length === 0 && kind !== "array") return null;
    if (list !== "weights") continue;
    if (path.length === 3 && kind === "object") {
      weights++;
      parameters += size;
      size = 0;
    } else if (path.length === 4 && key === "shape" && kind === "array") size = 1;
    else if (path.length === 5 && key === "shape") {
      if (kind !== "number") return null;
      size *= Number(value);
    } else if (path.length === 5 && key === "quantization" && inner === "dtype" && quantisedTypes.includes(value)) {
      quantised.add(value);
    }
  }
  parameters += size;
  const whole = step.value;
  return whole && weights > 0 && parameters >= 0 && Number.isSafeInteger(parameters)
    ? { weights, parameters, quantised: [...quantised].sort() }
    : null;
}
