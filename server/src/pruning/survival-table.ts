/**
 * The survival table of a result: at bin edges of the survey's histograms every count is exact without another pass,
 * so the table's points are edges, spread evenly over the sparsities.
 */
import { encodeArray } from "../../protocol/codec.js";
import { type EncodedSurvival, maxSurvivalPoints } from "../../protocol/survival.js";
import { addHistograms, type LayerSurvey, survivors } from "./survey.js";

/** Most counts of one table, which keeps its message below 1 MB. */
const maxCounts = 190_000;

/**
 * Table of all layers when the layers that are not excluded are pruned by one global threshold. It begins where what
 * restrictions remove is gone.
 */
export function survivalTable(surveys: readonly LayerSurvey[], excluded: readonly boolean[]): EncodedSurvival {
  const layers = surveys.length;
  const pool = surveys.filter((_, l) => excluded[l] !== true);
  const upper = addHistograms(pool.map((layer) => layer.histogram));
  const total = pool.reduce((sum, layer) => sum + layer.size, 0);
  const outside = pool.reduce((sum, layer) => sum + layer.outside, 0);
  const points = Math.max(2, Math.min(maxSurvivalPoints, Math.floor(maxCounts / Math.max(1, layers))));
  // An edge is taken as soon as a point's worth of weights has gone since the last one.
  const edges: number[] = [];
  const removed: number[] = [outside];
  let gone = 0;
  for (let bin = 0; bin < upper.length; bin++) {
    if (upper[bin] === 0) continue;
    gone += upper[bin]!;
    if (gone <= outside) continue;
    if (gone === total || gone - removed.at(-1)! >= total / (points - 1)) {
      edges.push(bin);
      removed.push(gone);
    }
  }
  if (removed.length === 1) {
    edges.push(65535);
    removed.push(total);
  }
  const kept = new Uint32Array(removed.length * layers);
  surveys.forEach((layer, l) => {
    kept[l] = excluded[l] === true ? layer.size : survivors(layer);
    const { bins, counts } = layer.histogram;
    let left = layer.size;
    let at = 0;
    edges.forEach((edge, e) => {
      if (excluded[l] !== true) for (; at < bins.length && bins[at]! <= edge; at++) left -= counts[at]!;
      kept[(e + 1) * layers + l] = left;
    });
  });
  return { layers, removed: encodeArray("f64", Float64Array.from(removed)), kept: encodeArray("u32", kept) };
}
