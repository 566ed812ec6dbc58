/** Residual blocks and their number L: known networks, forms of blocks, and what only looks like one. */
import type { NodeProto, TensorProto } from "onnx-buf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findResiduals, residualWords, type Residuals } from "../../server/src/graph/residual/index.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import { graph, type GraphParts, model, node, tensor, value, weight } from "../support/models.js";
import {
  denseNet,
  ffnn,
  mobileNetV2,
  type Network,
  resnet,
  shuffleNetV2,
  squeezeNet,
  unet,
  vit,
} from "../support/networks/index.js";
import { wideResnet } from "../support/networks/wide-resnet.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

const found = (path: string, transformers?: boolean): Residuals =>
  reading(path, ({ model: read, search }) =>
    findResiduals(read, search.weights, transformers === undefined ? {} : { transformers }),
  );

const tiny = { batch: 1, classes: 2, size: 32 } as const;

describe("L of known networks", () => {
  test.each<[name: string, make: () => Network, additions: number, projections: number, activated: number]>([
    ["ResNet-18", () => resnet({ depth: 18, width: 4, ...tiny }), 8, 3, 8],
    ["ResNet-32", () => resnet({ depth: 32, width: 4, ...tiny }), 15, 2, 15],
    ["ResNet-32, stable already", () => resnet({ depth: 32, width: 4, stable: true, ...tiny }), 15, 2, 15],
    ["ResNet-34", () => resnet({ depth: 34, width: 4, ...tiny }), 16, 3, 16],
    // The bottleneck of the first stage widens too: four projections.
    ["ResNet-50", () => resnet({ depth: 50, width: 4, ...tiny }), 16, 4, 16],
    ["ResNet-101", () => resnet({ depth: 101, width: 4, ...tiny }), 33, 4, 33],
    ["ResNet-152", () => resnet({ depth: 152, width: 4, ...tiny }), 50, 4, 50],
    ["WRN-28-10", () => wideResnet({ depth: 28, ...tiny, size: 8 }), 12, 2, 0],
    // The first block of a true WRN widens 16 channels to 160: a projection in every stage.
    [
      "WRN-28-10, widened from the first stage on",
      () => wideResnet({ depth: 28, widen: 2, ...tiny, size: 8 }),
      12,
      3,
      0,
    ],
    // Narrower ones round stages to equal widths and add more.
    ["MobileNetV2", () => mobileNetV2({ width: 0.5, ...tiny }), 10, 0, 0],
    ["ViT-12", () => vit({ dim: 8, heads: 2, ...tiny, patch: 8 }), 24, 0, 0],
    ["DenseNet", () => denseNet({ growth: 2, ...tiny }), 0, 0, 0],
    ["U-Net", () => unet({ width: 4 }), 0, 0, 0],
    ["ShuffleNetV2", () => shuffleNetV2({ width: 8, ...tiny }), 0, 0, 0],
    ["SqueezeNet", () => squeezeNet(), 0, 0, 0],
    ["a plain network", () => ffnn({ activation: "Relu", sigmaW: 1 }), 0, 0, 0],
  ])("%s", (name, make, additions, projections, activated) => {
    const { blocks, rejected, additions: l } = found(folder.write("network.onnx", make().bytes));
    expect(rejected).toEqual([]);
    expect([l, blocks.length]).toEqual([additions, additions]);
    expect(blocks.filter(({ kind }) => kind === "projection").length).toBe(projections);
    expect(blocks.filter(({ activationAfter }) => activationAfter).length).toBe(activated);
    expect(blocks.every(({ transformer }) => transformer === (name === "ViT-12"))).toBe(true);
  });

  test("layers of branches and shortcuts are those of the blocks, each in one of them", () => {
    const { blocks } = found(folder.write("network.onnx", resnet({ depth: 50, width: 4, ...tiny }).bytes));
    expect(blocks.map(({ branch }) => branch.length)).toEqual(Array.from({ length: 16 }, () => 3));
    expect(blocks.map(({ shortcut }) => shortcut.length)).toEqual([1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0]);
    const all = blocks.flatMap(({ branch, shortcut }) => [...branch, ...shortcut]);
    expect(new Set(all).size).toBe(16 * 3 + 4);
  });

  test("blocks of transformers count unless they are not wanted", () => {
    const path = folder.write("network.onnx", vit({ dim: 8, heads: 2, ...tiny, patch: 8 }).bytes);
    expect(residualWords(found(path))).toMatch(/^L = 24 .* outside its theorem/);
    const without = found(path, false);
    expect(without.additions).toBe(0);
    expect(without.rejected.map(({ reason }) => reason)).toEqual(
      Array.from({ length: 24 }, () => "it is a transformer's"),
    );
  });
});
/** [batch, 4, 6, 6] → y; every conv with weight `w…` is 4 → 4, 3x3 or 1x1 by its name. */
function small(nodes: readonly NodeProto[], extra: Partial<GraphParts> = {}): Residuals {
  const used = new Set(nodes.flatMap(({ input }) => input));
  const parameters = [...used].filter((name) => /^(w|k|gamma)\d+$/.test(name));
  const made = model({
    opset: 13,
    domains: { "com.microsoft": 1 },
    graph: {
      nodes,
      inputs: [value("x", "float", ["n", 4, 6, 6])],
      outputs: [value("y", "float", null)],
      ...extra,
      initializers: [
        ...parameters.map((name, i) =>
          name.startsWith("gamma")
            ? weight(name, [4], i)
            : weight(name, [4, 4, ...(name.startsWith("w") ? [3, 3] : [1, 1])], i),
        ),
        ...(extra.initializers ?? []),
      ],
    },
  });
  return found(folder.write("small.onnx", made));
}

