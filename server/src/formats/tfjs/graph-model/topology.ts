/** The nodes of a graph model, who reads whom, and what the model gives out. */
import { PruneScopeError } from "../../../../protocol/errors.js";
import { isObject, type Json, type TfjsDocument } from "../document.js";
import { nodesOf } from "./inline-calls.js";
import { type NodeDef, portOf } from "./node-def.js";

/** Largest index of an output: operators that split a tensor have some hundred. */
const maxOutput = 4096;

export class Topology {
  readonly path: string;
  readonly nodes: ReadonlyMap<string, NodeDef>;
  /** What the model gives out: the signature's, else what nothing reads. `node`, or `node:1` for a second output. */
  readonly outputs: readonly string[];
  /** For each node: one entry for every time that one of its outputs is read. */
  readonly #readers = new Map<string, { readonly node: NodeDef | null; readonly output: number }[]>();

  /** @throws PruneScopeError `malformed-model` for broken nodes, and names that are there twice. */
  constructor({ path, topology, rest }: TfjsDocument) {
    this.path = path;
    const nodes = new Map<string, NodeDef>();
    for (const node of nodesOf(path, topology)) {
      if (nodes.has(node.name)) throw this.#broken(`has two nodes called "${node.name}"`, node.name);
      nodes.set(node.name, node);
    }
    this.nodes = nodes;
    const read = (name: string, reader: NodeDef | null): void => {
      const { node, output } = portOf(name);
      if (output > maxOutput)
        throw this.#broken(`reads output ${output} of "${node}", which no operator has`, reader?.name ?? node);
      const known = this.#readers.get(node);
      if (known === undefined) this.#readers.set(node, [{ node: reader, output }]);
      else known.push({ node: reader, output });
    };
    for (const node of nodes.values()) for (const input of node.inputs) read(input, node);
    const signed = signatureOutputs(rest["signature"]).map((name) => {
      const { node, output } = portOf(name);
      return output === 0 ? node : name;
    });
    this.outputs =
      signed.length > 0 ? [...new Set(signed)] : [...nodes.keys()].filter((name) => !this.#readers.has(name));
    for (const output of this.outputs) read(output, null);
  }

  /** @throws PruneScopeError `malformed-model` where there is no such node. */
  node(name: string): NodeDef {
    const node = this.nodes.get(name);
    if (node === undefined) throw this.#broken(`has no node "${name}", which others read`, name);
    return node;
  }

  /** The only reader of the only output of `name` that is read; null where there are several, or the model gives it out. */
  onlyReader(name: string): NodeDef | null {
    const readers = this.#readers.get(name) ?? [];
    return readers.length === 1 ? readers[0]!.node : null;
  }

  /** One more than the largest index of an output of `name` that is read; at least 1. */
  outputsRead(name: string): number {
    return (this.#readers.get(name) ?? []).reduce((most, { output }) => Math.max(most, output + 1), 1);
  }

  #broken = (why: string, node: string): PruneScopeError =>
    new PruneScopeError("malformed-model", `${this.path} ${why}.`, { file: this.path, node });
}

function signatureOutputs(signature: Json | undefined): string[] {
  const outputs = isObject(signature) ? signature["outputs"] : undefined;
  if (!isObject(outputs)) return [];
  return Object.values(outputs).flatMap((info) =>
    isObject(info) && typeof info["name"] === "string" ? [info["name"]] : [],
  );
}
