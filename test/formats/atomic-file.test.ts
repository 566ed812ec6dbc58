/** A file is there whole or not at all, whatever fails on the way: each call to the disk is made to fail in turn. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import { AtomicFile } from "../../server/src/formats/atomic-file.js";
import { removeStale } from "../../server/src/formats/temporary-names.js";
import { ModelFolder } from "../support/model-folder.js";

/** The call that fails next, and what it fails with. */
const failure = vi.hoisted(() => ({ call: "", code: "", after: 0, shortWrites: false }));

vi.mock("node:fs", async (original) => {
  const fs = await original<typeof import("node:fs")>();
  const failing = (call: string): void => {
    if (call !== failure.call || failure.after-- > 0) return;
    failure.call = "";
    throw Object.assign(new Error(`${failure.code}: simulated, ${call}`), { code: failure.code });
  };
  return {
    ...fs,
    writeSync: (fd: number, bytes: Uint8Array, offset: number, length: number) => {
      failing("write");
      return fs.writeSync(fd, bytes, offset, failure.shortWrites ? Math.ceil(length / 3) : length);
    },
    openSync: (path: string, flags: string) => {
      if (flags === "wx") failing("open");
      return fs.openSync(path, flags);
    },
    fsyncSync: (fd: number) => {
      failing(fs.fstatSync(fd).isDirectory() ? "sync folder" : "fsync");
      fs.fsyncSync(fd);
    },
    fdatasync: (fd: number, done: (error: Error | null) => void) => {
      try {
        failing("fdatasync");
        fs.fdatasync(fd, done);
      } catch (error) {
        setImmediate(done, error as Error);
      }
    },
    renameSync: (from: string, to: string) => {
      failing("rename");
      fs.renameSync(from, to);
    },
  };
});

let folder = new ModelFolder();
beforeEach(() => {
  Object.assign(failure, { call: "", code: "", after: 0, shortWrites: false });
  folder.dispose();
  folder = new ModelFolder();
});
afterAll(() => {
  folder.dispose();
});

const content = Uint8Array.from({ length: 1000 }, (_, i) => i);

/** Writes `content` in two pieces, and cleans up after an error as the writer of a model does. */
async function writeTo(target: string, makeFolder = false): Promise<void> {
  let file: AtomicFile | null = null;
  try {
    file = new AtomicFile(target, makeFolder);
    file.append(content.subarray(0, 600));
    file.append(content.subarray(600));
    await file.commit();
  } finally {
    await file?.discard();
  }
}

const failures = [
  { call: "open", code: "EACCES", words: "the folder or file may not be written to" },
  { call: "open", code: "EROFS", words: "the folder or file may not be written to" },
  { call: "open", code: "ENOSPC", words: "the disk is full" },
  { call: "write", code: "ENOSPC", words: "the disk is full" },
  { call: "write", code: "ENOSPC", after: 1, words: "the disk is full" },
  { call: "write", code: "EIO", after: 1, words: "EIO: simulated, write" },
  { call: "fsync", code: "ENOSPC", words: "the disk is full" },
  { call: "fsync", code: "EIO", words: "EIO: simulated, fsync" },
  { call: "rename", code: "EPERM", words: "the folder or file may not be written to" },
] as const;

