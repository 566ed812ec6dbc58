/**
 * A model of more than 2 GB whose weights lie in a file of their own: pruned by magnitude, pruned to 2:4 and checked,
 * through a real engine process, against copying the same files and against its largest tensor.
 */
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { EngineHost } from "../../server/src/engine/host.js";
import { type PlacedWeight, writeBeyond } from "../support/model-beyond.js";
import { normals } from "../support/model-elements.js";
import { copyDurably, peakMemory, timed } from "./files.js";
import type { Row } from "./table.js";

const shape = [16384, 8192] as const;
const tensorBytes = 4 * shape[0] * shape[1];
const tensors = 5;

/** Measures once: a round moves ten gigabytes. `folder` is for the files. */
export async function benchSplit(folder: string): Promise<Row[]> {
  const home = join(folder, "split");
  const saved = join(folder, "split-saved");
  for (const place of [home, saved]) mkdirSync(place);
  const path = join(home, "model.onnx");
  const weights = Array.from({ length: tensors }, (_, i): PlacedWeight => ({
    name: `w${i}`,
    shape,
    offset: i * tensorBytes,
    hollow: true,
  }));
  writeBeyond(path, tensors * tensorBytes, weights);
  const data = join(home, "weights.bin");
  fill(data, tensors * tensorBytes);
  const settings = { threads: 0, memoryLimit: 0, cacheMaxSize: 100 };
  const entry = join(process.cwd(), "dist", "engine.js");
  const engine = new EngineHost({ entry, storage: join(folder, "split-cache"), settings, priority: "normal" });
  const gigabytes = (statSync(data).size / 1e9).toFixed(1);
  try {
    const copy = join(folder, "copy.bin");
    const copying = timed(() => {
      copyDurably(data, copy);
    });
    rmSync(copy);
    const rows: Row[] = [];
    const target = join(saved, "model.onnx");
    const prune = async (what: string, change: Partial<Recipe>): Promise<void> => {
      const recipe = { ...defaultRecipe, ...change };
      const params = { uri: path, path, recipe, target, replaceOriginal: false, metadata: true };
      const { writeSeconds } = await engine.run("save", params);
      rows.push({
        what: `save a split model of ${gigabytes} GB: ${what}`,
        against: "cp and fsync of its weights",
        ratio: (1000 * writeSeconds) / copying,
        aim: 1.5,
        detail: `${writeSeconds.toFixed(1)} s against ${(copying / 1000).toFixed(1)} s`,
      });
    };
    // As in the editor: what is saved was looked at before.
    await engine.run("analyze", { uri: path, path, recipe: defaultRecipe });
    await prune("magnitude 90 %", {});
    await prune("2:4", { sparsity: 0, pattern: { n: 2, m: 4 } });
    const check = { uri: target, path: target, pattern: { n: 2, m: 4 }, exclude: [] };
    const { holds, seconds } = await engine.run("check", check);
    const peak = peakMemory();
    rows.push({
      what: `peak memory of a split model of ${gigabytes} GB: an analysis, two saves and a check`,
      against: "2 x its largest tensor",
      ratio: peak / (2 * tensorBytes),
      aim: 1,
      detail: `${(peak / 1e6).toFixed(0)} MB; checked in ${seconds.toFixed(1)} s: 2:4 ${holds ? "holds" : "does not hold"}`,
    });
    return rows;
  } finally {
    engine.dispose();
    for (const place of [home, saved]) rmSync(place, { recursive: true, force: true });
  }
}

/** Fills a file with one block of normal numbers over and over: selection sees ties across blocks, never inside a group. */
function fill(path: string, bytes: number): void {
  const block = new Uint8Array(Float32Array.from(normals(1, 1 << 20)).buffer);
  const fd = openSync(path, "r+");
  try {
    for (let at = 0; at < bytes; at += block.length) writeSync(fd, block, 0, Math.min(block.length, bytes - at), at);
  } finally {
    closeSync(fd);
  }
}
