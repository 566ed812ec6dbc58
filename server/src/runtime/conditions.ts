/** Evaluates conditions of a graph in ONNX Runtime, so that the branches they take can be inlined. */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Model } from "../graph/graph.js";
import type { EvaluateConditions } from "../graph/inline-branches.js";
import { literalValues } from "../graph/literal.js";
import { type Circumstances, fixedValues } from "./fixed-values.js";
import type { Feeds } from "./program.js";

/** Evaluates conditions for the given inputs. */
export function conditionRunner(circumstances: Circumstances): EvaluateConditions {
  return async (model, values) => {
    const found = new Map<string, boolean>();
    for (const value of values) {
      const known = given(model, circumstances.feeds, value);
      if (known !== null) found.set(value, known);
    }
    const outputs = values.filter((value) => !found.has(value));
    for (const [name, { data }] of await fixedValues(model, outputs, circumstances)) found.set(name, truth(name, data));
    return found;
  };
}

/** A condition that is a constant or an input itself; null when it is computed. */
function given({ graph }: Model, feeds: Feeds, value: string): boolean | null {
  const constant = graph.constants.get(value);
  const elements = constant === undefined ? null : literalValues(constant);
  if (elements !== null) return truth(value, elements);
  const fed = feeds[value];
  return fed === undefined ? null : truth(value, fed.data);
}

function truth(name: string, elements: unknown): boolean {
  const list = elements as ArrayLike<unknown>;
  if (list.length === 1) return Boolean(list[0]);
  throw new PruneScopeError(
    "malformed-model",
    `The condition "${name}" of an If has ${list.length} elements; it needs one. Check the exporter of the model.`,
    { value: name },
  );
}
