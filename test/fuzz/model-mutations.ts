/**
 * Mutations of messages: the file stays a sound protobuf whose parts contradict each other, as a hostile or confused
 * exporter would write it.
 */
import { clone, create } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  FunctionProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  SparseTensorProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from "onnx-buf";
import { inheritedNames } from "../support/models.js";
import type { Random } from "./random.js";

/** Everything in a model that a mutation may pick. */
interface Parts {
  readonly graphs: GraphProto[];
  readonly nodes: NodeProto[];
  readonly tensors: TensorProto[];
  readonly attributes: AttributeProto[];
}

function partsOf(proto: ModelProto): Parts {
  const parts: Parts = { graphs: [], nodes: [], tensors: [], attributes: [] };
  const visitGraph = (graph: GraphProto): void => {
    parts.graphs.push(graph);
    parts.tensors.push(...graph.initializer);
    visitNodes(graph.node);
  };
  const visitNodes = (nodes: readonly NodeProto[]): void => {
    for (const node of nodes) {
      parts.nodes.push(node);
      for (const attribute of node.attribute) {
        parts.attributes.push(attribute);
        if (attribute.t !== undefined) parts.tensors.push(attribute.t);
        for (const graph of attribute.g === undefined ? attribute.graphs : [attribute.g]) visitGraph(graph);
      }
    }
  };
  if (proto.graph !== undefined) visitGraph(proto.graph);
  for (const one of proto.functions) visitNodes(one.node);
  return parts;
}

const dims = [0n, 1n, -1n, 3n, 2n ** 20n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 62n, -(2n ** 63n)];
const ints = [0n, 1n, -1n, 2n, -7n, 64n, 2n ** 31n, 4_294_967_294n, 2n ** 63n - 1n, -(2n ** 63n)];
const operators = [
  "Cast",
  "Concat",
  "Constant",
  "Conv",
  "ConvTranspose",
  "DequantizeLinear",
  "Flatten",
  "Gemm",
  "Identity",
  "If",
  "LSTM",
  "MatMul",
  "Reshape",
  "Slice",
  "Split",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
  ...inheritedNames,
];
const attributeTypes = Object.values(AttributeType).filter((type) => typeof type === "number");
const attributeNames = [
  "axes",
  "axis",
  "block_size",
  "body",
  "ends",
  "group",
  "perm",
  "shape",
  "split",
  "starts",
  "transB",
  "value",
  "value_ints",
];
const locations = [
  "w.bin",
  "./w.bin",
  "model.onnx",
  "ghost.bin",
  "../w.bin",
  "/etc/passwd",
  "C:\\w.bin",
  "sub\\..\\..\\x",
  "nul",
  "w.bin:x",
  "",
  "folder",
  "pipe",
  "out.bin",
];
const numbers = ["0", "1", "4096", "-1", "99999999", "9007199254740991", "99999999999999999999", "1e9", "", "x"];

/** A name that is there already, that nobody has, or that is a trap. */
function someName({ nodes, tensors }: Parts, random: Random): string {
  const known = [
    ...(random.maybe(nodes)?.output ?? []),
    ...(random.maybe(nodes)?.input ?? []),
    random.maybe(tensors)?.name ?? "",
  ];
  return random.chance(0.7)
    ? (random.maybe(known) ?? "")
    : random.of(["", "ghost", "n".repeat(20_000), "</script>", ...inheritedNames]);
}

type Mutation = (proto: ModelProto, parts: Parts, random: Random) => void;

