/**
 * Effective collapse: what a mask leaves that still lies on a path from input to output, in the trunk and in residual
 * branches, and the sparsity from which on nothing gets through. Exact: all of it is counted, nothing sampled.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { EffectiveBranch, EffectiveReport, ResidualBlockView } from "../../protocol/insights.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { Live, LiveNetwork } from "../autodiff/liveness/live-network.js";
import { storageKey } from "../graph/tensor.js";
import { KeepFlags } from "../pruning/keep-flags.js";
import { type Bracket, firstDead, type Ladder, ladderOf } from "../pruning/ladder.js";
import type { Mask } from "../pruning/mask.js";
import type { JobContext } from "./jobs.js";
import { openLiveNetwork } from "./open-live-network.js";
import type { OpenModel } from "./open-model.js";
import type { RankedScores } from "./scoring.js";

/** A residual branch: its sum and its layers. */
export type Branch = Pick<ResidualBlockView, "node" | "branch">;

/** Weights times runs that finding where branches die may take; what is left then is said to be not known. */
const branchEffort = 4e9;

/**
 * What is effective of each layer under the recipe's mask.
 * @throws PruneScopeError `unsupported-op` when no path can be followed.
 */
export async function effectiveReport(
  open: OpenModel,
  ranked: RankedScores,
  recipe: Recipe,
  mask: Mask,
  branches: readonly Branch[],
  context: JobContext,
): Promise<EffectiveReport> {
  context.progress({ stage: "Following paths", done: 0, total: 0 });
  const { network, notes } = await openLiveNetwork(open, ranked.criterion, recipe, context);
  try {
    return await new Search(open, ranked, recipe, branches, context, network, notes).report(mask);
  } finally {
    await network.close();
  }
}

class Search {
  readonly #ladder: Ladder;
  readonly #size: number;
  #probes = 0;

  constructor(
    readonly open: OpenModel,
    readonly ranked: RankedScores,
    readonly recipe: Recipe,
    readonly branches: readonly Branch[],
    readonly context: JobContext,
    readonly network: LiveNetwork,
    readonly notes: readonly string[],
  ) {
    this.#ladder = ladderOf(ranked.scores, ranked.surveys, ranked.excluded, recipe);
    this.#size = open.search.weights.reduce((sum, weight) => sum + weight.size, 0);
  }

  async report(mask: Mask): Promise<EffectiveReport> {
    const { network, ranked, context } = this;
    const { weights } = this.open.search;
    if (network.reasons.every((reason) => reason !== null)) {
      throw new PruneScopeError(
        "unsupported-op",
        `No path can be followed through any layer of this model; "${weights[0]!.id}" is left out because ${network.reasons[0] ?? ""}.`,
        { value: weights[0]!.id },
      );
    }
    const flags = await KeepFlags.read(ranked.scores, async (done) => {
      context.progress({ stage: "Looking for zeros", done, total: this.#size });
      await context.checkpoint();
    });
    const now = await network.live(flags.of(mask));
    await context.checkpoint();
    const cut = await this.#cut(flags);
    const branches = await this.#branches(flags, cut);
    const sizes = weights.map(({ size }, l) => (now.effective[l] === null ? 0 : size));
    const prunable = sizes.reduce((sum, size) => sum + size, 0);
    const kept = now.effective.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    const hasGaps = network.gaps.length > 0;
    const views = this.branches.map(({ node, branch }, i): EffectiveBranch => {
      const dead = this.#alive(branch, now) === false;
      return { node, dead, cutSparsity: branches.found[i] ?? null };
    });
    return {
      layers: weights.map(({ id }, l) => ({ id, effective: now.effective[l] ?? null })),
      kept,
      prunable,
      sparsity: prunable === 0 ? 0 : 1 - kept / prunable,
      connected: now.flows || hasGaps,
      cutSparsity: cut.sparsity,
      branches: views,
      notes: [
        ...this.notes,
        "A weight is effective if a path from an input to an output leads through it on which no factor is 0. Channels are told apart, places in an image are not; activations pass, gates are open, biases are no inputs.",
        ...this.#unfollowed(),
        ...this.#takenAsDense(),
        ...cut.notes,
        ...this.#branchNotes(views, now, branches.unfinished),
        ...this.#zeroNotes(flags, mask),
      ],
    };
  }

  /** Whether a path leads through any of these layers; null when that cannot be told. */
  #alive(ids: readonly string[], { onPaths }: Live): boolean | null {
    const counts = this.open.search.weights.flatMap(({ id }, l) => (ids.includes(id) ? [onPaths[l] ?? null] : []));
    if (counts.some((count) => count !== null && count > 0)) return true;
    return counts.length === 0 || counts.includes(null) ? null : false;
  }

  /** The first rung at which nothing gets through. */
  async #cut(flags: KeepFlags): Promise<{ rung: number | null; sparsity: number | null; notes: string[] }> {
    const { network } = this;
    const ladder = this.#ladder;
    const none = (...notes: string[]): { rung: null; sparsity: null; notes: string[] } => ({
      rung: null,
      sparsity: null,
      notes,
    });
    const [gap] = network.gaps;
    if (gap !== undefined)
      return none(`Whether the network is cut cannot be told: ${gap}, and what leads through it is not followed.`);
    if (await network.flows(flags.none()))
      return none("A way without prunable weights leads from an input to an output: no mask cuts the network.");
    const flows = async (rung: number, within: Bracket | null = null): Promise<boolean> => {
      await this.#probe("Finding where the network is cut");
      return network.flows(flags.at(ladder, rung, within));
    };
    if (!(await flows(0)))
      return {
        rung: 0,
        sparsity: 0,
        notes: ["Nothing gets through the model as it is: zeros among its weights or scales cut every path."],
      };
    if (ladder.last === 0 || (await flows(ladder.last)))
      return none("Layers that are left dense, or at a floor, keep the network connected at every sparsity.");
    const bracket = { alive: 0, dead: ladder.last };
    const [rung] = await firstDead(ladder, [bracket], Infinity, async (at, within) => [await flows(at, within)]);
    return { rung: rung!, sparsity: ladder.sparsity(rung!), notes: [] };
  }

