/** What is foretold of a model without running it holds when it is run. */
import { describe, expect, it } from "vitest";
import { prospectsOf, type Prospects } from "../../server/src/autodiff/prospects.js";
import { synflow } from "../../server/src/criteria/synflow/index.js";
import type { Scores } from "../../server/src/criteria/criterion.js";
import { storedElements } from "../../server/src/formats/stored-elements.js";
import { realModelPath, realModels } from "../cases/real-models.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import * as models from "../support/models.js";
import { model, node, tensor, type TestModel, value, weight } from "../support/models.js";
import { scored, withSensitivity } from "../support/sensitivity.js";

function prospects(made: TestModel): Prospects {
  const folder = new ModelFolder();
  try {
    return reading(folder.write("model.onnx", made), ({ model, search }) => prospectsOf(model, search.weights));
  } finally {
    folder.dispose();
  }
}

const none: Prospects = { gradients: null, flow: null };

interface Tail {
  readonly nodes: readonly ReturnType<typeof node>[];
  readonly initializers?: readonly ReturnType<typeof tensor>[];
  readonly outputs?: readonly ReturnType<typeof value>[];
  readonly opset?: number;
}

/** h = x·w, x [2, 6] and w [6, 8]; then the nodes of the case, which end in y. */
const after = ({ nodes, initializers = [], outputs = [value("y", "float", [2, 8])], opset = 21 }: Tail): TestModel =>
  model({
    opset,
    graph: {
      nodes: [node("MatMul", ["x", "w"], ["h"]), ...nodes],
      inputs: [value("x", "float", [2, 6])],
      outputs,
      initializers: [weight("w", [6, 8], 1), ...initializers],
    },
  });

const gradients = (reason: string): Partial<Prospects> => ({ gradients: reason });
const cut = (names: string): Partial<Prospects> =>
  gradients(`Every layer is cut off from the outputs by operators without a gradient here: ${names}.`);
const same = (reason: string): Prospects => ({ gradients: reason, flow: reason });
const unliftable = (why: string): Prospects => same(`No layer can be scored: "w" cannot because ${why}.`);
const formless = (names: string): Partial<Prospects> => ({
  flow: `Every layer's flow meets operators that have no linear form here: ${names}.`,
});

describe("a model that has scores", () => {
  it.each(realModels)("$file", (real) => {
    reading(realModelPath(real), ({ model, search }) => {
      expect(prospectsOf(model, search.weights)).toEqual(none);
    });
  });

  it.each<[string, TestModel]>([
    ["a convolutional network", models.convNet()],
    ["the oldest operator set", models.convNet({ opset: 7 })],
    ["recurrent layers", models.recurrent("LSTM")],
    ["dequantised weights", models.quantised({ dtype: "int8", axis: null })],
    ["a weight that is cast", models.storedWeight({ dtype: "float16", storage: "raw" })],
    ["a branch, which is left for the run", models.ifBranches()],
    ["a loop, which is left for the run", models.loopBody()],
    [
      "no layers at all",
      model({
        graph: {
          nodes: [node("Identity", ["x"], ["y"])],
          inputs: [value("x", "string", [1])],
          outputs: [value("y", "string", [1])],
        },
      }),
    ],
    ["hostile names", models.hostileNamesModel()],
    [
      "indices behind an operator without a gradient",
      after({
        nodes: [
          node("TopK", ["h", "one"], ["top", "index"]),
          node("GatherElements", ["h", "index"], ["picked"], { axis: 1 }),
          node("Add", ["h", "picked"], ["y"]),
        ],
        initializers: [tensor("one", "int64", [1], [1])],
      }),
    ],
    [
      "an output that nothing cuts off, behind one that something does",
      after({
        nodes: [node("Mish", ["h"], ["y"]), node("Relu", ["h"], ["z"])],
        outputs: [value("y", "float", [2, 8]), value("z", "float", [2, 8])],
      }),
    ],
  ])("%s", (_, made) => {
    expect(prospects(made).gradients).toBeNull();
  });

  // A walk that is not linear in the nodes takes longer than the test may; recursion has no room for them.
  it("a chain of 20,000 nodes with 200 outputs", () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `r${i}`);
    const nodes = names.map((name, i) => node("Relu", [i === 0 ? "h" : names[i - 1]!], [name]));
    const outputs = names.filter((_, i) => i % 100 === 99).map((name) => value(name, "float", [2, 8]));
    expect(prospects(after({ nodes, outputs }))).toEqual(none);
    const last = after({ nodes: [...nodes, node("Det", ["r19999"], ["y"])], outputs: [value("y", "float", [])] });
    expect(prospects(last)).toMatchObject(cut("Det"));
  });
});

