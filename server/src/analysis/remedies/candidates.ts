/**
 * What might keep layers alive: another mask of the same scores, other scores, or another model. Nothing here says that
 * it helps; that is computed.
 */
import type { RemedyKind } from "../../../protocol/insights.js";
import type { LayerId } from "../../../protocol/model.js";
import { keptCount, quotas, type Quota, type Recipe } from "../../../protocol/recipe.js";
import { prospectsOf } from "../../autodiff/prospects.js";
import type { Criterion } from "../../criteria/criterion.js";
import { criteria } from "../../criteria/index.js";
import { changesInRounds } from "../../criteria/rounds.js";
import { findResiduals } from "../../graph/residual/index.js";
import { criticalOf } from "../../pruning/collapse.js";
import { layerSites } from "../../meanfield/sites/index.js";
import type { OpenModel } from "../open-model.js";
import { criterionOf, type RankedScores } from "../scoring.js";
import { isHomogeneous } from "../theory-notes.js";
import { percent } from "./outcome.js";

export interface Candidate {
  readonly kind: RemedyKind;
  readonly title: string;
  readonly recipe: Recipe;
  /** What it needs anew: only a mask, scores, or the model itself. */
  readonly needs: "mask" | "scores" | "model";
  /** About how many passes over the model that takes. */
  readonly passes: number;
  /** What it does, costs, and what to know about it. */
  readonly words: string;
  /** What the model itself has to say about it, looked up when it is tried; absent or null where that is nothing. */
  readonly about?: (threads: number) => Promise<string | null>;
  /** Why it need not be tried; null where it can be. */
  readonly impossible: string | null;
}

/** Rounds of the schedule that is offered. */
const offeredRounds = 10;

/** Floors are this part of the density that is asked for. */
const floorShare = 0.1;

/** σ_b of the edge of chaos that is offered: where tanh and its like have a stable point. */
const offeredSigmaB = 0.2;

/** Everything that can be tried on a model whose scores are `ranked`, cheapest first. */
export function candidatesFor(open: OpenModel, ranked: RankedScores, recipe: Recipe): Candidate[] {
  return [
    ...maskCandidates(open, ranked, recipe),
    ...criterionCandidates(open, recipe),
    ...modelCandidates(open, recipe),
    ...scheduleCandidates(recipe),
  ].sort((a, b) => a.passes - b.passes);
}

/** Passes over the model that scoring takes; none where only weights are read. */
const passesOf = ({ needs }: Criterion, rounds: number): number => Math.max(needs.rounds, rounds) * needs.gradientOrder;

function* maskCandidates(open: OpenModel, ranked: RankedScores, recipe: Recipe): Iterable<Candidate> {
  const { schedule, needs } = ranked.criterion;
  const again = passesOf(ranked.criterion, 1);
  const dying = dyingLayers(ranked, recipe);
  const alive = ranked.excluded.filter((excluded) => !excluded).length;
  if (dying.length > 0) {
    const floor = Number((floorShare * (1 - recipe.sparsity)).toPrecision(3));
    const cost = dying.reduce((sum, { size }) => sum + Math.ceil(floor * size), 0);
    yield {
      kind: "floor",
      title: `A floor of ${percent(floor)} for ${named(dying)}`,
      recipe: { ...recipe, floors: { ...recipe.floors, ...Object.fromEntries(dying.map(({ id }) => [id, floor])) } },
      needs: "mask",
      passes: 0,
      words:
        `A layer with a floor cannot die: s_cr is that of the others. Reserves ${cost} of ` +
        `${keptCount(ranked.total, recipe.sparsity)} kept weights, which the other layers give up.`,
      impossible: null,
    };
    const [first] = dying;
    const share = first!.size / open.search.weights.reduce((sum, { size }) => sum + size, 0);
    yield {
      kind: "exclude",
      title: `Leave "${first!.id}" dense`,
      recipe: { ...recipe, exclude: [...recipe.exclude, first!.id] },
      // What is left dense takes no part in rounds.
      needs: needs.rounds > 1 ? "scores" : "mask",
      passes: needs.rounds > 1 ? again : 0,
      words: `The layer that dies first keeps all its ${first!.size} weights, ${percent(share)} of the prunable ones. Sparsity then counts the others only.`,
      impossible: alive > 1 ? null : "It is the only layer that is pruned.",
    };
  }
  for (const quota of quotas) {
    if (quota === recipe.quota) continue;
    yield {
      kind: "quota",
      title: `Quotas: ${quotaWords[quota].title}`,
      recipe: { ...recipe, quota },
      needs: schedule === undefined ? "mask" : "scores",
      passes: schedule === undefined ? 0 : again,
      words: `${quotaWords[quota].words} The rule fixes how many weights each layer keeps; scores decide which.`,
      impossible: null,
    };
  }
}

