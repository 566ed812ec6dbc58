/**
 * `npm run fuzz [-- --count N] [--seed N] [--model NAME]`: mutants of small models go the whole way, open, analyse, save,
 * verify, through a real engine process. Whatever comes of one: an answer or a coded error with a sentence, in time, and
 * no file outside the target's folder that is not what it was. Findings print the command that replays them; the last line
 * is a summary as JSON. Exit code 1 on findings. A crash of native code ends the engine and nothing else: it is counted.
 */
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { defaultRecipe, type Recipe } from "../../server/protocol/recipe.js";
import { EngineHost } from "../../server/src/engine/host.js";
import { filesIn, finalNames } from "../support/saved-files.js";
import { Random } from "./random.js";
import { smallModels, smallMutants } from "./small-mutants.js";
import { type Folder, type TfjsMutant, tfjsMutants, tfjsSeeds } from "./tfjs-mutants.js";

/** Longest time that one job may take, in milliseconds: the machine has other work too. */
const maxMilliseconds = 30_000;

/** Criteria, the ones that take a run of the model seldom. */
const criteria = ["magnitude", "magnitude", "magnitude", "random", "synflow", "snip"];

function drawRecipe(random: Random): Recipe {
  const pattern = random.chance(0.3)
    ? {
        pattern: random.of([
          { n: 2, m: 4 },
          { n: 1, m: 2 },
        ]),
      }
    : {};
  return {
    ...defaultRecipe,
    criterion: random.of(criteria),
    sparsity: random.of([0, 0.5, 0.9, 0.99]),
    scope: random.of(["global", "layer"]),
    ...pattern,
  };
}

/** Where mutants lie, where they are saved to, and what is neither. */
class Stage {
  readonly root = mkdtempSync(join(tmpdir(), "prunescope-whole-path-"));
  readonly in = join(this.root, "in");
  readonly out = join(this.root, "out");

  constructor() {
    for (const name of ["in/folder", "elsewhere"]) mkdirSync(join(this.root, name), { recursive: true });
    writeFileSync(join(this.root, "elsewhere", "w.bin"), new Uint8Array(1000));
    writeFileSync(join(this.root, "in", "w.bin"), new Uint8Array(100_000));
    symlinkSync(join(this.root, "elsewhere"), join(this.root, "in", "out.bin"));
    if (process.platform !== "win32") execFileSync("mkfifo", [join(this.root, "in", "pipe")]);
  }

  /** Puts the mutant's files in their place. */
  set(files: Folder): void {
    rmSync(this.out, { recursive: true, force: true });
    mkdirSync(this.out);
    for (const [name, bytes] of files) {
      mkdirSync(join(this.in, name, ".."), { recursive: true });
      writeFileSync(join(this.in, name), bytes);
    }
  }

  /** Takes the mutant's files away again. */
  clear(files: Folder): void {
    for (const name of files.keys()) rmSync(join(this.in, name), { force: true });
  }

  /** Everything but the target's folder: a line for each file with its size and time. */
  outside(): string {
    return readdirSync(this.root, { recursive: true, encoding: "utf8" })
      .filter((name) => !/^out($|[/\\])/.test(name))
      .sort()
      .map((name) => {
        const { size, mtimeMs, ino } = lstatSync(join(this.root, name));
        return `${name} ${size} ${mtimeMs} ${ino}`;
      })
      .join("\n");
  }

