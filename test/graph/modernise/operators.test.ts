/** Each change of an operator: the raised node computes what the old one computes. */
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, test } from "vitest";
import { PruneScopeError } from "../../../server/protocol/errors.js";
import { attributes } from "../../../server/src/graph/literal.js";
import { modernise, modernOpset } from "../../../server/src/graph/modernise/index.js";
import { changes } from "../../../server/src/graph/modernise/table.js";
import { uniform } from "../../../server/src/runtime/inputs.js";
import { type OldInput, type OldOperator, oldOperators } from "../../cases/old-operators.js";
import { ModelFolder, reading } from "../../support/model-folder.js";
import { graph, model, node, tensor, type TestModel, value } from "../../support/models.js";
import { relativeDifference, runBytes, runModel } from "../../support/run-model.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const letters = "xabcdef";

function elements({ shape, values }: OldInput, seed: number): readonly number[] {
  const random = uniform(seed);
  return values ?? Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 3 * random() - 1.5);
}

function built({ op, opset, inputs, attributes: given = {}, outputs = ["float"] }: OldOperator): TestModel {
  const fed = (input: OldInput, i: number): boolean => i === 0 || input.fed === true;
  const names = inputs.map((_, i) => letters[i]!);
  const results = outputs.map((_, i) => `y${i}`);
  return model({
    opset,
    graph: {
      nodes: [node(op, names, results, given)],
      inputs: inputs.flatMap((one, i) => (fed(one, i) ? [value(names[i]!, one.dtype ?? "float", one.shape)] : [])),
      outputs: outputs.map((dtype, i) => value(results[i]!, dtype, null)),
      initializers: inputs.flatMap((one, i) =>
        fed(one, i) ? [] : [tensor(names[i]!, one.dtype ?? "float", one.shape, elements(one, i + 1))],
      ),
    },
  });
}

function feedsOf({ inputs }: OldOperator): Record<string, ort.Tensor> {
  const fed = inputs.map((input, i): [string, ort.Tensor] => {
    const data = elements(input, i + 1);
    if (input.dtype === "double") return [letters[i]!, new ort.Tensor("float64", Float64Array.from(data), input.shape)];
    return [letters[i]!, new ort.Tensor("float32", Float32Array.from(data), input.shape)];
  });
  return Object.fromEntries(fed);
}

const label = ({ op, opset, inputs, attributes: given }: OldOperator): string =>
  `${op}-${opset} ${JSON.stringify(given ?? {})} of ${inputs.map(({ shape }) => `[${shape.join()}]`).join(" ")}`;

describe("an old node and its raised form", () => {
  test.each(oldOperators.map((one, i) => [label(one), one, i] as const))("%s", async (_, one, i) => {
    const path = folder.write(`${i}.onnx`, built(one));
    const feeds = feedsOf(one);
    const expected = await runBytes(path, feeds);
    // With the rank of the input known and without.
    for (const ranks of [new Map<string, number>(), new Map([["x", one.inputs[0]!.shape.length]])]) {
      const raised = reading(path, (read) => modernise(read.model, ranks));
      expect(raised.opsets.get("")).toBe(modernOpset);
      // float32: what is a sum of products in another order (BatchNormalization as arithmetic, GroupNormalization).
      expect(relativeDifference(expected, await runModel(raised, feeds))).toBeLessThanOrEqual(1e-6);
    }
  });
});

test("every change has a case in which it applies", () => {
  for (const { op, opset } of changes.filter((change) => change.op !== "Scan"))
    expect(
      oldOperators.some((one) => one.op === op && one.opset < opset),
      `${op} before ${opset}`,
    ).toBe(true);
});

test("changes are in the order of operators, then of operator sets", () => {
  const keys = changes.map(({ op, opset }) => `${op} ${String(opset).padStart(2, "0")}`);
  expect(keys).toEqual([...keys].sort());
});

test("a Softmax along the last axis stays one node when the rank is known", () => {
  const path = folder.write("softmax.onnx", built({ op: "Softmax", opset: 9, inputs: [{ shape: [3, 7] }] }));
  const { nodes } = reading(path, (read) => modernise(read.model, new Map([["x", 2]]))).graph;
  expect(nodes.map(({ op }) => op)).toEqual(["Softmax"]);
});

