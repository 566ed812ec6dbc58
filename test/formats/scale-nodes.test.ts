/**
 * Mul nodes that a save puts in front of inputs. The bytes are those of the original message with two nodes more and
 * another name, as `onnx-buf` writes it; what is read back and run computes what the scaled graph in memory does.
 */
import { readdirSync, readFileSync } from "node:fs";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "onnx-buf";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DType } from "../../server/protocol/model.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import type { InputScale, TensorEdit } from "../../server/src/formats/format.js";
import { storedElements } from "../../server/src/formats/stored-elements.js";
import { float16Array, float16Bits as float16BitsOf } from "../../server/src/graph/float16.js";
import type { Node } from "../../server/src/graph/graph.js";
import { dtypeCode } from "../../server/src/graph/tensor.js";
import { allNodes } from "../../server/src/graph/traversal.js";
import { withScaledInputs } from "../../server/src/graph/scaled-inputs.js";
import { fixtures } from "../cases/fixtures.js";
import { uniform } from "../support/arrays.js";
import { ModelFolder } from "../support/model-folder.js";
import {
  attribute,
  ExternalFile,
  float16Bits,
  graph,
  localFunction,
  model,
  modelBytes,
  node,
  rawBytes,
  type TestModel,
  value,
  weight,
} from "../support/models.js";
import { relativeDifference, runBytes, runModel } from "../support/run-model.js";
import { writeCopy } from "../support/write-copy.js";

let folder: ModelFolder;
beforeAll(() => {
  folder = new ModelFolder();
});
afterAll(() => {
  folder.dispose();
});

/** Whether `proto` is what `read` was read from. */
const isRecord = (proto: NodeProto, read: Node): boolean =>
  proto.opType === read.op && proto.domain === read.domain && proto.output.join() === read.outputs.join();

/** The original message with two nodes more for each scale; `scales` are in the order of the message's nodes. */
function scaledProto({ proto }: TestModel, scales: readonly InputScale[]): ModelProto {
  const main = proto.graph!;
  main.node = main.node.flatMap((one) => {
    const made: NodeProto[] = [];
    for (const { node: read, input, factor, dtype } of scales) {
      if (!isRecord(one, read)) continue;
      const from = one.input[input]!;
      const [scaled, constant] = [`${from}_scaled`, `${from}_factor`];
      one.input[input] = scaled;
      const element = { dataType: dtypeCode(dtype), rawData: rawBytes(dtype, [factor]) };
      const held = attribute("value", create(TensorProtoSchema, element));
      made.push(
        create(NodeProtoSchema, { opType: "Constant", name: constant, output: [constant], attribute: [held] }),
        create(NodeProtoSchema, { opType: "Mul", name: scaled, input: [from, constant], output: [scaled] }),
      );
    }
    return [...made, one];
  });
  return proto;
}

/** Inputs of nodes of the main graph, every value in one of them at most, in the order of the message's nodes. */
function sites({ proto }: TestModel, nodes: readonly Node[], random: () => number): InputScale[] {
  const used = new Set([""]);
  return proto.graph!.node.flatMap((record) =>
    nodes
      .filter((one) => isRecord(record, one))
      .flatMap((one) =>
        one.inputs.flatMap((name, input): InputScale[] => {
          if (used.has(name) || random() < 0.3) return [];
          used.add(name);
          return [{ node: one, input, factor: Math.fround(0.1 + random()), dtype: "float" }];
        }),
      ),
  );
}

const sourceOf = (made: TestModel): Buffer => Buffer.from(modelBytes(made));

describe("the bytes are those of the message with the nodes in it", () => {
  test.each(fixtures)("$name", async ({ make }) => {
    const path = folder.write("model.onnx", make());
    await withModel(path, async (read) => {
      const scales = sites(make(), read.model.graph.nodes, uniform(7));
      const bytes = readFileSync(await writeCopy(folder.place(), read, scales));
      expect(Buffer.compare(bytes, Buffer.from(toBinary(ModelProtoSchema, scaledProto(make(), scales))))).toBe(0);
      expect(Buffer.compare(readFileSync(await writeCopy(folder.place(), read, [])), sourceOf(make()))).toBe(0);
    });
  });
});

