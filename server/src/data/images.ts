/** A folder of images as samples of a model's input. Sub-folders, in the order of their names, are classes. */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Graph } from "../graph/graph.js";
import { elementCount } from "../graph/tensor.js";
import { boundShape } from "../runtime/inputs.js";
import { type DataArray } from "./array.js";
import type { Collection } from "./collection.js";
import type { DataOptions } from "./dataset.js";
import { decodeImage, type ImageLayout, type ImageScale, putPixels } from "./image-pixels.js";
import { affordableBytes, heldArray, type StoredArray } from "./stored-array.js";

const imageName = /\.(png|jpe?g|bmp)$/i;

/**
 * @throws PruneScopeError `missing-data` for a folder without images, `shape-mismatch` for a model that does not take
 * images, `unsupported-format` (when read) for a file that is none.
 */
export function imageCollection(folder: string, graph: Graph, options: DataOptions): Collection {
  const { labelledFolders = true } = options;
  const layout = layoutOf(folder, graph, options);
  const scale = scaleOf(layout, options);
  const entries = namesIn(folder);
  const classes = entries.filter((name) => !imageName.test(name) && isFolder(join(folder, name)));
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
        putPixels(await decodeImage(file, layout), layout, scale, values.subarray(i * size, (i + 1) * size));
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

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Names in a folder, in the order of their UTF-16 units, which is the same everywhere; hidden ones are left out. */
function namesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("."))
    .sort((a, b) => (a < b ? -1 : 1));
}

function layoutOf(folder: string, graph: Graph, { dynamicAxes }: DataOptions): ImageLayout {
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

function scaleOf({ input, channels }: ImageLayout, { mean = [0], std = [1] }: DataOptions): ImageScale {
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

const words = ({ mean, std }: ImageScale): string =>
  mean.every((x) => x === 0) && std.every((x) => x === 1)
    ? "scaled to [0, 1]"
    : `scaled to [0, 1], then less the mean [${mean.join(", ")}] and over the std [${std.join(", ")}]`;
