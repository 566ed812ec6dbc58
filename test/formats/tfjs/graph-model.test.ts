/** What graph models become: the graph of their ONNX twin, kernels with their roles, and names for what has no lowering. */
import { afterAll, describe, expect, it } from "vitest";
import { withModel } from "../../../server/src/analysis/open-model.js";
import type { Node } from "../../../server/src/graph/graph.js";
import { ModelFolder } from "../../support/model-folder.js";
import {
  constNode,
  expectParity,
  floats,
  graphModel,
  type GraphModelParts,
  ints,
  node,
  ofType,
  placeholder,
  runLowered,
  type TfjsWeight,
  weight,
  writeNsfwMobileNet,
  writeTfjs,
} from "../../support/tfjs/index.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const write = (parts: GraphModelParts): string => writeTfjs(folder.place(), graphModel(parts));

interface Seen {
  readonly nodes: readonly Node[];
  readonly notes: readonly string[];
  /** Name, axes by their roles, and groups of every layer. */
  readonly weights: readonly (readonly [string, readonly number[], readonly number[], number])[];
}

const read = (parts: GraphModelParts): Promise<Seen> =>
  withModel(write(parts), ({ model, search }) =>
    Promise.resolve({
      nodes: model.graph.nodes,
      notes: model.notes,
      weights: search.weights.map(({ name, roles }) => [name, roles.out, roles.in, roles.groups] as const),
    }),
  );

const ops = ({ nodes }: Seen): string[] => nodes.map(({ op }) => op);

const kernel = (name: string, shape: readonly number[]): TfjsWeight =>
  weight(name, shape, floats([shape.reduce((a, b) => a * b)], 2).data);
const sliding = { strides: [1, 1, 1, 1], dilations: [1, 1, 1, 1], padding: "SAME", data_format: "NHWC" };
const image = placeholder("x", [null, 6, 6, 3]);
const [w, b] = [kernel("w", [3, 3, 3, 4]), kernel("b", [4])];

describe("the graph of the twin", () => {
  it("a bias that only the convolution's reader adds is the convolution's, under the convolution's name", async () => {
    const seen = await read({
      inputs: [image],
      weights: [w, b],
      nodes: [
        node("Conv2D", "conv", ["x", "w"], sliding),
        node("BiasAdd", "biased", ["conv", "b"]),
        node("Relu", "y", ["biased"]),
      ],
      outputs: ["y"],
    });
    expect(ops(seen)).toEqual(["Transpose", "Transpose", "Conv", "Relu", "Transpose"]);
    expect(seen.nodes.find(({ op }) => op === "Conv")).toMatchObject({ name: "conv", inputs: { length: 3 } });
  });

  it("a result that is read twice keeps its bias apart", async () => {
    const seen = await read({
      inputs: [image],
      weights: [w, b],
      nodes: [
        node("Conv2D", "conv", ["x", "w"], sliding),
        node("BiasAdd", "biased", ["conv", "b"]),
        node("Mul", "y", ["biased", "conv"]),
      ],
      outputs: ["y"],
    });
    expect(ops(seen)).toContain("Add");
  });

  it("a convolution between SpaceToBatchND and BatchToSpaceND is one that dilates", async () => {
    const seen = await read({
      inputs: [image],
      weights: [w, ints("block", [2, 2]), ints("pads", [2, 2, 2, 2], [2, 2]), ints("crops", [0, 0, 0, 0], [2, 2])],
      nodes: [
        node("SpaceToBatchND", "dealt", ["x", "block", "pads"]),
        node("Conv2D", "conv", ["dealt", "w"], { ...sliding, padding: "VALID" }),
        node("BatchToSpaceND", "y", ["conv", "block", "crops"]),
      ],
      outputs: ["y"],
    });
    expect(ops(seen)).toEqual(["Transpose", "Transpose", "Conv", "Transpose"]);
    const conv = seen.nodes.find(({ op }) => op === "Conv")!;
    expect(conv.attributes.get("dilations")).toEqual({ kind: "ints", value: [2n, 2n] });
    expect(conv.attributes.get("pads")).toEqual({ kind: "ints", value: [2n, 2n, 2n, 2n] });
  });

  it("a normalisation fused into a convolution, which TensorFlow.js refuses, is the one behind it", async () => {
    const statistics = ["scale", "offset", "mean", "variance"].map((name, i) =>
      weight(name, [4], [1 + i, 2, 0.5, 1.5]),
    );
    const names = statistics.map(({ name }) => name);
    const parts = (nodes: GraphModelParts["nodes"]): string =>
      write({ inputs: [image], weights: [w, ...statistics], nodes, outputs: ["y"] });
    const x = floats([2, 6, 6, 3]);
    const fused = await runLowered(
      parts([
        node("_FusedConv2D", "y", ["x", "w", ...names], {
          ...sliding,
          fused_ops: ["FusedBatchNorm", "Relu"],
          num_args: 4,
          epsilon: 0.01,
        }),
      ]),
      { x },
    );
    const apart = await runLowered(
      parts([
        node("Conv2D", "conv", ["x", "w"], sliding),
        node("FusedBatchNormV3", "norm", ["conv", ...names], { epsilon: 0.01, is_training: false }),
        node("Relu", "y", ["norm"]),
      ]),
      { x },
    );
    expect(fused).toEqual(apart);
  });

  it("a target of Reshape that takes its batch from a shape is a constant", async () => {
    const int32 = { T: ofType("DT_INT32") };
    const seen = await read({
      inputs: [image],
      weights: [ints("c", 108), ints("at0", [0]), ints("at1", [1])],
      nodes: [
        node("Shape", "shape", ["x"]),
        node("StridedSlice", "batch", ["shape", "at0", "at1", "at1"], { ...int32, shrink_axis_mask: 1 }),
        node("Pack", "target", ["batch", "c"], { ...int32, axis: 0, N: 2 }),
        node("Reshape", "y", ["x", "target"]),
      ],
      outputs: ["y"],
    });
    expect(ops(seen)).toEqual(["Reshape"]);
  });

  it("transposes to channels second and back cancel", async () => {
    const seen = await read({
      inputs: [placeholder("x", [null, 3, 6, 6])],
      weights: [ints("last", [0, 2, 3, 1]), ints("second", [0, 3, 1, 2]), w],
      nodes: [
        node("Transpose", "nhwc", ["x", "last"]),
        node("Conv2D", "conv", ["nhwc", "w"], sliding),
        node("Transpose", "y", ["conv", "second"]),
      ],
      outputs: ["y"],
    });
    // One of them is the kernel's.
    expect(ops(seen).filter((op) => op === "Transpose")).toHaveLength(1);
  });
});