describe("lengths", () => {
  test("a record's length may take a byte more", async () => {
    // Names so long that the consumer's record crosses 127 bytes and 16 kB, one byte after the other.
    for (const length of [...Array.from({ length: 16 }, (_, i) => 104 + i), 16_360, 16_370]) {
      const make = (): TestModel =>
        model({
          graph: {
            nodes: [node("Relu", ["x"], ["h"], {}, { name: "n".repeat(length) }), node("Neg", ["h"], ["y"])],
            inputs: [value("x", "float", [2])],
            outputs: [value("y", "float", [2])],
          },
        });
      await withModel(folder.write("model.onnx", make()), async (read) => {
        const scales = [{ node: read.model.graph.nodes[0]!, input: 0, factor: 0.5, dtype: "float" as const }];
        const bytes = readFileSync(await writeCopy(folder.place(), read, scales));
        expect(Buffer.compare(bytes, Buffer.from(toBinary(ModelProtoSchema, scaledProto(make(), scales))))).toBe(0);
      });
    }
  });
});

/** A network of random nodes on [2, 4], in random order in the file; some weights in Constant nodes. */
function randomModel(random: () => number): TestModel {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const values = ["x"];
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  for (let i = 0; i < 3 + Math.floor(random() * 10); i++) {
    const [a, b, out] = [pick(values), pick(values), `v${i}`];
    const square = weight(random() < 0.5 ? `w${i}` : "", [4, 4], i);
    const used = `w${i}`;
    const op = pick(["Relu", "Tanh", "Neg", "Add", "Mul", "MatMul", "Gemm"] as const);
    if (op === "MatMul" || op === "Gemm") {
      if (square.name === "") nodes.push(node("Constant", [], [used], { value: square }));
      else initializers.push(square);
      nodes.push(node(op, [a, used], [out]));
    } else nodes.push(node(op, op === "Add" || op === "Mul" ? [a, b] : [a], [out], {}, { name: pick(["", out]) }));
    values.push(out);
  }
  for (let i = nodes.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [nodes[i], nodes[j]] = [nodes[j]!, nodes[i]!];
  }
  const outputs = values.slice(1).map((name) => value(name, "float", [2, 4]));
  return model({ opset: 13, graph: { nodes, initializers, inputs: [value("x", "float", [2, 4])], outputs } });
}

test.each(Array.from({ length: 30 }, (_, i) => i + 1))(
  "random network %i computes what its scaled graph does",
  async (seed) => {
    const random = uniform(seed);
    const made = randomModel(random);
    const feeds = {
      x: new Tensor(
        "float32",
        Float32Array.from({ length: 8 }, () => 2 * random() - 1),
        [2, 4],
      ),
    };
    await withModel(folder.write("model.onnx", made), async (read) => {
      const { graph: main } = read.model;
      const scales = main.nodes.flatMap((one) =>
        one.inputs.flatMap((name, input): InputScale[] =>
          !name.startsWith("w") && random() < 0.4
            ? [{ node: one, input, factor: 2 * random() - 1, dtype: "float" }]
            : [],
        ),
      );
      const target = await writeCopy(folder.place(), read, scales);
      const expected = await runModel({ ...read.model, graph: withScaledInputs(main, scales) }, feeds, read.source);
      // The same operations in the same order; only kernels of constants against inputs may round otherwise.
      expect(relativeDifference(expected, await runBytes(target, feeds))).toBeLessThan(1e-5);
      await withModel(target, (again) => {
        const added = again.model.graph.nodes.filter(({ outputs }) => /_scaled/.test(outputs[0]!));
        expect(added.map(({ op }) => op)).toEqual(scales.map(() => "Mul"));
        const others = again.model.graph.nodes.filter((one) => !added.includes(one));
        expect(others.map(({ outputs }) => outputs[0]!).sort()).toEqual(
          main.nodes.map(({ outputs }) => outputs[0]!).sort(),
        );
        expect(again.model.opsets).toEqual(read.model.opsets);
        expect(again.search.weights.map(({ id, shape }) => [id, shape])).toEqual(
          read.search.weights.map(({ id, shape }) => [id, shape]),
        );
        return Promise.resolve();
      });
    });
  },
);

