/**
 * Reads an ONNX file into the graph: skeleton, decoding with `onnx-buf`, checks, topological order. Opsets 7 and up;
 * operators and domains that nobody here knows are read like all others.
 */
import { fromBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  type SparseTensorProto,
  type TypeProto,
  type ValueInfoProto,
} from "onnx-buf";
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Dim } from "../../../protocol/model.js";
import type { Attribute, Constant, Graph, Model, Node, ValueInfo } from "../../graph/graph.js";
import { dtypeByCode, elementCount } from "../../graph/tensor.js";
import { topologicalOrder } from "../../graph/traversal.js";
import type { Source } from "../source.js";
import { Functions } from "./functions.js";
import { noteRecord } from "./node-records.js";
import { readSkeleton } from "./skeleton.js";
import { checkedShape, readTensor, type TensorContext } from "./tensor.js";

/** Oldest operator set that is read; older ones had other rules for broadcasting. */
const oldestOpset = 7;

/** Deepest nesting of graphs: a function that calls itself from a branch would nest them without end. */
const maxGraphDepth = 64;

/** Reads the model whose main file `source` has open; external data files are added to `source`. */
export function readOnnx(source: Source): Model {
  const file = source.main;
  refuseText(source);
  const skeleton = readSkeleton(source);
  let proto;
  try {
    proto = fromBinary(ModelProtoSchema, skeleton.bytes);
  } catch (error) {
    throw new PruneScopeError(
      "malformed-model",
      `${file} is not a valid ONNX file: ${(error as Error).message}.`,
      { file },
      { cause: error },
    );
  }
  if (proto.graph === undefined || (proto.graph.node.length === 0 && proto.graph.output.length === 0)) {
    throw new PruneScopeError(
      "malformed-model",
      `${file} holds no graph: it is not an ONNX model, or it was cut off.`,
      { file },
    );
  }
  const opsets = new Map<string, number>();
  for (const { domain, version } of proto.opsetImport) opsets.set(ownDomain(domain), Number(version));
  // What only functions import is needed once they are inlined.
  for (const { domain, version } of proto.functions.flatMap((one) => one.opsetImport)) {
    if (!opsets.has(ownDomain(domain))) opsets.set(ownDomain(domain), Number(version));
  }
  const opset = opsets.get("");
  if (opset !== undefined && opset < oldestOpset) {
    throw new PruneScopeError(
      "unsupported-format",
      `${file} uses opset ${opset}; PruneScope reads opset ${oldestOpset} and up. Convert it with onnx.version_converter.`,
      { file, opset },
    );
  }
  const functions = new Functions(proto.functions, file);
  const reader = new GraphReader({ source, payloads: skeleton.payloads }, functions);
  const graph = reader.graph(proto.graph, "", null);
  const notes: string[] = [...reader.notes];
  if (functions.used.size > 0) notes.push(`Local functions were inlined: ${[...functions.used].sort().join(", ")}.`);
  return {
    graph,
    irVersion: Number(proto.irVersion),
    opsets,
    producer: [proto.producerName, proto.producerVersion].filter((part) => part !== "").join(" "),
    docString: proto.docString,
    metadata: proto.metadataProps.map(({ key, value }) => ({ key, value })),
    notes,
  };
}

/** A text file with the name of a model deserves a better word than a protobuf error. */
function refuseText(source: Source): void {
  const file = source.main;
  const size = source.size(file);
  if (size === 0) throw new PruneScopeError("malformed-model", `${file} is empty.`, { file });
  const head = new Uint8Array(Math.min(size, 512));
  source.read(file, 0, head);
  if (!head.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a || byte === 0x0d || byte === 0x09)) return;
  const text = new TextDecoder().decode(head);
  if (text.startsWith("version https://git-lfs")) {
    throw new PruneScopeError(
      "malformed-model",
      `${file} is a Git LFS pointer, not the model itself. Fetch it with: git lfs pull`,
      { file },
    );
  }
  // A protobuf of 512 printable bytes would need its first field to be a short text; ONNX's first is a number.
  throw new PruneScopeError("malformed-model", `${file} is a text file, not an ONNX model.`, { file });
}

const ownDomain = (domain: string): string => (domain === "ai.onnx" ? "" : domain);

class GraphReader {
  readonly notes = new Set<string>();
  readonly #context: TensorContext;
  readonly #functions: Functions;
  readonly #file: string;

  constructor(context: TensorContext, functions: Functions) {
    this.#context = context;
    this.#functions = functions;
    this.#file = context.source.main;
  }