test("outputs that old BatchNormalizations list for training are left out", async () => {
  const statistics = [1, 2, 3, 4].map((i) => tensor(letters[i]!, "float", [4], [1, 2, 3, 4]));
  const path = folder.write(
    "batch-norm.onnx",
    model({
      opset: 9,
      graph: {
        nodes: [node("BatchNormalization", ["x", "a", "b", "c", "d"], ["y", "m", "v", "", ""])],
        inputs: [value("x", "float", [2, 4])],
        outputs: [value("y", "float", null)],
        initializers: statistics,
      },
    }),
  );
  const raised = reading(path, (read) => modernise(read.model));
  const { y } = await runModel(raised, { x: new ort.Tensor("float32", new Float32Array(8).fill(2), [2, 4]) });
  // (2 − mean) / √(var + ε) · scale + bias with mean = var = scale = bias = 1, 2, 3, 4.
  const expected = [1, 2, 3, 4].map((v) => ((2 - v) / Math.sqrt(v + 1e-5)) * v + v);
  (y!.data as Float32Array).forEach((found, i) => expect(found).toBeCloseTo(expected[i % 4]!, 5));
});

test("a Dropout whose mask is used stays one", () => {
  const path = folder.write(
    "dropout.onnx",
    built({ op: "Dropout", opset: 10, inputs: [{ shape: [2] }], outputs: ["float", "bool"] }),
  );
  const [dropout] = reading(path, (read) => modernise(read.model)).graph.nodes;
  expect(dropout).toMatchObject({ op: "Dropout", outputs: ["y0", "y1"] });
  expect(dropout!.inputs).toHaveLength(2);
});

test("nodes inside branches are raised with the constants around them in sight", async () => {
  const branch = (name: string): ReturnType<typeof graph> =>
    graph({
      name,
      nodes: [node("Resize", ["x", "none", "scales"], [`${name}_y`], { mode: "nearest" })],
      outputs: [value(`${name}_y`, "float", null)],
    });
  const made = model({
    opset: 11,
    graph: {
      nodes: [node("If", ["c"], ["y"], { then_branch: branch("then"), else_branch: branch("else") })],
      inputs: [value("c", "bool", []), value("x", "float", [1, 1, 2, 2])],
      outputs: [value("y", "float", null)],
      initializers: [tensor("none", "float", [0], []), tensor("scales", "float", [4], [1, 1, 2, 2])],
    },
  });
  const path = folder.write("branch.onnx", made);
  const raised = reading(path, (read) => modernise(read.model));
  const inside = raised.graph.nodes[0]!.attributes.get("then_branch");
  expect(inside?.kind === "graph" ? inside.value.nodes[0]!.inputs : null).toEqual(["x", "", "scales"]);
  const feeds = {
    c: new ort.Tensor("bool", [true], []),
    x: new ort.Tensor("float32", Float32Array.of(1, 2, 3, 4), [1, 1, 2, 2]),
  };
  expect(relativeDifference(await runBytes(path, feeds), await runModel(raised, feeds))).toBe(0);
});

test("a model of opset 21 or newer is returned as it is", () => {
  const path = folder.write("new.onnx", built({ op: "Relu", opset: 22, inputs: [{ shape: [2] }] }));
  reading(path, ({ model: read }) => {
    expect(modernise(read)).toBe(read);
  });
});

test("what has no newer form is refused with a sentence", () => {
  const path = folder.write("relu.onnx", built({ op: "Relu", opset: 8, inputs: [{ shape: [2] }] }));
  const read = reading(path, (found) => found.model);
  const refused = (opset: number, op: string, words: Parameters<typeof attributes>[0] = {}): void => {
    const nodes = [{ ...read.graph.nodes[0]!, op, attributes: attributes(words) }];
    modernise({ ...read, opsets: new Map([["", opset]]), graph: { ...read.graph, nodes } });
  };
  const code = expect.objectContaining({ code: "unsupported-op" }) as PruneScopeError;
  expect(() => refused(6, "Relu")).toThrow(code);
  expect(() => refused(8, "Scan")).toThrow(code);
  expect(() => refused(11, "Resize", { coordinate_transformation_mode: "tf_half_pixel_for_nn" })).toThrow(code);
  expect(() => refused(9, "Scan")).not.toThrow();
});
