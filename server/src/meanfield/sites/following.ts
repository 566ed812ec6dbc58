/**
 * What follows a layer's pre-activations: the activation, or what stands before it or behind it and takes the layer out
 * of the plain theory (a norm, a residual sum, attention, a gate, the end of the network).
 */
import type { TheoryLimit } from "../../../protocol/insights.js";
import { type Node, nodeLabel, operatorLabel } from "../../graph/graph.js";
import type { Links } from "../../graph/links.js";
import { movers } from "../../graph/operator-kinds.js";
import { constantBehind, weightedOperators } from "../../graph/weighted-sum.js";
import type { Activation } from "../activations/activation.js";
import { activationOfNode } from "./activation-operators.js";
import { normBehind } from "./norms.js";
import { type Recognised, regionBehind, type RegionReader } from "./pointwise-region.js";
import type { Place, Surroundings } from "./surroundings.js";

export interface Following {
  /** Null where there is none, or none that we know. */
  readonly activation: Activation | null;
  readonly limits: readonly TheoryLimit[];
}

/** Operators that pass elements on. The largest of a pool is passed on by every activation that rises. */
const passing: ReadonlySet<string> = new Set([
  ...movers,
  "Concat",
  "DequantizeLinear",
  "Dropout",
  "Expand",
  "Gather",
  "MaxPool",
  "Pad",
  "QuantizeLinear",
  "Resize",
  "Slice",
  "Split",
  "Upsample",
]);

const weighted: ReadonlySet<string> = new Set([...weightedOperators, "GRU", "LSTM", "RNN"]);
const averages: ReadonlySet<string> = new Set(["AveragePool", "GlobalAveragePool", "LpPool", "ReduceMean"]);
const choices: ReadonlySet<string> = new Set(["ArgMax", "LogSoftmax", "Softmax", "TopK"]);
const attentions: ReadonlySet<string> = new Set([
  "Attention",
  "com.microsoft.Attention",
  "com.microsoft.GroupQueryAttention",
  "com.microsoft.MultiHeadAttention",
  "com.microsoft.PackedMultiHeadAttention",
]);
const affine: ReadonlySet<string> = new Set(["Add", "Div", "Mul", "Sub"]);

/** Most nodes that are looked at behind one layer. */
const mostSteps = 64;

/** What was met on the way. */
interface Way {
  readonly limits: readonly TheoryLimit[];
  /** A node that multiplies or shifts the signal by constants. */
  readonly affine: Node | null;
  /** Steps that are left for all ways from a layer together. */
  readonly budget: { left: number };
}

