/**
 * The scores of a recipe's criterion: computed, or read back from the cache where computing them takes runs of the
 * model. Scores that took a run are stored as they are, float32 for every weight, one file for a result.
 */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { SensitivityInput } from "../autodiff/plan.js";
import { type Circumstance, Sensitivity } from "../autodiff/sensitivity.js";
import type { Criterion, Scores } from "../criteria/criterion.js";
import { openDataset } from "../data/open.js";
import { blockElements, type NumberField, type StoredElements } from "../formats/stored-elements.js";
import { fileIdentity, givenArrays } from "./given-arrays.js";
import type { JobContext } from "./jobs.js";
import type { OpenModel } from "./open-model.js";
import type { ResultCache } from "./result-cache.js";

/** Changes whenever what is cached changes its form or meaning. */
const cacheVersion = 5;

/** Bytes of activations that one run may take where no limit is set. */
const defaultActivationBytes = 1.5e9;

/** A recipe, and which batch of its data is looked at; the first when absent. */
export type BatchRecipe = Recipe & { readonly part?: number };

/** Whether scores take runs of the model: they depend on data, and are worth keeping. */
export const takesRuns = ({ needs }: Criterion): boolean => needs.data || needs.gradientOrder > 0 || needs.rounds > 1;

/**
 * Id of what a recipe's scores tell: everything that changes them or their ranks enters it, and nothing else.
 * @param restrictions identities of what removes weights before scores decide.
 */
export function resultIdOf(
  fingerprint: string,
  criterion: Criterion,
  recipe: BatchRecipe,
  restrictions: readonly unknown[] = [],
): string {
  const scores = scoresIdOf(fingerprint, criterion, recipe);
  return hashed([scores, [...recipe.exclude].sort(), ...(restrictions.length === 0 ? [] : [restrictions])]);
}

/** Id of the scores alone. What is left dense changes only those that are made in rounds of pruning. */
function scoresIdOf(fingerprint: string, criterion: Criterion, recipe: BatchRecipe): string {
  const { seed, exclude, data, loss = null, batchNorm, batch, part = 0, mean = null, std = null, axes } = recipe;
  const file = data === undefined ? null : [data, stateOf(data)];
  const given = criterion.needs.file === true && recipe.scores !== undefined ? fileIdentity(recipe.scores) : null;
  const source = criterion.needs.data ? [file, loss, batchNorm, [batch, part], mean, std] : null;
  const run = takesRuns(criterion) ? [source, Object.entries(axes).sort()] : null;
  const { sparsity, scope, quota, rounds: n } = criterion.schedule ?? {};
  const schedule = criterion.schedule === undefined ? null : [n, sparsity, scope, quota ?? null];
  const rounds = criterion.needs.rounds > 1 ? [[...exclude].sort(), schedule] : null;
  return hashed([cacheVersion, fingerprint, criterion.id, seed, run, rounds, given]);
}

const hashed = (identity: unknown): string =>
  createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 32);

/** Identity of a data file, or sizes and times of everything in a data folder. What cannot be read is an error when it is opened. */
function stateOf(path: string): unknown {
  try {
    if (!statSync(path).isDirectory()) return fileIdentity(path);
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .sort()
      .map((name) => {
        const one = statSync(join(path, name));
        return [name, one.size, one.mtimeMs];
      });
  } catch {
    return null;
  }
}

interface Stored {
  readonly scored: readonly boolean[];
  readonly circumstance: Circumstance | null;
}

