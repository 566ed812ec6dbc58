/**
 * Models that do not exist, with real scores behind them: small arrays of seeded log-normal scores, ranked exactly, so
 * that the view's numbers can be compared with a computation that shares nothing with it.
 */
import { encodeArray } from "../../server/protocol/codec.js";
import type { CriterionView, LayerView, ModelView } from "../../server/protocol/model.js";
import { defaultRecipe, keptCount, type Recipe, type Scope } from "../../server/protocol/recipe.js";
import {
  reportSchema,
  type AnalysisResult,
  type ExactSurvival,
  type Risk,
  type ScoreHistogram,
} from "../../server/protocol/report.js";
import { noInsights, type SavedView, type ViewState } from "../../server/protocol/view.js";

export interface FakeOptions {
  readonly layers: number;
  readonly recipe?: Partial<Recipe>;
  /** Indices of layers that hold a NaN. */
  readonly nonFinite?: readonly number[];
  /** Indices of layers whose scores are all 0. */
  readonly silent?: readonly number[];
  /** Indices of layers that the criterion has no score for. */
  readonly unscored?: readonly number[];
  /** Name of the layer at an index. */
  readonly name?: (index: number) => string;
  readonly title?: string;
}

/** A model, its scores, and the exact answers that an engine would give. */
export interface FakeModel {
  readonly model: ModelView;
  readonly recipe: Recipe;
  readonly result: AnalysisResult;
  readonly state: ViewState;
  exact(sparsity: number, scope: Scope): ExactSurvival;
}

const perOctave = 4;
const fakeDataNote = "Data: 32 samples of synthetic values (seed 0) for image.";
/** Why the fake criterion has no score for a layer. */
export const fakeReason = "no output that the loss looks at depends on it";

