/**
 * Job `theory`: what mean-field theory says of the model's layers, from their weights alone: σ_w and σ_b as they are,
 * the phase, what to draw them with instead, and whether the weights look drawn or trained. Where the theory does not
 * reach, it says so.
 */
import type { EdgeView, LayerTheory, TheoryReport } from "../../protocol/insights.js";
import type { TheoryParams } from "../../protocol/requests.js";
import type { Activation } from "../meanfield/activations/activation.js";
import type { EdgeCurve, EdgePoint } from "../meanfield/edge-curve.js";
import { type EdgeOfChaos, inputScale } from "../meanfield/edge-of-chaos.js";
import { modelOrigin } from "../meanfield/origin/index.js";
import { checkSigmaB } from "../meanfield/variance-map.js";
import { isCovered, type LayerSite, layerSites } from "../meanfield/sites/index.js";
import { Edges } from "../meanfield/sites/suggestion.js";
import { frameworks, snippet } from "../meanfield/snippets.js";
import type { JobContext } from "./jobs.js";
import { layerTheory } from "./layer-theory.js";
import { withModel } from "./open-model.js";
import { residualView } from "./residual-view.js";
import { adviceFor, theoryNotes } from "./theory-notes.js";

/** @throws PruneScopeError `bad-request` for σ_b out of range. */
export async function theory({ path, sigmaB }: TheoryParams, context: JobContext): Promise<TheoryReport> {
  checkSigmaB(sigmaB);
  return withModel(path, async ({ model, source, search }) => {
    const { weights } = search;
    const sites = await layerSites(model, weights, context.settings.threads, async (done) => {
      context.progress({ stage: "Looking at what follows each layer", done, total: weights.length });
      await context.checkpoint();
    });
    const total = weights.reduce((sum, weight) => sum + weight.size, 0);
    const origin = await modelOrigin(sites, model.graph, source, async (done) => {
      context.progress({ stage: "Reading weights", done, total });
      await context.checkpoint();
    });
    const edges = new Edges(sigmaB);
    const layers: LayerTheory[] = [];
    for (const [l, site] of sites.entries()) {
      context.progress({ stage: "Looking for the edge of chaos", done: l, total: sites.length });
      await context.checkpoint();
      layers.push(layerTheory(site, origin, l, edges));
    }
    const activations = distinct(sites.flatMap(({ activation }) => activation ?? []));
    const main = mostCommon(sites);
    const point = main === null ? null : edges.pointOf(main);
    const { verdict } = origin.model;
    return {
      origin: origin.model,
      advice: adviceFor(verdict, layers),
      sigmaB,
      layers,
      edges: activations.map((activation) => edgeView(activation, edges.of(activation))),
      residual: residualView(model, weights),
      code:
        main === null || point === null
          ? {}
          : Object.fromEntries(frameworks.map((one) => [one, snippet(one, main.name, point, "normal")])),
      inputScale: point === null ? null : inputScale(point),
      notes: theoryNotes(sites, layers, main, edges),
    };
  });
}

type EdgePlace = EdgeView["parts"][number]["points"][number];

/** Most points of one part of a curve. */
const mostPoints = 100;

function edgeView(activation: Activation, known: { readonly curve: EdgeCurve; readonly edge: EdgeOfChaos }): EdgeView {
  const { origin, parts } = known.curve;
  const place = ({ sigmaB, sigmaW, q }: EdgePoint): EdgePlace => ({ sigmaB, sigmaW, q });
  return {
    activation: activation.name,
    parts: [
      ...(origin === null ? [] : [{ kind: origin.status, points: [place(origin)] }]),
      ...parts.map(({ kind, points }) => {
        const step = Math.max(1, Math.ceil(points.length / mostPoints));
        return { kind, points: points.filter((_, i) => i % step === 0 || i === points.length - 1).map(place) };
      }),
    ],
    status: known.edge.status,
    explanation: known.edge.explanation,
  };
}

function distinct(activations: readonly Activation[]): Activation[] {
  return [...new Map(activations.map((one) => [one.name, one])).values()];
}

/** The activation that most of the layers have that the theory covers; of all but gates where there are none. */
function mostCommon(sites: readonly LayerSite[]): Activation | null {
  const covered = sites.filter(isCovered);
  const others = sites.filter(({ limits }) => !limits.some(({ kind }) => kind === "gated"));
  const counts = new Map<string, { readonly activation: Activation; count: number }>();
  for (const { activation } of covered.length > 0 ? covered : others) {
    if (activation === null) continue;
    const known = counts.get(activation.name);
    if (known === undefined) counts.set(activation.name, { activation, count: 1 });
    else known.count++;
  }
  const best = [...counts.values()].reduce<{ activation: Activation; count: number } | null>(
    (most, one) => (most === null || one.count > most.count ? one : most),
    null,
  );
  return best?.activation ?? null;
}
