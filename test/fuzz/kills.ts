/**
 * `npm run kills [-- --count N] [--seed N]`: saves in a process of their own that is killed (SIGKILL) at a random moment,
 * between its first step and a little after its last. After each kill: the original is what it was, whatever has a final
 * name is whole and of one version, opening the target finishes what was begun or finds nothing, and the next save leaves
 * exactly what it should. The last line is a summary as JSON. Exit code 1 on findings.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { withModel } from "../../server/src/analysis/open-model.js";
import { filledCopy } from "../support/filled-copy.js";
import { ModelFolder } from "../support/model-folder.js";
import { ExternalFile, model, node, type TestModel, value, weight } from "../support/models.js";
import { type Files, filesIn, finalNames, mixture, same } from "../support/saved-files.js";
import { writeTfjs } from "../support/tfjs/folder.js";
import { twoProducts } from "../support/tfjs/two-products.js";
import { Random } from "./random.js";

/** Width of the three square weights: a quarter of a megabyte each, so that writing takes a share of the time. */
const width = 256;

/** Three matrix products; with `split`, the weights of two lie in files of their own, one in a folder. */
function threeWeights(split: boolean): TestModel {
  const files = split ? [new ExternalFile("weights.bin"), new ExternalFile("more/weights.bin")] : [];
  const weights = ["a", "b", "c"].map((name, i) => {
    const file = files[i];
    return weight(name, [width, width], i + 1, "float", file === undefined ? "raw" : { file });
  });
  return model({
    external: files,
    graph: {
      nodes: ["a", "b", "c"].map((name, i) => node("MatMul", [["x", "h0", "h1"][i]!, name], [["h0", "h1", "y"][i]!])),
      inputs: [value("x", "float", [1, width])],
      outputs: [value("y", "float", [1, width])],
      initializers: weights,
    },
  });
}

/** How a model lies on the disk. */
interface Kind {
  readonly words: string;
  /** Its main file. */
  readonly file: string;
  /** Writes it into a folder that is there. */
  readonly write: (folder: ModelFolder, place: string) => string;
}

const onnx = (words: string, split: boolean): Kind => ({
  words,
  file: "model.onnx",
  write: (folder, place) => folder.write(relative(folder.path, join(place, "model.onnx")), threeWeights(split)),
});

const kinds: readonly Kind[] = [
  onnx("one file", false),
  onnx("three files", true),
  {
    words: "a model.json and its shards",
    file: "model.json",
    write: (_, place) => writeTfjs(place, twoProducts(width), { shardSize: 200_001 }),
  },
];

interface Scenario extends Kind {
  readonly over: "nothing" | "an older save" | "the original";
}

const scenarios: readonly Scenario[] = kinds.flatMap((kind) =>
  (["nothing", "an older save", "the original"] as const).map((over) => ({ ...kind, over })),
);

/** What a scenario starts from. */
interface Prepared extends Scenario {
  /** Folder with `in` and `out`, to be copied. */
  readonly start: string;
  readonly original: Files;
  readonly before: Files;
  readonly after: Files;
  /** Milliseconds that a save takes that nobody kills. */
  readonly duration: number;
}

/** Bytes that the weights are filled with by the save that is killed, and by the older one. */
const filling = 2;
const olderFilling = 1;

async function prepare(folder: ModelFolder, scenario: Scenario, saver: string): Promise<Prepared> {
  const place = folder.place();
  const start = join(place, "start");
  for (const made of ["in", "out"]) mkdirSync(join(start, made), { recursive: true });
  mkdirSync(join(place, "wanted"));
  const { file } = scenario;
  const path = scenario.write(folder, join(start, "in"));
  await filledCopy(path, join(place, "wanted", file), filling);
  if (scenario.over === "an older save") await filledCopy(path, join(start, "out", file), olderFilling);
  const out = join(start, scenario.over === "the original" ? "in" : "out");
  const prepared = {
    ...scenario,
    start,
    original: filesIn(join(start, "in")),
    before: filesIn(out),
    after: filesIn(join(place, "wanted")),
    duration: 0,
  };
  const { milliseconds } = await killed(folder, prepared, saver, () => Infinity);
  return { ...prepared, duration: milliseconds };
}

