/** Every real model in node_modules opens, and what is prunable in it is what the table says. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type GraphProto, ModelProtoSchema, type NodeProto, type TensorProto } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { realModelPath, realModels } from "../cases/real-models.js";
import { reading } from "../support/model-folder.js";

/** Inputs of an operator that hold weights. */
const weightInputs: Readonly<Record<string, readonly number[]>> = {
  Conv: [1],
  ConvTranspose: [1],
  GRU: [1, 2],
  Gemm: [0, 1],
  LSTM: [1, 2],
  MatMul: [0, 1],
  RNN: [1, 2],
};

const elements = ({ dims }: TensorProto): number => dims.reduce((product, dim) => product * Number(dim), 1);

/** Counts weights straight from the protobuf: constants of their own graph or one around that an operator reads directly. */
function census(proto: GraphProto, outer: ReadonlyMap<string, TensorProto>, found: Set<TensorProto>): Set<TensorProto> {
  const constants = new Map(outer);
  for (const one of proto.initializer) constants.set(one.name, one);
  for (const one of proto.node) {
    const constant = one.attribute.find(({ name }) => name === "value")?.t;
    if (one.opType === "Constant" && constant !== undefined) constants.set(one.output[0] ?? "", constant);
  }
  const count = (one: NodeProto): void => {
    for (const index of weightInputs[one.opType] ?? []) {
      const constant = constants.get(one.input[index] ?? "");
      if (constant !== undefined) found.add(constant);
    }
    for (const { g } of one.attribute) if (g !== undefined) census(g, constants, found);
  };
  proto.node.forEach(count);
  return found;
}

describe.each(realModels)("$file", (real) => {
  const path = realModelPath(real);

  test("opens with the layers and counts of the table", () => {
    reading(path, ({ search }) => {
      const layers: Record<string, number> = {};
      for (const { uses } of search.weights) {
        const { op } = uses[0]!.node;
        layers[op] = (layers[op] ?? 0) + 1;
      }
      expect(layers).toEqual(real.layers);
      expect(search.weights.reduce((sum, { size }) => sum + size, 0)).toBe(real.prunable);
      expect(search.parameters).toBe(real.parameters);
      expect(new Set(search.weights.map(({ id }) => id)).size).toBe(search.weights.length);
      expect(search.weights.some(({ via }) => via.length > 0)).toBe(real.indirect === true);
    });
  });

  // Where gates are reordered on the way (indirect), this plain census does not see the weights.
  if (real.indirect === true) return;
  test("agrees with a count straight from the protobuf", () => {
    const { graph } = fromBinary(ModelProtoSchema, new Uint8Array(readFileSync(path)));
    const found = census(graph!, new Map(), new Set());
    expect([...found].reduce((sum, one) => sum + elements(one), 0)).toBe(real.prunable);
  });
});

test("the table holds every model of the packages", () => {
  const folders = new Set(realModels.map((real) => dirname(realModelPath(real))));
  const files = [...folders].flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".onnx")));
  expect(files.sort()).toEqual(realModels.map(({ file }) => basename(file)).sort());
});
