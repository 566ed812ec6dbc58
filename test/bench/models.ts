/**
 * Opening, analysing and saving generated models of growing size, through a real engine process, against reading and
 * copying the same file.
 */
import { closeSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { EngineHost } from "../../server/src/engine/host.js";
import { generateLargeModel } from "../support/model-large.js";
import { copyDurably, peakMemory, timed } from "./files.js";
import { median, type Row } from "./table.js";

/** Rounds per size: enough for a median, few enough for 500 MB on a small disk. */
const rounds = 5;

/** Measures one size, in MB. `folder` is for its files. */
export async function benchModel(megabytes: number, folder: string): Promise<Row[]> {
  const path = join(folder, `model-${megabytes}.onnx`);
  await generateLargeModel(path, megabytes);
  const bytes = statSync(path).size;
  const target = join(folder, "saved.onnx");
  const copy = join(folder, "copy.onnx");
  const settings = { threads: 0, memoryLimit: 0, cacheMaxSize: 100 };
  const engine = new EngineHost({
    entry: join(process.cwd(), "dist", "engine.js"),
    storage: join(folder, "cache"),
    settings,
    // As the process that reads and copies: below-normal priority would measure the other load of the machine.
    priority: "normal",
  });
  const model = { uri: path, path };
  const recipe = defaultRecipe;
  try {
    const times = {
      read: [] as number[],
      open: [] as number[],
      analyze: [] as number[],
      copy: [] as number[],
      save: [] as number[],
      pattern: [] as number[],
    };
    const halved: Recipe = { ...recipe, sparsity: 0, pattern: { n: 2, m: 4 } };
    await engine.run("open", { ...model, dynamicAxes: {} });
    for (let round = 0; round < rounds; round++) {
      times.read.push(timed(() => readWhole(path)));
      times.open.push(await timedAsync(() => engine.run("open", { ...model, dynamicAxes: {} })));
      rmSync(join(folder, "cache"), { recursive: true, force: true });
      times.analyze.push(await timedAsync(() => engine.run("analyze", { ...model, recipe })));
      rmSync(copy, { force: true });
      times.copy.push(timed(() => copyDurably(path, copy)));
      rmSync(target, { force: true });
      // Told by the job itself up to the rename; reading back comes after and is timed apart.
      const report = await engine.run("save", { ...model, recipe, target, replaceOriginal: false, metadata: true });
      times.save.push(1000 * report.writeSeconds);
      rmSync(target, { force: true });
      const saving = { ...model, recipe: halved, target, replaceOriginal: false, metadata: true };
      times.pattern.push(1000 * (await engine.run("save", saving)).writeSeconds);
    }
    const peak = peakMemory();
    const detail = `file ${(bytes / 1e6).toFixed(0)} MB, read in ${median(times.read).toFixed(1)} ms`;
    const size = `${megabytes} MB`;
    const ratio = (a: readonly number[], b: readonly number[]): number => median(a.map((value, i) => value / b[i]!));
    return [
      {
        what: `open ${size}: file to first table`,
        against: "reading the file",
        ratio: ratio(times.open, times.read),
        aim: 3,
        detail: `${median(times.open).toFixed(1)} ms, ${detail}`,
      },
      {
        what: `analyze ${size}: statistics and counts of every layer`,
        against: "reading the file",
        ratio: ratio(times.analyze, times.read),
        aim: null,
        detail: `${median(times.analyze).toFixed(0)} ms`,
      },
      {
        what: `save ${size}: mask, copy, fsync, rename`,
        against: "cp and fsync",
        ratio: ratio(times.save, times.copy),
        aim: 1.5,
        detail: `${median(times.save).toFixed(0)} ms against ${median(times.copy).toFixed(0)} ms`,
      },
      {
        what: `save ${size} to 2:4: selection, copy, fsync, rename`,
        against: "cp and fsync",
        ratio: ratio(times.pattern, times.copy),
        aim: 1.5,
        detail: `${median(times.pattern).toFixed(0)} ms against ${median(times.copy).toFixed(0)} ms`,
      },
      {
        what: `peak memory ${size}: open, analyze, save`,
        against: "1.5 x file + 200 MB",
        ratio: peak / (1.5 * bytes + 200e6),
        aim: 1,
        detail: `${(peak / 1e6).toFixed(0)} MB`,
      },
    ];
  } finally {
    engine.dispose();
    for (const file of [path, target, copy]) rmSync(file, { force: true });
  }
}

async function timedAsync(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Reads a file from start to end into one buffer of 4 MB. */
function readWhole(path: string): void {
  const fd = openSync(path, "r");
  const buffer = new Uint8Array(1 << 22);
  while (readSync(fd, buffer, 0, buffer.length, null) > 0);
  closeSync(fd);
}
