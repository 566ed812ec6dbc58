/**
 * Job `export`: mask or scores of a recipe as a .npz, one array for each prunable weight, for whoever trains with them.
 * Scores are the criterion's own, before any pattern or mask; the mask is what a save of the recipe would apply.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import { type Recipe, without } from "../../protocol/recipe.js";
import type { ExportParams, ExportReport } from "../../protocol/requests.js";
import { arrayNames } from "../data/array-names.js";
import { npzBytes, type NpzMember } from "../data/npz-writer.js";
import { AtomicFile } from "../formats/atomic-file.js";
import { identityOf } from "../formats/file-identity.js";
import { blockElements } from "../formats/stored-elements.js";
import { elementCount } from "../graph/tensor.js";
import { fillKeep, type Mask } from "../pruning/mask.js";
import type { OrderedScores } from "../pruning/order.js";
import type { JobContext } from "./jobs.js";
import { withModel } from "./open-model.js";
import { withPrepared } from "./prepared-model.js";
import { maskOf, rankScores } from "./scoring.js";

export async function exportScores(params: ExportParams, context: JobContext): Promise<ExportReport> {
  const { path, target, what } = params;
  const recipe = what === "scores" ? without(params.recipe, ["pattern", "permute", "mask"]) : params.recipe;
  await withModel(path, ({ source }) => {
    refuseInputs(target, [...source.paths, ...givenFiles(params.recipe)]);
    return Promise.resolve();
  });
  return withPrepared(path, recipe, context, async (open) => {
    const ranked = await rankScores(open, recipe, context);
    const { scores } = ranked;
    let done = 0;
    const between = async (count: number): Promise<void> => {
      context.progress({ stage: "Writing", done: (done += count), total: elements });
      await context.checkpoint();
    };
    const blocks = what === "scores" ? scoreBlocks(scores) : maskBlocks(scores, maskOf(ranked, recipe));
    const names = arrayNames(open.search.weights);
    const members = open.search.weights.flatMap(({ tensor, size }, l): NpzMember[] => {
      const block = blocks(l);
      if (block === null) return [];
      const type = what === "scores" ? "<f4" : "|b1";
      return [{ name: names[l]!, type, shape: tensor.shape, blocks: () => inBlocks(size, block, between) }];
    });
    const elements = members.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    return { path: target, bytes: await written(target, npzBytes(members)), arrays: members.length, elements };
  });
}

/** Bytes of the elements [start, start + count) of a layer, in an array of their own. */
type Block = (start: number, count: number) => Uint8Array;

/** Blocks of a layer's scores as float32; null for a layer that has none. */
function scoreBlocks({ layers }: OrderedScores): (l: number) => Block | null {
  return (l) => {
    const field = layers[l]!.field;
    if (field === null) return null;
    return (start, count) => {
      const block = new Float32Array(count);
      field.read(start, count, block);
      return new Uint8Array(block.buffer);
    };
  };
}

/** Blocks of what a mask keeps of a layer: 1, or 0 for what goes. */
function maskBlocks(scores: OrderedScores, { layers }: Mask): (l: number) => Block {
  return (l) => {
    const { cut } = layers[l]!;
    return (start, count) => {
      const keep = new Uint8Array(count);
      if (cut === null) keep.fill(1);
      else fillKeep(scores, l, cut, scores.block(l, start, count), start, count, keep);
      return keep;
    };
  };
}

async function* inBlocks(
  size: number,
  block: Block,
  between: (count: number) => Promise<void>,
): AsyncIterable<Uint8Array> {
  for (let start = 0; start < size; start += blockElements) {
    const count = Math.min(blockElements, size - start);
    yield block(start, count);
    await between(count);
  }
}

/** Files that the recipe reads. */
const givenFiles = ({ data, mask, scores }: Recipe): string[] =>
  [data, mask, scores].filter((file) => file !== undefined);

/** @throws PruneScopeError `unsafe-path` where the target is no .npz file, or is one of `files` under any name. */
function refuseInputs(target: string, files: readonly string[]): void {
  const refuse = (why: string): never => {
    throw new PruneScopeError("unsafe-path", `${target} ${why}. Choose another name.`, { file: target });
  };
  if (!/\.npz$/i.test(target)) refuse("does not end in .npz");
  const identity = identityOf(target);
  if (identity !== null && files.some((file) => identityOf(file) === identity)) refuse("is read by this very recipe");
}

/** Writes a file as a whole, or not at all. @returns its size in bytes. */
async function written(target: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  const file = new AtomicFile(target);
  try {
    for await (const chunk of bytes) file.append(chunk);
    await file.commit();
    return file.size;
  } finally {
    await file.discard();
  }
}
