/**
 * Model-local functions are inlined: each call is replaced by the function's nodes with their values renamed and their
 * attribute references filled in, so that weights and operators inside are found like any others.
 */
import type { Message } from "@bufbuild/protobuf";
import type { AttributeProto, FunctionProto, GraphProto, NodeProto } from "onnx-buf";
import { PruneScopeError } from "../../../protocol/errors.js";

/**
 * Most nodes, and letters of their names, that inlining may make: a few nested functions can otherwise multiply without
 * bound. What a call makes is counted before it is made.
 */
const maxNodes = 100_000;
const maxLetters = 1 << 25;
const maxDepth = 32;

/** What a function becomes once every call inside it is replaced, those in its branches and bodies included. */
interface Extent {
  /** Calls are counted too, so that chains of nothing but calls are bounded. */
  readonly nodes: number;
  /** Names that get the call in front, and the letters of all names without it. */
  readonly names: number;
  readonly letters: number;
}

/** Functions of a model by domain, name and overload. */
export class Functions {
  readonly #table = new Map<string, FunctionProto>();
  /** Names of the functions that were inlined at least once. */
  readonly used = new Set<string>();
  readonly #file: string;
  /** null while a function is being counted. */
  readonly #extents = new Map<FunctionProto, Extent | null>();
  #nodes = 0;
  #letters = 0;
  #calls = 0;

  constructor(functions: readonly FunctionProto[], file: string) {
    this.#file = file;
    for (const one of functions) this.#table.set(key(one.domain, one.name, one.overload), one);
  }

  /**
   * `nodes` with every call of a local function replaced by its body.
   * @throws PruneScopeError `malformed-model` for functions that call themselves, or become too large.
   */
  inline(nodes: readonly NodeProto[], nested = false): readonly NodeProto[] {
    if (this.#table.size === 0) return nodes;
    const result: NodeProto[] = [];
    for (const node of nodes) {
      const body = this.#called(node);
      if (body === undefined) {
        result.push(node);
        continue;
      }
      if (!nested) this.#spend(node, body);
      this.used.add(label(body));
      // Not spread into one call: there may be more nodes than a call can have arguments.
      for (const made of this.inline(this.#instantiate(body, node), true)) result.push(made);
    }
    return result;
  }

  #called(node: NodeProto): FunctionProto | undefined {
    return this.#table.get(key(node.domain, node.opType, node.overload));
  }

  #instantiate(body: FunctionProto, call: NodeProto): NodeProto[] {
    const prefix = `${callLabel(call)}#${this.#calls++}`;
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
        return source === undefined ? [] : [altered(source, { name: attribute.name })];
      });
    return body.node.map((node) => rewritten(node, `${prefix}/${node.name}`, value, attributes));
  }

  /** Counts what a call will make. */
  #spend(call: NodeProto, body: FunctionProto): void {
    const { nodes, names, letters } = this.#extentOf(body, 0);
    this.#nodes += nodes;
    this.#letters += letters + names * prefixLength(call);
    if (this.#nodes > maxNodes) this.#fail(`inlining its functions makes more than ${maxNodes} nodes`);
    if (this.#letters > maxLetters) this.#fail("inlining its functions makes too many or too long names");
  }

  #extentOf(body: FunctionProto, depth: number): Extent {
    const known = this.#extents.get(body);
    if (known === null) return this.#fail(`function "${label(body)}" calls itself`);
    if (known !== undefined) return known;
    if (depth > maxDepth) this.#fail(`functions call each other more than ${maxDepth} deep, at "${label(body)}"`);
    this.#extents.set(body, null);
    const total = { nodes: 0, names: 0, letters: 0 };
    const visit = (nodes: readonly NodeProto[]): void => {
      for (const node of nodes) {
        total.names += 1 + node.input.length + node.output.length;
        for (const one of [node.name, ...node.input, ...node.output]) total.letters += one.length;
        const inner = this.#called(node);
        const { nodes: made, names, letters } = inner === undefined ? nothing : this.#extentOf(inner, depth + 1);
        total.nodes += 1 + made;
        total.names += names;
        total.letters += letters + names * prefixLength(node);
        for (const { g, graphs } of node.attribute) for (const one of g === undefined ? graphs : [g]) visit(one.node);
      }
    };
    visit(body.node);
    this.#extents.set(body, total);
    return total;
  }

  #fail(what: string): never {
    throw new PruneScopeError("malformed-model", `${this.#file}: ${what}.`, { file: this.#file });
  }
}

/** What a node that is no call makes beside itself. */
const nothing: Extent = { nodes: 0, names: 0, letters: 0 };

const label = ({ domain, name }: FunctionProto): string => (domain === "" ? name : `${domain}.${name}`);

const callLabel = (call: NodeProto): string => call.name || call.output.find((name) => name !== "") || call.opType;

/** Letters that a call puts in front of the names of its function, its number among the calls included. */
const prefixLength = (call: NodeProto): number => callLabel(call).length + 8;

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
    return altered(proto, {
      node: proto.node.map((node) => rewritten(node, node.name, value, attributes)),
      output: proto.output.map((output) => altered(output, { name: value(output.name) })),
    });
  };
  return altered(attribute, {
    graphs: attribute.graphs.map(graph),
    ...(attribute.g === undefined ? {} : { g: graph(attribute.g) }),
  });
}

function rewritten(node: NodeProto, name: string, value: Rename, attributes: Fill): NodeProto {
  return altered(node, {
    name,
    input: node.input.map(value),
    output: node.output.map(value),
    attribute: attributes(node.attribute, value),
  });
}

/** A copy of `message` with other fields. A spread would lose the defaults, which lie on the message's prototype. */
function altered<T extends Message>(message: T, changes: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message) as object) as T, message, changes);
}

function key(domain: string, name: string, overload: string): string {
  return `${domain === "ai.onnx" ? "" : domain}\n${name}\n${overload}`;
}
