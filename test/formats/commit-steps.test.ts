/**
 * A save is cut off at each of its calls to the disk in turn: the process dies there, or the call fails, or the disk
 * takes nothing from there on. Whatever has a final name then is whole, old or new, and a model lies beside its own data.
 */
import { cpSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { AtomicFile } from "../../server/src/formats/atomic-file.js";
import { commitTogether, finishInterrupted } from "../../server/src/formats/commit-together.js";
import { filledCopy } from "../support/filled-copy.js";
import { ModelFolder } from "../support/model-folder.js";
import { externalWeights, mlp, type TestModel } from "../support/models.js";
import { writeTfjs } from "../support/tfjs/folder.js";
import { twoProducts } from "../support/tfjs/two-products.js";
import { type Files, filesIn, finalNames, mixture, same } from "../support/saved-files.js";

type Cut = "dies" | "fails" | "takes nothing more";

/** Calls that change the disk, counted; at call `at` the run is cut off. */
const disk = vi.hoisted(() => ({ calls: 0, at: Infinity, cut: "fails", code: "EIO" }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const step = (): void => {
    const now = ++disk.calls;
    if (disk.cut === "fails" ? now === disk.at : now >= disk.at)
      throw Object.assign(new Error(`${disk.code}: simulated`), { code: disk.code });
  };
  const counted =
    <A extends readonly unknown[], R>(call: (...given: A) => R) =>
    (...given: A): R => {
      step();
      return call(...given);
    };
  return {
    ...fs,
    chmodSync: counted(fs.chmodSync),
    fsyncSync: step,
    mkdirSync: counted(fs.mkdirSync),
    openSync: (path: string, flags: string) => {
      if (flags !== "r") step();
      return fs.openSync(path, flags);
    },
    renameSync: counted(fs.renameSync),
    rmSync: counted(fs.rmSync),
    rmdirSync: counted(fs.rmdirSync),
    writeFileSync: counted(fs.writeFileSync),
    writeSync: (fd: number, bytes: Uint8Array, offset: number, length: number) => {
      step();
      return fs.writeSync(fd, bytes, offset, length);
    },
  };
});

/** No process has this id: Linux gives out at most 2^22. */
const deadProcess = 4_999_999;
const { pid } = process;

const folder = new ModelFolder();
beforeEach(() => {
  Object.assign(disk, { at: Infinity, code: "EIO" });
});
afterAll(() => {
  folder.dispose();
});

interface Scenario {
  readonly name: string;
  /** The model's main file. */
  readonly file: string;
  /** Writes the model into a folder that is there. @returns the path of its main file. */
  readonly write: (place: string) => string;
  /** What is saved over. */
  readonly over: "nothing" | "an older save" | "the original";
}

const onnx = (make: () => TestModel): Pick<Scenario, "file" | "write"> => ({
  file: "model.onnx",
  write: (place) => folder.write(relative(folder.path, join(place, "model.onnx")), make()),
});

/** Three shards, the second of which holds the end of one weight and the beginning of the next. */
const tfjs: Pick<Scenario, "file" | "write"> = {
  file: "model.json",
  write: (place) => writeTfjs(place, twoProducts(4), { shardSize: 60 }),
};

const scenarios: readonly Scenario[] = [
  ...(["nothing", "an older save", "the original"] as const).flatMap((over) => [
    { name: `one file over ${over}`, ...onnx(mlp), over },
    { name: `three files over ${over}`, ...onnx(externalWeights), over },
  ]),
  { name: "a model.json and its shards over an older save", ...tfjs, over: "an older save" },
];

/** What a scenario starts from and leads to. */
interface Prepared {
  /** A folder with a copy of everything, and a save about to begin in it. */
  readonly stage: () => { readonly out: string; readonly run: () => Promise<void> };
  /** What is in the target's folder. */
  readonly before: Files;
  /** What is meant to be there. */
  readonly after: Files;
}

async function prepare({ file, write, over }: Scenario): Promise<Prepared> {
  const place = folder.place();
  const inside = (name: string): string => join(place, name);
  for (const name of ["start/in", "start/out", "wanted"]) mkdirSync(inside(name), { recursive: true });
  const path = write(inside("start/in"));
  await filledCopy(path, inside(`wanted/${file}`), 2);
  if (over === "an older save") await filledCopy(path, inside(`start/out/${file}`), 1);
  const out = over === "the original" ? "in" : "out";
  let copies = 0;
  return {
    stage: () => {
      const copy = inside(`copy${copies++}`);
      cpSync(inside("start"), copy, { recursive: true });
      const target = join(copy, out, file);
      return { out: join(copy, out), run: () => filledCopy(join(copy, "in", file), target, 2) };
    },
    before: filesIn(inside(`start/${out}`)),
    after: filesIn(inside("wanted")),
  };
}

/** Runs a save that is cut off at call `at`. @returns its error, or null; `reached` is false when it ended before. */
async function cutOff(
  run: () => Promise<void>,
  cut: Cut,
  at: number,
): Promise<{ readonly error: unknown; readonly reached: boolean }> {
  Object.assign(disk, { calls: 0, at, cut });
  // What the save leaves behind is a dead process's.
  Object.defineProperty(process, "pid", { value: deadProcess });
  const error: unknown = await run().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const reached = disk.calls >= at;
  disk.at = Infinity;
  Object.defineProperty(process, "pid", { value: pid });
  return { error, reached };
}

/** More calls than any save here makes. */
const mostCalls = 200;

describe.each(scenarios)("$name", (scenario) => {
  test("a process that dies at any call leaves the old or the new, and the next one finishes or clears", async () => {
    const outcomes = new Set<string>();
    const { stage, before, after } = await prepare(scenario);
    for (let at = 1; at < mostCalls; at++) {
      const { out, run } = stage();
      const { reached } = await cutOff(run, "dies", at);
      if (!reached) break;
      const about = `call ${at}`;
      expect(mixture(filesIn(out), before, after, scenario.file), about).toBeNull();
      finishInterrupted(out);
      const finished = finalNames(filesIn(out));
      expect([before, after], about).toContainEqual(finished);
      outcomes.add(same(finished, after) ? "new" : "old");
      await run();
      expect(filesIn(out), about).toEqual(after);
    }
    expect(outcomes).toEqual(new Set(["new", "old"]));
  });

  test("a call that fails changes nothing, or nothing that matters", async () => {
    const outcomes = new Set<string>();
    const { stage, before, after } = await prepare(scenario);
    for (let at = 1; at < mostCalls; at++) {
      const { out, run } = stage();
      const { reached, error } = await cutOff(run, "fails", at);
      if (!reached) break;
      const about = `call ${at}: ${String(error)}`;
      outcomes.add(error === null ? "saved" : "refused");
      if (error === null) expect(finalNames(filesIn(out)), about).toEqual(after);
      else {
        expect(error, about).toBeInstanceOf(PruneScopeError);
        expect(error, about).toMatchObject({
          code: "write-failed",
          message: expect.stringMatching(/was not saved: EIO: simulated. Nothing was changed.$/) as string,
        });
        expect(filesIn(out), about).toEqual(before);
      }
      await run();
      expect(filesIn(out), about).toEqual(after);
    }
    expect(outcomes).toContain("refused");
  });

  test("a disk that takes nothing more leaves the old or the new", async () => {
    disk.code = "ENOSPC";
    let undone = 0;
    const { stage, before, after } = await prepare(scenario);
    for (let at = 1; at < mostCalls; at++) {
      const { out, run } = stage();
      const { reached, error } = await cutOff(run, "takes nothing more", at);
      if (!reached) break;
      const about = `call ${at}: ${String(error)}`;
      expect(mixture(filesIn(out), before, after, scenario.file), about).toBeNull();
      if (error !== null) {
        expect(error, about).toMatchObject({
          code: "write-failed",
          message: expect.stringMatching(
            /was not saved: the disk is full. (Nothing was changed|Opening the model, or saving it again, finishes or undoes it)\.$/,
          ) as string,
        });
        undone++;
      }
      finishInterrupted(out);
      expect([before, after], about).toContainEqual(finalNames(filesIn(out)));
      await run();
      expect(filesIn(out), about).toEqual(after);
    }
    expect(undone).toBeGreaterThan(2);
  });
});

test("files that get one name, as on a file system that ignores case, are refused, and all is as it was", async () => {
  const place = folder.place();
  const names = ["model.onnx", "w.bin", "w.bin"];
  writeFileSync(join(place, "w.bin"), "old");
  const files = names.map((name) => new AtomicFile(join(place, name)));
  for (const file of files) file.append(new Uint8Array(3));
  const before = filesIn(place);
  await expect(commitTogether(files)).rejects.toMatchObject({
    code: "write-failed",
    message: expect.stringMatching(
      /two of the model's files would both be w.bin there\. Nothing was changed\.$/,
    ) as string,
  });
  for (const file of files) await file.discard();
  expect(filesIn(place)).toEqual(finalNames(before));
});

test("a journal that a save did not write moves nothing", () => {
  const place = folder.place();
  const name = (of: string, ending: string): string => `.${of}.prunescope-${deadProcess}-0123abcd.${ending}`;
  writeFileSync(join(place, name("x", "tmp")), "theirs");
  writeFileSync(join(place, "precious"), "ours");
  const inode = String(lstatSync(join(place, name("x", "tmp"))).ino);
  const move = { place: "model.onnx", temporary: name("model.onnx", "tmp"), aside: name("model.onnx", "tmp"), inode };
  const hostile = [
    "no JSON",
    "{}",
    "[]",
    "[null]",
    JSON.stringify([{ ...move, temporary: name("x", "tmp") }]),
    JSON.stringify([{ ...move, place: "../model.onnx", temporary: `../${name("model.onnx", "tmp")}` }]),
    JSON.stringify([{ ...move, aside: "precious" }]),
    JSON.stringify([{ ...move, place: "/tmp/model.onnx" }]),
    JSON.stringify([move]),
  ];
  for (const content of hostile) {
    writeFileSync(join(place, name("model.onnx", "journal")), content);
    const before = filesIn(place);
    finishInterrupted(place);
    expect(filesIn(place), content).toEqual(before);
  }
});
