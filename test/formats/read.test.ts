/** What is read of a model beside its weights: what the file says about itself, types, attributes, constants, functions. */
import { create } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  TypeProto_MapSchema,
  TypeProto_OptionalSchema,
  TypeProto_SequenceSchema,
  TypeProto_SparseTensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { afterAll, describe, expect, test } from "vitest";
import { formatOf } from "../../server/src/formats/index.js";
import { payloadField } from "../../server/src/formats/onnx/skeleton.js";
import type { Attribute, Model } from "../../server/src/graph/graph.js";
import { allNodes } from "../../server/src/graph/traversal.js";
import { ModelFolder, reading } from "../support/model-folder.js";
import {
  graph,
  localFunctions,
  mlp,
  model,
  modelBytes,
  node,
  sparseTensor,
  type TestModel,
  tensor,
  value,
  weight,
  irVersion3,
  localFunction,
} from "../support/models.js";

const folder = new ModelFolder();
afterAll(() => {
  folder.dispose();
});

const read = (made: TestModel | Uint8Array): Model =>
  reading(folder.write("model.onnx", made), ({ model: result }) => result);

/** One node `op` with these attributes, as it was read. */
function attributesOf(made: TestModel): ReadonlyMap<string, Attribute> {
  return read(made).graph.nodes[0]!.attributes;
}

const oneNode = (attributes: Parameters<typeof node>[3]): TestModel =>
  model({
    domains: { odd: 1 },
    graph: {
      nodes: [node("Odd", ["x"], ["y"], attributes, { domain: "odd" })],
      inputs: [value("x", "float", [1])],
      outputs: [value("y", "float", [1])],
    },
  });

test("what the file says about itself arrives", () => {
  const made = mlp({ opset: 13, ir: 7 });
  Object.assign(made.proto, { producerName: "p", producerVersion: "1.2", docString: "about" });
  made.proto.opsetImport[0]!.domain = "ai.onnx";
  made.proto.metadataProps = model({
    graph: { nodes: [], outputs: [] },
    metadata: { a: "1", b: "" },
  }).proto.metadataProps;
  const result = read(made);
  expect(result).toMatchObject({ irVersion: 7, producer: "p 1.2", docString: "about" });
  expect([...result.opsets]).toEqual([["", 13]]);
  expect(result.metadata).toEqual([
    { key: "a", value: "1" },
    { key: "b", value: "" },
  ]);
});

test("several operator sets keep their versions, and functions add those that only they import", () => {
  const domain = "local";
  const functions = [
    localFunction({
      domain,
      name: "F",
      inputs: ["a"],
      outputs: ["b"],
      nodes: [node("Relu", ["a"], ["b"])],
      opset: 12,
      domains: { "com.extra": 2 },
    }),
  ];
  const made = model({
    opset: 17,
    domains: { [domain]: 1, "com.microsoft": 1 },
    functions,
    graph: {
      nodes: [node("F", ["x"], ["y"], {}, { domain })],
      inputs: [value("x", "float", [1])],
      outputs: [value("y", "float", [1])],
    },
  });
  expect(Object.fromEntries(read(made).opsets)).toEqual({ "": 17, [domain]: 1, "com.microsoft": 1, "com.extra": 2 });
});

test("inputs are those that nothing else defines, with their axes as the file has them", () => {
  expect(read(irVersion3()).graph.inputs).toEqual([{ name: "x", dtype: "float", shape: ["batch", 3, 16, 16] }]);
  const made = mlp();
  made.proto.graph!.input = [
    value("x", "float16", ["", null, 5, "n"]),
    value("unranked", "int64", null),
    value("scalar", "bool", []),
    // Some exporters write −1 or 0 where they mean "any".
    value("any", "float", [-1, 0, 3]),
  ];
  expect(read(made).graph.inputs.map(({ dtype, shape }) => [dtype, shape])).toEqual([
    ["float16", [null, null, 5, "n"]],
    ["int64", null],
    ["bool", []],
    ["float", [null, null, 3]],
  ]);
});