const conv = (x: string, w: string, y: string): NodeProto =>
  node("Conv", [x, w], [y], w.startsWith("w") ? { pads: [1, 1, 1, 1] } : {});
const norm = (x: string, y: string): NodeProto =>
  node("BatchNormalization", [x, "gamma1", "gamma2", "gamma3", "gamma4"], [y]);
const relu = (x: string, y: string): NodeProto => node("Relu", [x], [y]);
const add = (a: string, b: string, y = "y"): NodeProto => node("Add", [a, b], [y]);
/** Two layers from `x` to `f`. */
const branch = (x = "x", f = "f"): NodeProto[] => [
  conv(x, "w1", `${f}1`),
  relu(`${f}1`, `${f}2`),
  conv(`${f}2`, "w2", f),
];
const ints = (name: string, numbers: readonly number[]): TensorProto =>
  tensor(name, "int64", [numbers.length], numbers);
const zeros = (name: string, shape: readonly number[]): TensorProto =>
  tensor(name, "float", shape, new Array(shape.reduce((a, b) => a * b, 1)).fill(0) as number[]);

/** Kind, index of the branch among the sum's inputs, layers of branch and shortcut, activation behind. */
const line = ({ blocks }: Residuals): string[] =>
  blocks.map(
    ({ kind, branchInput, branch: f, shortcut, activationAfter, start }) =>
      `${kind} from ${start}, F is input ${branchInput}: ${f.join()} / ${shortcut.join()}${activationAfter ? ", activated" : ""}`,
  );