describe("element types", () => {
  const typed = (dtype: DType, opset = 13): TestModel =>
    model({
      opset,
      graph: {
        nodes: [node("Identity", ["x"], ["h"]), node("Neg", ["h"], ["y"])],
        inputs: [value("x", dtype, [3])],
        outputs: [value("y", dtype, [3])],
      },
    });

  test("double factors are not rounded to float32", async () => {
    await withModel(folder.write("model.onnx", typed("double")), async (read) => {
      const target = await writeCopy(folder.place(), read, [
        { node: read.model.graph.nodes[1]!, input: 0, factor: 1 / 3, dtype: "double" },
      ]);
      const { y } = await runBytes(target, { x: new Tensor("float64", Float64Array.of(1, -2, 3), [3]) });
      expect([...(y!.data as Float64Array)]).toEqual([-1 / 3, 2 / 3, -1]);
    });
  });

  test("float16 factors are the nearest half", async () => {
    await withModel(folder.write("model.onnx", typed("float16")), async (read) => {
      const target = await writeCopy(folder.place(), read, [
        { node: read.model.graph.nodes[1]!, input: 0, factor: 0.1, dtype: "float16" },
      ]);
      const half = (...numbers: number[]): Tensor =>
        new Tensor("float16", float16Array(Uint16Array.from(numbers, float16Bits)), [numbers.length]);
      const { y } = await runBytes(target, { x: half(1, 2, -4) });
      expect([...float16BitsOf(y!.data as Uint16Array)]).toEqual([-0.1, -0.2, 0.4].map(float16Bits));
    });
  });

  test.each<[DType, number, RegExp]>([
    ["int32", 13, /no Mul of int32/],
    ["bfloat16", 12, /no Mul of bfloat16 at opset 12/],
  ])("%s at opset %i is refused", async (dtype, opset, words) => {
    await withModel(folder.write("model.onnx", typed(dtype, opset)), async (read) => {
      const scales = [{ node: read.model.graph.nodes[1]!, input: 0, factor: 0.5, dtype }];
      await expect(writeCopy(folder.place(), read, scales)).rejects.toThrow(words);
    });
  });
});

test("names that are taken get a number", async () => {
  const made = model({
    graph: {
      nodes: [
        node("Neg", ["x"], ["x_scaled"], {}, { name: "x_factor" }),
        node("Neg", ["x_scaled"], ["h"]),
        node("Add", ["h", "x"], ["y"]),
      ],
      inputs: [value("x", "float", [2])],
      outputs: [value("y", "float", [2])],
    },
  });
  await withModel(folder.write("model.onnx", made), async (read) => {
    const target = await writeCopy(folder.place(), read, [
      { node: read.model.graph.nodes[2]!, input: 1, factor: 3, dtype: "float" },
    ]);
    await withModel(target, async ({ model: again }) => {
      expect(again.graph.nodes.find(({ op }) => op === "Mul")).toMatchObject({
        inputs: ["x", "x_factor_2"],
        outputs: ["x_scaled_2"],
      });
      const { y } = await runBytes(target, { x: new Tensor("float32", Float32Array.of(1, -2), [2]) });
      expect([...(y!.data as Float32Array)]).toEqual([4, -8]);
    });
  });
});

