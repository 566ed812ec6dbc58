/**
 * A model as a recipe wants it before it is scored: redrawn on the edge of chaos, channels reordered for a pattern,
 * residual branches divided by √L. The changed copy is a file of the same format, made once and kept beside the cached
 * results, so that every job reads it like any other model; nodes that the format has no place for are added in memory.
 */
import { createHash, randomUUID } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import type { EditReport } from "../../protocol/insights.js";
import { defaultRecipe, type Recipe, without } from "../../protocol/recipe.js";
import type { InputScale, TensorEdit } from "../formats/format.js";
import { formatOf } from "../formats/index.js";
import { findPrunable } from "../graph/prunable.js";
import { withScaledInputs } from "../graph/scaled-inputs.js";
import { version } from "../version.js";
import { eocInitEdits } from "./edits/eoc-init.js";
import { permuteEdits } from "./edits/permute.js";
import { stableScales } from "./edits/stable-resnet.js";
import type { JobContext } from "./jobs.js";
import { type OpenModel, withModel } from "./open-model.js";
import { provePermuted } from "./permutation/proof.js";
import { resultIdOf } from "./scores.js";
import { criterionOf } from "./scoring.js";

/** Most prepared copies that are kept, where the cache has room for them. */
const mostCopies = 8;

/** What a process that died has left half made is removed after so many milliseconds. */
const leftoverAge = 3600e3;

/** Changes of a model before it is scored, and what else of a recipe they depend on. */
export interface Preparation extends Partial<Omit<Recipe, "eocInit" | "permute" | "stableResnet">> {
  readonly eocInit?: Recipe["eocInit"] | undefined;
  readonly permute?: Recipe["permute"] | undefined;
  readonly stableResnet?: Recipe["stableResnet"] | undefined;
  readonly seed: number;
}

/** Opens the model as it is before Stable ResNet's nodes are put in, and closes it. */
export type WithoutNodes = <R>(use: (base: OpenModel) => Promise<R>) => Promise<R>;

/**
 * Opens the model at `path` with what the recipe changes before scoring (Stable ResNet by Mul nodes, whichever form is
 * saved), hands it to `work` with what was changed, and closes it. Errors name the person's file.
 */
export async function withPrepared<T>(
  path: string,
  recipe: Preparation,
  context: JobContext,
  work: (open: OpenModel, edits: readonly EditReport[], withoutNodes: WithoutNodes) => Promise<T>,
): Promise<T> {
  const steps = [...stepsOf(recipe)];
  const own = (place: string): WithoutNodes => {
    return (use) => withModel(place, (base) => use({ ...base, path }));
  };
  if (steps.length === 0) return withModel(path, (open) => work(open, [], own(path)));
  const temporary = context.storage === null ? mkdtempSync(join(tmpdir(), "prunescope-")) : null;
  const folder = temporary ?? join(context.storage!, "prepared");
  const names: string[] = [];
  try {
    let copy = path;
    let withoutNodes = path;
    const edits: EditReport[] = [];
    for (const step of steps) {
      const from = copy;
      if (step.addsNodes && !formatOf(path).takesNodes) {
        return await withModel(from, async (open) => {
          const base = { ...open, path };
          const { scales, report } = await step.changes(base, context);
          return work(withNodes(base, scales, step), [...edits, report], own(from));
        });
      }
      const made = await withModel(from, (open) => prepared({ ...open, path }, folder, step, context));
      copy = made.model;
      if (!step.addsNodes) withoutNodes = copy;
      names.push(copy);
      edits.push(JSON.parse(readFileSync(made.report, "utf8")) as EditReport);
    }
    return await withModel(copy, (open) => work({ ...open, path }, edits, own(withoutNodes)));
  } catch (error) {
    throw named(error, names, path);
  } finally {
    if (temporary === null) evict(folder, context.settings.cacheMaxSize * 1e6);
    else rmSync(temporary, { recursive: true, force: true });
  }
}

/** The model with Muls that its file has no place for. */
function withNodes(open: OpenModel, scales: readonly InputScale[], step: Step): OpenModel {
  const model = { ...open.model, graph: withScaledInputs(open.model.graph, scales) };
  const fingerprint = keyOf(open, step);
  return { ...open, model, search: findPrunable(model), fingerprint };
}

/** Identity of an open model under a change. */
const keyOf = (open: OpenModel, step: Step): string =>
  createHash("sha256")
    .update(JSON.stringify([version, open.fingerprint, step.identity(open)]))
    .digest("hex")
    .slice(0, 32);

/** One change of a model. */
interface Step {
  /** What the copy depends on, besides the model. */
  readonly identity: (open: OpenModel) => unknown;
  readonly addsNodes: boolean;
  changes(open: OpenModel, context: JobContext): Promise<Changes>;
  /** Looks at the copy before it is used. @returns what was measured, in sentences. */
  readonly prove?: (open: OpenModel, copy: string, context: JobContext) => Promise<readonly string[]>;
}

interface Changes {
  readonly edits: readonly TensorEdit[];
  readonly scales: readonly InputScale[];
  readonly report: EditReport;
}

