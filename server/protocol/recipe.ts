/**
 * A recipe says how a model is pruned. It is the one argument of the view, the CLI, the server and the metadata of a
 * saved model; `prunescope.json` beside a model is this type on disk.
 */
import { PruneScopeError } from "./errors.js";

/** What is compared with what when weights are ranked: the whole model, or each layer by itself. */
export type Scope = "global" | "layer";
export const scopes: readonly Scope[] = ["global", "layer"];

/** Keep `n` of every `m` weights along the reduction axis. */
export interface NofM {
  readonly n: number;
  readonly m: number;
}

export type BatchNormMode = "auto" | "stored" | "batch";

/** Densities of layers by a rule instead of by scores: see pruning/quotas.ts. Inside a layer scores decide. */
export const quotas = ["uniform", "erk", "igq", "smart-ratio"] as const;
export type Quota = (typeof quotas)[number];

/** How a distribution of weights is drawn. */
export const schemes = ["normal", "orthogonal"] as const;
export type Scheme = (typeof schemes)[number];

/** Weights redrawn on the edge of chaos before anything is scored. */
export interface EocInit {
  /** σ_b; an activation that has no stable edge there gets the nearest that it has. */
  readonly sigmaB: number;
  readonly scheme: Scheme;
  /** Also where the model looks trained. */
  readonly force: boolean;
}

/** Residual branches divided by √L: by Mul nodes, or folded into the branch's last parameters. */
export const stableForms = ["mul", "fold"] as const;
export type StableForm = (typeof stableForms)[number];

/** Input channels reordered, and with them all that makes or shares them, so that a pattern keeps more of the score. */
export interface Permute {
  /** Time that the search may take for each set of channels that move together. */
  readonly seconds: number;
  /** Steps that the search took, by the name of the set: a recipe that has them is repeated exactly. */
  readonly moves?: Readonly<Record<string, number>>;
}

/** What is left of each layer after pruning, multiplied by one number: by the theory's formula, or as measured. */
export const rescalings = ["paper", "measured"] as const;
export type Rescaling = (typeof rescalings)[number];

export interface Recipe {
  /** Id of a criterion, for example `magnitude`. */
  readonly criterion: string;
  /** Fraction of the prunable weights to remove, in [0, 1). */
  readonly sparsity: number;
  /**
   * A structured pattern, held by every layer that can hold it. What it removes goes first; where `sparsity` asks for
   * more, further weights go by their scores, in every layer. At sparsity 0 layers that cannot hold it are left dense.
   */
  readonly pattern?: NofM;
  readonly scope: Scope;
  /** Densities by a rule; then `scope` does not count. */
  readonly quota?: Quota;
  /** Times that weights are scored and pruned on the way to the sparsity; 1 or absent is one shot. */
  readonly rounds?: number;
  /** Changes of the model before it is scored, in this order. */
  readonly eocInit?: EocInit;
  readonly permute?: Permute;
  readonly stableResnet?: StableForm;
  /** And after it is pruned. */
  readonly rescale?: Rescaling;
  /** Ids of layers that are left dense. */
  readonly exclude: readonly string[];
  /** Least density per layer id, in [0, 1]. */
  readonly floors: Readonly<Record<string, number>>;
  /** Seed of everything random: tie order, the random criterion, synthetic inputs, sampled labels. */
  readonly seed: number;
  /** Path of a .npz file of scores by weight name, for the criterion `imported`. */
  readonly scores?: string;
  /** Path of a .npz file of masks by weight name: what is 0 there is removed, whatever its score. */
  readonly mask?: string;
  /** Path of a data file or folder, for criteria that need data. */
  readonly data?: string;
  /** Name of a loss, for criteria that need a gradient; chosen from the outputs when absent. */
  readonly loss?: string;
  readonly batchNorm: BatchNormMode;
  /** Samples that make up the batch whose mean loss is differentiated. */
  readonly batch: number;
  /** Per channel, on images scaled to [0, 1]: they become (x − mean) / std. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Lengths of dynamic axes, by axis name or by `input:axis`. */
  readonly axes: Readonly<Record<string, number>>;
}

/** Largest m of an N:M pattern: a group that no longer fits a cache line helps nobody. */
export const maxGroup = 256;

/** Longest search for a permutation of one set of channels, in seconds. */
export const maxSearch = 3600;

/** Largest batch that may be asked for. */
export const maxBatch = 1e6;

/** Largest σ_b that may be asked for. */
export const maxSigmaB = 100;

/** Most rounds of an iterative schedule. */
export const maxRounds = 1000;