export const modelMutations: Readonly<Record<string, Mutation>> = {
  "attribute changed": (_proto, { attributes }, random) => {
    const attribute = random.maybe(attributes);
    if (attribute === undefined) return;
    if (random.chance(0.3)) attribute.type = random.of(attributeTypes);
    if (random.chance(0.3)) attribute.name = random.of(attributeNames);
    attribute.i = random.of(ints);
    attribute.ints = Array.from({ length: random.below(6) }, () => random.of(ints));
  },
  "attribute given": (_proto, { nodes }, random) => {
    const attribute = create(AttributeProtoSchema, {
      name: random.of(attributeNames),
      type: random.of([AttributeType.INT, AttributeType.INTS]),
      i: random.of(ints),
      ints: Array.from({ length: random.below(5) }, () => random.of(ints)),
    });
    random.maybe(nodes)?.attribute.push(attribute);
  },
  "branch made": (_proto, { graphs, nodes }, random) => {
    // A graph inside one of its own nodes, or another graph's: the same nodes once more, one level down.
    const inner = random.maybe(graphs);
    const host = random.maybe(nodes);
    if (inner === undefined || host === undefined || inner.node.length > 200) return;
    const part = create(GraphProtoSchema, { name: "copy", node: inner.node.slice(0, 20), output: inner.output });
    // A deep copy: the host may be among the nodes.
    const g = clone(GraphProtoSchema, part);
    host.attribute.push(create(AttributeProtoSchema, { name: "then_branch", type: AttributeType.GRAPH, g }));
  },
  "dims changed": (_proto, { tensors }, random) => {
    const tensor = random.maybe(tensors);
    if (tensor === undefined) return;
    const at = random.below(tensor.dims.length + 1);
    tensor.dims.splice(at, random.below(2), ...Array.from({ length: random.below(3) }, () => random.of(dims)));
  },
  "element type changed": (_proto, { tensors }, random) => {
    const tensor = random.maybe(tensors);
    if (tensor !== undefined) tensor.dataType = random.of([-1, 99, ...Array.from({ length: 28 }, (_, i) => i)]);
  },
  "external data": (_proto, { tensors }, random) => {
    const tensor = random.maybe(tensors);
    if (tensor === undefined) return;
    const record = (key: string, value: string): TensorProto["externalData"][number] =>
      create(StringStringEntryProtoSchema, { key, value });
    if (random.chance(0.8)) tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    tensor.externalData = [record("location", random.of(locations))];
    if (random.chance(0.7)) tensor.externalData.push(record("offset", random.of(numbers)));
    if (random.chance(0.7))
      tensor.externalData.push(record("length", random.of([...numbers, String(tensor.rawData.length)])));
    if (random.chance(0.5)) tensor.rawData = new Uint8Array(0);
  },
  "function made": (proto, { nodes }, random) => {
    // An operator of the model becomes a function, which may well use the same operator.
    const node = random.maybe(nodes);
    if (node === undefined) return;
    const body = Array.from({ length: 1 + random.below(3) }, () => random.of(nodes));
    proto.functions.push(
      create(FunctionProtoSchema, {
        domain: node.domain,
        name: node.opType,
        input: node.input,
        output: node.output,
        node: body,
      }),
    );
  },
  "inputs and outputs changed": (proto, parts, random) => {
    const graph = random.maybe(parts.graphs) ?? proto.graph;
    if (graph === undefined) return;
    const list = random.of([graph.input, graph.output]);
    if (random.chance(0.5)) list.splice(random.below(list.length), 1);
    else list.push(...list.slice(0, 1));
    for (const one of list) if (random.chance(0.2)) one.name = someName(parts, random);
  },
  "node changed": (_proto, parts, random) => {
    const node = random.maybe(parts.nodes);
    if (node === undefined) return;
    if (random.chance(0.4)) node.opType = random.of(operators);
    if (random.chance(0.2)) node.domain = random.of(["ai.onnx", "com.microsoft", "com.example", ...inheritedNames]);
    const list = random.chance(0.7) ? node.input : node.output;
    list.splice(random.below(list.length + 1), random.below(2), someName(parts, random));
  },
  "node repeated or dropped": (_proto, { graphs }, random) => {
    const nodes = random.maybe(graphs)?.node;
    if (nodes === undefined || nodes.length === 0) return;
    const at = random.below(nodes.length);
    if (random.chance(0.5)) nodes.splice(at, 1);
    else nodes.splice(random.below(nodes.length), 0, nodes[at]!);
    if (random.chance(0.2)) nodes.reverse();
  },
  "opsets changed": (proto, _parts, random) => {
    for (const one of proto.opsetImport)
      if (random.chance(0.7)) one.version = random.of([0n, 1n, 6n, 7n, 13n, 99n, -1n]);
    if (random.chance(0.2)) proto.opsetImport = [];
  },
  "step put before a weight": (_proto, { graphs, tensors }, random) => {
    // An operator between a weight and its use, with arguments that may not make sense.
    const nodes = random.maybe(graphs)?.node;
    const user = random.maybe((nodes ?? []).filter((node) => node.input.length > 1));
    if (nodes === undefined || user === undefined) return;
    const at = random.below(user.input.length);
    const other = random.maybe(tensors)?.name ?? "";
    const step = create(NodeProtoSchema, {
      opType: random.of(operators),
      input: [
        user.input[at]!,
        ...Array.from({ length: random.below(4) }, () => (random.chance(0.5) ? other : user.input[at]!)),
      ],
      output: [`step/${nodes.length}`],
    });
    user.input[at] = step.output[0]!;
    nodes.unshift(step);
  },
  "tensor made sparse": (_proto, { graphs, tensors }, random) => {
    const graph = random.maybe(graphs);
    const values = random.maybe(tensors);
    if (graph === undefined || values === undefined) return;
    graph.sparseInitializer.push(
      create(SparseTensorProtoSchema, { values, dims: random.chance(0.5) ? values.dims : [random.of(dims), 1000n] }),
    );
    graph.initializer = graph.initializer.filter((one) => one !== values);
  },
  "tensor moved to typed fields": (_proto, { tensors }, random) => {
    const tensor = random.maybe(tensors);
    if (tensor === undefined || tensor.rawData.length > 400_000) return;
    tensor.int32Data = [...tensor.rawData];
    if (random.chance(0.5)) tensor.dataType = random.of([2, 3, 10, 16]);
    if (random.chance(0.8)) tensor.rawData = new Uint8Array(0);
  },
  "tensor shortened or lengthened": (_proto, { tensors }, random) => {
    const tensor = random.maybe(tensors);
    if (tensor === undefined) return;
    const { rawData } = tensor;
    const longer = new Uint8Array(rawData.length + random.below(9));
    longer.set(rawData);
    tensor.rawData = random.chance(0.5) ? longer : rawData.slice(0, random.below(rawData.length));
  },
};

/** Applies the mutation of this name, in place. */
export function mutateModel(name: string, proto: ModelProto, random: Random): void {
  modelMutations[name]!(proto, partsOf(proto), random);
}
