/** What rules meet in a model whose configurations, attributes and shapes do not go together. */
import { type ErrorSubject, PruneScopeError } from "../../../../protocol/errors.js";

/**
 * Runs a rule on a stranger's node. What it throws on purpose is passed on, and where it happened; anything else comes of numbers and texts that
 * fit no such node.
 * @param what the node in the words of errors: `Layer "d" of /m/model.json`.
 * @throws PruneScopeError `malformed-model` that names the node.
 */
export function orContradiction<T>(what: string, about: ErrorSubject, rule: () => T): T {
  try {
    return rule();
  } catch (error) {
    // Rules know the node, not its file.
    if (error instanceof PruneScopeError)
      throw new PruneScopeError(error.code, error.message, { ...about, ...error.about }, { cause: error });
    throw new PruneScopeError(
      "malformed-model",
      `${what} cannot be read: its inputs, attributes and shapes contradict each other.`,
      about,
      { cause: error },
    );
  }
}