/** Builds a model of `layers` layers. */
export function fakeModel(options: FakeOptions): FakeModel {
  const recipe: Recipe = { ...defaultRecipe, ...options.recipe };
  const random = seeded(options.layers + 1);
  const layers = Array.from({ length: options.layers }, (_, l) => layerView(l, options, random));
  const scores = layers.map((layer, l) => layerScores(layer.parameters, l, options, random));
  const unscored = layers.map((_, l) => options.unscored?.includes(l) === true);
  const excluded = layers.map((layer, l) => unscored[l] === true || recipe.exclude.includes(layer.id));
  const ranking = rank(scores, excluded);
  const model = modelView(layers, options);
  const { needsData, signed } = model.criteria.find(({ id }) => id === recipe.criterion)!;
  const resultId = `result-${options.layers}-${recipe.criterion}-${recipe.exclude.length}`;

  // As the engine does it: with a NaN among the ranked scores nothing has a rank, and nothing is removed.
  const blocked = options.nonFinite?.some((l) => excluded[l] !== true) === true;
  const exact = (sparsity: number, scope: Scope): ExactSurvival => {
    const kept = blocked
      ? layers.map(({ parameters }) => parameters)
      : countKept(layers, excluded, ranking, sparsity, scope);
    const critical = blocked ? layers.map(() => null) : criticals(layers, excluded, ranking, options);
    const risks = layers.map((_, l) => riskOf(kept[l]!, critical[l]!, sparsity, excluded[l]!, options, l));
    const left = ranking.order.length - keptCount(ranking.order.length, sparsity);
    return {
      resultId,
      sparsity,
      scope,
      kept,
      deadOutputs: layers.map((_, l) => (excluded[l] ? 0 : Math.max(0, sparsity - 0.95) * (l % 3))),
      risks,
      threshold: scope === "layer" || left === 0 ? null : (ranking.order[left]?.score ?? null),
    };
  };

  const own = exact(recipe.sparsity, recipe.scope);
  const critical = blocked ? layers.map(() => null) : criticals(layers, excluded, ranking, options);
  const ranked = critical.filter((value): value is number => value !== null);
  const prunable = model.prunable;
  const keptTotal = own.kept.reduce((sum, count) => sum + count, 0);
  const result: AnalysisResult = {
    resultId,
    recipe,
    report: {
      schema: reportSchema,
      model: { path: model.path, format: model.format, parameters: model.parameters, prunable },
      criterion: recipe.criterion,
      sparsity: recipe.sparsity,
      scope: recipe.scope,
      seed: recipe.seed,
      loss: needsData ? 2.3026 : null,
      batchNorm: needsData ? "stored" : null,
      kept: keptTotal,
      sparsityOfAll: (prunable - keptTotal) / model.parameters,
      criticalSparsity: ranked.length === 0 ? null : Math.min(...ranked),
      safeSparsity: null,
      maxSparsity: 1 - layers.length / Math.max(1, prunable),
      zeroScoreShare: 0,
      notes: [...model.notes, needsData ? fakeDataNote : "Scores are the magnitudes of the stored weights."],
      layers: layers.map((layer, l) => {
        const values = scores[l]!;
        const finite = values.filter(Number.isFinite);
        const sum = finite.reduce((total, value) => total + value, 0);
        return {
          id: layer.id,
          name: layer.name,
          op: layer.op,
          weight: layer.weight,
          shape: layer.shape,
          parameters: layer.parameters,
          kept: own.kept[l]!,
          density: own.kept[l]! / layer.parameters,
          score: unscored[l]
            ? null
            : {
                sum,
                mean: finite.length < values.length ? 0 : sum / finite.length,
                max: finite.reduce((most, value) => Math.max(most, value), 0),
                rms: Math.sqrt(finite.reduce((total, value) => total + value * value, 0) / finite.length),
                zeroShare: values.filter((value) => value === 0).length / values.length,
                nonFinite: values.length - finite.length,
              },
          unscored: unscored[l] ? fakeReason : null,
          criticalSparsity: critical[l]!,
          deadOutputs: own.deadOutputs[l]!,
          excluded: excluded[l]!,
          risk: own.risks[l]!,
        };
      }),
    },
    survival: survivalTable(layers, ranking),
    histograms: scores.map((values, l) => histogramOf(signed || unscored[l] ? [] : values)),
  };
  const state: ViewState = {
    mode: "editor",
    title: options.title ?? "model.onnx",
    recipe,
    model,
    shapes: { outputs: Object.fromEntries(layers.map(({ id, shape }) => [id, [1, shape[0]!, 28, 28]])) },
    result,
    insights: noInsights,
    activity: { kind: "idle" },
    saved: null,
    banner: null,
  };
  return { model, recipe, result, state, exact };
}

/** What a finished save looks like. */
export function fakeSave(fake: FakeModel): SavedView {
  const { kept } = fake.exact(fake.recipe.sparsity, fake.recipe.scope);
  const layers = fake.model.layers.map((layer, l) => ({
    id: layer.id,
    parameters: layer.parameters,
    kept: kept[l]!,
    zeros: layer.parameters - kept[l]!,
  }));
  return {
    save: {
      path: "/home/ada/models/model.pruned.onnx",
      bytes: fake.model.bytes + 312,
      recipe: fake.recipe,
      kept: kept.reduce((sum, count) => sum + count, 0),
      prunable: fake.model.prunable,
      layers,
      edits: [],
      notes: [],
      writeSeconds: 0.2,
      seconds: 0.42,
    },
    verify: {
      input: "one batch of seeded normal noise",
      outputs: [
        { name: "logits", shape: [1, 1000], maxDifference: 1.8342, meanDifference: 0.2113, maxOriginal: 9.4402 },
        { name: "features", shape: [1, 512], maxDifference: 0, meanDifference: 0, maxOriginal: 3.1 },
      ],
      seconds: 1.31,
    },
    compress: {
      original: { bytes: fake.model.bytes, compressed: Math.round(fake.model.bytes * 0.926) },
      pruned: { bytes: fake.model.bytes + 312, compressed: Math.round(fake.model.bytes * 0.171) },
      seconds: 3.9,
    },
  };
}

