/**
 * Where a factor on a residual branch can go instead of a Mul node: into the scale and shift of the branch's last norm,
 * else into the weight and bias of its last layer, and into every constant that is added on the way to the sum. A factor
 * goes backwards through what is linear; what it meets must be read by nobody else.
 */
import type { Value } from "../builder.js";
import { type Constant, intAttribute, type Model, type Node, nodeLabel, operatorLabel } from "../graph.js";
import { type Links, linksOf } from "../links.js";
import { movers } from "../operator-kinds.js";
import { dtypeByCode, holdsCodes, isFloat, storageKey } from "../tensor.js";
import { allGraphs } from "../traversal.js";
import { constantBehind, weightedOperators } from "../weighted-sum.js";
import type { ResidualBlock } from "./index.js";

/** Constants whose multiplication by a number multiplies the block's branch by it, or why there are none. */
export type Fold = { readonly constants: readonly Constant[] } | { readonly reason: string };

/** f(c·x) = c·f(x) in their first input, without constants of their own. */
const linear: ReadonlySet<string> = new Set([
  ...movers,
  "AveragePool",
  "DepthToSpace",
  "Dropout",
  "Expand",
  "GlobalAveragePool",
  "ReduceMean",
  "ReduceSum",
  "Slice",
  "SpaceToDepth",
]);

/** Their output is inputs 1 times something, plus input 2. */
const norms: ReadonlySet<string> = new Set([
  "BatchNormalization",
  "GroupNormalization",
  "InstanceNormalization",
  "LayerNormalization",
  "RMSNormalization",
]);

/** A way that a factor cannot go. */
class Obstacle extends Error {}

const obstacle = (reason: string): never => {
  throw new Obstacle(reason);
};

/** Finds where the factors of a model's blocks can go. */
export class Folds {
  readonly #links: Links;
  /** How many constants of the model have a storage. */
  readonly #owners = new Map<string, number>();

  constructor({ graph }: Model) {
    this.#links = linksOf(graph);
    for (const one of allGraphs(graph))
      for (const { tensor } of one.constants.values())
        this.#owners.set(storageKey(tensor), (this.#owners.get(storageKey(tensor)) ?? 0) + 1);
  }

  of({ add, branchInput }: ResidualBlock): Fold {
    try {
      const constants: Constant[] = [];
      this.#back(add.inputs[branchInput]!, constants);
      return { constants };
    } catch (error) {
      if (error instanceof Obstacle) return { reason: error.message };
      throw error;
    }
  }

  /** Follows a factor on `value` back to the constants that take it. */
  #back(value: Value, found: Constant[]): void {
    this.#readOnce(value);
    const node = this.#links.producer.get(value);
    if (node === undefined) return obstacle(`"${value}" is no node's output`);
    const label = operatorLabel(node);
    const [first = "", second = "", third = ""] = node.inputs;
    if (linear.has(label)) {
      if (label === "Cast" && !isFloat(dtypeByCode[intAttribute(node, "to", 0)] ?? "other"))
        return obstacle(`node "${nodeLabel(node)}" rounds to whole numbers`);
      this.#back(first, found);
      return;
    }
    if (norms.has(label) && second !== "") {
      this.#take(node, second, found);
      if (third !== "") this.#take(node, third, found);
      return;
    }
    if (weightedOperators.has(label) && !node.attributes.has("activation")) {
      const weights = [first, second].filter((name) => constantBehind(this.#links, name) !== null);
      if (weights.length !== 1) return obstacle(`node "${nodeLabel(node)}" multiplies two signals`);
      this.#take(node, weights[0]!, found);
      if (third !== "") this.#take(node, third, found);
      if ((node.inputs[3] ?? "") !== "") return obstacle(`node "${nodeLabel(node)}" adds a second signal`);
      return;
    }
    if (node.domain === "" && ["Add", "Div", "Mul", "Sub"].includes(node.op)) {
      const signals = [first, second].filter((name) => constantBehind(this.#links, name) === null);
      if (signals.length !== 1)
        return obstacle(`node "${nodeLabel(node)}" (${node.op}) joins ${signals.length === 0 ? "no" : "two"} signals`);
      if (node.op === "Div" && signals[0] === second)
        return obstacle(`node "${nodeLabel(node)}" divides by the branch`);
      if (node.op === "Add" || node.op === "Sub") this.#take(node, signals[0] === first ? second : first, found);
      this.#back(signals[0]!, found);
      return;
    }
    return obstacle(`a factor does not go through node "${nodeLabel(node)}" (${label})`);
  }

  /** The constant whose elements `name` holds, if a factor on it reaches `node` and nothing else. */
  #take(node: Node, name: Value, found: Constant[]): void {
    let at = name;
    for (;;) {
      this.#readOnce(at);
      const mover = this.#links.producer.get(at);
      if (mover === undefined) break;
      if (mover.domain !== "" || !movers.has(mover.op))
        return obstacle(
          mover.op === "DequantizeLinear"
            ? `"${name}" of node "${nodeLabel(node)}" is quantised`
            : `"${name}" of node "${nodeLabel(node)}" is computed`,
        );
      at = mover.inputs[0]!;
    }
    const constant = this.#links.graph.constants.get(at);
    if (constant === undefined) return obstacle(`"${name}" of node "${nodeLabel(node)}" is no constant`);
    const { tensor, sparse } = constant;
    if ((this.#owners.get(storageKey(tensor)) ?? 0) > 1 && tensor.path !== "")
      return obstacle(`"${at}" shares its numbers with another tensor`);
    if (!isFloat(tensor.dtype)) return obstacle(`"${at}" holds ${tensor.dtype}`);
    if (holdsCodes(tensor)) return obstacle(`"${at}" of node "${nodeLabel(node)}" is quantised`);
    if (tensor.path === "" || tensor.encoding === "varint" || sparse !== null)
      return obstacle(`the numbers of "${at}" do not lie in the file in one piece`);
    found.push(constant);
  }

  #readOnce(value: Value): void {
    const readers = this.#links.consumers(value);
    const uses = readers[0]?.inputs.filter((name) => name === value).length;
    if (readers.length !== 1 || uses !== 1 || this.#links.isOutput(value))
      obstacle(`"${value}" is read in more than one place`);
  }
}
