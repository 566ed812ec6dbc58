/** Image folders: pixels where they belong in both layouts, classes from folders, and hostile files. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createJimp } from "@jimp/core";
import bmp from "@jimp/js-bmp";
import jpeg from "@jimp/js-jpeg";
import png from "@jimp/js-png";
import { methods as resize } from "@jimp/plugin-resize";
import { afterAll, describe, expect, it } from "vitest";
import { chooseRows } from "../../server/src/data/choose.js";
import type { DataOptions } from "../../server/src/data/dataset.js";
import { openDataset } from "../../server/src/data/open.js";
import { graphOf, type ValueWords } from "../support/data-graph.js";

const Jimp = createJimp({ formats: [png, jpeg, bmp], plugins: [resize] });
const root = mkdtempSync(join(tmpdir(), "prunescope-images-"));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});
const defaults: DataOptions = { seed: 0, dynamicAxes: {}, batch: 100 };
const x = (shape: ValueWords["shape"], dtype: ValueWords["dtype"] = "float"): ReturnType<typeof graphOf> =>
  graphOf({ x: { shape, dtype } });

/** An image whose pixel (row, column) is `color` of them. */
function image(
  mime: "image/png" | "image/jpeg" | "image/bmp",
  width: number,
  height: number,
  color: (row: number, column: number) => readonly [number, number, number],
): Promise<Uint8Array> {
  const data = Buffer.alloc(4 * width * height, 255);
  for (let p = 0; p < width * height; p++) data.set(color(Math.floor(p / width), p % width), 4 * p);
  return new Jimp({ data, width, height }).getBuffer(mime);
}
const plain = (value: number): Promise<Uint8Array> => image("image/png", 3, 2, () => [value, value, value]);

let folders = 0;
async function folderOf(files: Readonly<Record<string, Uint8Array | Promise<Uint8Array>>>): Promise<string> {
  const folder = join(root, `set${folders++}`);
  mkdirSync(folder);
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), await bytes);
  }
  return folder;
}

async function pixels(
  folder: string,
  shape: ValueWords["shape"],
  options: Partial<DataOptions> = {},
): Promise<unknown> {
  const data = await openDataset(folder, x(shape), { ...defaults, ...options });
  return (await data.batch(0, 1)).feeds["x"]!.data;
}