describe("nsfwjs' larger MobileNetV2, a graph model quantised to uint8", () => {
  const path = writeNsfwMobileNet(folder.place(), "mobilenet_v2_mid");

  it("is lowered whole, with every kernel to prune and no transpose between layers", async () => {
    await withModel(path, ({ model, search }) => {
      expect(model.notes).toEqual([]);
      // 52 convolutions, 17 of them depthwise, and the classifier.
      expect(search.weights).toHaveLength(53);
      expect(search.unprunable).toEqual([]);
      // That of the image, and those of the convolutions' kernels.
      expect(model.graph.nodes.filter(({ op }) => op === "Transpose")).toHaveLength(53);
      return Promise.resolve();
    });
  });

  it("computes the same", async () => {
    // The cpu backend takes several seconds for one image.
    await expectParity(path, { input: floats([1, 224, 224, 3]) }, { reference: "wasm" });
  });
});

describe("kernels", () => {
  it("axes have their roles in the stored tensor, whatever operator reads it", async () => {
    const seen = await read({
      inputs: [image],
      weights: [
        w,
        kernel("d", [3, 3, 4, 1]),
        kernel("t", [2, 2, 5, 4]),
        ints("size", [1, 12, 12, 5]),
        ints("axes", [1, 2]),
        kernel("m", [7, 5]),
        kernel("e", [7, 2]),
      ],
      nodes: [
        node("Conv2D", "conv", ["x", "w"], sliding),
        node("DepthwiseConv2dNative", "deep", ["conv", "d"], sliding),
        node("Conv2DBackpropInput", "up", ["size", "t", "deep"], { ...sliding, strides: [1, 2, 2, 1] }),
        node("Mean", "pooled", ["up", "axes"]),
        node("MatMul", "dense", ["pooled", "m"], { transpose_b: true }),
        node("Einsum", "y", ["dense", "e"], { equation: "ab,bc->ac", N: 2 }),
      ],
      outputs: ["y"],
    });
    expect(seen.weights).toEqual([
      ["w", [3], [2], 1],
      ["d", [2], [3], 4],
      ["t", [2], [3], 1],
      ["m", [0], [1], 1],
      ["e", [1], [0], 1],
    ]);
  });
});

