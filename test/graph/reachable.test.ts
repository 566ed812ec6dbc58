/** Only what the outputs need is kept, and what is kept is whole. */
import { expect, test } from "vitest";
import { reachable } from "../../server/src/graph/reachable.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { graph, model, node, tensor, value } from "../support/models.js";

const floats = (name: string): ReturnType<typeof tensor> => tensor(name, "float", [2], [1, 2]);
const branch = (name: string, reads: string): ReturnType<typeof graph> =>
  graph({ name, nodes: [node("Neg", [reads], [`${name}_y`])], outputs: [value(`${name}_y`, "float", null)] });

const made = model({
  graph: {
    nodes: [
      node("Add", ["x", "a"], ["p"]),
      node("Mul", ["x", "b"], ["q"]),
      node("Split", ["p"], ["s", "t"], { axis: 0 }),
      node("If", ["c"], ["y"], { then_branch: branch("then", "q"), else_branch: branch("else", "d") }),
      node("Relu", ["s"], ["z"]),
    ],
    inputs: [value("x", "float", [2]), value("c", "bool", [])],
    outputs: [value("y", "float", null), value("z", "float", null), value("t", "float", null)],
    initializers: ["a", "b", "d"].map(floats),
  },
});

test.each([
  { outputs: ["z"], ops: ["Add", "Split", "Relu"], constants: ["a"], given: ["z"] },
  { outputs: ["y"], ops: ["Mul", "If"], constants: ["b", "d"], given: ["y"] },
  { outputs: ["p"], ops: ["Add"], constants: ["a"], given: [] },
  { outputs: ["x"], ops: [], constants: [], given: [] },
  { outputs: ["d"], ops: [], constants: ["d"], given: [] },
  { outputs: [], ops: [], constants: [], given: [] },
])("of $outputs", ({ outputs, ops, constants, given }) => {
  const folder = new ModelFolder();
  try {
    const { graph: whole } = reading(folder.write("m.onnx", made), (read) => read.model);
    const part = reachable(whole, outputs);
    expect(part.nodes.map(({ op }) => op)).toEqual(ops);
    expect([...part.constants.keys()]).toEqual(constants);
    for (const [name, constant] of part.constants) expect(constant).toBe(whole.constants.get(name));
    expect(part.outputs.map(({ name }) => name)).toEqual(given);
    expect(part.inputs).toEqual(whole.inputs);
    for (const { attributes } of part.nodes)
      for (const one of attributes.values()) if (one.kind === "graph") expect(one.value.parent).toBe(part);
    // Nothing more goes the second time.
    expect(reachable(part, outputs)).toEqual(part);
  } finally {
    folder.dispose();
  }
});
