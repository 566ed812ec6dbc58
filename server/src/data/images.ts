/**
 * A folder of images: decoded, turned as their EXIF data says, and resized (bilinear, averaging when it gets smaller; the
 * sides are scaled apart) to the height and width of a model's input. Sub-folders, by name, are classes.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { createJimp } from "@jimp/core";
import bmp from "@jimp/js-bmp";
import jpeg from "@jimp/js-jpeg";
import png from "@jimp/js-png";
import { methods as resize } from "@jimp/plugin-resize";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Graph, ValueInfo } from "../graph/graph.js";
import { elementCount } from "../graph/tensor.js";
import { boundShape } from "../runtime/inputs.js";
import { type DataArray } from "./array.js";
import type { Collection } from "./collection.js";
import type { DataOptions } from "./dataset.js";
import { affordableBytes, heldArray, type StoredArray } from "./stored-array.js";

const Jimp = createJimp({ formats: [png, jpeg, bmp], plugins: [resize] });

const imageName = /\.(png|jpe?g|bmp)$/i;

/** Largest image that is decoded: pixels, and bytes of its file. */
const maxPixels = 1e8;
const maxFileBytes = 2 ** 28;

/** How an input takes images. */
interface Layout {
  readonly input: ValueInfo;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly channelsLast: boolean;
}

/**
 * @throws PruneScopeError `missing-data` for a folder without images, `shape-mismatch` for a model that does not take
 * images, `unsupported-format` (when read) for a file that is none.
 */
export function imageCollection(folder: string, graph: Graph, options: DataOptions): Collection {
  const { labelledFolders = true } = options;
  const layout = layoutOf(folder, graph, options);
  const scale = scaleOf(layout, options);
  const entries = namesIn(folder);
  const classes = entries.filter((name) => statSync(join(folder, name)).isDirectory());
  const direct = entries.filter((name) => imageName.test(name)).map((name) => join(folder, name));
  const files: string[] = [...direct];
  const indices: number[] = [];
  if (direct.length === 0) {
    for (const [index, name] of classes.entries()) {
      for (const image of namesIn(join(folder, name)).filter((one) => imageName.test(one))) {
        files.push(join(folder, name, image));
        indices.push(index);
      }
    }
  }
  if (files.length === 0) {
    throw new PruneScopeError("missing-data", `${folder} holds no images (png, jpg, bmp) and no ONNX test data.`, {
      file: folder,
    });
  }
  const labelled = labelledFolders && indices.length > 0;
  const { input, channels, height, width, channelsLast } = layout;
  const shape = channelsLast ? [height, width, channels] : [channels, height, width];
  const dtype = input.dtype === "uint8" ? "uint8" : "float";
  const images: StoredArray = {
    label: `The images in ${folder}`,
    file: folder,
    dtype,
    shape: [files.length, ...shape],
    read: async (_axis, rows) => {
      const chosen = rows === null ? files : rows.map((row) => files[row]!);
      const size = elementCount(shape);
      affordableBytes(chosen.length * size, 4, `The images in ${folder}`, folder);
      const values = dtype === "uint8" ? new Uint8Array(chosen.length * size) : new Float32Array(chosen.length * size);
      for (const [i, file] of chosen.entries()) {
        put(await decode(file, layout), layout, scale, values.subarray(i * size, (i + 1) * size));
      }
      return { dtype, shape: [chosen.length, ...shape], values };
    },
  };
  const labels: DataArray = { dtype: "int32", shape: [indices.length], values: Int32Array.from(indices) };
  const how = `Images are resized to ${width}×${height} without keeping their proportions, ${dtype === "uint8" ? "0 to 255" : words(scale)}.`;
  const which = labelled ? [`Labels are the ${classes.length} sub-folders in the order of their names.`] : [];
  return {
    kind: "images",
    file: folder,
    title: `the images in ${basename(folder)}`,
    inputs: new Map([[input.name, images]]),
    labels: labelled ? heldArray(labels, `The sub-folders of ${folder}`, folder) : null,
    targets: new Map(),
    notes: [how, ...which],
  };
}

/** Names in a folder, in the order of their UTF-16 units, which is the same everywhere; hidden ones are left out. */
function namesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .sort((a, b) => (a < b ? -1 : 1));
}

function layoutOf(folder: string, graph: Graph, { dynamicAxes }: DataOptions): Layout {
  const [input] = graph.inputs;
  const shape = input === undefined || graph.inputs.length > 1 ? null : boundShape(input, dynamicAxes);
  const isChannels = (dim: number | undefined): boolean => dim === 1 || dim === 3 || dim === 4;
  const channelsLast = !isChannels(shape?.[1]);
  if (input === undefined || shape?.length !== 4 || !isChannels(shape[channelsLast ? 3 : 1])) {
    const found = graph.inputs.map(
      (one) => `"${one.name}" [${one.shape?.map((dim) => dim ?? "any").join(", ") ?? "?"}]`,
    );
    throw new PruneScopeError(
      "shape-mismatch",
      `${folder} holds images, and the model takes ${found.join(", ")}: one input [N, C, H, W] or [N, H, W, C] with 1, 3 or 4 channels is needed. Use a .npz file.`,
      { file: folder },
    );
  }
  const [height, width, channels] = channelsLast ? shape.slice(1) : [shape[2], shape[3], shape[1]];
  return { input, channelsLast, height: height!, width: width!, channels: channels! };
}

/** x ↦ (x − mean) / std for each channel, x in [0, 1]. */
interface Scale {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

function scaleOf({ input, channels }: Layout, { mean = [0], std = [1] }: DataOptions): Scale {
  const perChannel = (name: string, given: readonly number[], valid: (x: number) => boolean): readonly number[] => {
    if ((given.length !== 1 && given.length !== channels) || !given.every(valid)) {
      throw new PruneScopeError(
        "bad-request",
        `The images' ${name} [${given.join(", ")}] cannot be used: 1 or ${channels} finite numbers are needed${name === "std" ? ", none of them 0" : ""}.`,
      );
    }
    return Array.from({ length: channels }, (_, i) => given[given.length === 1 ? 0 : i]!);
  };
  const scale = {
    mean: perChannel("mean", mean, Number.isFinite),
    std: perChannel("std", std, (x) => Number.isFinite(x) && x !== 0),
  };
  if (input.dtype === "uint8" && (scale.mean.some((x) => x !== 0) || scale.std.some((x) => x !== 1))) {
    throw new PruneScopeError(
      "bad-request",
      `Input "${input.name}" takes bytes from 0 to 255: mean and std cannot be applied to them.`,
      { value: input.name },
    );
  }
  return scale;
}

const words = ({ mean, std }: Scale): string =>
  mean.every((x) => x === 0) && std.every((x) => x === 1)
    ? "scaled to [0, 1]"
    : `scaled to [0, 1], then less the mean [${mean.join(", ")}] and over the std [${std.join(", ")}]`;

/** RGBA bytes of an image at the input's size. */
async function decode(file: string, { width, height }: Layout): Promise<Uint8Array> {
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
function put(rgba: Uint8Array, layout: Layout, { mean, std }: Scale, out: Uint8Array | Float32Array): void {
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
