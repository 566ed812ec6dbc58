/** What takes a layer out of the theory, each in a tiny model; and what does not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { around, firstSite, floats, kindsOf, sitesOf } from "../../support/layer-sites.js";
import { ModelFolder } from "../../support/model-folder.js";
import {
  graph,
  model,
  node,
  quantised,
  recurrent,
  tensor,
  tiedWeights,
  unknownDomain,
  value,
  weight,
} from "../../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

const [ones, twos] = [Array<number>(6).fill(1), Array<number>(6).fill(2)];
const constants = [
  ...floats({ gamma: ones, beta: ones, mean: ones, variance: ones, two: 2, eps: 1e-5, half: 0.5, factors: twos }),
  tensor("threes", "int64", [2], [3, 3]),
];

type Nodes = Parameters<typeof around>[0];

/** Nodes from `u` to `v`, the kinds of limits, and the activation. */
const cases: readonly (readonly [string, Nodes, readonly string[], string | null])[] = [
  ["a plain activation", [node("Tanh", ["u"], ["v"])], [], "tanh"],
  ["nothing", [node("Identity", ["u"], ["v"])], ["no-activation"], null],
  [
    "batch norm",
    [node("BatchNormalization", ["u", "gamma", "beta", "mean", "variance"], ["a"]), node("Relu", ["a"], ["v"])],
    ["normalised"],
    "relu",
  ],
  [
    "layer norm",
    [node("LayerNormalization", ["u", "gamma", "beta"], ["a"]), node("Relu", ["a"], ["v"])],
    ["normalised"],
    "relu",
  ],
  [
    "a norm with its scale and shift in operators of their own",
    [
      node("BatchNormalization", ["u", "gamma", "beta", "mean", "variance"], ["a"]),
      node("Mul", ["a", "factors"], ["b"]),
      node("Add", ["b", "beta"], ["c"]),
      node("Relu", ["c"], ["v"]),
    ],
    ["normalised"],
    "relu",
  ],
  [
    "layer norm spelt out",
    [
      node("ReduceMean", ["u"], ["m"], { axes: [-1] }),
      node("Sub", ["u", "m"], ["d"]),
      node("Pow", ["d", "two"], ["p"]),
      node("ReduceMean", ["p"], ["s"], { axes: [-1] }),
      node("Add", ["s", "eps"], ["e"]),
      node("Sqrt", ["e"], ["r"]),
      node("Div", ["d", "r"], ["n"]),
      node("Mul", ["n", "gamma"], ["g"]),
      node("Add", ["g", "beta"], ["a"]),
      node("Relu", ["a"], ["v"]),
    ],
    ["normalised"],
    "relu",
  ],
  [
    "RMS norm spelt out",
    [
      node("Mul", ["u", "u"], ["p"]),
      node("ReduceMean", ["p"], ["s"], { axes: [-1] }),
      node("Add", ["s", "eps"], ["e"]),
      node("Sqrt", ["e"], ["r"]),
      node("Div", ["u", "r"], ["n"]),
      node("Mul", ["n", "gamma"], ["a"]),
      node("Tanh", ["a"], ["v"]),
    ],
    ["normalised"],
    "tanh",
  ],
  [
    "a residual sum before the activation",
    [node("Add", ["u", "x"], ["a"]), node("Relu", ["a"], ["v"])],
    ["residual"],
    "relu",
  ],
  ["a residual sum behind it", [node("Relu", ["u"], ["a"]), node("Add", ["a", "x"], ["v"])], ["residual"], "relu"],
  ["a product with another path", [node("Mul", ["u", "x"], ["v"])], ["gated"], null],
  ["a gate", [node("Sigmoid", ["u"], ["a"]), node("Mul", ["x", "a"], ["v"])], ["gated"], "sigmoid"],
  [
    "a gated linear unit",
    [
      node("Split", ["u"], ["a", "b"], { axis: 1 }),
      node("Sigmoid", ["b"], ["c"]),
      node("Mul", ["a", "c"], ["d"]),
      node("Concat", ["d", "d"], ["v"], { axis: 1 }),
    ],
    ["gated"],
    null,
  ],
  ["attention's scores", [node("MatMul", ["u", "square"], ["a"]), node("Softmax", ["a"], ["v"])], ["attention"], null],
  ["a softmax on the way", [node("Softmax", ["u"], ["v"])], ["attention"], null],
  ["a constant factor before", [node("Mul", ["u", "half"], ["a"]), node("Tanh", ["a"], ["v"])], ["scaled"], "tanh"],
  ["constant factors behind", [node("Tanh", ["u"], ["a"]), node("Mul", ["a", "factors"], ["v"])], ["scaled"], "tanh"],
  ["an operator that nobody knows as an activation", [node("Cos", ["u"], ["v"])], ["unknown-activation"], null],
  [
    "two activations",
    [
      node("Relu", ["u"], ["a"]),
      node("Tanh", ["u"], ["b"]),
      node("Concat", ["a", "b"], ["c"], { axis: 1 }),
      node("Slice", ["c", "from", "to", "axis"], ["v"]),
    ],
    ["unknown-activation"],
    null,
  ],
  [
    "the same activation twice",
    [
      node("Relu", ["u"], ["a"]),
      node("Relu", ["u"], ["b"]),
      node("Concat", ["a", "b"], ["c"], { axis: 1 }),
      node("Slice", ["c", "from", "to", "axis"], ["v"]),
    ],
    [],
    "relu",
  ],
  [
    "parts that go the same way",
    [
      node("Split", ["u"], ["a", "b"], { axis: 1 }),
      node("Relu", ["a"], ["c"]),
      node("Relu", ["b"], ["d"]),
      node("Concat", ["c", "d"], ["v"], { axis: 1 }),
    ],
    [],
    "relu",
  ],
  [
    "parts that go different ways",
    [
      node("Split", ["u"], ["a", "b"], { axis: 1 }),
      node("Relu", ["a"], ["c"]),
      node("Tanh", ["b"], ["d"]),
      node("Concat", ["c", "d"], ["v"], { axis: 1 }),
    ],
    ["unknown-activation"],
    null,
  ],
  [
    "an If around the activation",
    [
      node("If", ["flag"], ["v"], {
        then_branch: graph({ nodes: [node("Tanh", ["u"], ["t"])], outputs: [value("t", "float", null)] }),
        else_branch: graph({ nodes: [node("Tanh", ["u"], ["e"])], outputs: [value("e", "float", null)] }),
      }),
    ],
    [],
    "tanh",
  ],
];