describe("forms of blocks", () => {
  test.each<[name: string, nodes: readonly NodeProto[], expected: string, extra?: Partial<GraphParts>]>([
    ["identity, branch second", [...branch(), add("x", "f")], "identity from x, F is input 1: w1,w2 / "],
    ["identity, branch first", [...branch(), add("f", "x")], "identity from x, F is input 0: w1,w2 / "],
    ["a Sum of two", [...branch(), node("Sum", ["f", "x"], ["y"])], "identity from x, F is input 0: w1,w2 / "],
    [
      "an activation behind",
      [...branch(), add("f", "x", "s"), relu("s", "y")],
      "identity from x, F is input 0: w1,w2 / , activated",
    ],
    [
      "SiLU behind, spelt out",
      [...branch(), add("f", "x", "s"), node("Sigmoid", ["s"], ["z"]), node("Mul", ["z", "s"], ["y"])],
      "identity from x, F is input 0: w1,w2 / , activated",
    ],
    [
      "a shortcut through Identity and Cast",
      [...branch(), node("Identity", ["x"], ["i"]), node("Cast", ["i"], ["c"], { to: 1 }), add("f", "c")],
      "identity from x, F is input 0: w1,w2 / ",
    ],
    [
      "pre-activation",
      [norm("x", "n"), relu("n", "a"), ...branch("a"), add("x", "f")],
      "identity from x, F is input 1: w1,w2 / ",
    ],
    [
      "pre-activation that feeds the projection too",
      [norm("x", "n"), relu("n", "a"), ...branch("a"), conv("a", "k1", "p"), add("p", "f")],
      "projection from a, F is input 1: w1,w2 / k1",
    ],
    [
      "a projection with norm, and a bottleneck",
      [
        ...[conv("x", "k1", "b1"), relu("b1", "b2"), conv("b2", "w1", "b3"), relu("b3", "b4"), conv("b4", "k2", "b5")],
        ...[norm("b5", "f"), conv("x", "k3", "p1"), norm("p1", "p"), add("f", "p")],
      ],
      "projection from x, F is input 0: k1,w1,k2 / k3",
    ],
    [
      "a shortcut by pooling and zero channels",
      [
        node("AveragePool", ["x"], ["p1"], { kernel_shape: [2, 2], strides: [2, 2] }),
        node("Pad", ["p1", "pads"], ["p"]),
        node("Conv", ["x", "wide"], ["f1"], { strides: [2, 2], pads: [1, 1, 0, 0] }),
        ...[relu("f1", "f2"), node("Conv", ["f2", "wide2"], ["f"], { pads: [1, 1, 1, 1] }), add("p", "f")],
      ],
      "projection from x, F is input 1: wide,wide2 / ",
      {
        initializers: [
          ints("pads", [0, 0, 0, 0, 0, 4, 0, 0]),
          weight("wide", [8, 4, 3, 3], 1),
          weight("wide2", [8, 8, 3, 3], 2),
        ],
      },
    ],
    [
      "a linear bottleneck",
      [conv("x", "k1", "b1"), node("Clip", ["b1", "", "six"], ["b2"]), conv("b2", "k2", "f"), add("x", "f")],
      "identity from x, F is input 1: k1,k2 / ",
      { initializers: [tensor("six", "float", [], [6])] },
    ],
    [
      "a gate inside the branch",
      [
        ...branch("x", "h"),
        ...[node("GlobalAveragePool", ["h"], ["z1"]), conv("z1", "k1", "z2"), node("Sigmoid", ["z2"], ["z"])],
        ...[node("Mul", ["h", "z"], ["f"]), add("f", "x")],
      ],
      "identity from x, F is input 0: w1,w2,k1 / ",
    ],
    [
      "one layer with an activation beside a projection",
      [conv("x", "w1", "f1"), relu("f1", "f"), conv("x", "k1", "p"), add("p", "f")],
      "projection from x, F is input 1: w1 / k1",
    ],
  ])("%s", (_name, nodes, expected, extra) => {
    const residuals = small(nodes, extra);
    expect(line(residuals)).toEqual([expected]);
    expect(residuals.rejected).toEqual([]);
  });

  test("two in a row, and one around both", () => {
    const nodes = [
      ...branch(),
      add("x", "f", "s"),
      conv("s", "w3", "g"),
      relu("g", "h"),
      add("s", "h", "t"),
      add("t", "x"),
    ];
    expect(line(small(nodes))).toEqual([
      "identity from x, F is input 1: w1,w2 / ",
      "identity from s, F is input 1: w3 / ",
      "identity from x, F is input 0: w1,w2,w3 / ",
    ]);
  });
});