describe.each(failures)("when $call fails with $code", (planned) => {
  test.each(["new", "existing"])("a %s target stays as it was, and no temporary file is left", async (kind) => {
    const target = folder.file("t.onnx");
    if (kind === "existing") writeFileSync(target, "before");
    Object.assign(failure, { after: 0, ...planned });
    await expect(writeTo(target)).rejects.toMatchObject({
      code: "write-failed",
      message: `${target} was not saved: ${planned.words}. Nothing was changed.`,
      about: { file: target },
    });
    expect(readdirSync(folder.path)).toEqual(kind === "existing" ? ["t.onnx"] : []);
    if (kind === "existing") expect(readFileSync(target, "utf8")).toBe("before");
  });

  test("a folder that was made for the target goes too", async () => {
    Object.assign(failure, { after: 0, ...planned });
    await expect(writeTo(folder.file("a/b/t.bin"), true)).rejects.toMatchObject({ code: "write-failed" });
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

test("what fails while the disk is kept busy in the background fails the commit", async () => {
  Object.assign(failure, { call: "fdatasync", code: "EIO" });
  const file = new AtomicFile(folder.file("t.onnx"));
  const piece = new Uint8Array(1 << 24);
  for (let i = 0; i < 5; i++) file.append(piece);
  await expect(file.commit()).rejects.toMatchObject({
    code: "write-failed",
    message: expect.stringContaining("EIO: simulated, fdatasync") as string,
  });
  await file.discard();
  expect(readdirSync(folder.path)).toEqual([]);
});

test("short writes are continued", async () => {
  failure.shortWrites = true;
  await writeTo(folder.file("t.onnx"));
  expect(new Uint8Array(readFileSync(folder.file("t.onnx")))).toEqual(content);
});

test("a folder that cannot be synced does not make a finished save a failed one", async () => {
  Object.assign(failure, { call: "sync folder", code: "EINVAL" });
  await writeTo(folder.file("t.onnx"));
  expect(readdirSync(folder.path)).toEqual(["t.onnx"]);
});

test("an existing target hands its permissions on", async () => {
  const target = folder.file("t.onnx");
  writeFileSync(target, "before", { mode: 0o640 });
  await writeTo(target);
  expect(statSync(target).mode & 0o777).toBe(0o640);
});

test("nothing shows under the final name before the commit", async () => {
  const target = folder.file("t.onnx");
  const file = new AtomicFile(target);
  file.append(content);
  expect(file.size).toBe(content.length);
  expect(existsSync(target)).toBe(false);
  await file.commit();
  await file.discard();
  expect(readdirSync(folder.path)).toEqual(["t.onnx"]);
});

describe("what a dead process left behind", () => {
  /** No process has this id: Linux gives out at most 2^22. */
  const dead = 4_999_999;
  const temporary = (target: string, pid: number): string => `.${target}.prunescope-${pid}-0123abcd.tmp`;

  test("goes with the next save to the same target, and nothing else does", () => {
    const kept = [
      temporary("t.onnx", process.pid),
      temporary("other.onnx", dead),
      temporary("my.t.onnx", dead),
      ".t.onnx.tmp",
      "t.onnx.prunescope-1-0123abcd.tmp",
    ];
    for (const name of [...kept, temporary("t.onnx", dead)]) writeFileSync(folder.file(name), "");
    removeStale(folder.file("t.onnx"));
    expect(readdirSync(folder.path).sort()).toEqual([...kept].sort());
  });

  test("goes for names that are too long to be part of the temporary name", async () => {
    const target = folder.file(`${"n".repeat(240)}.onnx`);
    const file = new AtomicFile(target);
    const stale = file.temporary.replace(`-${process.pid}-`, `-${dead}-`);
    writeFileSync(stale, "");
    await file.discard();
    await writeTo(target);
    expect(readdirSync(folder.path)).toHaveLength(1);
  });

  test("a process that is killed in the middle leaves no file under the final name, and the next save cleans up", async () => {
    mkdirSync(folder.file("out"));
    const target = folder.file("out/t.onnx");
    const repository = fileURLToPath(new URL("../..", import.meta.url));
    const child = spawn(process.execPath, ["test/support/run-ts.mjs", "test/support/model-endless-writer.ts", target], {
      cwd: repository,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => {
        resolve();
      });
      child.once("exit", () => {
        reject(new Error("the writer ended"));
      });
    });
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    expect(readdirSync(folder.file("out"))).toEqual([
      expect.stringMatching(/^\.t\.onnx\.prunescope-\d+-[0-9a-f]{8}\.tmp$/),
    ]);
    await writeTo(target);
    expect(readdirSync(folder.file("out"))).toEqual(["t.onnx"]);
  });
});
