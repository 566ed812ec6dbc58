/**
 * Makes ONNX models for tests, as the messages of `onnx-buf`: short words for attributes, nodes, graphs, functions and
 * whole models. Nothing is checked: broken models are made with it too.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type FunctionProto,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type SparseTensorProto,
  type TensorProto,
  type ValueInfoProto,
} from "onnx-buf";
import { entries, type ExternalFile } from "./model-tensors.js";

/** An attribute that a plain number or list cannot express. */
export type SpecialAttribute =
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  /** Inside a function: the value of an attribute of the call. */
  | { readonly ref: string; readonly type: AttributeType };

/** Whole numbers are ints, other numbers floats, lists of numbers ints; `{ float: 1 }` where that is wrong. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly GraphProto[]
  | GraphProto
  | SparseTensorProto
  | SpecialAttribute
  | TensorProto;

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));

/** One attribute. */
export function attribute(name: string, value: AttributeValue): AttributeProto {
  const made = (fields: Parameters<typeof create<typeof AttributeProtoSchema>>[1]): AttributeProto =>
    create(AttributeProtoSchema, { ...fields, name });
  if (typeof value === "string") return made({ type: AttributeType.STRING, s: bytesOf(value) });
  if (typeof value === "number") {
    if (Number.isInteger(value)) return made({ type: AttributeType.INT, i: BigInt(value) });
    return made({ type: AttributeType.FLOAT, f: value });
  }
  if (Array.isArray(value)) {
    const list = value as readonly (number | GraphProto)[];
    const numbers = list.filter((item) => typeof item === "number");
    const graphs = list.filter((item) => typeof item !== "number");
    if (graphs.length > 0) return made({ type: AttributeType.GRAPHS, graphs });
    return made({ type: AttributeType.INTS, ints: numbers.map(BigInt) });
  }
  if ("float" in value) return made({ type: AttributeType.FLOAT, f: value.float });
  if ("floats" in value) return made({ type: AttributeType.FLOATS, floats: [...value.floats] });
  if ("ref" in value) return made({ type: value.type, refAttrName: value.ref });
  if (!("$typeName" in value)) throw new Error(`attribute "${name}" has no known kind`);
  switch (value.$typeName) {
    case "onnx.GraphProto":
      return made({ type: AttributeType.GRAPH, g: value });
    case "onnx.SparseTensorProto":
      return made({ type: AttributeType.SPARSE_TENSOR, sparseTensor: value });
    case "onnx.TensorProto":
      return made({ type: AttributeType.TENSOR, t: value });
  }
}

/** A node. Its name is empty unless one is given, as exporters often leave it. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  { name = "", domain = "" }: { readonly name?: string; readonly domain?: string } = {},
): NodeProto {
  return create(NodeProtoSchema, {
    opType,
    domain,
    name,
    input: [...input],
    output: [...output],
    attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
  });
}

export interface GraphParts {
  readonly name?: string;
  readonly nodes: readonly NodeProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly initializers?: readonly TensorProto[];
  readonly sparse?: readonly SparseTensorProto[];
}

/** A graph: the main one, or the body of an If, Loop or Scan. */
export function graph({
  name = "graph",
  nodes,
  inputs = [],
  outputs,
  initializers = [],
  sparse = [],
}: GraphParts): GraphProto {
  return create(GraphProtoSchema, {
    name,
    node: [...nodes],
    input: [...inputs],
    output: [...outputs],
    initializer: [...initializers],
    sparseInitializer: [...sparse],
  });
}

export interface FunctionParts {
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeProto[];
  /** Names of attributes that a call must give. */
  readonly attributes?: readonly string[];
  /** Attributes with a default. */
  readonly defaults?: Readonly<Record<string, AttributeValue>>;
  readonly opset?: number;
  readonly domains?: Readonly<Record<string, number>>;
}

/** A model-local function. */
export function localFunction(parts: FunctionParts): FunctionProto {
  return create(FunctionProtoSchema, {
    domain: parts.domain,
    name: parts.name,
    input: [...parts.inputs],
    output: [...parts.outputs],
    node: [...parts.nodes],
    attribute: [...(parts.attributes ?? [])],
    attributeProto: Object.entries(parts.defaults ?? {}).map(([key, given]) => attribute(key, given)),
    opsetImport: opsets({ "": parts.opset ?? 17, ...parts.domains }),
  });
}

export interface ModelParts {
  readonly graph: GraphParts;
  readonly opset?: number;
  /** Further operator sets: version by domain. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly ir?: number;
  readonly producer?: string;
  readonly docString?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly functions?: readonly FunctionProto[];
  readonly external?: readonly ExternalFile[];
}

/** A model and the files that belong beside it. */
export interface TestModel {
  readonly proto: ModelProto;
  readonly external: readonly ExternalFile[];
}

/** A model; IR version 8 and opset 17 unless others are asked for. */
export function model(parts: ModelParts): TestModel {
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(parts.ir ?? 8),
    opsetImport: opsets({ "": parts.opset ?? 17, ...parts.domains }),
    producerName: parts.producer ?? "prunescope-test",
    docString: parts.docString ?? "",
    metadataProps: entries(parts.metadata ?? {}),
    functions: [...(parts.functions ?? [])],
    graph: graph(parts.graph),
  });
  return { proto, external: parts.external ?? [] };
}

function opsets(versions: Readonly<Record<string, number>>): ModelProto["opsetImport"] {
  return Object.entries(versions).map(([domain, version]) =>
    create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
  );
}

/** The bytes of the model's main file. */
export function modelBytes({ proto }: TestModel): Uint8Array<ArrayBuffer> {
  return toBinary(ModelProtoSchema, proto);
}

/** Writes the model, and its external files beside it. @returns `path`. */
export function writeModel(path: string, made: TestModel): string {
  for (const file of made.external) {
    const place = join(dirname(path), file.location);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, file.bytes);
  }
  writeFileSync(path, modelBytes(made));
  return path;
}