/** The state of a view whose model is still being opened. */
export function loadingState(title = "model.onnx"): ViewState {
  return {
    mode: "editor",
    title,
    recipe: defaultRecipe,
    model: null,
    shapes: null,
    result: null,
    insights: noInsights,
    activity: { kind: "working", label: "Reading the model", progress: { stage: "initializers", done: 12, total: 54 } },
    saved: null,
    banner: null,
  };
}

interface Ranking {
  /** All scores of the ranked layers, weakest first. */
  readonly order: readonly { readonly layer: number; readonly score: number }[];
  /** The same within each layer. */
  readonly lastRank: readonly number[];
}

function layerView(l: number, options: FakeOptions, random: () => number): LayerView {
  const weight = options.name?.(l) ?? `stage${Math.floor(l / 6) + 1}.block${(l % 6) + 1}.conv.weight`;
  const out = 8 << (l % 3);
  const inside = 4 + Math.floor(random() * 12);
  const dense = l % 7 === 6;
  const shape = dense ? [out * 2, inside * 4] : [out, inside, 3, 3];
  return {
    id: options.name === undefined ? weight : `${l}/${weight}`,
    name: `/stage${Math.floor(l / 6) + 1}/block${(l % 6) + 1}/${dense ? "Gemm" : "Conv"}`,
    op: dense ? "Gemm" : "Conv",
    weight,
    dtype: "float",
    shape,
    parameters: shape.reduce((product, dim) => product * dim, 1),
    roles: { out: [0], in: [1], spatial: dense ? [] : [2, 3], batch: [], groups: 1 },
    via: l % 11 === 10 ? ["Transpose"] : [],
    uses: [`/stage${l}/Conv`],
    subgraph: "",
  };
}

function criterion(id: string, title: string, summary: string, more: Partial<CriterionView> = {}): CriterionView {
  return { id, title, summary, needsData: false, rounds: 1, signed: false, ...more };
}

function modelView(layers: readonly LayerView[], options: FakeOptions): ModelView {
  const prunable = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  return {
    path: `/home/ada/models/${options.title ?? "model.onnx"}`,
    format: "onnx",
    bytes: prunable * 4 + 40_000,
    dataFiles: [],
    fingerprint: `fingerprint-${layers.length}`,
    producer: "pytorch 2.4.1",
    irVersion: 8,
    opsets: [{ domain: "", version: 17 }],
    metadata: [{ key: "author", value: "nobody" }],
    docString: "",
    inputs: [{ name: "image", dtype: "float", shape: ["batch", 3, 224, 224] }],
    outputs: [{ name: "logits", dtype: "float", shape: ["batch", 1000] }],
    nodes: layers.length * 3,
    parameters: prunable + 9_000,
    prunable,
    layers,
    unprunable: [{ weight: "embedding.weight", shape: [1000, 9], reason: "an embedding table (Gather)" }],
    criteria: [
      criterion("magnitude", "Magnitude", "Weights near zero go first."),
      criterion("snip", "SNIP", "Sensitivity of the loss.", { needsData: true }),
      criterion("synflow", "SynFlow", "What flows through the whole network.", { rounds: 200 }),
      criterion("grasp", "GraSP", "The flow of the gradient.", { needsData: true, signed: true }),
      criterion("random", "Random", "Any weight may go: the baseline."),
      criterion("fisher", "Fisher", "Curvature.", { unavailable: "its loss has no samples." }),
    ],
    losses: [
      { id: "cross-entropy", title: "cross-entropy with the data's labels" },
      { id: "half-mean-square", title: "half the mean square of the output" },
    ],
    hasBatchNorm: true,
    notes: ["Dynamic axis `batch` is bound to 1."],
  };
}

