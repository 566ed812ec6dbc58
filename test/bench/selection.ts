/** Mask selection from scratch (survey and cut) against a plain sum over the same array, in memory. */
import { OrderedScores } from "../../server/src/pruning/order.js";
import { blockElements } from "../../server/src/formats/stored-elements.js";
import { selectGroups } from "../../server/src/pruning/pattern/select.js";
import { select } from "../../server/src/pruning/select.js";
import { survey } from "../../server/src/pruning/survey.js";
import { arrayLayer, uniform } from "../support/arrays.js";
import { median, type Row } from "./table.js";

/** Elements: what a model of 100 MB has. */
const elements = 25_000_000;
const layersCount = 50;
const rounds = 5;

/** Weights per second and core that 2:4 selection is to reach. */
const aimedRate = 300e6;

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
    ...[1, 9, 4096].map((inner) => patternRow(all, inner)),
  ];
}

/** 2:4 of neighbours, of a 3x3 convolution, of the rows of a matrix: the selection itself, on scores in the cache. */
function patternRow(all: Float32Array, inner: number): Row {
  const count = Math.floor(blockElements / (4 * inner)) * 4 * inner;
  const values = new Float32Array(count);
  const bits = new Int32Array(values.buffer);
  const open = new Int32Array(count / 4);
  const blocks = Math.floor(all.length / count);
  const times: number[] = [];
  const facts = { signs: 0, excess: 0 };
  let ties = 0;
  for (let round = 0; round <= rounds; round++) {
    let spent = 0;
    for (let b = 0; b < blocks; b++) {
      values.set(all.subarray(b * count, (b + 1) * count));
      const began = performance.now();
      ties += selectGroups(bits, bits, { count, inner, n: 2, m: 4 }, open, facts);
      spent += performance.now() - began;
    }
    if (round > 0) times.push(spent);
  }
  if (facts.signs < 0 || facts.excess < 0) throw new Error("the scores are wrong");
  const seconds = median(times) / 1e3;
  const rate = (blocks * count) / seconds;
  return {
    what: `2:4 selection, elements of a group ${inner} apart`,
    against: `${aimedRate / 1e6} M weights/s`,
    ratio: aimedRate / rate,
    aim: 1,
    detail: `${(rate / 1e6).toFixed(0)} M/s, ${ties} ties left to be told apart`,
  };
}