const neither = "neither side is the start of the other, or a projection of it";
const second = { inputs: [value("x", "float", ["n", 4, 6, 6]), value("z", "float", ["n", 4, 6, 6])] };

describe("what only looks like a block", () => {
  test.each<[name: string, nodes: readonly NodeProto[], reasons: readonly string[], extra?: Partial<GraphParts>]>([
    [
      "two parallel layers",
      [conv("x", "w1", "a"), conv("x", "w2", "b"), add("a", "b")],
      ["both sides are branches of the same depth, none is a shortcut"],
    ],
    [
      "two parallel branches",
      [...branch("x", "a"), conv("x", "w3", "b1"), relu("b1", "b2"), conv("b2", "w4", "b"), add("a", "b")],
      [neither],
    ],
    ["two inputs", [add("x", "z", "s"), conv("s", "w1", "y")], [neither], second],
    [
      "a second input in the branch",
      [conv("x", "w1", "f1"), node("Mul", ["f1", "z"], ["f2"]), conv("f2", "w2", "f"), add("x", "f")],
      ["what is added to the shortcut does not come from its start alone"],
      second,
    ],
    ["no layer in the branch", [relu("x", "f"), add("x", "f")], ["its branch has no weighted layer"]],
    ["x and x", [add("x", "x")], [neither]],
    [
      "a skip over a resolution, as in a U-Net with sums",
      [
        node("MaxPool", ["x"], ["d"], { kernel_shape: [2, 2], strides: [2, 2] }),
        ...branch("d", "e"),
        node("Resize", ["e", "", "scales"], ["u"]),
        add("x", "u"),
      ],
      ["its branch goes through another resolution: it joins two scales"],
      { initializers: [tensor("scales", "float", [4], [1, 1, 2, 2])] },
    ],
    [
      "the lateral sum of a feature pyramid",
      [
        node("Conv", ["x", "w1"], ["c"], { strides: [2, 2], pads: [1, 1, 0, 0] }),
        ...[
          relu("c", "d"),
          conv("d", "k1", "e"),
          node("Resize", ["e", "", "scales"], ["u"]),
          conv("x", "k2", "l"),
          add("l", "u"),
        ],
      ],
      ["its branch goes through another resolution: it joins two scales"],
      { initializers: [tensor("scales", "float", [4], [1, 1, 2, 2])] },
    ],
    [
      "a sum inside a fused convolution",
      [
        ...branch(),
        node(
          "FusedConv",
          ["f", "w3", "", "x"],
          ["y"],
          { activation: "Relu", pads: [1, 1, 1, 1] },
          { domain: "com.microsoft" },
        ),
      ],
      ["its sum is part of com.microsoft.FusedConv: export the model without fusions to have it scaled"],
    ],
    [
      "a block in a branch of an If",
      [
        node("If", ["flag"], ["y"], {
          then_branch: graph({ nodes: [...branch(), add("x", "f", "s")], outputs: [value("s", "float", null)] }),
          else_branch: graph({ nodes: [relu("x", "s")], outputs: [value("s", "float", null)] }),
        }),
      ],
      ["it lies in y.then_branch, where no node can be added"],
      {
        inputs: [value("x", "float", ["n", 4, 6, 6]), value("flag", "bool", [])],
        initializers: [weight("w1", [4, 4, 3, 3], 1), weight("w2", [4, 4, 3, 3], 2)],
      },
    ],
  ])("%s", (_name, nodes, reasons, extra) => {
    const { additions, rejected } = small(nodes, extra);
    expect([additions, rejected.map(({ reason }) => reason)]).toEqual([0, reasons]);
  });

  test.each<[name: string, nodes: readonly NodeProto[], extra?: Partial<GraphParts>]>([
    ["a bias", [conv("x", "w1", "f"), add("f", "b")], { initializers: [zeros("b", [4, 1, 1])] }],
    ["a table of positions", [add("x", "t", "h"), conv("h", "w1", "y")], { initializers: [zeros("t", [1, 4, 6, 6])] }],
    [
      "positions chosen by the shape of the input",
      [
        ...[
          node("Shape", ["x"], ["s"]),
          node("Slice", ["s", "two", "four"], ["hw"]),
          node("Concat", ["ones", "hw"], ["e"], { axis: 0 }),
        ],
        ...[node("Expand", ["t", "e"], ["p"]), add("x", "p", "h"), conv("h", "w1", "y")],
      ],
      { initializers: [zeros("t", [1, 4, 1, 1]), ints("two", [2]), ints("four", [4]), ints("ones", [1, 4])] },
    ],
    [
      "arithmetic of shapes",
      [
        ...[node("Shape", ["x"], ["s"]), add("s", "s", "d"), node("Slice", ["d", "zero", "one"], ["n"])],
        ...[
          conv("x", "w1", "h"),
          node("Flatten", ["h"], ["g0"]),
          node("Reshape", ["g0", "all"], ["r"]),
          node("Tile", ["r", "n"], ["y"]),
        ],
      ],
      { initializers: [ints("zero", [0]), ints("one", [1]), ints("all", [-1])] },
    ],
    [
      "a mask of attention",
      [
        node("Cast", ["mask"], ["m"], { to: 1 }),
        conv("x", "w1", "h"),
        add("h", "m", "s"),
        node("Softmax", ["s"], ["y"]),
      ],
      { inputs: [value("x", "float", ["n", 4, 6, 6]), value("mask", "int64", ["n", 1, 1, 6])] },
    ],
  ])("%s is passed over", (_name, nodes, extra) => {
    expect(small(nodes, extra)).toEqual({ blocks: [], rejected: [], additions: 0 });
  });
});

