/**
 * From the graph back to a ModelProto that ONNX Runtime takes. Large constants are left out, and become graph inputs where
 * the model is run: their bytes are neither read nor copied, and a session can be made of the structure alone. Constants of
 * subgraphs are lifted to the main graph, because a subgraph has no inputs that could be fed.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Dim, DType } from "../../protocol/model.js";
import {
  type Attribute,
  type Constant,
  type Graph,
  type Model,
  type Node,
  nodeLabel,
  operatorLabel,
  type ValueInfo,
} from "../graph/graph.js";
import { dtypeCode, type TensorRef } from "../graph/tensor.js";
import type { ValueTypes } from "../graph/value-type.js";

export interface EncodeOptions {
  /** Values of the main graph to add as outputs. */
  readonly extraOutputs: readonly string[];
  /** The shape of each input once dynamic axes are bound; inputs that are absent keep theirs. */
  readonly inputShapes: ReadonlyMap<string, readonly Dim[]>;
  /** Types of values that are known already; extra outputs among them are given theirs. */
  readonly known?: ValueTypes;
  /**
   * What large constants become: `inputs`, which a session is made without (the default), or `external` initializers, which
   * the runtime folds into what is computed of them alone and which a session has to be given.
   */
  readonly large?: "inputs" | "external";
  /** Which constants are left out although the graph holds their elements; none. */
  readonly leaveOut?: (constant: Constant) => boolean;
}

/** A model without its large constants. */
export interface EncodedParts {
  /** Without a graph. */
  readonly model: ModelProto;
  readonly graph: GraphProto;
  /** Constants that were left out, by the name that they have in the main graph. */
  readonly lifted: ReadonlyMap<string, Constant>;
}

export interface EncodedModel {
  readonly bytes: Uint8Array;
  /** Large constants, by the name of the input or initializer that they became; {@link externalLocation} says under what name a session takes the elements. */
  readonly lifted: ReadonlyMap<string, Constant>;
}

/** Encodes `model`. @throws PruneScopeError `unsupported-op` for what has no place in a ModelProto made from the graph. */
export function encodeModel(model: Model, options: EncodeOptions): EncodedModel {
  const { model: proto, graph, lifted } = encodeParts(model, options);
  const large = [...lifted];
  if (options.large === "external")
    graph.initializer.push(...large.map(([name, { tensor }], i) => externalTensor(name, tensor, i)));
  else
    graph.input.push(
      ...large.map(([name, { tensor, sparse }]) => valueInfo(name, tensor.dtype, sparse?.shape ?? tensor.shape)),
    );
  return { bytes: toBinary(ModelProtoSchema, { ...proto, graph }), lifted };
}

/** Encodes `model` in parts, for a file whose large constants follow. @throws as {@link encodeModel} does. */
export function encodeParts(model: Model, options: EncodeOptions): EncodedParts {
  const encoder = new Encoder(options);
  const graph = encoder.graph(model.graph, new Map());
  const domains = new Map(model.opsets);
  for (const domain of encoder.domains) if (!domains.has(domain)) domains.set(domain, 1);
  const proto = create(ModelProtoSchema, {
    // Version 4 allows initializers that are no inputs; 13 is the newest that the runtime takes at this writing.
    irVersion: BigInt(Math.min(13, Math.max(4, model.irVersion))),
    opsetImport: [...domains].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
  });
  return { model: proto, graph, lifted: encoder.lifted };
}

class Encoder {
  readonly lifted = new Map<string, Constant>();
  readonly domains = new Set<string>();
  readonly #nodeNames = new Set<string>();

  constructor(readonly options: EncodeOptions) {}