/** Longest length that a dynamic axis may be bound to. */
export const maxAxisLength = 1e6;

export const defaultRecipe: Recipe = Object.freeze({
  criterion: "magnitude",
  sparsity: 0.9,
  scope: "global",
  exclude: Object.freeze([]),
  floors: Object.freeze({}),
  seed: 0,
  batchNorm: "auto",
  batch: 32,
  axes: Object.freeze({}),
});

/** A field that a recipe may leave open. */
type OpenField = { [F in keyof Recipe]-?: undefined extends Recipe[F] ? F : never }[keyof Recipe];

/** The recipe with these fields left open. */
export function without(recipe: Recipe, fields: readonly OpenField[]): Recipe {
  const copy = { ...recipe };
  for (const field of fields) Reflect.deleteProperty(copy, field);
  return copy;
}

/** The same recipe in one shot, and without densities by a rule. */
export const oneShot = (recipe: Recipe): Recipe => without(recipe, ["rounds", "quota"]);

/** Number of weights kept of `total` at `sparsity`: k = round((1 − s)·total), halves up. */
export function keptCount(total: number, sparsity: number): number {
  return Math.round((1 - sparsity) * total);
}

/**
 * Checks a recipe that comes from outside (JSON, LSP, command line) and fills in defaults.
 * @throws PruneScopeError `bad-request` naming the first wrong field.
 */
export function parseRecipe(input: unknown): Recipe {
  const wrong = (field: string, expected: string): never => {
    throw new PruneScopeError("bad-request", `recipe.${field} must be ${expected}.`);
  };
  if (typeof input !== "object" || input === null || Array.isArray(input)) return wrong("", "an object");
  const given = input as Record<string, unknown>;
  const known = new Set([
    "criterion",
    "sparsity",
    "pattern",
    "scope",
    "quota",
    "rounds",
    "eocInit",
    "permute",
    "stableResnet",
    "rescale",
    "exclude",
    "floors",
    "seed",
    "scores",
    "mask",
    "data",
    "loss",
    "batchNorm",
    "batch",
    "mean",
    "std",
    "axes",
  ]);
  for (const key of Object.keys(given)) if (!known.has(key)) wrong(key, "a known field");
  const { criterion = defaultRecipe.criterion, sparsity = defaultRecipe.sparsity, scope = defaultRecipe.scope } = given;
  const { exclude = [], floors = {}, seed = defaultRecipe.seed, data, loss, batchNorm = "auto", pattern } = given;
  const { batch = defaultRecipe.batch, mean, std, axes = {} } = given;
  if (typeof criterion !== "string" || criterion === "") return wrong("criterion", "the id of a criterion");
  if (typeof sparsity !== "number" || !(sparsity >= 0 && sparsity < 1)) return wrong("sparsity", "a number in [0, 1)");
  if (scope !== "global" && scope !== "layer") return wrong("scope", "`global` or `layer`");
  if (!Array.isArray(exclude) || !exclude.every((id): id is string => typeof id === "string")) {
    return wrong("exclude", "a list of layer ids");
  }
  if (typeof floors !== "object" || floors === null || Array.isArray(floors)) return wrong("floors", "an object");
  for (const [id, floor] of Object.entries(floors)) {
    if (typeof floor !== "number" || !(floor >= 0 && floor <= 1))
      wrong(`floors[${JSON.stringify(id)}]`, "a number in [0, 1]");
  }
  if (typeof seed !== "number" || !Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    return wrong("seed", "a whole number from 0 to 4294967295");
  }
  if (data !== undefined && typeof data !== "string") return wrong("data", "a path");
  const { scores, mask, permute } = given;
  if (scores !== undefined && typeof scores !== "string") return wrong("scores", "a path");
  if (mask !== undefined && typeof mask !== "string") return wrong("mask", "a path");
  if (permute !== undefined && pattern === undefined) return wrong("permute", "absent where there is no pattern");
  if (loss !== undefined && typeof loss !== "string") return wrong("loss", "the name of a loss");
  if (batchNorm !== "auto" && batchNorm !== "stored" && batchNorm !== "batch") {
    return wrong("batchNorm", "`auto`, `stored` or `batch`");
  }
  if (typeof batch !== "number" || !Number.isInteger(batch) || batch < 1 || batch > maxBatch) {
    return wrong("batch", `a whole number from 1 to ${maxBatch}`);
  }
  const channels = (field: string, values: unknown, least: number): readonly number[] | undefined => {
    if (values === undefined) return undefined;
    const numbers = Array.isArray(values) && values.length > 0 && values.every((v): v is number => Number.isFinite(v));
    return numbers && values.every((v) => v > least) ? [...values] : wrong(field, "a number for each channel");
  };
  const means = channels("mean", mean, -Infinity);
  const deviations = channels("std", std, 0);
  const { quota, rounds, eocInit, stableResnet, rescale } = given;
  const oneOf = <T extends string>(field: string, value: unknown, choices: readonly T[]): T | undefined =>
    value === undefined || choices.includes(value as T)
      ? (value as T | undefined)
      : wrong(field, choices.map((choice) => `\`${choice}\``).join(" or "));
  if (
    rounds !== undefined &&
    (typeof rounds !== "number" || !Number.isInteger(rounds) || rounds < 1 || rounds > maxRounds)
  ) {
    return wrong("rounds", `a whole number from 1 to ${maxRounds}`);
  }
  const chosen = {
    quota: oneOf("quota", quota, quotas),
    rounds: rounds === 1 ? undefined : rounds,
    eocInit: eocInit === undefined ? undefined : parseEocInit(eocInit, wrong),
    permute: permute === undefined ? undefined : parsePermute(permute, wrong),
    stableResnet: oneOf("stableResnet", stableResnet, stableForms),
    rescale: oneOf("rescale", rescale, rescalings),
  };
  if (typeof axes !== "object" || axes === null || Array.isArray(axes)) return wrong("axes", "an object");
  for (const [name, length] of Object.entries(axes)) {
    if (typeof length !== "number" || !Number.isInteger(length) || length < 1 || length > maxAxisLength)
      wrong(`axes[${JSON.stringify(name)}]`, `a whole number from 1 to ${maxAxisLength}`);
  }
  return {
    criterion,
    sparsity,
    scope,
    exclude: [...exclude],
    floors: { ...(floors as Record<string, number>) },
    seed,
    batchNorm,
    batch,
    axes: { ...(axes as Record<string, number>) },
    ...present(chosen),
    ...(means === undefined ? {} : { mean: means }),
    ...(deviations === undefined ? {} : { std: deviations }),
    ...(pattern === undefined ? {} : { pattern: parsePattern(pattern) }),
    ...(scores === undefined ? {} : { scores }),
    ...(mask === undefined ? {} : { mask }),
    ...(data === undefined ? {} : { data }),
    ...(loss === undefined ? {} : { loss }),
  };
}

