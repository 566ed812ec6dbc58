// A file that is being written is left alone until it has been still for a second.

import { describe, expect, it } from "vitest";
import { globLiteral } from "../../client/src/source/glob-literal.js";
import { quiet, SettlingFile, sumOf, type FileState } from "../../client/src/source/settling.js";

/** A file whose state follows a script of (time, size); time passes only by waiting. */
function scripted(initial: FileState | null, script: readonly (readonly [at: number, state: FileState | null])[]) {
  const events: string[] = [];
  let time = 0;
  const file = new SettlingFile(
    {
      state: () => Promise.resolve(script.reduce((state, [at, next]) => (time >= at ? next : state), initial)),
      wait: (milliseconds) => {
        time += milliseconds;
        return Promise.resolve();
      },
    },
    {
      changing: () => events.push(`changing at ${time}`),
      settled: () => events.push(`settled at ${time}`),
      deleted: () => events.push(`deleted at ${time}`),
    },
  );
  return { file, events, pass: (milliseconds: number) => (time += milliseconds) };
}

const size = (bytes: number, changed = bytes): FileState => ({ size: bytes, changed, identity: 1 });

describe("a file that settles", () => {
  it("is not talked about while it stays as it is", async () => {
    const { file, events } = scripted(size(1), []);
    await file.touch();
    await file.touch();
    expect(events).toEqual([]);
  });

  it("is reported once, when it has been still for a second", async () => {
    const { file, events, pass } = scripted(size(1), [
      [100, size(0)],
      [600, size(5)],
      [1500, size(9)],
    ]);
    await file.touch();
    pass(100);
    await file.touch();
    expect(events[0]).toBe("changing at 100");
    expect(events).toHaveLength(2);
    const settledAt = Number(events[1]?.replace("settled at ", ""));
    expect(settledAt).toBeGreaterThanOrEqual(1500 + quiet);
    expect(settledAt).toBeLessThan(1500 + quiet + 500);
    await file.touch();
    expect(events).toHaveLength(2);
  });

  it("is reported when only its time or identity changed", async () => {
    const { file, events, pass } = scripted(size(1, 1), [
      [100, size(1, 2)],
      [5000, { size: 1, changed: 2, identity: 2 }],
    ]);
    await file.touch();
    pass(100);
    await file.touch();
    pass(5000);
    await file.touch();
    expect(events.map((event) => event.split(" ", 1)[0])).toEqual(["changing", "settled", "changing", "settled"]);
  });

  it("is deleted only when it stays away", async () => {
    const { file, events, pass } = scripted(size(1), [
      [100, null],
      [400, size(2)],
      [5000, null],
      [20_000, size(2)],
    ]);
    await file.touch();
    pass(100);
    await file.touch();
    expect(events.map((event) => event.split(" ", 1)[0])).toEqual(["changing", "settled"]);
    pass(5000);
    await file.touch();
    expect(events[2]).toMatch(/^deleted/);
    pass(20_000);
    await file.touch();
    expect(events.slice(3).map((event) => event.split(" ", 1)[0])).toEqual(["changing", "settled"]);
  });

  it("says nothing any more once it is disposed of", async () => {
    const { file, events, pass } = scripted(size(1), [[100, size(2)]]);
    await file.touch();
    pass(100);
    const looking = file.touch();
    file.dispose();
    await looking;
    expect(events).toEqual([]);
  });
});

it("escapes what means something in a glob", () => {
  expect(globLiteral("model.onnx")).toBe("model.onnx");
  expect(globLiteral("m[1]{a}*?.onnx")).toBe("m[[]1[]][{]a[}][*][?].onnx");
});

it("several files are one that changes with each of them", () => {
  const file = (bytes: number, changed: number, identity: number): FileState => ({ size: bytes, changed, identity });
  const files = [file(5, 100, 1), file(7, 90, 2), file(0, 80, 3)];
  const before = sumOf(files);
  expect(sumOf([...files])).toEqual(before);
  expect(sumOf([])).toEqual(file(0, 0, 0));
  const changes: (FileState | null)[][] = [
    [file(6, 100, 1), files[1]!, files[2]!],
    [files[0]!, file(7, 91, 2), files[2]!],
    [files[0]!, files[1]!, file(0, 80, 4)],
    [files[0]!, null, files[2]!],
    // An empty file that is gone still was there at some time.
    [files[0]!, files[1]!, null],
  ];
  for (const changed of changes) expect(sumOf(changed)).not.toEqual(before);
});