/** Follows a layer's pre-activations to what is done with them. */
export class Follower {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly regions: RegionReader,
  ) {}

  follow(place: Place): Promise<Following> {
    return this.#follow(place, { limits: [], affine: null, budget: { left: mostSteps } });
  }

  /** The same where the activation is known, and `place` is its output. */
  behind(activation: Activation, place: Place): Following {
    return this.#behind(activation, place, { limits: [], affine: null, budget: { left: mostSteps } });
  }

  async #follow(place: Place, way: Way): Promise<Following> {
    const { graph, value } = place;
    const links = this.surroundings.links(graph);
    if (way.budget.left-- <= 0) return end(way, "unknown-activation", "What follows it is too far away to be told.");
    if (!this.surroundings.leadsToWeights(place)) return end(way, "last", lastWords(way));
    const on = (output: string, limits = way.limits): Promise<Following> =>
      this.#follow({ graph, value: output }, { ...way, limits });

    const readers = this.surroundings.readers(place);
    const [first] = readers;
    if (first === undefined) {
      const outside = this.surroundings.outside(place);
      if (outside !== null) return this.#follow(outside, way);
      return end(way, "unknown-activation", "It leaves the body of a loop: what follows it cannot be told.");
    }
    const found = await this.#activationBehind(links, place, readers);
    if (found !== null) return this.#behind(found.activation, { graph, value: found.output }, way);

    const norm = normBehind(links, value, readers);
    if (norm !== null)
      return on(norm.output, withLimit(way.limits, "normalised", normWords(`${norm.label} follows it`)));
    const sum = readers.find((node) => node.op === "Add" && isOfSignals(links, node));
    if (sum !== undefined)
      return on(
        sum.outputs[0]!,
        withLimit(way.limits, "residual", sumWords(`It is added to another path in "${nodeLabel(sum)}"`)),
      );
    const attention =
      readers.find((node) => choices.has(operatorLabel(node)) || attentions.has(operatorLabel(node))) ??
      readers.find((node) => node.op === "MatMul" && isOfSignals(links, node));
    if (attention !== undefined)
      return end(
        way,
        "attention",
        `It feeds attention ("${nodeLabel(attention)}"), whose softmax and products of signals are outside the theory; measured values are shown.`,
      );
    const gate = readers.find((node) => node.op === "Mul" && isOfSignals(links, node));
    if (gate !== undefined)
      return end(way, "gated", gateWords(`It is multiplied by another path in "${nodeLabel(gate)}"`));

    const ends = (node: Node): boolean => weighted.has(operatorLabel(node)) || averages.has(operatorLabel(node));
    if (readers.some(ends) && readers.every((node) => ends(node) || passing.has(operatorLabel(node)))) {
      const advice = way.limits.some(({ kind }) => kind === "normalised") ? "" : ": σ_w = 1 passes the variance on";
      return end(way, "no-activation", `No activation follows it before "${nodeLabel(readers.find(ends)!)}"${advice}.`);
    }
    const ways = readers.flatMap((node) =>
      passing.has(operatorLabel(node))
        ? node.outputs.filter((output) => output !== "").map((output): Place => ({ graph, value: output }))
        : this.surroundings.branches(node, value),
    );
    if (ways.length > 0 && readers.every((node) => passing.has(operatorLabel(node)) || node.op === "If"))
      return this.#followAll(ways, way);
    if (readers.length === 1 && affine.has(operatorLabel(first)) && hasConstant(links, first))
      return this.#follow({ graph, value: first.outputs[0]! }, { ...way, affine: scales(way) ? first : way.affine });
    const names = [...new Set(readers.map(operatorLabel))].join(", ");
    return end(
      way,
      "unknown-activation",
      `What follows it is no activation that the theory knows: ${names} ("${nodeLabel(first)}"); measured values are shown.`,
    );
  }

  /** The activation that `place` goes into, by itself or spelt out, with its output. */
  async #activationBehind(links: Links, { value }: Place, readers: readonly Node[]): Promise<Recognised | null> {
    const known = readers.map((node) => activationOfNode(node, links));
    const [activation] = known;
    if (activation != null && known.every((one) => one?.name === activation.name))
      return { activation, output: readers[0]!.outputs[0]! };
    const region = regionBehind(links, value);
    return region === null ? null : this.regions.activationOf(region);
  }

  /** Several ways on: they must agree; parts of a gate or of attention take the layer out all the same. */
  async #followAll(places: readonly Place[], way: Way): Promise<Following> {
    const found: Following[] = [];
    for (const place of places) if (this.surroundings.leadsToWeights(place)) found.push(await this.#follow(place, way));
    const [first, ...others] = found;
    if (first === undefined) return end(way, "last", lastWords(way));
    const kinds = ({ activation, limits }: Following): string =>
      [activation?.name ?? "", ...limits.map(({ kind }) => kind)].join();
    if (others.every((one) => kinds(one) === kinds(first))) return first;
    const limits = found.reduce<readonly TheoryLimit[]>(
      (all, one) => one.limits.reduce((list, { kind, words }) => withLimit(list, kind, words), all),
      [],
    );
    const telling = limits.filter(({ kind }) => kind !== "no-activation");
    if (telling.length > 0) return { activation: null, limits: telling };
    const names = [...new Set(found.map(({ activation }) => activation?.name ?? "none"))].join(", ");
    return end(way, "unknown-activation", `Its outputs go into different activations (${names}).`);
  }

  /** What is done with the activation's output, which the next layer's variance depends on. */
  #behind(activation: Activation, output: Place, way: Way): Following {
    if (!this.surroundings.leadsToWeights(output)) return end(way, "last", lastWords(way));
    const limits =
      way.affine === null
        ? way.limits
        : withLimit(way.limits, "scaled", scaleWords(`Before ${activation.name} "${nodeLabel(way.affine)}"`));
    return { activation, limits: this.#limitsBehind(output, limits) };
  }

  #limitsBehind(output: Place, limits: readonly TheoryLimit[]): readonly TheoryLimit[] {
    const links = this.surroundings.links(output.graph);
    for (let { value } = output, steps = 0; steps < mostSteps; steps++) {
      const readers = this.surroundings.readers({ graph: output.graph, value });
      const gate = readers.find((node) => node.op === "Mul" && isOfSignals(links, node));
      if (gate !== undefined)
        return withLimit(
          limits,
          "gated",
          gateWords(`Behind its activation it is multiplied by another path in "${nodeLabel(gate)}"`),
        );
      if (normBehind(links, value, readers) !== null)
        return withLimit(limits, "normalised", normWords("Behind its activation a norm follows it"));
      const [first] = readers;
      if (first !== undefined && readers.every((node) => node.op === "Add" && isOfSignals(links, node)))
        return withLimit(
          limits,
          "residual",
          sumWords(`Behind its activation it is added to another path in "${nodeLabel(first)}"`),
        );
      if (first !== undefined && readers.every((node) => affine.has(operatorLabel(node)) && hasConstant(links, node)))
        return withLimit(limits, "scaled", scaleWords(`Behind its activation "${nodeLabel(first)}"`));
      if (first === undefined || readers.length > 1 || !passing.has(operatorLabel(first))) return limits;
      value = first.outputs[0]!;
    }
    return limits;
  }
}