/** The fields that have a value. */
function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function parseEocInit(input: unknown, wrong: (field: string, expected: string) => never): EocInit {
  if (typeof input !== "object" || input === null) return wrong("eocInit", "{ sigmaB, scheme, force }");
  const { sigmaB, scheme, force = false } = input as Record<string, unknown>;
  if (typeof sigmaB !== "number" || !(sigmaB >= 0 && sigmaB <= maxSigmaB)) {
    return wrong("eocInit.sigmaB", `a number from 0 to ${maxSigmaB}`);
  }
  if (scheme !== "normal" && scheme !== "orthogonal") return wrong("eocInit.scheme", "`normal` or `orthogonal`");
  if (typeof force !== "boolean") return wrong("eocInit.force", "true or false");
  return { sigmaB, scheme, force };
}

function parsePermute(input: unknown, wrong: (field: string, expected: string) => never): Permute {
  if (typeof input !== "object" || input === null) return wrong("permute", "{ seconds, moves }");
  const { seconds, moves } = input as Record<string, unknown>;
  if (typeof seconds !== "number" || !(seconds >= 0 && seconds <= maxSearch)) {
    return wrong("permute.seconds", `a number from 0 to ${maxSearch}`);
  }
  if (moves === undefined) return { seconds };
  if (typeof moves !== "object" || moves === null || Array.isArray(moves)) return wrong("permute.moves", "an object");
  for (const [name, count] of Object.entries(moves)) {
    if (!Number.isSafeInteger(count) || count < 0)
      wrong(`permute.moves[${JSON.stringify(name)}]`, "a whole number that is not negative");
  }
  return { seconds, moves: { ...(moves as Record<string, number>) } };
}

/** Checks a pattern that comes from outside. @throws PruneScopeError `bad-request`. */
export function parsePattern(input: unknown): NofM {
  const { n, m } = (typeof input === "object" && input !== null ? input : {}) as Record<string, unknown>;
  const whole = (value: unknown): value is number => typeof value === "number" && Number.isInteger(value);
  if (whole(n) && whole(m) && n >= 1 && n < m && m <= maxGroup) return { n, m };
  throw new PruneScopeError("bad-request", `A pattern must be { n, m } with whole numbers 1 <= n < m <= ${maxGroup}.`);
}