describe("images", () => {
  // Red counts rows, green columns, blue is 200.
  const counting = (row: number, column: number): readonly [number, number, number] => [10 * row, 10 * column, 200];
  const red = [0, 0, 0, 10, 10, 10];
  const green = [0, 10, 20, 0, 10, 20];

  it.each(["image/png", "image/bmp"] as const)("keep every %s pixel where it is in [N, C, H, W]", async (mime) => {
    const folder = await folderOf({ [`a.${mime.slice(6)}`]: image(mime, 3, 2, counting) });
    const expected = [...red, ...green, ...Array<number>(6).fill(200)].map((value) => value / 255);
    expect(await pixels(folder, ["N", 3, 2, 3])).toEqual(Float32Array.from(expected));
  });

  it("keep every pixel where it is in [N, H, W, C]", async () => {
    const folder = await folderOf({ "a.png": image("image/png", 3, 2, counting) });
    const expected = red.flatMap((value, p) => [value, green[p]!, 200]).map((value) => value / 255);
    expect(await pixels(folder, [1, 2, 3, 3])).toEqual(Float32Array.from(expected));
  });

  it("decode JPEG to the colours that went in", async () => {
    const folder = await folderOf({ "a.JPG": image("image/jpeg", 16, 16, () => [200, 100, 50]) });
    const data = (await pixels(folder, ["N", 3, 16, 16])) as Float32Array;
    // JPEG rounds colours through YCbCr: two of 255 steps.
    [200, 100, 50].forEach((value, c) => {
      expect(Math.abs(255 * data[256 * c]! - value)).toBeLessThan(2);
    });
  });

  it("are scaled by mean and std of each channel", async () => {
    const folder = await folderOf({ "a.png": plain(255) });
    const data = (await pixels(folder, ["N", 3, 2, 3], { mean: [0.5, 0, 0.75], std: [0.5, 2, 0.25] })) as Float32Array;
    expect([data[0], data[6], data[12]]).toEqual([1, 0.5, 1]);
    expect((await pixels(folder, ["N", 3, 2, 3], { mean: [0.5] })) as Float32Array).toEqual(
      new Float32Array(18).fill(0.5),
    );
  });

  it("become bytes for an input of bytes, and luma for one channel", async () => {
    const folder = await folderOf({ "a.png": image("image/png", 3, 2, () => [255, 0, 0]) });
    const bytes = await openDataset(folder, x(["N", 3, 2, 3], "uint8"), defaults);
    expect((await bytes.batch(0, 1)).feeds["x"]!.data).toEqual(
      Uint8Array.from([...Array<number>(6).fill(255), ...Array<number>(12).fill(0)]),
    );
    const grey = await openDataset(folder, x(["N", 1, 2, 3], "uint8"), defaults);
    // 0.299 · 255
    expect((await grey.batch(0, 1)).feeds["x"]!.data).toEqual(new Uint8Array(6).fill(76));
  });

  it("are resized by averaging when they get smaller", async () => {
    const stripes = image("image/png", 64, 64, (_, column) => (column % 2 === 0 ? [0, 0, 0] : [200, 200, 200]));
    const data = (await pixels(await folderOf({ "a.png": stripes }), ["N", 3, 8, 8])) as Float32Array;
    // Eight columns to one: the mean of black and 200, to a rounding of one step.
    for (const value of data) expect(Math.abs(255 * value - 100)).toBeLessThanOrEqual(1);
  });

  it("in sub-folders have the folders' places as labels, in the order of names", async () => {
    const folder = await folderOf({
      "dog/1.png": plain(1),
      "cat/2.png": plain(2),
      "cat/10.png": plain(10),
      "ant/3.png": plain(3),
    });
    const data = await openDataset(folder, x(["N", 1, 2, 3], "uint8"), defaults);
    expect(data).toMatchObject({ kind: "images", samples: 4 });
    expect(data.labels!.values).toEqual(BigInt64Array.of(0n, 1n, 1n, 2n));
    const { feeds } = await data.batch(0, 4);
    expect([0, 6, 12, 18].map((i) => (feeds["x"]!.data as Uint8Array)[i])).toEqual([3, 10, 2, 1]);
    const unlabelled = await openDataset(folder, x(["N", 1, 2, 3]), { ...defaults, labelledFolders: false });
    expect(unlabelled.labels).toBeNull();
  });

  it("are decoded only where they are chosen", async () => {
    const [chosen] = chooseRows(2, 1, defaults.seed);
    const broken = Buffer.from("broken");
    const folder = await folderOf({
      "0.png": chosen === 0 ? plain(1) : broken,
      "1.png": chosen === 1 ? plain(1) : broken,
    });
    const data = await openDataset(folder, x(["N", 1, 2, 3]), { ...defaults, batch: 1 });
    expect(data.samples).toBe(1);
    await expect(openDataset(folder, x(["N", 1, 2, 3]), defaults)).rejects.toMatchObject({
      code: "unsupported-format",
    });
  });

  it("that are links to nothing are said to be so", async () => {
    const folder = await folderOf({});
    symlinkSync(join(folder, "nowhere"), join(folder, "a.png"));
    await expect(pixels(folder, ["N", 3, 2, 3])).rejects.toMatchObject({
      code: "missing-data",
      message: expect.stringContaining("a.png") as string,
    });
  });

  const bomb = async (): Promise<Uint8Array> => {
    const bytes = Buffer.from(await plain(0));
    bytes.writeUInt32BE(65535, 16);
    bytes.writeUInt32BE(65535, 20);
    return bytes;
  };
  it.each<
    [
      string,
      Record<string, Uint8Array | Promise<Uint8Array>>,
      ValueWords["shape"],
      Partial<DataOptions>,
      string,
      string,
    ]
  >([
    [
      "a folder without images",
      { "readme.txt": Buffer.from("") },
      ["N", 3, 2, 3],
      {},
      "missing-data",
      "holds no images",
    ],
    [
      "a model that takes no images",
      { "a.png": plain(0) },
      ["N", 784],
      {},
      "shape-mismatch",
      'the model takes "x" [N, 784]',
    ],
    ["seven channels", { "a.png": plain(0) }, ["N", 7, 2, 5], {}, "shape-mismatch", "with 1, 3 or 4 channels"],
    [
      "a mean of two channels",
      { "a.png": plain(0) },
      ["N", 3, 2, 3],
      { mean: [1, 2] },
      "bad-request",
      "1 or 3 finite numbers",
    ],
    ["a std of 0", { "a.png": plain(0) }, ["N", 3, 2, 3], { std: [0] }, "bad-request", "none of them 0"],
    [
      "what is no image",
      { "a.jpg": Buffer.from("GIF89a, or so") },
      ["N", 3, 2, 3],
      {},
      "unsupported-format",
      "a.jpg cannot be read as a PNG, JPEG or BMP image",
    ],
    [
      "an image of 4 billion pixels",
      { "a.png": bomb() },
      ["N", 3, 2, 3],
      {},
      "unsupported-format",
      "it says that it has 4294836225 pixels",
    ],
  ])("refuses %s", async (_, files, shape, options, code, message) => {
    await expect(pixels(await folderOf(files), shape, options)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
  });
});