function* stepsOf(preparation: Preparation): Iterable<Step> {
  const { eocInit, permute, stableResnet, seed, pattern } = preparation;
  if (eocInit !== undefined)
    yield {
      identity: () => ["eoc-init", eocInit, seed],
      addsNodes: false,
      changes: async (open, context) => ({ ...(await eocInitEdits(open, eocInit, seed, context)), scales: [] }),
    };
  if (permute !== undefined && pattern !== undefined) {
    const recipe: Recipe = without({ ...defaultRecipe, ...(preparation as Recipe) }, ["stableResnet"]);
    yield {
      identity: (open) => {
        const scores = resultIdOf(open.fingerprint, criterionOf(recipe), recipe);
        const { axes, data, rounds } = recipe;
        return ["permute", pattern, permute, scores, Object.entries(axes).sort(), data, rounds];
      },
      addsNodes: false,
      changes: async (open, context) => ({
        ...(await permuteEdits(open, recipe, pattern, permute, context)),
        scales: [],
      }),
      prove: (open, copy, context) => provePermuted(open, copy, recipe, context),
    };
  }
  if (stableResnet !== undefined)
    yield {
      identity: () => ["stable-resnet"],
      addsNodes: true,
      changes: async (open, context) => ({ ...(await stableScales(open, context)), edits: [] }),
    };
}

/** Where a copy lies: apart from what is known of it, because external data may have any name. */
interface Copy {
  readonly model: string;
  /** What was changed, as JSON. */
  readonly report: string;
}

const copyIn = (place: string, name: string): Copy => ({
  model: join(place, "model", name),
  report: join(place, "edit.json"),
});

/** The changed copy of an open model: that of an earlier job, or a new one. */
async function prepared(open: OpenModel, folder: string, step: Step, context: JobContext): Promise<Copy> {
  const place = join(folder, keyOf(open, step));
  const name = basename(open.path);
  const copy = copyIn(place, name);
  if (existsSync(copy.model) && existsSync(copy.report)) {
    utimesSync(place, new Date(), new Date());
    return copy;
  }
  const making = `${place}.${randomUUID()}.tmp`;
  const draft = copyIn(making, name);
  mkdirSync(dirname(draft.model), { recursive: true });
  try {
    const { edits, scales, report } = await step.changes(open, context);
    await open.format.write(open.source, open.model, {
      target: draft.model,
      replaceOriginal: false,
      edits,
      scales,
      provenance: [],
      progress: async (done, total) => {
        context.progress({ stage: "Preparing the model", done, total });
        await context.checkpoint();
      },
      beforeCommit: () => undefined,
    });
    const measured = edits.length === 0 ? [] : ((await step.prove?.(open, draft.model, context)) ?? []);
    writeFileSync(draft.report, JSON.stringify({ ...report, measured: [...report.measured, ...measured] }));
    rename(making, place);
    return copy;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** Gives a finished copy its name, unless another engine has made the same meanwhile, which is as good. */
function rename(making: string, place: string): void {
  try {
    renameSync(making, place);
  } catch (error) {
    if (!existsSync(place)) throw error;
  }
}

/** Removes all but the newest copies that there is room for; the newest stays. */
function evict(folder: string, mostBytes: number): void {
  if (!existsSync(folder)) return;
  const places = readdirSync(folder)
    .flatMap((name) => {
      const place = join(folder, name);
      // Another engine may have removed it.
      const found = statSync(place, { throwIfNoEntry: false });
      return found === undefined ? [] : [{ place, at: found.mtimeMs }];
    })
    .sort((a, b) => b.at - a.at);
  const finished = places.filter(({ place }) => !place.endsWith(".tmp"));
  let bytes = 0;
  const old = finished.filter(({ place }, i) => {
    bytes += bytesIn(place);
    return i >= mostCopies || (i > 0 && bytes > mostBytes);
  });
  const leftovers = places.filter(({ place, at }) => place.endsWith(".tmp") && at < Date.now() - leftoverAge);
  for (const { place } of [...old, ...leftovers]) remove(place);
}

/** Bytes of all files under a folder. */
function bytesIn(place: string): number {
  try {
    return readdirSync(place, { recursive: true, encoding: "utf8" }).reduce(
      (sum, name) => sum + statSync(join(place, name)).size,
      0,
    );
  } catch {
    return 0;
  }
}

/** A copy that is open in another engine cannot be removed everywhere: then it is removed another time. */
function remove(place: string): void {
  try {
    rmSync(place, { recursive: true, force: true });
  } catch {
    return;
  }
}

/** The error with the person's file in the place of its copies. */
function named(error: unknown, copies: readonly string[], path: string): unknown {
  if (!(error instanceof PruneScopeError)) return error;
  const plain = (text: string): string => copies.reduce((all, copy) => all.replaceAll(copy, path), text);
  const { file } = error.about;
  const about = file === undefined ? error.about : { ...error.about, file: plain(file) };
  return new PruneScopeError(error.code, plain(error.message), about, { cause: error });
}
