/** What theory says of a layer, in a line. */
import type { InitialisationView, LayerTheory, Origin } from "../../../server/protocol/insights.js";
import type { ViewStore } from "../state/store.js";
import { columnPercent, score } from "./numbers.js";

export const phaseWords = { ordered: "ordered", edge: "edge of chaos", chaotic: "chaotic" } as const;

export const originWords: Readonly<Record<Origin, string>> = {
  fresh: "The weights look as they were drawn",
  trained: "The weights look trained",
  unclear: "Whether the weights are fresh or trained is unclear",
};

/** "chaotic, χ 1.31"; why not, where the theory says nothing. */
export function phaseLine({ phase, limits }: LayerTheory): string {
  if (phase !== null) return `${phaseWords[phase.phase]}, χ ${score(phase.chi)}`;
  const [limit] = limits;
  return limit === undefined ? "" : `no phase: ${limit.kind.replaceAll("-", " ")}`;
}

/** "σ_w 1.30, σ_b 0.200, deviation 0.0412". */
export function suggestionLine({ sigmaW, sigmaB, deviation }: InitialisationView): string {
  return `σ_w ${score(sigmaW)}, σ_b ${score(sigmaB)}, deviation ${score(deviation)}`;
}

/** How much of what is kept of layer `l` lies on a path through the network; empty where all does, or it is not known. */
export function effectiveWords({ effective, counts }: Pick<ViewStore, "effective" | "counts">, l: number): string {
  const share = effective?.[l] ?? NaN;
  const density = counts?.density[l] ?? 0;
  // Not true of NaN either.
  if (!(share < density)) return "";
  if (share === 0) return "no kept weight is on a path through the network";
  return `${columnPercent(share)} on a path through the network`;
}
