/** What a case of a bad model is, and a sound little model to break. */
import * as models from "../support/models.js";

export interface BadModel {
  readonly name: string;
  readonly make: () => models.TestModel;
  readonly words: RegExp;
  /** `malformed-model` where nothing else is said. */
  readonly code?: "unsupported-format" | "missing-data" | "unsafe-path";
}

const { model, node, value, weight } = models;
export const x = (): ReturnType<typeof value> => value("x", "float", [2, 6]);
const y = (): ReturnType<typeof value> => value("y", "float", [2, 6]);

/** x times w, where the nodes and initializers are those given. */
export function broken(
  parts: Partial<models.GraphParts>,
  rest: Partial<Omit<models.ModelParts, "graph">> = {},
): models.TestModel {
  return model({
    ...rest,
    graph: {
      nodes: [node("MatMul", ["x", "w"], ["y"])],
      inputs: [x()],
      outputs: [y()],
      initializers: [weight("w", [6, 6], 1)],
      ...parts,
    },
  });
}
