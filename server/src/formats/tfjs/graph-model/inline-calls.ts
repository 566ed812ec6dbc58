/**
 * Calls of functions of a GraphDef's library, with the functions' nodes in their place: `call/node` for each. The call
 * itself stays as an identity of the function's results, so that whoever reads it need not know.
 */
import { PruneScopeError } from "../../../../protocol/errors.js";
import { isObject, type Json, type JsonObject } from "../document.js";
import { NodeDef } from "./node-def.js";

/** Operators that call the function of their attribute `f`. */
const calls: ReadonlySet<string> = new Set(["PartitionedCall", "StatefulPartitionedCall"]);

/** Calls within calls, and nodes of all together: more is a bomb. */
const maxDepth = 32;
const maxNodes = 200_000;

interface Body {
  readonly args: readonly string[];
  readonly nodes: readonly Json[];
  /** Results in their order, each by its name within the function. */
  readonly results: readonly string[];
}

/** Operators with several named outputs: which is which, where a function names an output of a node. */
const outputNames: Readonly<Record<string, readonly string[]>> = {
  FusedBatchNormV3: ["y", "batch_mean", "batch_variance", "reserve_space_1", "reserve_space_2", "reserve_space_3"],
  Switch: ["output_false", "output_true"],
  TopKV2: ["values", "indices"],
  Unique: ["y", "idx"],
};

/**
 * All nodes of a GraphDef, those of called functions included. A call of a function that the library does not hold stays
 * as it is.
 * @throws PruneScopeError `malformed-model` for what is no node, and for functions that call each other without end.
 */
export function nodesOf(path: string, topology: JsonObject): NodeDef[] {
  const library = functionsOf(topology["library"]);
  const made: NodeDef[] = [];
  const add = (json: Json, weight: string | undefined, depth: number): void => {
    const node = new NodeDef(path, json, weight);
    const body = calls.has(node.op) ? library.get(node.func("f") ?? "") : undefined;
    if (depth > maxDepth || made.length >= maxNodes)
      throw new PruneScopeError(
        "malformed-model",
        `"${node.name}" of ${path} calls functions that call each other without end.`,
        { file: path, node: node.name },
      );
    if (body === undefined) {
      made.push(node);
      return;
    }
    const renamed = renaming(node, body);
    for (const inner of body.nodes) {
      if (!isObject(inner) || typeof inner["name"] !== "string") {
        add(inner, undefined, depth + 1);
        continue;
      }
      const input = Array.isArray(inner["input"]) ? (inner["input"] as readonly Json[]) : [];
      add(
        {
          ...inner,
          name: `${node.name}/${inner["name"]}`,
          input: input.map((one) => (typeof one === "string" ? renamed(one) : one)),
        },
        inner["name"],
        depth + 1,
      );
    }
    made.push(new NodeDef(path, { name: node.name, op: "IdentityN", input: body.results.map(renamed) }));
  };
  for (const json of topology["node"] as readonly Json[]) add(json, undefined, 0);
  return made;
}

/** What names within a function stand for, where `call` calls it. */
function renaming(call: NodeDef, { args, nodes }: Body): (name: string) => string {
  const ops = new Map(nodes.flatMap((node) => (isObject(node) ? [[node["name"], node["op"]] as const] : [])));
  return (name) => {
    if (name.startsWith("^")) return `^${call.name}/${name.slice(1)}`;
    const arg = args.indexOf(name);
    if (arg >= 0) return call.inputs[arg] ?? name;
    const [node, output, index] = name.split(":");
    if (output === undefined) return `${call.name}/${name}`;
    if (index === undefined) return `${call.name}/${node!}:${output}`;
    const op = ops.get(node);
    const named = typeof op === "string" && Object.hasOwn(outputNames, op) ? outputNames[op]!.indexOf(output) : -1;
    return `${call.name}/${node!}:${named >= 0 ? named : index}`;
  };
}

function functionsOf(library: Json | undefined): ReadonlyMap<string, Body> {
  const functions =
    isObject(library) && Array.isArray(library["function"]) ? (library["function"] as readonly Json[]) : [];
  const bodies = new Map<string, Body>();
  for (const json of functions) {
    if (!isObject(json) || !isObject(json["signature"])) continue;
    const { signature, nodeDef = [], ret = {} } = json as { signature: JsonObject } & JsonObject;
    const names = (key: string): string[] => {
      const list = signature[key];
      return Array.isArray(list)
        ? (list as readonly Json[]).flatMap((arg) =>
            isObject(arg) && typeof arg["name"] === "string" ? [arg["name"]] : [],
          )
        : [];
    };
    if (typeof signature["name"] !== "string" || !Array.isArray(nodeDef) || !isObject(ret)) continue;
    const results = names("outputArg").map((name) => ret[name]);
    if (results.every((result) => typeof result === "string"))
      bodies.set(signature["name"], { args: names("inputArg"), nodes: nodeDef as readonly Json[], results });
  }
  return bodies;
}
