/**
 * Replaces If nodes by the nodes of the branch that is taken, where inputs and shapes alone decide which one that is.
 * What an If decides from data stays.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { dataDependence, groundsOf } from "./data-dependence.js";
import { type Constant, type Graph, type Model, type Node, nodeLabel, type ValueInfo } from "./graph.js";
import { adopted, rebuilt, valueNames, withSubgraphs } from "./rebuild.js";

export type BranchName = "then_branch" | "else_branch";

/** An If that is gone. */
export interface TakenBranch {
  /** The node's label. */
  readonly node: string;
  readonly branch: BranchName;
  /** What decided, as a clause: `its condition is true for the given input "sr"`. */
  readonly why: string;
}

/** An If that stays. */
export interface LeftBranch {
  /** The node's label. */
  readonly node: string;
  readonly why: string;
}

export interface InlinedBranches {
  /** Nodes that only the other branches needed are still there: see `reachable`. */
  readonly model: Model;
  readonly taken: readonly TakenBranch[];
  readonly left: readonly LeftBranch[];
  /**
   * Names in the main graph of what lay in a branch: by the branch's path, then by the name there. A constant of the
   * branch is in the main graph under the new name, with the same tensor.
   */
  readonly placed: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** Elements of conditions of the main graph, by name, for the inputs as they are bound. */
export type EvaluateConditions = (model: Model, values: readonly string[]) => Promise<ReadonlyMap<string, boolean>>;

/**
 * `model` with every If of its main graph inlined whose condition does not depend on data, those inside branches too.
 * @param onData evaluates conditions that do: those that are the same for all of it are in the result, and their Ifs go
 * too. Without it they stay.
 */
export async function inlineBranches(
  model: Model,
  evaluate: EvaluateConditions,
  onData: EvaluateConditions = () => Promise.resolve(new Map()),
): Promise<InlinedBranches> {
  const taken: TakenBranch[] = [];
  const placed = new Map<string, ReadonlyMap<string, string>>();
  // Once for each depth of nesting: what a branch held is in the main graph the next time.
  for (let current = model; ;) {
    const { graph } = current;
    const { elements } = dataDependence(graph);
    const open = graph.nodes.filter(isIf);
    const known = open.filter((node) => !elements.has(conditionOf(node)));
    const conditions = await (known.length > 0 ? evaluate : onData)(current, [
      ...new Set((known.length > 0 ? known : open).map(conditionOf)),
    ]);
    const fixed = known.length > 0 ? known : open.filter((node) => conditions.has(conditionOf(node)));
    if (fixed.length === 0) {
      const left = open.map((node) => ({
        node: nodeLabel(node),
        why: `its condition depends on the elements of "${elements.get(conditionOf(node)) ?? ""}"`,
      }));
      return { model: current, taken, left, placed };
    }
    const branches = new Map<Node, Graph>();
    for (const node of fixed) {
      const condition = conditions.get(conditionOf(node));
      if (condition === undefined) throw new Error(`condition "${conditionOf(node)}" was not evaluated`);
      const branch = condition ? "then_branch" : "else_branch";
      const inside = node.attributes.get(branch);
      if (inside?.kind !== "graph") {
        const label = nodeLabel(node);
        throw new PruneScopeError("malformed-model", `If "${label}" has no ${branch}.`, {
          node: label,
          operator: "If",
        });
      }
      branches.set(node, inside.value);
      const grounds = groundsOf(graph, conditionOf(node));
      const by = elements.has(conditionOf(node))
        ? "for all of the data"
        : grounds.length === 0
          ? "whatever the input"
          : `for the given ${grounds.join(" and ")}`;
      taken.push({ node: nodeLabel(node), branch, why: `its condition is ${condition} ${by}` });
    }
    current = { ...current, graph: inlined(graph, branches, placed) };
  }
}

const isIf = ({ op, domain }: Node): boolean => op === "If" && domain === "";
const conditionOf = (node: Node): string => node.inputs[0] ?? "";

/** `graph` with the nodes of `branches` instead of the Ifs that they belong to. */
function inlined(
  graph: Graph,
  branches: ReadonlyMap<Node, Graph>,
  placed: Map<string, ReadonlyMap<string, string>>,
): Graph {
  const names = valueNames(graph);
  const nodes: Node[] = [];
  const constants = new Map<string, Constant>(graph.constants);
  return rebuilt(graph, graph.parent, (made) => {
    for (const node of graph.nodes) {
      const branch = branches.get(node);
      if (branch === undefined) {
        nodes.push(withSubgraphs(node, (inner) => adopted(inner, made)));
        continue;
      }
      const renames = namesOf(branch, node.outputs, names);
      placed.set(branch.path, renames);
      const renamed = (name: string): string => renames.get(name) ?? name;
      for (const constant of branch.constants.values())
        constants.set(renamed(constant.name), { ...constant, name: renamed(constant.name) });
      for (const inside of branch.nodes) nodes.push(renamedNode(inside, renames, made));
      node.outputs.forEach((output, i) => {
        const source = renamed(branch.outputs[i]?.name ?? "");
        if (output === "" || source === output) return;
        nodes.push({
          name: "",
          op: "Identity",
          domain: "",
          inputs: [source],
          outputs: [output],
          attributes: new Map(),
        });
      });
    }
    return { nodes, constants };
  });
}

/** New names for what a branch defines: those of the If's outputs for what it gives out, the branch's path before others. */
function namesOf(branch: Graph, outputs: readonly string[], taken: Set<string>): Map<string, string> {
  const computed = new Set(branch.nodes.flatMap((node) => node.outputs));
  const renames = new Map<string, string>();
  branch.outputs.forEach(({ name }, i) => {
    const output = outputs[i] ?? "";
    if (output !== "" && computed.has(name) && !renames.has(name)) renames.set(name, output);
  });
  for (const name of [...branch.constants.keys(), ...computed]) {
    if (name === "" || renames.has(name)) continue;
    const base = `${branch.path}/${name}`;
    let unique = base;
    for (let n = 2; taken.has(unique); n++) unique = `${base}#${n}`;
    taken.add(unique);
    renames.set(name, unique);
  }
  return renames;
}

function renamedNode(node: Node, names: ReadonlyMap<string, string>, parent: Graph): Node {
  const renamed = (name: string): string => names.get(name) ?? name;
  const moved = { ...node, inputs: node.inputs.map(renamed), outputs: node.outputs.map(renamed) };
  return withSubgraphs(moved, (inner) => renamedGraph(inner, names, parent));
}

/** What a graph defines itself keeps its name, and hides what is around it. */
function renamedGraph(graph: Graph, outer: ReadonlyMap<string, string>, parent: Graph): Graph {
  const names = new Map(outer);
  for (const { name } of graph.inputs) names.delete(name);
  for (const name of graph.constants.keys()) names.delete(name);
  for (const node of graph.nodes) for (const output of node.outputs) names.delete(output);
  const renamed = (info: ValueInfo): ValueInfo => ({ ...info, name: names.get(info.name) ?? info.name });
  return rebuilt(graph, parent, (made) => ({
    nodes: graph.nodes.map((node) => renamedNode(node, names, made)),
    outputs: graph.outputs.map(renamed),
  }));
}
