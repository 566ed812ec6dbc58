/** Lowers a graph model: its nodes in the order in which they need each other, from placeholders to outputs. */
import { PruneScopeError } from "../../../../protocol/errors.js";
import type { DType } from "../../../../protocol/model.js";
import type { Constant, Graph } from "../../../graph/graph.js";
import { isObject, type Json, type TfjsDocument } from "../document.js";
import type { Lowered } from "../lowering/lowered.js";
import { Lowering } from "../lowering/lowering.js";
import { NodeDef } from "./node-def.js";
import type { OpRule, OpSite } from "./rule.js";
import { opRules } from "./rules/index.js";

const rules: ReadonlyMap<string, OpRule> = new Map(
  opRules.flatMap((rule) => rule.ops.map((op) => [op, rule] as const)),
);

/** Element types by TensorFlow's name. */
const dtypes: Readonly<Record<string, DType>> = {
  DT_FLOAT: "float",
  DT_INT32: "int32",
  DT_INT64: "int32",
  DT_BOOL: "bool",
};

/** The graph of a graph model. @throws PruneScopeError with what is wrong with its topology. */
export function readGraphModel(
  document: TfjsDocument,
  weights: ReadonlyMap<string, Constant>,
): { graph: Graph; notes: readonly string[] } {
  const { path, topology } = document;
  const nodes = new Map<string, NodeDef>();
  for (const json of topology["node"] as readonly Json[]) {
    const node = new NodeDef(path, json);
    if (nodes.has(node.name))
      throw new PruneScopeError("malformed-model", `${path} has two nodes called "${node.name}".`, {
        file: path,
        node: node.name,
      });
    nodes.set(node.name, node);
  }
  const outputs = outputsOf(document, nodes);
  const lowering = new Lowering(weights, [...nodes.keys(), ...outputs]);
  const lowered = new Map<string, readonly Lowered[]>();
  const open = new Set<string>();
  // Post-order with a stack of its own: chains of nodes may be long.
  const stack = [...nodes.values()].filter(({ op }) => op.startsWith("Placeholder")).map(({ name }) => name);
  stack.unshift(...outputs.map((output) => splitName(output).node).reverse());
  for (let name = stack.at(-1); name !== undefined; name = stack.at(-1)) {
    const node = nodes.get(name);
    if (node === undefined || lowered.has(name)) {
      if (node === undefined)
        throw new PruneScopeError("malformed-model", `${path} has no node "${name}", which others read.`, {
          file: path,
          node: name,
        });
      stack.pop();
      continue;
    }
    const missing = node.inputs.map((input) => splitName(input).node).filter((one) => !lowered.has(one));
    if (missing.length > 0) {
      if (open.has(name))
        throw new PruneScopeError("malformed-model", `Node "${name}" of ${path} needs its own result.`, {
          file: path,
          node: name,
        });
      open.add(name);
      stack.push(...missing.reverse());
      continue;
    }
    const inputs = node.inputs.map((input) => {
      const { node: from, output } = splitName(input);
      const value = lowered.get(from)![output];
      if (value !== undefined) return value;
      throw new PruneScopeError(
        "malformed-model",
        `Node "${name}" of ${path} reads output ${output} of "${from}", which has none.`,
        { file: path, node: name },
      );
    });
    lowering.scope = name;
    lowered.set(
      name,
      lower({ lowering, node, inputs, constant: (index) => constantOf(lowering, node, inputs, index) }),
    );
    stack.pop();
  }
  const results = outputs.map((output) => {
    const { node, output: index } = splitName(output);
    return { name: output, tensor: lowered.get(node)![index]!, dtype: outputType(document, output) };
  });
  return { graph: lowering.graph("", results), notes: lowering.notes };
}

function lower(site: OpSite): readonly Lowered[] {
  const { lowering, node, inputs } = site;
  if (node.op.startsWith("Placeholder"))
    return [lowering.input(node.name, dtypes[node.type("dtype")] ?? "float", node.shape("shape"))];
  if (node.op === "Const") {
    const weight = lowering.weight(node.name);
    if (weight !== null) return [weight];
    throw new PruneScopeError("malformed-model", `Constant "${node.name}" has no weight in the manifest.`, {
      node: node.name,
    });
  }
  const rule = rules.get(node.op);
  return rule === undefined
    ? lowering.unlowered(node.op, inputs, [null], "no rule knows this operator")
    : rule.lower(site);
}

function constantOf(lowering: Lowering, node: NodeDef, inputs: readonly Lowered[], index: number): readonly number[] {
  const input = inputs[index];
  const numbers = input === undefined ? null : lowering.numbers(input);
  if (numbers !== null) return numbers;
  throw new PruneScopeError(
    "unsupported-op",
    `Input ${index} of "${node.name}" (${node.op}) is computed while the model runs; only a constant is supported there.`,
    { node: node.name, operator: node.op },
  );
}

/** `node:1` is the second output of a node, `node` the first. */
function splitName(name: string): { node: string; output: number } {
  const at = name.lastIndexOf(":");
  const output = at < 0 ? 0 : Number(name.slice(at + 1));
  return Number.isSafeInteger(output) && output >= 0 && at >= 0
    ? { node: name.slice(0, at), output }
    : { node: name, output: 0 };
}

/** Names of the outputs: the signature's, else the nodes that nothing reads. */
function outputsOf({ rest }: TfjsDocument, nodes: ReadonlyMap<string, NodeDef>): string[] {
  const signed = signatureOutputs(rest["signature"]).map(({ name }) =>
    splitName(name).output === 0 ? splitName(name).node : name,
  );
  if (signed.length > 0) return [...new Set(signed)];
  const read = new Set([...nodes.values()].flatMap(({ inputs }) => inputs.map((input) => splitName(input).node)));
  return [...nodes.keys()].filter((name) => !read.has(name));
}

function signatureOutputs(signature: Json | undefined): { name: string; dtype: string }[] {
  const outputs = isObject(signature) ? signature["outputs"] : undefined;
  if (!isObject(outputs)) return [];
  return Object.values(outputs).flatMap((info) =>
    isObject(info) && typeof info["name"] === "string"
      ? [{ name: info["name"], dtype: typeof info["dtype"] === "string" ? info["dtype"] : "" }]
      : [],
  );
}

function outputType({ rest }: TfjsDocument, output: string): DType {
  const info = signatureOutputs(rest["signature"]).find(({ name }) => name === output || name === `${output}:0`);
  return dtypes[info?.dtype ?? ""] ?? "float";
}