test("types that are no tensors keep ONNX's notation", () => {
  const of = (
    kind: Parameters<typeof create<typeof TypeProtoSchema>>[1],
  ): ReturnType<typeof create<typeof TypeProtoSchema>> => create(TypeProtoSchema, kind);
  const float = value("", "float", null).type!;
  const sequence = of({
    value: { case: "sequenceType", value: create(TypeProto_SequenceSchema, { elemType: float }) },
  });
  const types = [
    sequence,
    of({ value: { case: "optionalType", value: create(TypeProto_OptionalSchema, { elemType: sequence }) } }),
    of({ value: { case: "mapType", value: create(TypeProto_MapSchema, { keyType: 7, valueType: float }) } }),
    of({ value: { case: "sparseTensorType", value: create(TypeProto_SparseTensorSchema, { elemType: 11 }) } }),
    of({}),
  ];
  const made = mlp();
  made.proto.graph!.input.push(...types.map((type, i) => create(ValueInfoProtoSchema, { name: `t${i}`, type })));
  made.proto.graph!.input.push(create(ValueInfoProtoSchema, { name: "untyped" }));
  expect(
    read(made)
      .graph.inputs.slice(1)
      .map(({ dtype, type }) => [dtype, type]),
  ).toEqual([
    ["other", "seq(tensor(float))"],
    ["other", "optional(seq(tensor(float)))"],
    ["other", "map(int64, tensor(float))"],
    ["other", "sparse_tensor(double)"],
    ["other", "unknown"],
    ["other", "unknown"],
  ]);
});

describe("attributes", () => {
  const inner = graph({ name: "inner", nodes: [], outputs: [] });

  test("of every kind arrive", () => {
    const made = oneNode({
      int: -3,
      float: 0.5,
      wholeFloat: { float: 2 },
      text: "ä",
      ints: [1, -2],
      floats: { floats: [0.5, 2] },
      tensor: tensor("", "float", [2], [1, 2]),
      graph: inner,
      graphs: [inner, inner],
      sparse: sparseTensor([4], tensor("s", "float", [1], [1]), [2]),
    });
    made.proto.graph!.node[0]!.attribute.push(
      create(AttributeProtoSchema, { name: "texts", type: AttributeType.STRINGS, strings: [Uint8Array.of(0xff)] }),
    );
    const got = attributesOf(made);
    expect(Object.fromEntries([...got].map(([name, { kind }]) => [name, kind]))).toEqual({
      int: "int",
      float: "float",
      wholeFloat: "float",
      text: "string",
      ints: "ints",
      floats: "floats",
      tensor: "tensor",
      graph: "graph",
      graphs: "graphs",
      sparse: "other",
      texts: "strings",
    });
    expect(got.get("int")).toEqual({ kind: "int", value: -3n });
    expect(got.get("ints")).toEqual({ kind: "ints", value: [1n, -2n] });
    expect(got.get("float")).toEqual({ kind: "float", value: 0.5 });
    expect(got.get("texts")).toEqual({ kind: "strings", value: [Uint8Array.of(0xff)] });
    expect(got.get("graphs")).toMatchObject({ value: [{ path: "y.graphs[0]" }, { path: "y.graphs[1]" }] });
  });

  test("without a type, as before IR version 2, are told by what they hold", () => {
    const made = oneNode({ int: 3, float: 0.5, text: "x", ints: [1], floats: { floats: [1] }, graph: inner });
    for (const one of made.proto.graph!.node[0]!.attribute) one.type = AttributeType.UNDEFINED;
    expect([...attributesOf(made)].map(([name, { kind }]) => [name, kind])).toEqual([
      ["int", "int"],
      ["float", "float"],
      ["text", "string"],
      ["ints", "ints"],
      ["floats", "floats"],
      ["graph", "graph"],
    ]);
  });
});