/** Whether constants on the way matter: a norm's own γ and β do not, nor a second pair. */
const scales = ({ limits, affine: known }: Way): boolean =>
  known === null && !limits.some(({ kind }) => kind === "normalised");

const end = ({ limits }: Way, kind: TheoryLimit["kind"], words: string): Following => ({
  activation: null,
  limits: withLimit(limits, kind, words),
});

/** The first of each kind is what is said. */
const withLimit = (limits: readonly TheoryLimit[], kind: TheoryLimit["kind"], words: string): readonly TheoryLimit[] =>
  limits.some((one) => one.kind === kind) ? limits : [...limits, { kind, words }];

const lastWords = ({ limits }: Way): string =>
  limits.some(({ kind }) => kind === "normalised")
    ? "No weighted layer follows it."
    : "No weighted layer follows it: σ_w = 1 passes the variance on to the output.";
const normWords = (where: string): string =>
  `${where}: with the batch's statistics the scale of its weights does not matter, and advice on σ_w does not apply; measured values are shown.`;
const sumWords = (where: string): string =>
  `${where}: variances add up over depth, which the recursion of a plain network does not cover; measured values are shown.`;
const scaleWords = (where: string): string =>
  `${where} multiplies or shifts the signal by constants, which σ_w and σ_b leave out; measured values are shown.`;
const gateWords = (where: string): string =>
  `${where}: a product of two signals is outside the theory; measured values are shown.`;

const hasConstant = (links: Links, { inputs }: Node): boolean =>
  inputs.some((name) => constantBehind(links, name) !== null);

/** Whether a sum or product is of two signals: neither is a constant, and they differ. */
const isOfSignals = (links: Links, node: Node): boolean =>
  node.inputs.length === 2 && node.inputs[0] !== node.inputs[1] && !hasConstant(links, node);
