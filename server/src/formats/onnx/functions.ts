/**
 * Model-local functions are inlined: each call is replaced by the function's nodes with their values renamed and their
 * attribute references filled in, so that weights and operators inside are found like any others.
 */
import { create } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
} from "onnx-buf";
import { PruneScopeError } from "../../../protocol/errors.js";

/** Most nodes that inlining may make; a few nested functions can otherwise multiply without bound. */
const maxNodes = 1_000_000;
const maxDepth = 32;

/** Functions of a model by domain, name and overload. */
export class Functions {
  readonly #table = new Map<string, FunctionProto>();
  /** Names of the functions that were inlined at least once. */
  readonly used = new Set<string>();
  readonly #file: string;
  #made = 0;
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
      result.push(...this.inline(this.#instantiate(body, node), depth + 1));
      if (result.length > maxNodes) this.#fail(`inlining its functions makes more than ${maxNodes} nodes`);
    }
    return result;
  }

  #instantiate(body: FunctionProto, call: NodeProto): NodeProto[] {
    this.#made += body.node.length;
    if (this.#made > maxNodes) this.#fail(`inlining its functions makes more than ${maxNodes} nodes`);
    const prefix = `${call.name || call.output.find((name) => name !== "") || call.opType}#${this.#calls++}`;
    const names = new Map<string, string>([["", ""]]);
    body.input.forEach((name, i) => names.set(name, call.input[i] ?? ""));
    body.output.forEach((name, i) => names.set(name, call.output[i] || `${prefix}/${name}`));
    const given = new Map(call.attribute.map((attribute) => [attribute.name, attribute]));
    const defaults = new Map(body.attributeProto.map((attribute) => [attribute.name, attribute]));
    const value = (name: string): string => names.get(name) ?? `${prefix}/${name}`;
    const attributes = (list: readonly AttributeProto[]): AttributeProto[] =>
      list.flatMap((attribute) => {
        if (attribute.refAttrName === "") return [this.#renameGraphs(attribute, value, attributes)];
        const source = given.get(attribute.refAttrName) ?? defaults.get(attribute.refAttrName);
        return source === undefined ? [] : [create(AttributeProtoSchema, { ...source, name: attribute.name })];
      });
    return body.node.map((node) => rewritten(node, `${prefix}/${node.name}`, value, attributes(node.attribute)));
  }

  /** Bodies inside a function read the function's values by their new names; their own names stay. */
  #renameGraphs(
    attribute: AttributeProto,
    outer: (name: string) => string,
    attributes: (list: readonly AttributeProto[]) => AttributeProto[],
  ): AttributeProto {
    if (attribute.g === undefined && attribute.graphs.length === 0) return attribute;
    const graph = (proto: GraphProto): GraphProto => {
      const own = new Set([
        "",
        ...proto.input.map((input) => input.name),
        ...proto.initializer.map((tensor) => tensor.name),
        ...proto.node.flatMap((node) => node.output),
      ]);
      const value = (name: string): string => (own.has(name) ? name : outer(name));
      return {
        ...proto,
        node: proto.node.map((node) => rewritten(node, node.name, value, attributes(node.attribute))),
        output: proto.output.map((output) => ({ ...output, name: value(output.name) })),
      };
    };
    const copy = create(AttributeProtoSchema, { ...attribute, graphs: attribute.graphs.map(graph) });
    if (attribute.g !== undefined) copy.g = graph(attribute.g);
    return copy;
  }

  #fail(what: string): never {
    throw new PruneScopeError("malformed-model", `${this.#file}: ${what}.`, { file: this.#file });
  }
}

function rewritten(
  node: NodeProto,
  name: string,
  value: (name: string) => string,
  attribute: AttributeProto[],
): NodeProto {
  return create(NodeProtoSchema, {
    ...node,
    name,
    input: node.input.map(value),
    output: node.output.map(value),
    attribute,
  });
}

function key(domain: string, name: string, overload: string): string {
  return `${domain === "ai.onnx" ? "" : domain}\n${name}\n${overload}`;
}