  /** Files under names that only a save in progress uses. */
  leftovers(): string[] {
    const files = filesIn(this.out);
    const final = finalNames(files);
    return Object.keys(files).filter((name) => !(name in final));
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Mutants of a small ONNX model, with its data. */
function onnxMutants(name: string): { readonly name: string; readonly make: (seed: number) => TfjsMutant } {
  const model = smallModels[name]!();
  const mutants = smallMutants(model);
  const data = model.external.map(({ location, bytes }) => [location, bytes] as const);
  return {
    name,
    make: (seed) => {
      const { bytes, kinds } = mutants.make(seed);
      return { files: new Map([...data, ["model.onnx", bytes] as const]), kinds };
    },
  };
}

interface Outcome {
  /** `verified`, or the job that refused the mutant and its code. */
  readonly result: string;
  readonly complaint: string | null;
}

async function goThrough(engine: EngineHost, path: string, target: string, recipe: Recipe): Promise<Outcome> {
  const ref = { uri: path, path };
  let job = "open";
  const limited = async <T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    job = name;
    return work(AbortSignal.timeout(maxMilliseconds));
  };
  try {
    await limited("open", (signal) => engine.run("open", { ...ref, dynamicAxes: {} }, { signal }));
    await limited("analyze", (signal) => engine.run("analyze", { ...ref, recipe }, { signal }));
    const save = { ...ref, recipe, target, replaceOriginal: false, metadata: true };
    await limited("save", (signal) => engine.run("save", save, { signal }));
    const verify = { ...ref, pruned: target, seed: 0, dynamicAxes: {} };
    await limited("verify", (signal) => engine.run("verify", verify, { signal }));
  } catch (error) {
    if (!(error instanceof PruneScopeError)) return { result: `${job}: ?`, complaint: String(error) };
    const { code, message } = error;
    const result = `${job}: ${code}`;
    if (code === "internal") return { result, complaint: `${job} fails without a code: ${message}` };
    if (code === "cancelled") return { result, complaint: `${job} hangs` };
    if (!/^\S.*[.!)…]$/s.test(message)) return { result, complaint: `${job} gives no sentence: ${message}` };
    return { result, complaint: null };
  }
  return { result: "verified", complaint: null };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      count: { type: "string", default: "20000" },
      seed: { type: "string", default: "1" },
      model: { type: "string" },
    },
  });
  const all = [...Object.keys(smallModels), ...Object.keys(tfjsSeeds)];
  const names = all.filter((name) => values.model === undefined || name.startsWith(values.model));
  if (names.length === 0) throw new Error(`--model must be one of ${all.join(", ")}`);
  const began = performance.now();
  const stage = new Stage();
  const settings = { threads: 1, memoryLimit: 2000, cacheMaxSize: 0 };
  const entry = resolve("dist", "engine.js");
  const engine = new EngineHost({ entry, storage: null, settings, priority: "normal" });
  const made = await Promise.all(
    names.map(async (name) => (name in tfjsSeeds ? { name, make: await tfjsMutants(name) } : onnxMutants(name))),
  );
  const results: Record<string, number> = {};
  const first = Number(values.seed);
  const count = Number(values.count);
  let findings = 0;
  try {
    for (let seed = first; seed < first + count; seed++) {
      const { name, make } = made[seed % made.length]!;
      const { files, kinds } = make(seed);
      stage.set(files);
      const before = stage.outside();
      const [path, target] = files.has("model.json")
        ? [join(stage.in, "model.json"), join(stage.out, "pruned", "model.json")]
        : [join(stage.in, "model.onnx"), join(stage.out, "pruned.onnx")];
      const outcome = await goThrough(engine, path, target, drawRecipe(new Random(seed)));
      const { result } = outcome;
      let { complaint } = outcome;
      if (stage.outside() !== before) complaint ??= "something outside the target's folder changed";
      const left = stage.leftovers();
      if (left.length > 0 && !result.endsWith("engine-crash")) complaint ??= `left ${left.join(", ")}`;
      stage.clear(files);
      results[result] = (results[result] ?? 0) + 1;
      if (complaint !== null) findings++;
      if (complaint === null && !result.endsWith("engine-crash")) continue;
      const replay = `npm run fuzz -- --model ${name} --seed ${seed} --count 1`;
      const what = (complaint ?? result).slice(0, 400);
      console.error(`${name} seed ${seed} (${kinds.join(", ")}): ${what}\n  replay: ${replay}`);
    }
  } finally {
    engine.dispose();
    stage.dispose();
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  const sorted = Object.fromEntries(Object.entries(results).sort(([, a], [, b]) => b - a));
  console.log(JSON.stringify({ mutants: count, findings, seconds, results: sorted }));
  if (findings > 0) process.exitCode = 1;
}

await main();
