/**
 * A model as a recipe wants it before it is scored: redrawn on the edge of chaos, residual branches divided by √L. The
 * changed copy is a file of the same format, made once and kept beside the cached results, so that every job reads it
 * like any other model.
 */
import { createHash } from "node:crypto";
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
import { basename, join } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import type { EditReport } from "../../protocol/insights.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { InputScale, TensorEdit } from "../formats/format.js";
import { version } from "../version.js";
import { eocInitEdits } from "./edits/eoc-init.js";
import { stableScales } from "./edits/stable-resnet.js";
import type { JobContext } from "./jobs.js";
import { type OpenModel, withModel } from "./open-model.js";

/** Prepared copies that are kept. */
const mostCopies = 4;

/** Changes of a model before it is scored. */
export interface Preparation {
  readonly eocInit?: Recipe["eocInit"] | undefined;
  readonly stableResnet?: Recipe["stableResnet"] | undefined;
  readonly seed: number;
}

/**
 * Opens the model at `path` with what the recipe changes before scoring (Stable ResNet by Mul nodes, whichever form is
 * saved), hands it to `work` with what was changed, and closes it. Errors name the person's file.
 */
export async function withPrepared<T>(
  path: string,
  recipe: Preparation,
  context: JobContext,
  work: (open: OpenModel, edits: readonly EditReport[]) => Promise<T>,
): Promise<T> {
  if (recipe.eocInit === undefined && recipe.stableResnet === undefined)
    return withModel(path, (open) => work(open, []));
  const temporary = context.storage === null ? mkdtempSync(join(tmpdir(), "prunescope-")) : null;
  const folder = temporary ?? join(context.storage!, "prepared");
  const names: string[] = [];
  try {
    let copy = path;
    const edits: EditReport[] = [];
    for (const step of stepsOf(recipe)) {
      const from = copy;
      copy = await withModel(from, (open) => prepared({ ...open, path }, folder, step, context));
      names.push(copy);
      edits.push(JSON.parse(readFileSync(`${copy}.json`, "utf8")) as EditReport);
    }
    return await withModel(copy, (open) => work({ ...open, path }, edits));
  } catch (error) {
    throw named(error, names, path);
  } finally {
    if (temporary === null) evict(folder);
    else rmSync(temporary, { recursive: true, force: true });
  }
}

/** One change of a model. */
interface Step {
  /** What the copy depends on, besides the model. */
  readonly identity: unknown;
  changes(open: OpenModel, context: JobContext): Promise<Changes>;
}

interface Changes {
  readonly edits: readonly TensorEdit[];
  readonly scales: readonly InputScale[];
  readonly report: EditReport;
}

function* stepsOf({ eocInit, stableResnet, seed }: Preparation): Iterable<Step> {
  if (eocInit !== undefined)
    yield {
      identity: ["eoc-init", eocInit, seed],
      changes: async (open, context) => ({ ...(await eocInitEdits(open, eocInit, seed, context)), scales: [] }),
    };
  if (stableResnet !== undefined)
    yield {
      identity: ["stable-resnet"],
      changes: async (open, context) => ({ ...(await stableScales(open, context)), edits: [] }),
    };
}

/** The changed copy of an open model: that of an earlier job, or a new one. @returns its path. */
async function prepared(open: OpenModel, folder: string, step: Step, context: JobContext): Promise<string> {
  const key = createHash("sha256")
    .update(JSON.stringify([version, open.fingerprint, step.identity]))
    .digest("hex")
    .slice(0, 32);
  const place = join(folder, key);
  const model = join(place, basename(open.path));
  if (existsSync(`${model}.json`)) {
    utimesSync(place, new Date(), new Date());
    return model;
  }
  const making = `${place}.${process.pid}.tmp`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  try {
    const { edits, scales, report } = await step.changes(open, context);
    await open.format.write(open.source, open.model, {
      target: join(making, basename(open.path)),
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
    writeFileSync(`${join(making, basename(open.path))}.json`, JSON.stringify(report));
    // Another engine may have made the same meanwhile: then its copy is as good.
    if (existsSync(place)) return model;
    renameSync(making, place);
    return model;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** Removes all but the newest copies. */
function evict(folder: string): void {
  if (!existsSync(folder)) return;
  const places = readdirSync(folder)
    .filter((name) => !name.endsWith(".tmp"))
    .flatMap((name) => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false });
      return found === undefined ? [] : [{ place: join(folder, name), at: found.mtimeMs }];
    })
    .sort((a, b) => b.at - a.at);
  for (const { place } of places.slice(mostCopies)) rmSync(place, { recursive: true, force: true });
}

/** The error with the person's file in the place of its copies. */
function named(error: unknown, copies: readonly string[], path: string): unknown {
  if (!(error instanceof PruneScopeError)) return error;
  const plain = (text: string): string => copies.reduce((all, copy) => all.replaceAll(copy, path), text);
  const { file } = error.about;
  const about = file === undefined ? error.about : { ...error.about, file: plain(file) };
  return new PruneScopeError(error.code, plain(error.message), about, { cause: error });
}