test("Constant nodes of every form become constants, and one of a form we do not know stays a node", () => {
  const forms: Readonly<Record<string, Parameters<typeof node>[3]>> = {
    tensor: { value: tensor("", "int8", [3], [1, 2, 3]) },
    sparse: { sparse_value: sparseTensor([9], tensor("s", "float", [1], [2]), [4]) },
    float: { value_float: { float: 2 } },
    floats: { value_floats: { floats: [1, 2] } },
    int: { value_int: 5 },
    ints: { value_ints: [5, 6] },
    text: { value_string: "t" },
  };
  const names = Object.keys(forms);
  const { graph: result } = read(
    model({
      graph: {
        nodes: [...names.map((name) => node("Constant", [], [name], forms[name])), node("Odd", names, ["y"])],
        outputs: [value("y", "float", null)],
      },
    }),
  );
  const shapes = [...result.constants].map(
    ([
      name,
      {
        tensor: { dtype, shape },
        sparse,
      },
    ]) => [name, dtype, sparse?.shape ?? shape],
  );
  expect(shapes).toEqual([
    ["tensor", "int8", [3]],
    ["sparse", "float", [9]],
    ["float", "float", []],
    ["floats", "float", [2]],
    ["int", "int64", []],
    ["ints", "int64", [2]],
  ]);
  expect(result.nodes.map(({ op }) => op)).toEqual(["Constant", "Odd"]);
  expect(result.constants.get("ints")!.inline).toEqual(new Uint8Array(BigInt64Array.of(5n, 6n).buffer));
});

test("attribute references inside functions take the call's value, else the default", () => {
  const slopes = [...allNodes(read(localFunctions()).graph)]
    .filter(({ node: one }) => one.op === "LeakyRelu")
    .map(({ node: one }) => one.attributes.get("alpha"));
  expect(slopes).toEqual([0.5, 0.25, 0.125, 0.25].map((slope) => ({ kind: "float", value: slope })));
});

describe("fields that nobody knows", () => {
  const unknown = (bytes: Uint8Array, field: number): Uint8Array =>
    new BinaryWriter()
      .raw(bytes)
      .tag(field, WireType.LengthDelimited)
      .bytes(Uint8Array.of(1, 2, 3))
      .tag(field, WireType.Varint)
      .int64(7)
      .finish();

  test("are left where they are, wherever they stand", () => {
    const made = mlp();
    const before = reading(folder.write("plain.onnx", made), ({ search }) => search.weights.map(({ id }) => id));
    const field = { no: 1000, wireType: WireType.LengthDelimited, data: Uint8Array.of(2, 0xff, 0xff) };
    const main = made.proto.graph!;
    for (const message of [main, main.node[0]!, main.node[0]!.attribute[0]!, main.initializer[0]!, main.input[0]!]) {
      message.$unknown = [field];
    }
    const path = folder.write("unknown.onnx", unknown(modelBytes(made), 999));
    expect(reading(path, ({ search }) => search.weights.map(({ id }) => id))).toEqual(before);
  });

  test("cannot pass for our own mark of where a tensor's elements lie", () => {
    const made = model({
      graph: {
        nodes: [node("MatMul", ["x", "a"], ["h"]), node("MatMul", ["h", "b"], ["y"])],
        inputs: [value("x", "float", [2, 40])],
        outputs: [value("y", "float", [2, 40])],
        initializers: [weight("a", [40, 40], 1), weight("b", [40, 40], 2)],
      },
    });
    const [a, b] = made.proto.graph!.initializer;
    // Each claims to be the other.
    a!.$unknown = [{ no: payloadField, wireType: WireType.Varint, data: Uint8Array.of(1) }];
    b!.$unknown = [{ no: payloadField, wireType: WireType.Varint, data: Uint8Array.of(0) }];
    const result = read(made);
    const offset = (name: string): number => result.graph.constants.get(name)!.tensor.offset;
    expect(offset("a")).toBeLessThan(offset("b"));
  });
});

test("a format is known by its file name, whatever the case", () => {
  expect([formatOf("/a/b.onnx"), formatOf("C:\\A\\B.ONNX")].map(({ id }) => id)).toEqual(["onnx", "onnx"]);
});