describe("behind a layer", () => {
  it.each(cases)("%s", async (_, nodes, kinds, activation) => {
    const made = around(nodes, {
      initializers: [
        ...constants,
        tensor("from", "int64", [1], [0]),
        tensor("to", "int64", [1], [6]),
        tensor("axis", "int64", [1], [1]),
        tensor("flag", "bool", [], [1]),
      ],
    });
    if (nodes.some(({ input }) => input.includes("square")))
      made.proto.graph!.node.unshift(node("Transpose", ["x"], ["square"]));
    const site = await firstSite(folder, made);
    expect(kindsOf(site)).toEqual(kinds);
    expect(site.activation?.name ?? null).toBe(activation);
    for (const { words } of site.limits) expect(words).toMatch(/^[A-Z].*\.$/);
  });

  it("the last layer is the one that no weights follow, whatever the output goes through", async () => {
    for (const nodes of [
      [],
      [node("Softmax", ["y"], ["z"])],
      [node("Sigmoid", ["y"], ["z"])],
      [node("Mul", ["y", "x"], ["z"]), node("ReduceMax", ["z"], ["w"])],
    ]) {
      const made = around([node("Relu", ["u"], ["v"])]);
      made.proto.graph!.node.push(...nodes);
      made.proto.graph!.output = [value(nodes.at(-1)?.output[0] ?? "y", "float", null)];
      const sites = await sitesOf(folder, made);
      expect(kindsOf(sites.get("second")!)).toEqual(["last"]);
      expect(kindsOf(sites.get("first")!)).toEqual([]);
    }
  });

  it("a layer inside a branch is followed out of it", async () => {
    const branch = (suffix: string): ReturnType<typeof graph> =>
      graph({
        nodes: [node("MatMul", ["x", `w${suffix}`], [`h${suffix}`])],
        outputs: [value(`h${suffix}`, "float", null)],
        initializers: [weight(`w${suffix}`, [6, 6], 3)],
      });
    const made = model({
      graph: {
        nodes: [
          node("If", ["flag"], ["h"], { then_branch: branch("1"), else_branch: branch("2") }),
          node("Tanh", ["h"], ["t"]),
          node("MatMul", ["t", "last"], ["y"]),
        ],
        inputs: [value("x", "float", [2, 6]), value("flag", "bool", [])],
        outputs: [value("y", "float", null)],
        initializers: [weight("last", [6, 6], 1)],
      },
    });
    const sites = await sitesOf(folder, made);
    for (const name of ["w1", "w2"])
      expect(sites.get(name)).toMatchObject({ activation: { name: "tanh" }, limits: [] });
    expect(kindsOf(sites.get("last")!)).toEqual(["last"]);
  });

  it("what a branch only hands on, or is chosen by, leads to no layer", async () => {
    const made = model({
      graph: {
        nodes: [
          node("MatMul", ["x", "w"], ["u"]),
          node("Sigmoid", ["u"], ["p"]),
          node("ReduceMax", ["p"], ["m"], { keepdims: 0 }),
          node("Greater", ["m", "half"], ["sure"]),
          node("If", ["sure"], ["y"], {
            then_branch: graph({ nodes: [node("Identity", ["p"], ["t"])], outputs: [value("t", "float", null)] }),
            else_branch: graph({
              nodes: [node("MatMul", ["x", "second"], ["e"])],
              outputs: [value("e", "float", null)],
              initializers: [weight("second", [6, 6], 3)],
            }),
          }),
        ],
        inputs: [value("x", "float", [2, 6])],
        outputs: [value("y", "float", null)],
        initializers: [weight("w", [6, 6], 1), ...floats({ half: 0.5 })],
      },
    });
    const sites = await sitesOf(folder, made);
    for (const name of ["w", "second"]) expect(kindsOf(sites.get(name)!), name).toEqual(["last"]);
  });

  it("many parts of parts end in a sentence, in little time", async () => {
    const nodes = [node("Split", ["u"], ["a0", "b0"], { axis: 1, num_outputs: 2 })];
    for (let i = 0; i < 40; i++)
      nodes.push(
        node("Concat", [`a${i}`, `b${i}`], [`c${i}`], { axis: 1 }),
        node("Split", [`c${i}`], [`a${i + 1}`, `b${i + 1}`], { axis: 1, num_outputs: 2 }),
      );
    nodes.push(node("Concat", ["a40", "b40"], ["v"], { axis: 1 }));
    const site = await firstSite(folder, around(nodes, { opset: 18 }));
    expect(site.limits).toHaveLength(1);
    expect(site.activation).toBeNull();
  });
});

