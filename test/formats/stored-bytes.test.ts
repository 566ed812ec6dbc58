/** The law of references: the range of the file that a TensorRef names holds the elements that were put in. */
import { readFileSync } from "node:fs";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { GraphProto, TensorProto } from "onnx-buf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DType } from "../../server/protocol/model.js";
import type { Constant } from "../../server/src/graph/graph.js";
import { allGraphs } from "../../server/src/graph/traversal.js";
import { fixtures } from "../cases/fixtures.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import {
  elementsOf,
  ExternalFile,
  model,
  node,
  normals,
  rawBytes,
  type Storage,
  type TestModel,
  tensor,
  value,
  wholes,
  writeModel,
} from "../support/models.js";

let folder: ModelFolder;
beforeAll(() => (folder = new ModelFolder()));
afterAll(() => {
  folder.dispose();
});

/** Compares bytes; a list of thousands of differences helps nobody. */
function expectSame(actual: Uint8Array, expected: Uint8Array, name = ""): void {
  expect(actual.length, name).toBe(expected.length);
  expect(Buffer.compare(actual, expected), name).toBe(0);
}

/** The elements that a constant's reference leads to, raw, however they are encoded in the file. */
function referenced({ tensor: ref, inline }: Constant): Uint8Array {
  if (ref.path === "") return inline ?? new Uint8Array(0);
  const bytes = new Uint8Array(readFileSync(ref.path)).subarray(ref.offset, ref.offset + ref.length);
  if (ref.encoding === "raw") return bytes;
  const reader = new BinaryReader(bytes);
  const numbers: number[] = [];
  while (reader.pos < bytes.length) numbers.push(Number(reader.int64()));
  if (ref.dtype !== "float16" && ref.dtype !== "bfloat16") return rawBytes(ref.dtype, numbers);
  return rawBytes("uint16", numbers);
}

/** Every tensor of a model by the name that its constant will have. */
function tensorsOf({ proto }: TestModel): Map<string, TensorProto> {
  const found = new Map<string, TensorProto>();
  const visit = ({ node: nodes, initializer = [], sparseInitializer = [] }: Partial<GraphProto>): void => {
    for (const one of initializer) found.set(one.name, one);
    for (const { values } of sparseInitializer) if (values !== undefined) found.set(values.name, values);
    for (const { output, attribute } of nodes ?? []) {
      for (const { t, g, sparseTensor } of attribute) {
        const held = t ?? sparseTensor?.values;
        if (held !== undefined) found.set(output[0] ?? "", held);
        if (g !== undefined) visit(g);
      }
    }
  };
  for (const one of proto.functions) visit({ node: one.node });
  if (proto.graph !== undefined) visit(proto.graph);
  return found;
}

/** Names inside an inlined function have the call in front. */
const ownName = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

describe.each(fixtures)("$name", ({ make }) => {
  test("every constant's bytes in the file are the elements that were put in", () => {
    const made = make();
    const expected = tensorsOf(made);
    reading(folder.write("model.onnx", made), ({ model: read }) => {
      let checked = 0;
      for (const graph of allGraphs(read.graph)) {
        for (const constant of graph.constants.values()) {
          const proto = expected.get(constant.name) ?? expected.get(ownName(constant.name));
          expectSame(referenced(constant), elementsOf(proto!), constant.name);
          if (constant.inline !== null) expectSame(constant.inline, elementsOf(proto!), constant.name);
          checked++;
        }
      }
      expect(checked).toBeGreaterThan(0);
    });
  });
});

const dtypes: readonly DType[] = [
  "float",
  "double",
  "float16",
  "bfloat16",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "bool",
];
const storages = ["raw", "typed", "unpacked", "external"] as const;
/** A few elements, which stay with the structure, and many, which stay in the file. */
const shapes = [[5], [0, 3], [], [3000, 3]].map((shape) => ({ shape, text: `[${shape.join(", ")}]` }));

/** One tensor that nothing uses, beside a node that does. */
function holder(dtype: DType, storage: (typeof storages)[number], shape: readonly number[]): TestModel {
  const file = new ExternalFile("data/elements.bin");
  file.append(Uint8Array.of(7));
  const place: Storage = storage === "external" ? { file, alignment: 2 } : storage;
  const count = shape.reduce((product, dim) => product * dim, 1);
  const unsigned = dtype.startsWith("u") || dtype === "bool";
  return model({
    external: storage === "external" ? [file] : [],
    graph: {
      nodes: [node("Identity", ["x"], ["y"])],
      inputs: [value("x", "float", [1])],
      outputs: [value("y", "float", [1])],
      initializers: [tensor("w", dtype, shape, wholes(3, count, unsigned ? 0 : -100, 100), place)],
    },
  });
}

describe.each(dtypes)("%s elements", (dtype) => {
  describe.each(storages)("%s", (storage) => {
    test.each(shapes)("of shape $text are found again", ({ shape }) => {
      const made = holder(dtype, storage, shape);
      const expected = elementsOf(made.proto.graph!.initializer[0]!);
      reading(writeModel(folder.file("holder.onnx"), made), ({ model: read }) => {
        const constant = read.graph.constants.get("w")!;
        expect(constant.tensor.shape).toEqual(shape);
        expect(constant.tensor.dtype).toBe(dtype);
        expectSame(referenced(constant), expected);
      });
    });
  });
});

test("of a message that stands in the file twice the last raw data counts, as protobuf merges it", () => {
  const made = model({
    graph: {
      nodes: [
        node("Constant", [], ["w"], { value: tensor("", "float", [1500, 2], normals(1, 3000)) }),
        node("Identity", ["w"], ["y"]),
      ],
      outputs: [value("y", "float", null)],
    },
  });
  const later = rawBytes("float", normals(2, 3000));
  const message = new BinaryWriter().tag(9, WireType.LengthDelimited).bytes(later).finish();
  // Unknown fields are written last: field 5 (t) once more.
  made.proto.graph!.node[0]!.attribute[0]!.$unknown = [
    { no: 5, wireType: WireType.LengthDelimited, data: new BinaryWriter().bytes(message).finish() },
  ];
  reading(folder.write("merged.onnx", made), ({ model: read }) => {
    expectSame(referenced(read.graph.constants.get("w")!), later);
  });
});