describe("a model without scores says why", () => {
  const cases: readonly [string, TestModel, Partial<Prospects>][] = [
    ["an operator without a gradient", after({ nodes: [node("Mish", ["h"], ["y"])] }), cut("Mish")],
    [
      "one way of two cut off",
      after({ nodes: [node("Mish", ["h"], ["m"]), node("Add", ["h", "m"], ["y"])] }),
      cut("Mish"),
    ],
    [
      "steps only",
      after({ nodes: [node("Sign", ["h"], ["y"])] }),
      gradients("No output of float32 numbers depends on a layer in a way that has a gradient."),
    ],
    [
      "an output of whole numbers",
      after({ nodes: [node("ArgMax", ["h"], ["y"], { axis: 1 })], outputs: [value("y", "int64", [2, 1])] }),
      {
        gradients: 'No output holds float32 numbers for a loss: "y" is int64.',
        flow: "No output of real numbers depends on a layer on SynFlow's linear path.",
      },
    ],
    [
      "another width on the way",
      after({
        nodes: [
          node("Cast", ["h"], ["wide"], { to: 11 }),
          node("Relu", ["wide"], ["r"]),
          node("Cast", ["r"], ["y"], { to: 1 }),
        ],
      }),
      gradients(
        "Every layer is cut off from the outputs by operators that compute in double, and gradients are taken in float32 only: Relu.",
      ),
    ],
    [
      "no linear form",
      after({ nodes: [node("Einsum", ["h"], ["y"], { equation: "ij->ij" })] }),
      { ...cut("Einsum"), ...formless("Einsum") },
    ],
    [
      "what has no linear form on one way of two",
      after({ nodes: [node("Einsum", ["h"], ["e"], { equation: "ij->ij" }), node("Add", ["h", "e"], ["y"])] }),
      formless("Einsum"),
    ],
    [
      "sparse weights",
      models.sparseWeight(),
      unliftable("it is stored as a sparse tensor, which gradients are not taken of"),
    ],
    [
      "weights of another width",
      model({
        graph: {
          nodes: [
            node("Cast", ["x"], ["short"], { to: 10 }),
            node("MatMul", ["short", "w"], ["h"]),
            node("Cast", ["h"], ["y"], { to: 1 }),
          ],
          inputs: [value("x", "float", [2, 6])],
          outputs: [value("y", "float", [2, 8])],
          initializers: [weight("w", [6, 8], 1, "float16")],
        },
      }),
      unliftable("its elements are float16; gradients are taken of float32 weights"),
    ],
    [
      "text as input",
      model({
        graph: {
          nodes: [node("MatMul", ["x", "w"], ["y"])],
          inputs: [value("x", "float", [2, 6]), value("words", "string", [2])],
          outputs: [value("y", "float", [2, 8])],
          initializers: [weight("w", [6, 8], 1)],
        },
      }),
      same('Input "words" is string, and samples are numbers.'),
    ],
    [
      "a node that no newer operator set has",
      after({
        nodes: [
          node("Reshape", ["h", "image"], ["i"]),
          node("Resize", ["i", "roi", "scales"], ["r"], { coordinate_transformation_mode: "tf_half_pixel_for_nn" }),
          node("Reshape", ["r", "rows"], ["y"]),
        ],
        initializers: [
          tensor("image", "int64", [4], [1, 1, 2, 8]),
          tensor("roi", "float", [0], []),
          tensor("scales", "float", [4], [1, 1, 1, 1]),
          tensor("rows", "int64", [2], [2, 8]),
        ],
        opset: 11,
      }),
      same(
        'Resize "r" places its elements by tf_half_pixel_for_nn with nearest_mode round_prefer_floor, which later operator sets do not have. Export the model with opset 13 or newer.',
      ),
    ],
  ];

  it.each(cases)("%s", (_, made, expected) => {
    expect(prospects(made)).toMatchObject(expected);
  });

  it.each(cases.filter(([, , { gradients }]) => gradients !== undefined))("no gradients: %s", async (_, made) => {
    const code = expect.stringMatching(/^(missing-gradient|unsupported-op)$/) as string;
    await expect(scored(made)).rejects.toMatchObject({ code });
  });

  it.each(cases.filter(([, , { flow }]) => flow !== undefined))("no flow: %s", async (_, made) => {
    const fields = await flow(made).catch((error: unknown) => {
      expect(error).toMatchObject({ code: "unsupported-op" });
      return [null];
    });
    expect(new Set(fields)).toEqual(new Set([null]));
  });
});

/** SynFlow's scores. */
function flow(made: TestModel): Promise<Scores["fields"]> {
  return withSensitivity(made, {}, async (engine, { weights, source, seed, checkpoint }) => {
    const stored = weights.map((one) => storedElements(source, one));
    const { fields } = await synflow.score({
      weights,
      values: (i) => stored[i]!,
      seed,
      excluded: weights.map(() => false),
      sensitivity: () => Promise.resolve(engine),
      given: () => Promise.reject(new Error("there is no file of scores")),
      progress: () => undefined,
      checkpoint,
    });
    return fields;
  });
}
