/** Unrolled, a recurrent layer computes what ONNX Runtime's own kernel computes. */
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { AttributeProto_AttributeType, AttributeProtoSchema, type NodeProto } from "onnx-buf";
import { create } from "@bufbuild/protobuf";
import type { Model } from "../../server/src/graph/graph.js";
import { maxNodes, maxSteps, unrollRecurrent } from "../../server/src/graph/unroll-recurrent.js";
import type { ValueType } from "../../server/src/graph/value-type.js";
import { uniform } from "../../server/src/runtime/inputs.js";
import { type RecurrentLayer, recurrentLayers } from "../cases/recurrent-layers.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { model, node, tensor, type TestModel, value } from "../support/models.js";
import { relativeDifference, runModel } from "../support/run-model.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const gates = { GRU: 3, LSTM: 4, RNN: 1 };
const lengths = ({ steps = 5, batch = 3, input = 4, hidden = 6 }: RecurrentLayer): Record<string, number> => ({
  steps,
  batch,
  input,
  hidden,
});

function built(layer: RecurrentLayer, opset = 21): TestModel {
  const { op, direction = "forward", outputs = op === "LSTM" ? [0, 1, 2] : [0, 1] } = layer;
  const { batch, input, hidden } = lengths(layer) as { batch: number; input: number; hidden: number };
  const ways = direction === "bidirectional" ? 2 : 1;
  const random = uniform(11);
  const floats = (name: string, shape: readonly number[]): ReturnType<typeof tensor> =>
    tensor(
      name,
      "float",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 1.6 * random() - 0.8),
    );
  const rows = gates[op] * hidden;
  const state = layer.batchFirst === true ? [batch, ways, hidden] : [ways, batch, hidden];
  const optional = (there: unknown, name: string): string => (there === undefined ? "" : name);
  const names = ["x", "w", "r", optional(layer.bias, "b"), optional(layer.lens, "lens"), optional(layer.initial, "h")];
  if (op === "LSTM") names.push(optional(layer.initial, "c"), optional(layer.peepholes, "p"));
  const results = ["y", "y_h", "y_c"]
    .slice(0, op === "LSTM" ? 3 : 2)
    .map((name, i) => (outputs.includes(i) ? name : ""));
  const recurrent: NodeProto = node(op, names, results, {
    hidden_size: hidden,
    ...layer.attributes,
    ...(layer.direction === undefined ? {} : { direction }),
    ...(layer.batchFirst === true ? { layout: 1 } : {}),
  });
  if (layer.activations !== undefined) {
    const strings = layer.activations.map((name) => new TextEncoder().encode(name));
    recurrent.attribute.push(
      create(AttributeProtoSchema, { name: "activations", type: AttributeProto_AttributeType.STRINGS, strings }),
    );
  }
  return model({
    opset,
    ir: 10,
    graph: {
      nodes: [recurrent],
      inputs: [value("x", "float", layer.batchFirst === true ? [batch, null, input] : [null, batch, input])],
      outputs: results.filter((name) => name !== "").map((name) => value(name, "float", null)),
      initializers: [
        floats("w", [ways, rows, input]),
        floats("r", [ways, rows, hidden]),
        floats("b", [ways, 2 * rows]),
        floats("h", state),
        floats("c", state),
        floats("p", [ways, 3 * hidden]),
        tensor("lens", "int32", [batch], layer.lens ?? Array.from({ length: batch }, () => 1)),
      ],
    },
  });
}

/** The same layer with its steps first, between transposes: ONNX Runtime has no kernel with the batch first. */
function stepsFirst(layer: RecurrentLayer): TestModel {
  const made = built(layer);
  const proto = made.proto.graph!;
  const [recurrent] = proto.node as [NodeProto];
  recurrent.attribute = recurrent.attribute.filter(({ name }) => name !== "layout");
  const before = recurrent.input.map((name): NodeProto[] =>
    ["x", "h", "c"].includes(name) ? [node("Transpose", [name], [`${name}_t`], { perm: [1, 0, 2] })] : [],
  );
  const after = recurrent.output.map((name): NodeProto[] =>
    name === "" ? [] : [node("Transpose", [`${name}_t`], [name], { perm: name === "y" ? [2, 0, 1, 3] : [1, 0, 2] })],
  );
  recurrent.input = recurrent.input.map((name) => (["x", "h", "c"].includes(name) ? `${name}_t` : name));
  recurrent.output = recurrent.output.map((name) => (name === "" ? "" : `${name}_t`));
  proto.node = [...before.flat(), recurrent, ...after.flat()];
  return made;
}