  /** `renamed` maps names of lifted constants in the scopes around to their names in the main graph. */
  graph(graph: Graph, renamed: ReadonlyMap<string, string>): GraphProto {
    const names = new Map(renamed);
    for (const input of graph.inputs) names.delete(input.name);
    for (const node of graph.nodes) for (const output of node.outputs) names.delete(output);
    const initializer: TensorProto[] = [];
    for (const constant of graph.constants.values()) {
      names.delete(constant.name);
      const { leaveOut } = this.options;
      if (constant.inline !== null && constant.sparse === null && leaveOut?.(constant) !== true) {
        initializer.push(tensor(constant));
        continue;
      }
      const name = graph.path === "" ? constant.name : `${graph.path}/${constant.name}`;
      names.set(constant.name, name);
      this.lifted.set(name, constant);
    }
    const main = graph.parent === null;
    const outputs = graph.outputs.map((output) =>
      valueInfo(names.get(output.name) ?? output.name, output.dtype, output.shape),
    );
    const given = new Set(graph.outputs.map((output) => output.name));
    if (main) for (const name of this.options.extraOutputs) if (!given.has(name)) outputs.push(this.#extraOutput(name));
    return create(GraphProtoSchema, {
      name: graph.name || "graph",
      node: graph.nodes.map((node) => this.#node(node, names)),
      initializer,
      input: graph.inputs.map((input) => this.#input(input, main)),
      output: outputs,
    });
  }

  #extraOutput(name: string): ValueInfoProto {
    const type = this.options.known?.get(name);
    return type === undefined || type.shape === null
      ? create(ValueInfoProtoSchema, { name })
      : valueInfo(name, type.dtype, type.shape);
  }

  #input(input: ValueInfo, main: boolean): ValueInfoProto {
    if (main && input.dtype === "other") {
      throw new PruneScopeError(
        "unsupported-op",
        `Input "${input.name}" is a ${input.type ?? "value"}; only tensors can be fed.`,
        { value: input.name },
      );
    }
    return valueInfo(
      input.name,
      input.dtype,
      (main ? this.options.inputShapes.get(input.name) : undefined) ?? input.shape,
    );
  }

  #node(node: Node, names: ReadonlyMap<string, string>): NodeProto {
    this.domains.add(node.domain);
    // The runtime takes a name once; nodes that a layer of another format became all bear that layer's.
    const name = this.#nodeNames.has(node.name) ? "" : node.name;
    this.#nodeNames.add(name);
    return create(NodeProtoSchema, {
      name,
      opType: node.op,
      domain: node.domain,
      input: node.inputs.map((name) => names.get(name) ?? name),
      output: [...node.outputs],
      attribute: [...node.attributes].map(([name, attribute]) => this.#attribute(name, attribute, node, names)),
    });
  }

  #attribute(name: string, attribute: Attribute, node: Node, names: ReadonlyMap<string, string>): AttributeProto {
    const made = (fields: Parameters<typeof create<typeof AttributeProtoSchema>>[1]): AttributeProto =>
      create(AttributeProtoSchema, { ...fields, name });
    switch (attribute.kind) {
      case "float":
        return made({ type: AttributeType.FLOAT, f: attribute.value });
      case "int":
        return made({ type: AttributeType.INT, i: attribute.value });
      case "string":
        return made({ type: AttributeType.STRING, s: new Uint8Array(attribute.value) });
      case "tensor":
        if (attribute.value.inline === null) return this.#refuse(node, `attribute "${name}" holds a large tensor`);
        return made({ type: AttributeType.TENSOR, t: tensor(attribute.value) });
      case "graph":
        return made({ type: AttributeType.GRAPH, g: this.graph(attribute.value, names) });
      case "floats":
        return made({ type: AttributeType.FLOATS, floats: [...attribute.value] });
      case "ints":
        return made({ type: AttributeType.INTS, ints: [...attribute.value] });
      case "strings":
        return made({ type: AttributeType.STRINGS, strings: attribute.value.map((text) => new Uint8Array(text)) });
      case "graphs":
        return made({ type: AttributeType.GRAPHS, graphs: attribute.value.map((graph) => this.graph(graph, names)) });
      case "other":
        return this.#refuse(node, `attribute "${name}" is a ${attribute.type}`);
    }
  }

  #refuse(node: Node, why: string): never {
    throw new PruneScopeError("unsupported-op", `Node "${nodeLabel(node)}" cannot be run: ${why}.`, {
      node: nodeLabel(node),
      operator: operatorLabel(node),
    });
  }
}

function tensor({ name, tensor: ref, inline }: Constant): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: ref.shape.map(BigInt),
    dataType: dtypeCode(ref.dtype),
    rawData: new Uint8Array(inline ?? []),
  });
}

/** Location that the `i`-th large constant has as external data: a name, and no path. */
export const externalLocation = (i: number): string => `constant-${i}`;

function externalTensor(name: string, { shape, dtype }: TensorRef, i: number): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: dtypeCode(dtype),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [create(StringStringEntryProtoSchema, { key: "location", value: externalLocation(i) })],
  });
}

function valueInfo(name: string, dtype: DType, shape: readonly Dim[] | null): ValueInfoProto {
  if (dtype === "other") return create(ValueInfoProtoSchema, { name });
  const dim = shape?.map((length): TensorShapeProto_Dimension => {
    if (typeof length === "number")
      return create(TensorShapeProto_DimensionSchema, { value: { case: "dimValue", value: BigInt(length) } });
    return create(
      TensorShapeProto_DimensionSchema,
      length === null ? {} : { value: { case: "dimParam", value: length } },
    );
  });
  const type = create(TypeProto_TensorSchema, { elemType: dtypeCode(dtype) });
  if (dim !== undefined) type.shape = create(TensorShapeProtoSchema, { dim });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: type } }),
  });
}