  /** Sparsity at which each branch dies; null where it does not, or is not known. */
  async #branches(
    flags: KeepFlags,
    cut: { readonly rung: number | null },
  ): Promise<{ readonly found: readonly (number | null)[]; readonly unfinished: number }> {
    const ladder = this.#ladder;
    const found: (number | null)[] = this.branches.map(() => null);
    if (this.branches.length === 0) return { found, unfinished: 0 };
    const probe = async (rung: number, within: Bracket | null = null): Promise<(boolean | null)[]> => {
      await this.#probe("Finding where residual branches die");
      const live = await this.network.live(flags.at(ladder, rung, within));
      return this.branches.map(({ branch }) => this.#alive(branch, live));
    };
    const dense = await probe(0);
    const most = cut.rung ?? ladder.last;
    const sparse = most === 0 ? dense : await probe(most);
    const open: number[] = [];
    dense.forEach((alive, i) => {
      if (alive === false) found[i] = 0;
      else if (alive === true && sparse[i] === false) open.push(i);
    });
    const brackets = open.map((): Bracket => ({ alive: 0, dead: most }));
    const runs = Math.ceil(branchEffort / Math.max(1, this.#size));
    const rungs = await firstDead(ladder, brackets, runs, async (rung, within) => {
      const alive = await probe(rung, within);
      return open.map((i) => alive[i] !== false);
    });
    rungs.forEach((rung, at) => (found[open[at]!] = rung === null ? null : ladder.sparsity(rung)));
    return { found, unfinished: rungs.filter((rung) => rung === null).length };
  }

  async #probe(stage: string): Promise<void> {
    this.context.progress({ stage, done: this.#probes++, total: 0 });
    await this.context.checkpoint();
  }

  /** Layers whose paths are not followed, by the reason. */
  #unfollowed(): string[] {
    const byReason = new Map<string, string[]>();
    this.network.reasons.forEach((reason, l) => {
      if (reason === null) return;
      byReason.set(reason, [...(byReason.get(reason) ?? []), this.open.search.weights[l]!.id]);
    });
    return [...byReason].map(([reason, ids]) =>
      ids.length === 1
        ? `Paths through "${ids[0]!}" are not followed: ${reason}.`
        : `Paths through ${ids.length} layers, "${ids[0]!}" the first, are not followed: ${reason}.`,
    );
  }

  /** Layers on the way whose mask has no place in the network. */
  #takenAsDense(): string[] {
    const { input, fixed } = this.network;
    const there = new Set([...input.model.graph.constants.values()].map(({ tensor }) => storageKey(tensor)));
    const ids = this.open.search.weights.flatMap(({ id, tensor }, l) =>
      this.ranked.excluded[l] !== true && (fixed.has(l) || (input.weights[l] === null && there.has(storageKey(tensor))))
        ? [`"${id}"`]
        : [],
    );
    if (ids.length === 0) return [];
    const verb = ids.length === 1 ? "is" : "are";
    return [`${ids.join(", ")} ${verb} taken as dense here: the network may be cut before that.`];
  }

  #branchNotes(views: readonly EffectiveBranch[], now: Live, unfinished: number): string[] {
    const dead = views.filter((view) => view.dead).length;
    const notes: string[] = [];
    if (dead > 0 && now.flows) {
      notes.push(
        `${dead} of ${views.length} residual branches have no effective weight left: there only the shortcuts connect the network.`,
      );
    }
    const unknown = this.branches.filter(({ branch }) => this.#alive(branch, now) === null).length;
    if (unknown > 0)
      notes.push(
        `Whether ${unknown} of ${views.length} residual branches are dead cannot be told: see which paths are not followed.`,
      );
    if (unfinished > 0)
      notes.push(`Where ${unfinished} residual branches die was not looked for to the end: the model is too large.`);
    return notes;
  }

  #zeroNotes(flags: KeepFlags, mask: Mask): string[] {
    const zeros = flags.zerosIn(mask);
    return zeros === 0
      ? []
      : [`${zeros} kept ${zeros === 1 ? "weight is" : "weights are"} 0 in the file and effective nowhere.`];
  }
}