/** Where a trial works: a copy of what its scenario starts from. */
function stage(folder: ModelFolder, { start, over, file }: Scenario & { readonly start: string }) {
  const place = folder.place();
  cpSync(start, place, { recursive: true });
  const path = join(place, "in", file);
  const out = join(place, over === "the original" ? "in" : "out");
  return { place, path, out, target: join(out, file) };
}

interface Trial {
  readonly milliseconds: number;
  readonly complaint: string | null;
  /** What the kill found. */
  readonly state: string;
}

/** Starts a save, kills it `delay()` milliseconds after its first step, and looks at what is left. */
async function killed(folder: ModelFolder, prepared: Prepared, saver: string, delay: () => number): Promise<Trial> {
  const { place, path, out, target } = stage(folder, prepared);
  try {
    const child = spawn(process.execPath, [saver, path, target, String(filling)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const gone = new Promise<number | null>((resolve) => child.once("exit", resolve));
    await new Promise<void>((resolve) => {
      child.stdout.once("data", () => {
        resolve();
      });
      child.once("exit", () => {
        resolve();
      });
    });
    const began = performance.now();
    const wait = delay();
    const timer = Number.isFinite(wait) ? setTimeout(() => child.kill("SIGKILL"), wait) : undefined;
    const code = await gone;
    clearTimeout(timer);
    const milliseconds = performance.now() - began;
    const files = filesIn(out);
    const leftovers = Object.keys(files).length > Object.keys(finalNames(files)).length;
    const state =
      code === 0
        ? "had ended"
        : prepared.file in files
          ? same(finalNames(files), prepared.after)
            ? "new model"
            : leftovers
              ? "old model, leftovers"
              : "old model"
          : leftovers
            ? "no model, leftovers"
            : "no model";
    return { milliseconds, state, complaint: await complaintOf(prepared, files, { path, out, target }) };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** What is wrong after a kill, or null. Opens the target and saves again. */
async function complaintOf(
  { over, original, before, after, file }: Prepared,
  files: Files,
  { path, out, target }: { readonly path: string; readonly out: string; readonly target: string },
): Promise<string | null> {
  if (over !== "the original" && !same(filesIn(join(path, "..")), original)) return "the original changed";
  const mixed = mixture(files, before, after, file);
  if (mixed !== null) return mixed;
  try {
    await withModel(target, () => Promise.resolve());
  } catch (error) {
    if (existsSync(target) || over !== "nothing") return `opening fails: ${(error as Error).message}`;
  }
  const opened = finalNames(filesIn(out));
  if (!same(opened, before) && !same(opened, after)) return `opening leaves ${Object.keys(opened).join(", ")}`;
  await filledCopy(path, target, filling);
  return same(filesIn(out), after) ? null : `the next save leaves ${Object.keys(filesIn(out)).join(", ")}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: { count: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } },
  });
  const began = performance.now();
  const folder = new ModelFolder();
  // Beside this script's own bundle, where packages are found.
  const saver = join(".cache", "run", `model-saver-${process.pid}.mjs`);
  const states: Record<string, number> = {};
  let findings = 0;
  try {
    await build({
      entryPoints: ["test/support/model-saver.ts"],
      outfile: saver,
      bundle: true,
      packages: "external",
      platform: "node",
      format: "esm",
    });
    const prepared: Prepared[] = [];
    for (const scenario of scenarios) prepared.push(await prepare(folder, scenario, saver));
    const random = new Random(Number(values.seed));
    for (let trial = 0; trial < Number(values.count); trial++) {
      const scenario = prepared[trial % prepared.length]!;
      const delay = (random.below(1e6) / 1e6) * 1.2 * scenario.duration;
      const { complaint, state } = await killed(folder, scenario, saver, () => delay);
      states[state] = (states[state] ?? 0) + 1;
      if (complaint === null) continue;
      findings++;
      const { words, over } = scenario;
      console.error(`kill ${trial}, ${words} over ${over}, after ${delay.toFixed(1)} ms: ${complaint}`);
    }
  } finally {
    folder.dispose();
    rmSync(saver, { force: true });
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(JSON.stringify({ kills: Number(values.count), findings, states, seconds }));
  if (findings > 0) process.exitCode = 1;
}

await main();
