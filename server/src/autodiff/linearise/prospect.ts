/** Whether SynFlow's linear network can hold any weight of a model, as far as operators tell without shapes. */
import type { Value } from "../../graph/builder.js";
import { type Graph, type Node, operatorLabel, subgraphsOf } from "../../graph/graph.js";
import { isFloat } from "../../graph/tensor.js";
import { dependencies } from "../../graph/traversal.js";
import type { ValueTypes } from "../../graph/value-type.js";
import { operatorNames } from "../operator-names.js";
import { hasLinearForm } from "./linearise.js";
import type { Image } from "./rule.js";

/** What becomes of a node: it carries shares of its inputs on, it starts afresh, or it has no linear form. */
type Part = "carries" | "starts" | "lacks";

/**
 * Why no weight has a place in the linear network of `graph`, in a sentence; null where that is not known to be so.
 * @param weights inputs of the graph; @param types of values as far as they are known.
 */
export function flowObstacle(graph: Graph, weights: readonly Value[], types: ValueTypes): string | null {
  const { images, parts } = imagesOf(graph, weights, types);
  const lacking = new Set<Value>();
  const live = new Set(graph.outputs.map(({ name }) => name).filter((name) => images.get(name) === "signal"));
  for (const node of [...graph.nodes].reverse()) {
    const reads = [...dependencies(node)];
    const part = parts.get(node);
    // As `Reasons`: a weight that feeds what has no linear form has no whole share, whatever else it feeds.
    if (part === "lacks" || node.outputs.some((output) => lacking.has(output)))
      for (const name of reads) lacking.add(name);
    if (part === "carries" && node.outputs.some((output) => live.has(output))) for (const name of reads) live.add(name);
  }
  if (weights.some((weight) => live.has(weight) && !lacking.has(weight))) return null;
  const formless = graph.nodes.filter((node) => parts.get(node) === "lacks");
  if (formless.length === 0) return "No output of real numbers depends on a layer on SynFlow's linear path.";
  return `Every layer's flow meets operators that have no linear form here: ${operatorNames(formless)}.`;
}

interface Images {
  readonly images: ReadonlyMap<Value, Image["kind"]>;
  readonly parts: ReadonlyMap<Node, Part>;
}

/** The kinds of images that `linearise` would make where every rule succeeds. */
function imagesOf(graph: Graph, weights: readonly Value[], types: ValueTypes): Images {
  const images = new Map<Value, Image["kind"]>();
  const parts = new Map<Node, Part>();
  const given = new Set(weights);
  // What is not known to be whole numbers is taken for real ones.
  const isReal = (value: Value): boolean => isFloat(types.get(value)?.dtype ?? "float");
  const real = (value: Value, kind: Image["kind"]): Image["kind"] => (isReal(value) ? kind : "decision");
  for (const { name } of graph.inputs) images.set(name, given.has(name) ? "known" : real(name, "signal"));
  for (const name of graph.constants.keys()) images.set(name, "known");
  for (const node of graph.nodes) {
    const reads = [...dependencies(node)].filter((name) => name !== "").map((name) => images.get(name));
    const set = (part: Part, kind: (output: Value) => Image["kind"]): void => {
      parts.set(node, part);
      for (const output of node.outputs) if (output !== "") images.set(output, kind(output));
    };
    if (node.domain === "" && (node.op === "Shape" || node.op === "Size")) set("starts", () => "known");
    else if (reads.every((kind) => kind === "known")) set("carries", () => "known");
    else if ([...subgraphsOf(node)].length > 0) set("carries", (output) => real(output, "signal"));
    else if (reads.includes("missing")) set("starts", (output) => real(output, "missing"));
    else if (!reads.includes("signal")) set("starts", (output) => real(output, "signal"));
    else if (hasLinearForm(operatorLabel(node))) set("carries", (output) => real(output, "signal"));
    else set(node.outputs.some(isReal) ? "lacks" : "starts", (output) => real(output, "missing"));
  }
  return { images, parts };
}