/**
 * Counted by hand from the papers: PP-OCRv4's detector has eight squeeze-and-excitation layers around which x is added
 * and three top-down sums of its pyramid; its recogniser two transformer blocks of two sums; the classifier is a
 * MobileNetV3-small of 0.35, where stages of 40 and 48 channels are one width. Silero's blocks lie in the branches of an If.
 */
test.each<[name: string, additions: number, rejected: number]>([
  ["ch_PP-OCRv4_det_infer", 8, 3],
  ["ch_PP-OCRv4_rec_infer", 4, 0],
  ["ch_ppocr_mobile_v2.0_cls_infer", 7, 0],
  ["silero_vad_legacy", 0, 12],
  ["alexa_v0.1", 0, 0],
])("%s", (name, additions, rejected) => {
  const real = realModels.find(({ file }) => file.endsWith(`/${name}.onnx`))!;
  const residuals = found(realModelPath(real));
  expect([residuals.additions, residuals.rejected.length]).toEqual([additions, rejected]);
});

test("words say L, the divisor and what the theorem does not cover", () => {
  expect(residualWords(small([relu("x", "y")]))).toBe("There are no residual blocks: Stable ResNet does not apply.");
  expect(residualWords(small([...branch(), add("f", "x", "s"), relu("s", "y")]))).toBe(
    "L = 1 residual sum: Stable ResNet divides its branch by √1 = 1.000. The theorem has no activation behind the sum; with one the effect is smaller.",
  );
});

test("a chain of a thousand blocks is followed in one pass", () => {
  const chain = Array.from({ length: 1000 }, (_, i) => [
    conv(`x${i}`, "k1", `f${i}`),
    relu(`f${i}`, `g${i}`),
    add(`g${i}`, `x${i}`, `x${i + 1}`),
  ]).flat();
  const { additions } = small([relu("x", "x0"), ...chain, relu("x1000", "y")]);
  expect(additions).toBe(1000);
});