describe("what is not lowered", () => {
  it("is named with its reason and the weights that it cuts off, which stay prunable", async () => {
    const seen = await read({
      inputs: [placeholder("x", [4, 6])],
      weights: [kernel("w", [6, 4]), kernel("s", [4]), ints("most", 3), weight("limit", [], [0.5])],
      nodes: [
        node("MatMul", "boxes", ["x", "w"]),
        node("NonMaxSuppressionV3", "chosen", ["boxes", "s", "most", "limit", "limit"]),
        node("GatherV2", "y", ["boxes", "chosen", "most"]),
      ],
      outputs: ["chosen"],
    });
    expect(seen.notes).toEqual([
      '"chosen" (NonMaxSuppressionV3) is not lowered: how much it gives out depends on the data.',
      'What is not lowered cuts off "w": gradients do not reach them.',
    ]);
    expect(seen.nodes.at(-1)).toMatchObject({ op: "NonMaxSuppressionV3", domain: "tfjs", name: "chosen" });
    expect(seen.weights.map(([name]) => name)).toEqual(["w"]);
  });

  it("an old loop is no broken file: its operators are named", async () => {
    const { notes, nodes } = await read({
      inputs: [placeholder("x", [2, 4])],
      weights: [kernel("w", [4, 4]), weight("limit", [], [9])],
      nodes: [
        node("Enter", "enter", ["x"], { frame_name: "loop" }),
        node("Merge", "merge", ["enter", "next"], { N: 2 }),
        node("Less", "small", ["merge", "limit"]),
        node("LoopCond", "condition", ["small"]),
        node("Switch", "switch", ["merge", "condition"]),
        node("MatMul", "body", ["switch:1", "w"]),
        node("NextIteration", "next", ["body"]),
        node("Exit", "y", ["switch"]),
      ],
      outputs: ["y"],
    });
    expect(notes.join(" ")).toMatch(/"enter" \(Enter\).*"merge" \(Merge\).*"switch" \(Switch\).*"y" \(Exit\)/);
    expect(nodes.find(({ op }) => op === "Exit")?.domain).toBe("tfjs");
  });

  it("a branch that depends on the data is named", async () => {
    const { notes } = await read({
      inputs: [placeholder("x", [null, 4]), placeholder("p", [], "DT_BOOL")],
      nodes: [node("Switch", "switch", ["x", "p"]), node("Merge", "y", ["switch", "switch:1"], { N: 2 })],
      outputs: ["y"],
    });
    expect(notes).toContain('"switch" (Switch) is not lowered: which branch is taken depends on the data.');
  });

  it("what TensorFlow.js computes otherwise than TensorFlow is not guessed", async () => {
    const { notes } = await read({
      inputs: [placeholder("x", [null, 3, 6, 6])],
      nodes: [
        node("MaxPool", "y", ["x"], {
          ksize: [1, 1, 2, 2],
          strides: [1, 1, 2, 2],
          padding: "VALID",
          data_format: "NCHW",
        }),
      ],
      outputs: ["y"],
    });
    expect(notes.join()).toContain("TensorFlow.js takes its data_format NCHW for NHWC");
  });
});

describe("functions", () => {
  const library = (name: string, body: readonly object[], ret: string): object => ({
    signature: { name, inputArg: [{ name: "a", type: "DT_FLOAT" }], outputArg: [{ name: "r", type: "DT_FLOAT" }] },
    nodeDef: body,
    ret: { r: ret },
  });
  const call = (name: string, input: string, f: string): ReturnType<typeof node> =>
    node("StatefulPartitionedCall", name, [input], { f: { func: { name: f } } });

  it("calls are the functions' nodes in their place", async () => {
    const scale = weight("k", [], [3]);
    const path = write({
      inputs: [placeholder("x", [null, 2])],
      weights: [scale],
      nodes: [call("first", "x", "triple"), call("y", "first", "triple")],
      outputs: ["y"],
      functions: [library("triple", [constNode(scale), node("Mul", "product", ["a", "k:output:0"])], "product:z:0")],
    });
    const x = floats([2, 2]);
    const { y } = await runLowered(path, { x });
    expect(Array.from(y!.data)).toEqual(Array.from(x.data, (v) => Math.fround(Math.fround(v * 3) * 3)));
  });

  it("functions that call each other without end are refused", async () => {
    const endless = read({
      inputs: [placeholder("x", [null, 2])],
      nodes: [call("y", "x", "f")],
      outputs: ["y"],
      functions: [library("f", [call("again", "a", "f")], "again:output:0")],
    });
    await expect(endless).rejects.toMatchObject({
      code: "malformed-model",
      message: expect.stringContaining("without end") as string,
    });
  });
});

describe("broken graphs", () => {
  it.each([
    [
      "a node that needs its own result",
      [node("Add", "y", ["x", "z"]), node("Neg", "z", ["y"])],
      "needs its own result",
    ],
    ["a node that is not there", [node("Add", "y", ["x", "z"])], 'no node "z"'],
    ["two nodes of one name", [node("Neg", "y", ["x"]), node("Neg", "y", ["x"])], 'two nodes called "y"'],
    ["an output that is not there", [node("Neg", "n", ["x"]), node("Neg", "y", ["n:3"])], "output 3"],
  ])("%s", async (_, nodes, message) => {
    await expect(read({ inputs: [placeholder("x", [2, 2])], nodes, outputs: ["y"] })).rejects.toMatchObject({
      code: "malformed-model",
      message: expect.stringContaining(message) as string,
    });
  });
});