let files = 0;
const read = (made: TestModel): Model => reading(folder.write(`${files++}.onnx`, made), (found) => found.model);

const shapeOf = (layer: RecurrentLayer): number[] => {
  const { steps, batch, input } = lengths(layer) as { steps: number; batch: number; input: number };
  return layer.batchFirst === true ? [batch, steps, input] : [steps, batch, input];
};

/** Types of the inputs and constants of a layer; nothing else is asked for. */
function typesOf({ graph }: Model, shapes: Readonly<Record<string, readonly number[]>>): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const [name, { tensor: stored }] of graph.constants) types.set(name, stored);
  for (const [name, shape] of Object.entries(shapes)) types.set(name, { dtype: "float", shape });
  return types;
}

describe("an unrolled layer is the layer", () => {
  test.each(recurrentLayers.map((layer) => [JSON.stringify(layer), layer] as const))("%s", async (_, layer) => {
    const random = uniform(5);
    const shape = shapeOf(layer);
    const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random() - 1);
    const feeds = { x: new ort.Tensor("float32", data, shape) };
    const expected = await runModel(read(layer.batchFirst === true ? stepsFirst(layer) : built(layer)), feeds);
    const found = read(built(layer));
    const { graph, left } = unrollRecurrent(found.graph, typesOf(found, { x: shape }));
    expect(left).toEqual([]);
    expect(graph.nodes.map(({ op }) => op)).not.toContain(layer.op);
    // float32 sums of a dozen terms in another order, through five steps; ONNX Runtime's tanh and sigmoid are
    // polynomials that differ by some 1e-7 between kernels.
    expect(relativeDifference(expected, await runModel({ ...found, graph }, feeds))).toBeLessThanOrEqual(1e-5);
  });
});

describe("what stays", () => {
  test.each([
    { layer: { op: "LSTM", lens: [5, 3, 1] }, why: "its sequences have lengths of their own (sequence_lens)" },
    {
      layer: { op: "GRU", steps: maxSteps + 1 },
      why: `it runs over ${maxSteps + 1} steps, and up to ${maxSteps} are unrolled`,
    },
    { layer: { op: "RNN", activations: ["Sine"] }, why: "its activation Sine is not known" },
    { layer: { op: "RNN", activations: ["Tanh", "Tanh"] }, why: "it has 2 activations instead of 1" },
  ] as const)("$layer", ({ layer, why }) => {
    const found = read(built(layer));
    const types = typesOf(found, { x: shapeOf(layer) });
    const made = unrollRecurrent(found.graph, types);
    expect(made.left).toEqual([{ node: "y", why }]);
    expect(made.graph).toBe(found.graph);
    expect(unrollRecurrent(found.graph, new Map()).left[0]!.why).toBe("its shapes are not known before it runs");
  });

  test("layers that would make the graph too large", () => {
    const found = read(built({ op: "LSTM" }));
    const [layer] = found.graph.nodes;
    const names = Array.from({ length: 8 }, (_, i) => `y${i}`);
    const nodes = names.map((name) => ({ ...layer!, inputs: [`x_${name}`, "w", "r"], outputs: [name] }));
    const long = names.map((name): [string, readonly number[]] => [`x_${name}`, [maxSteps, 3, 4]]);
    const types = typesOf(found, Object.fromEntries(long));
    const { graph, left } = unrollRecurrent({ ...found.graph, nodes }, types);
    expect(graph.nodes.length).toBeLessThanOrEqual(maxNodes);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(names.length);
    expect(left.map(({ node: name }) => name)).toEqual(names.slice(-left.length));
  });
});