const quotaWords: Readonly<Record<Quota, { readonly title: string; readonly words: string }>> = {
  uniform: { title: "uniform", words: "Every layer keeps the same share." },
  erk: {
    title: "ERK",
    words: "Density grows with (inputs + outputs + taps) over their product: small layers stay denser.",
  },
  igq: {
    title: "ideal gas (IGQ)",
    words: "Density is 1/(F·n + 1) of a layer's n weights: small layers stay nearly whole.",
  },
  "smart-ratio": {
    title: "Smart-Ratio",
    words:
      "Density falls with the square of depth, the classifier keeps 30 %: made for networks whose late layers are largest.",
  },
};

interface DyingLayer {
  readonly id: LayerId;
  readonly size: number;
}

/** Layers that are gone at the recipe's sparsity, first ones first; the first to go where none is. */
function dyingLayers(ranked: RankedScores, recipe: Recipe): DyingLayer[] {
  const { layers, first } = criticalOf(ranked, recipe);
  const limit = Math.max(recipe.sparsity, first ?? 0);
  return layers
    .flatMap((at, l) => {
      const { id, size } = ranked.scores.layers[l]!;
      return at === null || at > limit ? [] : [{ id, size, at }];
    })
    .sort((a, b) => a.at - b.at);
}

/** How many layers a title names. */
const mostNamed = 3;

function named(layers: readonly DyingLayer[]): string {
  const names = layers.slice(0, mostNamed).map(({ id }) => `"${id}"`);
  const more = layers.length - names.length;
  return more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ");
}

function criterionCandidates(open: OpenModel, recipe: Recipe): Candidate[] {
  const prospects = prospectsOf(open.model, open.search.weights);
  const present = criterionOf(recipe);
  return criteria
    .filter((criterion) => criterion !== present && criterion.id !== "random" && criterion.needs.file !== true)
    .map((criterion): Candidate => {
      const { title, summary, needs } = criterion;
      const about = needs.data
        ? recipe.data === undefined
          ? " On synthetic samples: a statement about the architecture, not about your task."
          : ""
        : " It sees neither data nor task.";
      return {
        kind: "criterion",
        title: `Score by ${title}`,
        recipe: { ...recipe, criterion: criterion.id },
        needs: "scores",
        passes: passesOf(criterion, changesInRounds(criterion) ? (recipe.rounds ?? 1) : 1),
        words: `${summary}${about}`,
        impossible: criterion.unavailable(prospects),
      };
    });
}

function* scheduleCandidates(recipe: Recipe): Iterable<Candidate> {
  const criterion = criterionOf(recipe);
  if ((recipe.rounds ?? 1) > 1 || !changesInRounds(criterion)) return;
  const passes = passesOf(criterion, offeredRounds);
  yield {
    kind: "schedule",
    title: `${criterion.title} in ${offeredRounds} rounds`,
    recipe: { ...recipe, rounds: offeredRounds },
    needs: "scores",
    passes,
    words:
      `Scores the network anew after each removal: ${passes} gradient passes in the place of ${criterion.needs.gradientOrder}. ` +
      `The schedule ends at ${percent(recipe.sparsity)}; beyond it the last round decides, and another sparsity takes its own rounds.`,
    impossible: null,
  };
}

function* modelCandidates(open: OpenModel, recipe: Recipe): Iterable<Candidate> {
  const criterion = criterionOf(recipe);
  // Writing the changed model takes about as long as a pass.
  const passes = 1 + passesOf(criterion, changesInRounds(criterion) ? (recipe.rounds ?? 1) : 1);
  if (recipe.stableResnet === undefined) {
    const { additions } = findResiduals(open.model, open.search.weights);
    // √1 would change nothing.
    if (additions > 1)
      yield {
        kind: "stable-resnet",
        title: `Stable ResNet: branches divided by √${additions}`,
        recipe: { ...recipe, stableResnet: "mul" },
        needs: "model",
        passes,
        words: "Adds a Mul node before each residual sum: another function, for models that are still to be trained.",
        impossible: null,
      };
  }
  if (recipe.eocInit === undefined)
    yield {
      kind: "initialisation",
      title: "Draw all weights on the edge of chaos",
      recipe: { ...recipe, eocInit: { sigmaB: offeredSigmaB, scheme: "normal", force: true } },
      needs: "model",
      passes,
      words:
        "For training from scratch: redraws all weights, and what the model has learnt is lost. Scale the inputs as the theory section says.",
      about: (threads) => homogeneousWords(open, threads),
      impossible: null,
    };
}

/** Why σ_w is not what makes layers collapse, where that is so. */
async function homogeneousWords({ model, search }: OpenModel, threads: number): Promise<string | null> {
  const sites = await layerSites(model, search.weights, threads);
  return sites.every(isHomogeneous)
    ? "Activations are positively homogeneous: apart from biases, Σ w·∂L/∂w is the same in every layer, so that σ_w makes no trend over depth, and little is to be expected."
    : null;
}
