/**
 * Theory, collapse and measurements of networks of real size, through a real engine process, against a plain forward pass
 * of ONNX Runtime with as many threads (batch 8; the measurement runs 32 samples, four of those).
 */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { EngineHost } from "../../server/src/engine/host.js";
import { openSession } from "../../server/src/runtime/session.js";
import type { Network } from "../support/networks/index.js";
import { fullSize, type FullSize } from "./full-size.js";
import { median, type Row } from "./table.js";

const rounds = 3;
const names: readonly FullSize[] = ["ResNet-18", "MobileNetV2"];

export async function benchInsights(folder: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of names) rows.push(...(await benchNetwork(name, fullSize[name](), folder)));
  return rows;
}

async function benchNetwork(name: FullSize, network: Network, folder: string): Promise<Row[]> {
  const path = join(folder, `${name}.onnx`);
  const storage = join(folder, "insights");
  writeFileSync(path, network.bytes);
  const settings = { threads: 2, memoryLimit: 0, cacheMaxSize: 1000 };
  const engine = new EngineHost({
    entry: join(process.cwd(), "dist", "engine.js"),
    storage,
    settings,
    priority: "normal",
  });
  const model = { uri: path, path };
  const recipe = { ...defaultRecipe, criterion: "snip" };
  const jobs = {
    analyze: () => engine.run("analyze", { ...model, recipe: defaultRecipe }),
    theory: () => engine.run("theory", { ...model, sigmaB: 0.2, dynamicAxes: {} }),
    collapse: () => engine.run("collapse", { ...model, recipe: defaultRecipe }),
    measure: () => engine.run("measure", { ...model, recipe, stabilityRuns: 0 }),
  };
  const times = new Map<string, number[]>(Object.keys(jobs).map((job) => [job, []]));
  const forward: number[] = [];
  const session = await openSession(path, { threads: 2, optimise: true });
  const feeds = Object.fromEntries(
    Object.entries(network.feeds).map(([input, { data, shape }]) => [input, new ort.Tensor("float32", data, shape)]),
  );
  try {
    await session.run(feeds);
    for (let round = 0; round < rounds; round++) {
      rmSync(storage, { recursive: true, force: true });
      forward.push(await timed(() => session.run(feeds)));
      for (const [job, run] of Object.entries(jobs)) times.get(job)!.push(await timed(run));
    }
  } finally {
    engine.dispose();
    await session.release();
    rmSync(path, { force: true });
    rmSync(storage, { recursive: true, force: true });
  }
  const pass = median(forward);
  return [...times].map(([job, taken]) => ({
    what: `${name}: ${job}${job === "measure" ? " (SNIP's scores included)" : ""}`,
    against: "a forward pass, batch 8",
    ratio: median(taken) / pass,
    aim: null,
    detail: `${(median(taken) / 1000).toFixed(2)} s, forward ${(pass / 1000).toFixed(2)} s`,
  }));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
