/**
 * Model-local functions are inlined: each call is replaced by the function's nodes with their values renamed and their
 * attribute references filled in, so that weights and operators inside are found like any others.
 */
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { PruneScopeError } from "../../../protocol/errors.js";

/** Most nodes and letters of names that inlining may make; a few nested functions can otherwise multiply without bound. */
const maxNodes = 100_000;
const maxLetters = 1 << 25;
const maxDepth = 32;

/** Functions of a model by domain, name and overload. */
export class Functions {
  readonly #table = new Map<string, FunctionProto>();
  /** Names of the functions that were inlined at least once. */
  readonly used = new Set<string>();
  readonly #file: string;
  readonly #extents = new Map<FunctionProto, Extent>();
  #made = 0;
  #letters = 0;
  #calls = 0;

  constructor(functions: readonly FunctionProto[], file: string) {
    this.#file = file;
    for (const one of functions) this.#table.set(key(one.domain, one.name, one.overload), one);
  }

  /** `nodes` with every call of a local function replaced by its body. */
  inline(nodes: readonly NodeProto[], depth = 0): readonly NodeProto[] {
    if (this.#table.size === 0) return nodes;
    const result: NodeProto[] = [];
    for (const node of nodes) {
      const body = this.#table.get(key(node.domain, node.opType, node.overload));
      if (body === undefined) {
        result.push(node);
        continue;
      }
      if (depth >= maxDepth) this.#fail(`functions call each other more than ${maxDepth} deep, at "${node.opType}"`);
      this.used.add(body.domain === "" ? body.name : `${body.domain}.${body.name}`);
      // Not spread into one call: there may be more nodes than a call can have arguments.
      for (const made of this.inline(this.#instantiate(body, node), depth + 1)) result.push(made);
    }
    return result;
  }

  #instantiate(body: FunctionProto, call: NodeProto): NodeProto[] {
    const extent = this.#extentOf(body);
    this.#made += extent.nodes;
    if (this.#made > maxNodes) this.#fail(`inlining its functions makes more than ${maxNodes} nodes`);
    const prefix = `${call.name || call.output.find((name) => name !== "") || call.opType}#${this.#calls++}`;
    this.#letters += extent.names * prefix.length + extent.letters;
    if (this.#letters > maxLetters) this.#fail("inlining its functions makes too many or too long names");
    const names = new Map<string, string>([["", ""]]);
    body.input.forEach((name, i) => names.set(name, call.input[i] ?? ""));
    body.output.forEach((name, i) => names.set(name, call.output[i] || `${prefix}/${name}`));
    const given = new Map(call.attribute.map((attribute) => [attribute.name, attribute]));
    const defaults = new Map(body.attributeProto.map((attribute) => [attribute.name, attribute]));
    const value = (name: string): string => names.get(name) ?? `${prefix}/${name}`;
    const attributes: Fill = (list, scope) =>
      list.flatMap((attribute) => {
        if (attribute.refAttrName === "") return [renameGraphs(attribute, scope, attributes)];
        const source = given.get(attribute.refAttrName) ?? defaults.get(attribute.refAttrName);
        return source === undefined ? [] : [altered(AttributeProtoSchema, source, { name: attribute.name })];
      });
    return body.node.map((node) => rewritten(node, `${prefix}/${node.name}`, value, attributes));
  }

  #extentOf(body: FunctionProto): Extent {
    let extent = this.#extents.get(body);
    if (extent === undefined) this.#extents.set(body, (extent = extentOf(body.node)));
    return extent;
  }

  #fail(what: string): never {
    throw new PruneScopeError("malformed-model", `${this.#file}: ${what}.`, { file: this.#file });
  }
}

/** How much there is in nodes and in the graphs inside them: what one call multiplies. */
interface Extent {
  readonly nodes: number;
  readonly names: number;
  readonly letters: number;
}

function extentOf(nodes: readonly NodeProto[]): Extent {
  const total = { nodes: 0, names: 0, letters: 0 };
  const visit = (list: readonly NodeProto[]): void => {
    for (const { name, input, output, attribute } of list) {
      total.nodes++;
      total.names += 1 + input.length + output.length;
      for (const one of [name, ...input, ...output]) total.letters += one.length;
      for (const { g, graphs } of attribute)
        for (const graph of g === undefined ? graphs : [g, ...graphs]) visit(graph.node);
    }
  };
  visit(nodes);
  return total;
}

type Rename = (name: string) => string;
/** Attributes of a node inside a function: references filled in, values in graphs renamed by the second argument. */
type Fill = (list: readonly AttributeProto[], scope: Rename) => AttributeProto[];

/** Bodies inside a function read the function's values by their new names; their own names stay. */
function renameGraphs(attribute: AttributeProto, outer: Rename, attributes: Fill): AttributeProto {
  if (attribute.g === undefined && attribute.graphs.length === 0) return attribute;
  const graph = (proto: GraphProto): GraphProto => {
    const own = new Set([
      "",
      ...proto.input.map((input) => input.name),
      ...proto.initializer.map((tensor) => tensor.name),
      ...proto.sparseInitializer.map((tensor) => tensor.values?.name ?? ""),
      ...proto.node.flatMap((node) => node.output),
    ]);
    const value = (name: string): string => (own.has(name) ? name : outer(name));
    return altered(GraphProtoSchema, proto, {
      node: proto.node.map((node) => rewritten(node, node.name, value, attributes)),
      output: proto.output.map((output) => altered(ValueInfoProtoSchema, output, { name: value(output.name) })),
    });
  };
  return altered(AttributeProtoSchema, attribute, {
    graphs: attribute.graphs.map(graph),
    ...(attribute.g === undefined ? {} : { g: graph(attribute.g) }),
  });
}

function rewritten(node: NodeProto, name: string, value: Rename, attributes: Fill): NodeProto {
  return altered(NodeProtoSchema, node, {
    name,
    input: node.input.map(value),
    output: node.output.map(value),
    attribute: attributes(node.attribute, value),
  });
}

/** A copy of `message` with other fields. A spread would lose the defaults, which lie on the message's prototype. */
function altered<T extends DescMessage>(
  schema: T,
  message: MessageShape<T>,
  changes: Partial<MessageShape<T>>,
): MessageShape<T> {
  return Object.assign(create(schema), message, changes);
}

function key(domain: string, name: string, overload: string): string {
  return `${domain === "ai.onnx" ? "" : domain}\n${name}\n${overload}`;
}