/** Scores of every weight of `open` by `criterion`. @throws PruneScopeError what the criterion and its data throw. */
export async function scoresOf(
  open: OpenModel,
  criterion: Criterion,
  recipe: BatchRecipe,
  elements: readonly StoredElements[],
  cache: ResultCache | null,
  context: JobContext,
): Promise<Scores> {
  const key = `${scoresIdOf(open.fingerprint, criterion, recipe)}.scores`;
  const kept = cache === null || !takesRuns(criterion) ? null : storedScores(cache, key, elements);
  if (kept !== null) return kept;
  const { weights } = open.search;
  const progress = (words: string, done: number, total: number): void => {
    context.progress({ stage: `Scoring by ${criterion.title}${words === "" ? "" : `: ${words}`}`, done, total });
  };
  const checkpoint = (): Promise<void> => context.checkpoint();
  const sensitivity = async (): Promise<Sensitivity> =>
    new Sensitivity({ ...(await sensitivityInput(open, recipe, criterion.needs.data, context)), progress });
  const given = async (): Promise<Scores> => {
    if (recipe.scores === undefined)
      throw new PruneScopeError("missing-data", "Imported scores need a file: name one with --scores FILE.npz.");
    const { fields, notes } = await givenArrays(open, recipe.scores, "scores", cache, context);
    const missing = `${basename(recipe.scores)} has no array of its name`;
    const reasons = fields.map((field) => (field === null ? missing : null));
    return { fields, circumstance: { loss: null, batchNorm: null, reasons, notes } };
  };
  const scores = await criterion.score({
    weights,
    values: (i) => elements[i]!,
    seed: recipe.seed,
    excluded: weights.map(({ id }) => recipe.exclude.includes(id)),
    sensitivity,
    given,
    progress: (done, total) => {
      progress("", done, total);
    },
    checkpoint,
  });
  if (cache !== null && takesRuns(criterion)) {
    const { fields, circumstance } = scores;
    const stored = cache.putNumbers(key, blocksOf(fields));
    if (stored) cache.put(key, { scored: fields.map((field) => field !== null), circumstance } satisfies Stored);
  }
  return scores;
}

/** What derivatives of a model are taken of, as a recipe says. @param fromData whether the recipe's data is looked at. */
export async function sensitivityInput(
  open: OpenModel,
  recipe: BatchRecipe,
  fromData: boolean,
  context: JobContext,
): Promise<SensitivityInput> {
  context.progress({ stage: "Reading data", done: 0, total: 0 });
  const { memoryLimit, threads } = context.settings;
  const { seed, batch, part, mean, std, axes, loss = null, batchNorm } = recipe;
  return {
    model: open.model,
    source: open.source,
    weights: open.search.weights,
    data: await openDataset(fromData ? (recipe.data ?? null) : null, open.model.graph, {
      seed,
      dynamicAxes: axes,
      batch,
      ...(part === undefined ? {} : { part }),
      ...(mean === undefined ? {} : { mean }),
      ...(std === undefined ? {} : { std }),
    }),
    loss,
    batchNorm,
    seed,
    threads,
    activationBytes: memoryLimit > 0 ? (memoryLimit * 1e6) / 2 : defaultActivationBytes,
    progress: (words, done, total) => {
      context.progress({
        stage: words === "" ? "Running" : `${words[0]!.toUpperCase()}${words.slice(1)}`,
        done,
        total,
      });
    },
    checkpoint: () => context.checkpoint(),
  };
}

/** Scores that are in the cache as a whole; null when they are not. */
function storedScores(cache: ResultCache, key: string, elements: readonly StoredElements[]): Scores | null {
  const stored = cache.get(key) as Stored | null;
  if (stored === null) return null;
  let count = 0;
  const starts = elements.map(({ size }, i) => {
    if (stored.scored[i] !== true) return null;
    count += size;
    return count - size;
  });
  const numbers = cache.numbers(key, count);
  if (numbers === null) return null;
  const fields = elements.map(({ size }, i): NumberField | null => {
    const from = starts[i] ?? null;
    if (from === null) return null;
    return { size, read: (start, length, out) => numbers(from + start, out.subarray(0, length)) };
  });
  return { fields, circumstance: stored.circumstance };
}

function* blocksOf(fields: readonly (NumberField | null)[]): Iterable<Float32Array> {
  const block = new Float32Array(blockElements);
  for (const field of fields) {
    for (let start = 0; start < (field?.size ?? 0); start += blockElements) {
      const count = Math.min(blockElements, field!.size - start);
      field!.read(start, count, block);
      yield block.subarray(0, count);
    }
  }
}