describe("a layer itself", () => {
  it("is tied when it is used twice", async () => {
    const site = (await sitesOf(folder, tiedWeights())).get("embedding")!;
    expect(kindsOf(site)).toContain("tied");
  });

  it.each([
    ["RNN", "tanh"],
    ["LSTM", null],
    ["GRU", null],
  ] as const)("is recurrent: %s", async (op, activation) => {
    const sites = await sitesOf(folder, recurrent(op));
    expect(kindsOf(sites.get("W")!)).toEqual(["recurrent"]);
    expect(kindsOf(sites.get("R")!)).toEqual(["recurrent"]);
    expect([sites.get("W")!.fanIn, sites.get("R")!.fanIn]).toEqual([6, 8]);
    expect(sites.get("W")!.activation?.name ?? null).toBe(activation);
    // B holds the biases of both paths, and is counted once.
    expect([sites.get("W")!.bias?.name, sites.get("R")!.bias]).toEqual(["B", null]);
  });

  it("is quantised", async () => {
    const [site] = [...(await sitesOf(folder, quantised({ dtype: "int8", axis: null }))).values()];
    expect(kindsOf(site!)).toContain("quantised");
  });

  it("has no fan-in where nobody knows the operator", async () => {
    const sites = await sitesOf(folder, unknownDomain());
    expect(sites.get("fancy.weight")).toMatchObject({ fanIn: null, limits: [{ kind: "unknown-axes" }] });
  });
});

describe("number types", () => {
  it("an integer bias behind DequantizeLinear has no σ_b that is known", async () => {
    const made = model({
      graph: {
        nodes: [
          node("DequantizeLinear", ["codes", "scale"], ["b"]),
          node("Gemm", ["x", "w", "b"], ["u"]),
          node("QuantizeLinear", ["u", "scale", "zero"], ["q"]),
          node("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
          node("Tanh", ["d"], ["t"]),
          node("Gemm", ["t", "second"], ["y"]),
        ],
        inputs: [value("x", "float", [2, 6])],
        outputs: [value("y", "float", null)],
        initializers: [
          weight("w", [6, 6], 1),
          weight("second", [6, 6], 2),
          tensor("codes", "int32", [6], [1, 2, 3, 4, 5, 6]),
          tensor("zero", "int8", [], [0]),
          ...floats({ scale: 0.1 }),
        ],
      },
    });
    const site = (await sitesOf(folder, made)).get("w")!;
    expect(site).toMatchObject({ bias: null, computedBias: true, activation: { name: "tanh" } });
    expect(kindsOf(site)).toEqual(["computed-bias"]);
  });

  it("patterns of float16 are recognised as those of float", async () => {
    const half = (name: string, number: number): ReturnType<typeof tensor> => tensor(name, "float16", [], [number]);
    const made = model({
      graph: {
        nodes: [
          node("MatMul", ["x", "first"], ["u"]),
          node("Cast", ["u"], ["wide"], { to: 1 }),
          node("Div", ["wide", "root"], ["a"]),
          node("Erf", ["a"], ["b"]),
          node("Cast", ["b"], ["narrow"], { to: 10 }),
          node("Add", ["narrow", "one"], ["c"]),
          node("Mul", ["u", "c"], ["d"]),
          node("Mul", ["d", "half"], ["v"]),
          node("MatMul", ["v", "second"], ["y"]),
        ],
        inputs: [value("x", "float16", [2, 6])],
        outputs: [value("y", "float16", null)],
        initializers: [
          weight("first", [6, 6], 1, "float16"),
          weight("second", [6, 6], 2, "float16"),
          half("one", 1),
          half("half", 0.5),
          ...floats({ root: Math.SQRT2 }),
        ],
      },
    });
    expect(await firstSite(folder, made)).toMatchObject({ activation: { name: "gelu" }, limits: [] });
  });
});
