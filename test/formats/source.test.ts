/** Laws of the open files of a model: ranges, identity, and handles that are given back. */
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { Source } from "../../server/src/formats/source.js";
import { ModelFolder } from "../support/model-folder.js";

let folder = new ModelFolder();
let path = "";
let source: Source;
const content = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);

beforeEach(() => {
  folder.dispose();
  folder = new ModelFolder();
  path = folder.write("a.onnx", content);
  writeFileSync(folder.file("b.bin"), content);
  source = new Source(path);
  source.add(folder.file("b.bin"));
});
afterAll(() => {
  folder.dispose();
});

test("any range reads as it is in the file", () => {
  for (const [offset, length] of [
    [0, 1],
    [299_999, 1],
    [12_345, 100_001],
    [0, 300_000],
    [5, 0],
  ] as const) {
    const target = new Uint8Array(length);
    source.read(path, offset, target);
    expect(Buffer.compare(target, content.subarray(offset, offset + length))).toBe(0);
  }
  source.close();
});

test("a range that is no longer there is a file that changed", () => {
  truncateSync(path, 1000);
  expect(() => {
    source.read(path, 900, new Uint8Array(200));
  }).toThrow(
    expect.objectContaining({
      code: "changed-on-disk",
      message: expect.stringContaining("ends at byte 1000") as string,
    }),
  );
  source.close();
});

test("files are listed once, the main file first, and sizes add up", () => {
  source.add(folder.file("b.bin"));
  expect(source.paths).toEqual([path, folder.file("b.bin")]);
  expect([source.size(), source.size(path)]).toEqual([600_000, 300_000]);
  source.close();
});

test.skipIf(process.platform !== "linux")("closing gives every handle back, after a failed opening too", () => {
  source.close();
  const handles = (): number => readdirSync("/proc/self/fd").length;
  const before = handles();
  for (let i = 0; i < 20; i++) {
    const one = new Source(path);
    one.add(folder.file("b.bin"));
    expect(() => {
      one.add(folder.file("ghost"));
    }).toThrow(/does not exist/);
    one.close();
  }
  expect(handles()).toBe(before);
});

describe("the fingerprint", () => {
  test("is the same as long as nothing happens, for other handles too", () => {
    const before = source.fingerprint();
    const again = new Source(path);
    again.add(folder.file("b.bin"));
    readFileSync(path);
    expect([source.fingerprint(), again.fingerprint()]).toEqual([before, before]);
    source.close();
    again.close();
  });

  /** Changes the file keeping its times, so that only what is tested tells. */
  const keepingTimes = (change: () => void): void => {
    const time = new Date(1.7e12);
    change();
    utimesSync(path, time, time);
  };
  const changes: readonly { readonly name: string; readonly happens: () => void }[] = [
    { name: "its first byte changes", happens: () => keepingTimes(() => writeFileSync(path, content.with(0, 255))) },
    {
      name: "its last byte changes",
      happens: () => keepingTimes(() => writeFileSync(path, content.with(299_999, 255))),
    },
    { name: "it grows", happens: () => keepingTimes(() => appendFileSync(path, "x")) },
    { name: "it shrinks", happens: () => keepingTimes(() => truncateSync(path, 299_998)) },
    { name: "it is written at another time", happens: () => utimesSync(path, new Date(), new Date(1.6e12)) },
    {
      name: "another file takes its place",
      happens: () =>
        keepingTimes(() => {
          writeFileSync(`${path}.new`, content);
          renameSync(`${path}.new`, path);
        }),
    },
    { name: "it is deleted", happens: () => rmSync(path) },
    { name: "its external data changes", happens: () => appendFileSync(folder.file("b.bin"), "x") },
  ];

  test.each(changes)("is another one when $name", ({ happens }) => {
    keepingTimes(() => undefined);
    const before = source.fingerprint();
    happens();
    expect(source.fingerprint()).not.toBe(before);
    source.close();
  });
});