function layerScores(count: number, l: number, options: FakeOptions, random: () => number): number[] {
  if (options.silent?.includes(l) === true) return Array.from({ length: count }, () => 0);
  // Deeper layers have smaller scores, wide ones are the smallest: as in a trained network.
  const scale = 0.2 * Math.exp(-1.6 * (l / Math.max(1, options.layers - 1))) * (1 + 0.6 * Math.sin(l * 1.7));
  const values = Array.from({ length: count }, () => Math.abs(scale * normal(random)));
  if (options.nonFinite?.includes(l) === true) values[0] = NaN;
  return values;
}

function rank(scores: readonly (readonly number[])[], excluded: readonly boolean[]): Ranking {
  const order = scores
    .flatMap((values, layer) => (excluded[layer] ? [] : values.map((score) => ({ layer, score }))))
    .sort((a, b) => (Number.isNaN(a.score) ? 1 : Number.isNaN(b.score) ? -1 : a.score - b.score));
  const lastRank = scores.map(() => 0);
  for (const [i, { layer }] of order.entries()) lastRank[layer] = i + 1;
  return { order, lastRank };
}

function countKept(
  layers: readonly LayerView[],
  excluded: readonly boolean[],
  ranking: Ranking,
  sparsity: number,
  scope: Scope,
): number[] {
  if (scope === "layer") {
    return layers.map(({ parameters }, l) => (excluded[l] ? parameters : keptCount(parameters, sparsity)));
  }
  const kept = layers.map((layer) => layer.parameters);
  const removed = ranking.order.length - keptCount(ranking.order.length, sparsity);
  for (const { layer } of ranking.order.slice(0, removed)) kept[layer]!--;
  return kept;
}

function criticals(
  layers: readonly LayerView[],
  excluded: readonly boolean[],
  ranking: Ranking,
  options: FakeOptions,
): (number | null)[] {
  return layers.map((_, l) =>
    excluded[l] || options.silent?.includes(l) === true || options.nonFinite?.includes(l) === true
      ? null
      : options.recipe?.scope === "layer"
        ? 1 - 0.5 / layers[l]!.parameters
        : ranking.lastRank[l]! / ranking.order.length,
  );
}

function riskOf(
  kept: number,
  critical: number | null,
  sparsity: number,
  excluded: boolean,
  options: FakeOptions,
  l: number,
): Risk {
  if (excluded) return "none";
  if (options.silent?.includes(l) === true) return "no-signal";
  if (kept === 0) return "collapsed";
  if (critical === null) return "none";
  if (1 - critical > (1 - sparsity) / 2) return "high";
  return 1 - critical > (1 - sparsity) / 10 ? "low" : "none";
}

function survivalTable(layers: readonly LayerView[], ranking: Ranking): AnalysisResult["survival"] {
  const total = ranking.order.length;
  const points = Math.max(2, Math.min(128, total + 1));
  const removed = Float64Array.from({ length: points }, (_, p) => Math.round((total * p) / (points - 1)));
  const kept = new Uint32Array(points * layers.length);
  const left = layers.map((layer) => layer.parameters);
  let done = 0;
  for (const [p, target] of removed.entries()) {
    while (done < target) left[ranking.order[done++]!.layer]!--;
    kept.set(left, p * layers.length);
  }
  return { layers: layers.length, removed: encodeArray("f64", removed), kept: encodeArray("u32", kept) };
}

function histogramOf(values: readonly number[]): ScoreHistogram {
  const bins = values
    .filter((value) => value > 0 && Number.isFinite(value))
    .map((value) => Math.floor(Math.log2(value) * perOctave));
  if (bins.length === 0) return { first: 0, perOctave, counts: encodeArray("u32", new Uint32Array(0)) };
  const first = bins.reduce((least, bin) => Math.min(least, bin));
  const counts = new Uint32Array(bins.reduce((most, bin) => Math.max(most, bin)) - first + 1);
  for (const bin of bins) counts[bin - first]!++;
  return { first, perOctave, counts: encodeArray("u32", counts) };
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
