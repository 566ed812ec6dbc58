/**
 * From an image file to the elements of one sample: decoded, turned as its EXIF data says, and resized (bilinear, averaging
 * when it gets smaller; the sides are scaled apart).
 */
import { readFileSync, statSync } from "node:fs";
import { createJimp } from "@jimp/core";
import bmp from "@jimp/js-bmp";
import jpeg from "@jimp/js-jpeg";
import png from "@jimp/js-png";
import { methods as resize } from "@jimp/plugin-resize";
import { PruneScopeError } from "../../protocol/errors.js";
import type { ValueInfo } from "../graph/graph.js";

const Jimp = createJimp({ formats: [png, jpeg, bmp], plugins: [resize] });

/** Largest image that is decoded: pixels, and bytes of its file. */
const maxPixels = 1e8;
const maxFileBytes = 2 ** 28;

/** How an input takes images. */
export interface ImageLayout {
  readonly input: ValueInfo;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly channelsLast: boolean;
}

/** x ↦ (x − mean) / std for each channel, x in [0, 1]. */
export interface ImageScale {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * RGBA bytes of an image at the input's size.
 * @throws PruneScopeError `unsupported-format` for what is no image, or is too large to be decoded.
 */
export async function decodeImage(file: string, { width, height }: ImageLayout): Promise<Uint8Array> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new PruneScopeError(
      "unsupported-format",
      `${file} cannot be read as a PNG, JPEG or BMP image: ${why}.`,
      { file },
      { cause },
    );
  };
  if (statSync(file).size > maxFileBytes) refuse(`it is larger than ${maxFileBytes / 2 ** 20} MiB`);
  const bytes = readFileSync(file);
  const pixels = declaredPixels(bytes);
  if (pixels > maxPixels) refuse(`it says that it has ${pixels} pixels, and at most ${maxPixels} are decoded`);
  try {
    const image = await Jimp.fromBuffer(bytes);
    return image.resize({ w: width, h: height }).bitmap.data;
  } catch (error) {
    return refuse((error as Error).message, error);
  }
}

/** Pixels that a PNG's or BMP's header announces; 0 for a JPEG, whose decoder has its own limit of the same size. */
function declaredPixels(bytes: Buffer): number {
  if (bytes.length < 26) return 0;
  if (bytes.readUInt32BE(0) === 0x89504e47) return bytes.readUInt32BE(16) * bytes.readUInt32BE(20);
  if (bytes.toString("latin1", 0, 2) === "BM") return Math.abs(bytes.readInt32LE(18) * bytes.readInt32LE(22));
  return 0;
}

/** Writes RGBA bytes as an input takes them. One channel is the luma of ITU-R BT.601; three leave opacity out. */
export function putPixels(
  rgba: Uint8Array,
  layout: ImageLayout,
  { mean, std }: ImageScale,
  out: Uint8Array | Float32Array,
): void {
  const { channels, height, width, channelsLast } = layout;
  const area = height * width;
  const bytes = out instanceof Uint8Array;
  for (let p = 0; p < area; p++) {
    for (let c = 0; c < channels; c++) {
      const at = 4 * p;
      const value = channels === 1 ? 0.299 * rgba[at]! + 0.587 * rgba[at + 1]! + 0.114 * rgba[at + 2]! : rgba[at + c]!;
      const place = channelsLast ? channels * p + c : area * c + p;
      out[place] = bytes ? Math.round(value) : (value / 255 - mean[c]!) / std[c]!;
    }
  }
}
