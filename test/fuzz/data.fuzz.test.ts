/**
 * Broken data: samples of every kind with a few bytes changed, or cut off. Whatever comes of it is a dataset of the right
 * shape or a coded error, never another one.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createJimp } from "@jimp/core";
import bmp from "@jimp/js-bmp";
import jpeg from "@jimp/js-jpeg";
import png from "@jimp/js-png";
import { methods as resize } from "@jimp/plugin-resize";
import { afterAll, expect, test } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { openDataset } from "../../server/src/data/open.js";
import { counted, npy, npz, tensorFile } from "../support/arrays-on-disk.js";
import { graphOf } from "../support/data-graph.js";
import { Random } from "./random.js";

const root = mkdtempSync(join(tmpdir(), "prunescope-data-fuzz-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
const Jimp = createJimp({ formats: [png, jpeg, bmp], plugins: [resize] });
const picture = new Jimp({ width: 9, height: 7, color: 0x336699ff });
const samples = counted("float", [6, 3, 4, 4]);
const arrays = { x: samples, labels: counted("int64", [6]) };

/** Sound bytes by the path of their file, and what to open. */
const kinds: Readonly<Record<string, { file: string; open: string; bytes: Promise<Uint8Array> }>> = {
  npy: { file: "x.npy", open: "x.npy", bytes: Promise.resolve(npy(samples)) },
  "stored npz": { file: "x.npz", open: "x.npz", bytes: npz(arrays) },
  "deflated npz": { file: "y.npz", open: "y.npz", bytes: npz(arrays, true) },
  "test data": { file: "set/input_0.pb", open: "set", bytes: Promise.resolve(tensorFile(samples, "x")) },
  png: { file: "png/a.png", open: "png", bytes: picture.getBuffer("image/png") },
  jpeg: { file: "jpeg/a.jpg", open: "jpeg", bytes: picture.getBuffer("image/jpeg") },
  bmp: { file: "bmp/a.bmp", open: "bmp", bytes: picture.getBuffer("image/bmp") },
};
const mutants = 150;

test.each(Object.entries(kinds))(`${mutants} mutants of %s`, async (_, { file, open, bytes }) => {
  const sound = await bytes;
  const graph = graphOf({ x: { shape: ["N", 3, 4, 4] } });
  mkdirSync(dirname(join(root, file)), { recursive: true });
  const codes = new Set<string>();
  for (let seed = 0; seed < mutants; seed++) {
    const random = new Random(seed);
    const cut = seed > 0 && random.chance(0.2);
    const mutant = Uint8Array.from(cut ? sound.subarray(0, random.below(sound.length)) : sound);
    // Headers lie at the front, an archive's directory at the end: half of the changes go there.
    const edge = Math.min(160, mutant.length);
    const place = (): number =>
      random.of([random.below(edge), mutant.length - 1 - random.below(edge), random.below(mutant.length)]);
    // The first is sound.
    for (let change = seed === 0 ? 0 : 1 + random.below(4); change > 0 && mutant.length > 0; change--)
      mutant[place()] = random.below(256);
    writeFileSync(join(root, file), mutant);
    try {
      const data = await openDataset(join(root, open), graph, { seed, dynamicAxes: {}, batch: 2 });
      const { feeds } = await data.batch(0, data.samples);
      expect(feeds["x"]!.dims).toEqual([data.samples, 3, 4, 4]);
      codes.add("dataset");
    } catch (error) {
      if (!(error instanceof PruneScopeError)) throw new Error(`mutant ${seed}`, { cause: error });
      codes.add(error.code);
    }
  }
  expect(codes).toContain("dataset");
});
