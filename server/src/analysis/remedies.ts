/**
 * Job `remedies`: what would keep layers alive. Every remedy is computed, with the scores or the model that it needs, in
 * the time that is given; what it does to s_cr is said as it came out, also where theory promises something else.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { RemediesReport, Remedy } from "../../protocol/insights.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { RemediesParams } from "../../protocol/requests.js";
import { contextWith, type JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import { withPrepared } from "./prepared-model.js";
import { type Candidate, candidatesFor } from "./remedies/candidates.js";
import { compareOutcomes, type Outcome, outcomeOf, percent } from "./remedies/outcome.js";
import { type RankedScores, rankedAgain, rankScores } from "./scoring.js";

/** The time is over. */
class OutOfTime extends Error {}

/**
 * The candidates of a recipe, each computed, best first. Scores of the recipe itself take the time that they take.
 * @throws PruneScopeError what scoring by the recipe throws.
 */
export function remedies({ path, recipe, budget }: RemediesParams, context: JobContext): Promise<RemediesReport> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const bounded = contextWith(context, {
    checkpoint: async () => {
      await context.checkpoint();
      if (seconds() >= budget) throw new OutOfTime();
    },
  });
  return withPrepared(path, recipe, context, async (open) => {
    const ranked = await rankScores(open, recipe, context);
    const present = presentOutcome(ranked, recipe);
    const candidates = candidatesFor(open, ranked, recipe);
    const tried: { readonly remedy: Remedy; readonly outcome: Outcome }[] = [];
    const skipped: RemediesReport["skipped"][number][] = [];
    for (const [i, candidate] of candidates.entries()) {
      const { kind, title, words } = candidate;
      context.progress({ stage: `What would help: ${title}`, done: i, total: candidates.length });
      await context.checkpoint();
      const started = seconds();
      const outcome = await tryOut(candidate, path, open, ranked, withTitle(bounded, title));
      if (typeof outcome === "string" || outcome === null) {
        skipped.push({ kind, title, reason: outcome ?? `It did not fit into ${budget} s.` });
        continue;
      }
      const { criticalSparsity, collapsed } = outcome;
      const remedy: Remedy = {
        kind,
        title,
        recipe: candidate.recipe,
        criticalSparsity,
        collapsed,
        seconds: seconds() - started,
        words: [words, outcome.about, effectWords(present, outcome, recipe.sparsity)]
          .filter((sentence) => sentence !== null)
          .join(" "),
      };
      tried.push({ remedy, outcome });
    }
    // The sort is stable: of equal ones the cheaper comes first, as among the candidates.
    tried.sort((a, b) => compareOutcomes(a.outcome, b.outcome));
    return {
      sparsity: recipe.sparsity,
      criticalSparsity: present?.criticalSparsity ?? null,
      collapsed: present?.collapsed ?? 0,
      budget,
      seconds: seconds(),
      remedies: tried.map(({ remedy }) => remedy),
      skipped,
    };
  });
}

/** The outcome as it is; null where scores cannot be ranked. */
function presentOutcome(ranked: RankedScores, recipe: Recipe): Outcome | null {
  const unrankable = ranked.surveys.some((layer, l) => layer.nonFinite > 0 && ranked.excluded[l] !== true);
  return unrankable ? null : outcomeOf(ranked, recipe);
}

/** An outcome, with what the model itself has to say about it. */
interface Tried extends Outcome {
  readonly about: string | null;
}

/** What a candidate comes to, why it comes to nothing, or null when there was no time for it. */
async function tryOut(
  { impossible, needs, recipe, about }: Candidate,
  path: string,
  open: OpenModel,
  ranked: RankedScores,
  context: JobContext,
): Promise<Tried | string | null> {
  if (impossible !== null) return impossible;
  try {
    await context.checkpoint();
    const scored = async (model: OpenModel): Promise<Outcome> =>
      outcomeOf(await rankScores(model, recipe, context), recipe);
    const outcomes = {
      mask: async () => outcomeOf(await rankedAgain(open, ranked, recipe, context), recipe),
      scores: () => scored(open),
      model: () => withPrepared(path, recipe, context, scored),
    };
    return { ...(await outcomes[needs]()), about: (await about?.(context.settings.threads)) ?? null };
  } catch (error) {
    if (error instanceof OutOfTime) return null;
    if (error instanceof PruneScopeError && error.code !== "cancelled") return error.message;
    throw error;
  }
}

/** A context whose progress says what is tried. */
const withTitle = (context: JobContext, title: string): JobContext =>
  contextWith(context, {
    progress: (progress) => {
      context.progress({ ...progress, stage: `${title}: ${progress.stage}` });
    },
  });

/** What came out, in a sentence. */
function effectWords(before: Outcome | null, after: Outcome, sparsity: number): string {
  const at = (outcome: Outcome): string => {
    if (outcome.immortal) return "none that can go";
    return outcome.criticalSparsity === null ? "unknown" : percent(outcome.criticalSparsity);
  };
  const gone = `${after.collapsed} ${after.collapsed === 1 ? "layer is" : "layers are"} gone at ${percent(sparsity)}`;
  if (before === null) return `Computed: s_cr ${at(after)}; ${gone}.`;
  const order = compareOutcomes(before, after);
  const verdict = order > 0 ? "" : order === 0 ? " It changes nothing here." : " It makes things worse here.";
  return `Computed: s_cr ${at(before)} before, ${at(after)} with it; ${gone}.${verdict}`;
}
