/** Mask selection from scratch (survey and cut) against a plain sum over the same array, in memory. */
import { OrderedScores } from "../../server/src/pruning/order.js";
import { select } from "../../server/src/pruning/select.js";
import { survey } from "../../server/src/pruning/survey.js";
import { arrayLayer, uniform } from "../support/arrays.js";
import { median, type Row } from "./table.js";

/** Elements: what a model of 100 MB has. */
const elements = 25_000_000;
const layersCount = 50;
const rounds = 5;

export async function benchSelection(): Promise<Row[]> {
  const random = uniform(1);
  const all = Float32Array.from({ length: elements }, () => Math.abs(random() + random() + random() - 1.5));
  const size = elements / layersCount;
  const layers = Array.from({ length: layersCount }, (_, l) =>
    arrayLayer(`l${l}`, all.subarray(l * size, (l + 1) * size)),
  );
  const scores = new OrderedScores(layers, false, true, 0);
  const layouts = layers.map(() => ({ inner: 1000, outputs: size / 1000, stride: size, total: size / 1000 }));
  const pool = layers.map((_, l) => l);
  const sums: number[] = [];
  const surveys: number[] = [];
  const selections: number[] = [];
  let sink = 0;
  for (let round = 0; round <= rounds; round++) {
    const began = performance.now();
    let sum = 0;
    for (let i = 0; i < all.length; i++) sum += all[i]!;
    sink += sum;
    const summed = performance.now();
    const known = await survey(scores, layouts, () => Promise.resolve());
    const surveyed = performance.now();
    const { kept } = select(scores, known, pool, Math.round(0.9 * elements));
    const selected = performance.now();
    sink += kept[0]!;
    if (round === 0) continue; // the first round compiles
    sums.push(summed - began);
    surveys.push(surveyed - summed);
    selections.push(selected - surveyed);
  }
  if (!Number.isFinite(sink)) throw new Error("the sums are wrong");
  const sum = median(sums);
  const rate = `${(elements / 1e3 / sum).toFixed(0)} M/s for the sum`;
  return [
    {
      what: "select k at a sparsity, statistics known",
      against: "plain sum of the array",
      ratio: median(selections) / sum,
      aim: 3,
      detail: rate,
    },
    {
      what: "survey (statistics, histograms) + select",
      against: "plain sum of the array",
      ratio: (median(surveys) + median(selections)) / sum,
      aim: null,
      detail: rate,
    },
  ];
}
