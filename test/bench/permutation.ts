/**
 * The search for a permutation under 2:4: efficacy on normal matrices (0: the original order, 100: every row at its own
 * best half), and a whole ResNet-50 through a real engine process.
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultRecipe, type NofM } from "../../server/protocol/recipe.js";
import { EngineHost } from "../../server/src/engine/host.js";
import { searchPermutation } from "../../server/src/pruning/permutation/search.js";
import { uniform } from "../support/arrays.js";
import { normal } from "../support/draws.js";
import { fullSize } from "./full-size.js";
import type { Row } from "./table.js";

const pattern: NofM = { n: 2, m: 4 };
const matrices = 20;

export async function benchPermutation(folder: string): Promise<Row[]> {
  const aimed = 38;
  return [
    await benchMatrices(128, 64, matrices, [0.1, 1], aimed),
    await benchMatrices(512, 512, 1, [1, 10], null),
    await benchMatrices(2048, 1024, 1, [1, 10], null),
    await benchNetwork(folder),
  ];
}

/** Mean efficacy of `count` matrices for each time; the aim holds at the last. */
async function benchMatrices(
  rows: number,
  columns: number,
  count: number,
  times: readonly number[],
  aim: number | null,
): Promise<Row> {
  const reached: { readonly seconds: number; readonly efficacy: number; readonly moves: number }[] = [];
  for (const seconds of times) {
    let efficacy = 0;
    let moves = 0;
    for (let seed = 0; seed < count; seed++) {
      const random = uniform(seed);
      const scores = Float32Array.from({ length: rows * columns }, () => Math.abs(normal(random)));
      const found = await searchPermutation(scores, rows, columns, pattern, { seconds, seed });
      efficacy += (100 * (found.after - found.before)) / (found.best - found.before) / count;
      moves += found.moves / count;
    }
    reached.push({ seconds, efficacy, moves });
  }
  const { seconds, efficacy } = reached.at(-1)!;
  return {
    what: `permutation of ${rows} x ${columns}, ${seconds} s: best half`,
    against: aim === null ? "efficacy" : `efficacy, of which ${aim} is aimed at`,
    ratio: (aim ?? 100) / efficacy,
    aim: aim === null ? null : 1,
    detail: reached
      .map((one) => `${one.efficacy.toFixed(1)} in ${one.seconds} s (${(one.moves / 1e6).toFixed(2)} M steps)`)
      .join(", "),
  };
}

/** All sets of channels of a ResNet-50, a second each at most. */
async function benchNetwork(folder: string): Promise<Row> {
  const path = join(folder, "ResNet-50.onnx");
  const target = join(folder, "permuted.onnx");
  writeFileSync(path, fullSize["ResNet-50"]().bytes);
  const engine = new EngineHost({
    entry: join(process.cwd(), "dist", "engine.js"),
    storage: join(folder, "permutation"),
    settings: { threads: 0, memoryLimit: 0, cacheMaxSize: 100 },
    priority: "normal",
  });
  const recipe = { ...defaultRecipe, sparsity: 0, pattern, permute: { seconds: 1 } };
  const began = performance.now();
  try {
    await engine.run("save", { uri: path, path, recipe, target, replaceOriginal: false, metadata: true });
  } finally {
    engine.dispose();
    for (const file of [path, target]) rmSync(file, { force: true });
    rmSync(join(folder, "permutation"), { recursive: true, force: true });
  }
  const seconds = (performance.now() - began) / 1000;
  return {
    what: "ResNet-50: permuted, pruned to 2:4 and saved",
    against: "a minute",
    ratio: seconds / 60,
    aim: 1,
    detail: `${seconds.toFixed(1)} s, 1 s for each set of channels`,
  };
}