describe("what is refused, before a file is made", () => {
  const nested = model({
    domains: { local: 1 },
    functions: [
      localFunction({
        domain: "local",
        name: "Twice",
        inputs: ["a"],
        outputs: ["b"],
        nodes: [node("Add", ["a", "a"], ["b"])],
      }),
    ],
    graph: {
      nodes: [
        node("If", ["flag"], ["h"], {
          then_branch: graph({ nodes: [node("Relu", ["x"], ["t"])], outputs: [value("t", "float", [2])] }),
          else_branch: graph({ nodes: [node("Neg", ["x"], ["e"])], outputs: [value("e", "float", [2])] }),
        }),
        node("Clip", ["h", "", "h"], ["k"]),
        node("Twice", ["k"], ["y"], {}, { domain: "local" }),
      ],
      inputs: [value("x", "float", [2]), value("flag", "bool", [])],
      outputs: [value("y", "float", [2])],
    },
  });

  test.each<[name: string, op: string, input: number, words: RegExp]>([
    ["a node of a branch", "Relu", 0, /lies in a branch, a loop or a local function/],
    ["a node of a function", "Add", 0, /lies in a branch, a loop or a local function/],
    ["an absent input", "Clip", 1, /has no input 1/],
    ["an input that is not there", "Clip", 3, /has no input 3/],
  ])("%s", async (_name, op, input, words) => {
    await withModel(folder.write("model.onnx", nested), async (read) => {
      const { node: one } = [...allNodes(read.model.graph)].find((place) => place.node.op === op)!;
      const place = folder.place();
      await expect(writeCopy(place, read, [{ node: one, input, factor: 1, dtype: "float" }])).rejects.toThrow(words);
      expect(readdirSync(place)).toEqual([]);
    });
  });

  test("the same input twice", async () => {
    await withModel(folder.write("model.onnx", nested), async (read) => {
      const scale: InputScale = { node: read.model.graph.nodes[1]!, input: 0, factor: 1, dtype: "float" };
      await expect(writeCopy(folder.place(), read, [scale, scale])).rejects.toThrow(/scaled twice/);
    });
  });
});

/** Weights in the file and beside it, in initializers and in Constant nodes before and behind the node that is scaled. */
function placedWeights(): TestModel {
  const file = new ExternalFile("weights.bin");
  return model({
    opset: 13,
    external: [file],
    graph: {
      nodes: [
        node("Constant", [], ["a"], { value: weight("", [4, 300], 1) }),
        node("MatMul", ["x", "a"], ["h"]),
        node("Tanh", ["h"], ["t"]),
        node("Constant", [], ["b"], { value: weight("", [300, 4], 2) }),
        node("MatMul", ["t", "b"], ["s"]),
        node("MatMul", ["s", "c"], ["r"]),
        node("MatMul", ["r", "d"], ["y"]),
      ],
      initializers: [weight("c", [4, 300], 3, "float", { file, alignment: 64 }), weight("d", [300, 4], 4)],
      inputs: [value("x", "float", [2, 4])],
      outputs: [value("y", "float", [2, 4])],
    },
  });
}

test("weights are edited at their places while nodes are added, external data too", async () => {
  const path = folder.write("model.onnx", placedWeights());
  await withModel(path, async (read) => {
    const { nodes } = read.model.graph;
    const products = nodes.filter(({ op }) => op === "MatMul");
    const scales = products.map((one): InputScale => ({ node: one, input: 0, factor: 0.5, dtype: "float" }));
    const edits = read.search.weights.map((one): TensorEdit => {
      const elements = storedElements(read.source, one);
      return {
        name: one.name,
        tensor: one.tensor,
        elements,
        edit: (bytes, start, count) => {
          const doubled = new Float64Array(count);
          elements.readExact(start, count, doubled);
          elements.write(
            bytes,
            doubled.map((number) => 2 * number),
          );
        },
      };
    });
    expect(edits.length).toBe(4);
    const plain = await writeCopy(folder.place(), read, scales);
    const edited = await writeCopy(folder.place(), read, scales, edits);
    await withModel(edited, async (again) => {
      const [before, after] = [readFileSync(plain), readFileSync(edited)];
      for (const { tensor: place } of again.search.weights)
        if (place.path === edited) before.copy(after, place.offset, place.offset, place.offset + place.length);
      expect(Buffer.compare(after, before)).toBe(0);
      // Every input is halved and every weight doubled: powers of two round nothing.
      const x = new Tensor(
        "float32",
        Float32Array.from({ length: 8 }, (_, i) => i / 8 - 0.4),
        [2, 4],
      );
      expect(relativeDifference(await runBytes(path, { x }), await runBytes(edited, { x }))).toBe(0);
      expect(relativeDifference(await runBytes(path, { x }), await runBytes(plain, { x }))).toBeGreaterThan(0.1);
    });
  });
});