  graph(proto: GraphProto, path: string, parent: Graph | null, depth = 0): Graph {
    if (depth > maxGraphDepth) {
      throw new PruneScopeError(
        "malformed-model",
        `Graphs are nested more than ${maxGraphDepth} deep in ${this.#file}, at graph "${proto.name}".`,
        { file: this.#file },
      );
    }
    const constants = new Map<string, Constant>();
    const inputs = proto.input.map((input) => this.#valueInfo(input));
    const graph: Graph & { nodes: readonly Node[] } = {
      name: proto.name,
      path,
      parent,
      inputs: [],
      outputs: proto.output.map((output) => this.#valueInfo(output)),
      constants,
      nodes: [],
    };
    for (const tensor of proto.initializer) {
      this.#define(constants, readTensor(this.#context, tensor, tensor.name, "initializer"));
    }
    for (const sparse of proto.sparseInitializer) {
      this.#define(constants, this.#sparse(sparse, sparse.values?.name ?? "", "initializer"));
    }
    const nodes: Node[] = [];
    const seen = new Set<string>(constants.keys());
    for (const input of inputs) {
      // Up to IR version 3 an initializer had to be listed among the inputs; it is a constant all the same.
      if (constants.has(input.name)) continue;
      if (seen.has(input.name)) this.#duplicate(input.name);
      seen.add(input.name);
    }
    Object.assign(graph, { inputs: inputs.filter((input) => !constants.has(input.name)) });
    const places = new Map(parent === null ? proto.node.map((node, i) => [node, i]) : []);
    for (const node of this.#functions.inline(proto.node)) {
      for (const output of node.output) {
        if (output === "") continue;
        if (seen.has(output)) this.#duplicate(output);
        seen.add(output);
      }
      if (node.opType === "Constant" && ownDomain(node.domain) === "") {
        const constant = this.#constantNode(node);
        if (constant !== null) {
          this.#define(constants, constant);
          continue;
        }
      }
      const made = this.#node(node, graph, depth);
      const place = places.get(node);
      if (place !== undefined) noteRecord(made, place);
      nodes.push(made);
    }
    const given = new Set(graph.inputs.map((input) => input.name));
    // Nodes of an outer graph are not read yet when its subgraphs are: the outer sort checks the names from there.
    const visible = (name: string): boolean => parent !== null || constants.has(name) || given.has(name);
    const ordered = topologicalOrder(nodes, visible, this.#file);
    Object.assign(graph, { nodes: ordered });
    for (const output of graph.outputs) {
      if (!seen.has(output.name) && parent === null) {
        throw new PruneScopeError("malformed-model", `The graph's output "${output.name}" is computed by no node.`, {
          file: this.#file,
          value: output.name,
        });
      }
    }
    return graph;
  }

  #node(proto: NodeProto, graph: Graph, depth: number): Node {
    const label = proto.output.find((output) => output !== "") ?? proto.name;
    const attributes = new Map<string, Attribute>();
    for (const attribute of proto.attribute) {
      attributes.set(attribute.name, this.#attribute(attribute, graph, `${label}.${attribute.name}`, depth));
    }
    return {
      name: proto.name,
      op: proto.opType,
      domain: ownDomain(proto.domain),
      inputs: proto.input,
      outputs: proto.output,
      attributes,
    };
  }

  #attribute(proto: AttributeProto, graph: Graph, label: string, depth: number): Attribute {
    const inner = (sub: GraphProto, suffix = ""): Graph =>
      this.graph(sub, graph.path === "" ? label + suffix : `${graph.path}/${label}${suffix}`, graph, depth + 1);
    switch (kindOf(proto)) {
      case AttributeType.FLOAT:
        return { kind: "float", value: proto.f };
      case AttributeType.INT:
        return { kind: "int", value: proto.i };
      case AttributeType.STRING:
        return { kind: "string", value: proto.s };
      case AttributeType.TENSOR:
        if (proto.t === undefined) return { kind: "other", type: "TENSOR" };
        return { kind: "tensor", value: readTensor(this.#context, proto.t, proto.t.name || label, "attribute") };
      case AttributeType.GRAPH:
        return proto.g === undefined ? { kind: "other", type: "GRAPH" } : { kind: "graph", value: inner(proto.g) };
      case AttributeType.FLOATS:
        return { kind: "floats", value: proto.floats };
      case AttributeType.INTS:
        return { kind: "ints", value: proto.ints };
      case AttributeType.STRINGS:
        return { kind: "strings", value: proto.strings };
      case AttributeType.GRAPHS:
        return { kind: "graphs", value: proto.graphs.map((sub, i) => inner(sub, `[${i}]`)) };
      default:
        return { kind: "other", type: `attribute of type ${proto.type}` };
    }
  }

  /** The constant that a Constant node defines; null when it has no value that we know. */
  #constantNode(node: NodeProto): Constant | null {
    const name = node.output[0] ?? "";
    for (const attribute of node.attribute) {
      if (attribute.name === "value" && attribute.t !== undefined) {
        return readTensor(this.#context, attribute.t, name, "constant-node");
      }
      if (attribute.name === "sparse_value" && attribute.sparseTensor !== undefined) {
        return this.#sparse(attribute.sparseTensor, name, "constant-node");
      }
      if (attribute.name === "value_float") return inlineConstant(name, "float", [], Float32Array.of(attribute.f));
      if (attribute.name === "value_floats") {
        return inlineConstant(name, "float", [attribute.floats.length], Float32Array.from(attribute.floats));
      }
      if (attribute.name === "value_int") return inlineConstant(name, "int64", [], BigInt64Array.of(attribute.i));
      if (attribute.name === "value_ints") {
        return inlineConstant(name, "int64", [attribute.ints.length], BigInt64Array.from(attribute.ints));
      }
    }
    return null;
  }

  #sparse(proto: SparseTensorProto, name: string, origin: Constant["origin"]): Constant {
    if (proto.values === undefined) {
      throw new PruneScopeError("malformed-model", `Sparse tensor "${name}" has no values.`, {
        file: this.#file,
        value: name,
      });
    }
    const values = readTensor(this.#context, proto.values, name, origin);
    const shape = checkedShape(proto.dims, name, this.#file);
    const stored = elementCount(values.tensor.shape);
    if (stored > elementCount(shape)) {
      throw new PruneScopeError(
        "malformed-model",
        `Sparse tensor "${name}" of shape [${shape.join(", ")}] stores ${stored} values.`,
        {
          file: this.#file,
          value: name,
        },
      );
    }
    this.notes.add(
      `"${name}" is stored sparsely, ${stored} of ${elementCount(shape)} elements: only the stored ones count and can be pruned.`,
    );
    const indices =
      proto.indices === undefined ? null : readTensor(this.#context, proto.indices, `${name} (indices)`, origin);
    return { ...values, sparse: { shape, indices } };
  }

  #define(constants: Map<string, Constant>, constant: Constant): void {
    if (constants.has(constant.name)) this.#duplicate(constant.name);
    constants.set(constant.name, constant);
  }

  #duplicate(name: string): never {
    throw new PruneScopeError("malformed-model", `The name "${name}" is defined twice in one graph.`, {
      file: this.#file,
      value: name,
    });
  }

  #valueInfo(proto: ValueInfoProto): ValueInfo {
    const { name, type } = proto;
    if (type?.value.case !== "tensorType") return { name, dtype: "other", shape: null, type: typeText(type) };
    const { elemType, shape } = type.value.value;
    const dims = shape?.dim.map(({ value }): Dim => {
      if (value.case === "dimParam") return value.value === "" ? null : value.value;
      if (value.case !== "dimValue") return null;
      // Some exporters write -1 or 0 where they mean "any".
      return value.value > 0n && value.value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value.value) : null;
    });
    return { name, dtype: dtypeByCode[elemType] ?? "other", shape: dims ?? null };
  }
}

/** The kind of an attribute; exporters before IR version 2 left it out. */
function kindOf(proto: AttributeProto): AttributeType {
  if (proto.type !== AttributeType.UNDEFINED) return proto.type;
  if (proto.t !== undefined) return AttributeType.TENSOR;
  if (proto.g !== undefined) return AttributeType.GRAPH;
  if (proto.ints.length > 0) return AttributeType.INTS;
  if (proto.floats.length > 0) return AttributeType.FLOATS;
  if (proto.strings.length > 0) return AttributeType.STRINGS;
  if (proto.s.length > 0) return AttributeType.STRING;
  return proto.f !== 0 ? AttributeType.FLOAT : AttributeType.INT;
}

function inlineConstant(
  name: string,
  dtype: "float" | "int64",
  shape: number[],
  elements: Float32Array | BigInt64Array,
): Constant {
  const inline = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  const tensor = { path: "", offset: 0, length: inline.byteLength, dtype, shape, encoding: "raw" } as const;
  return { name, tensor, inline, origin: "constant-node", sparse: null };
}

/** ONNX's notation of a type. */
function typeText(type: TypeProto | undefined): string {
  if (type === undefined) return "unknown";
  const { value } = type;
  const element = (code: number): string => dtypeByCode[code] ?? String(code);
  switch (value.case) {
    case "tensorType":
      return `tensor(${element(value.value.elemType)})`;
    case "sparseTensorType":
      return `sparse_tensor(${element(value.value.elemType)})`;
    case "sequenceType":
      return `seq(${typeText(value.value.elemType)})`;
    case "optionalType":
      return `optional(${typeText(value.value.elemType)})`;
    case "mapType":
      return `map(${element(value.value.keyType)}, ${typeText(value.value.valueType)})`;
    default:
      return "unknown";
  }
}
