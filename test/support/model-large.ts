/**
 * Generates models of any size for benchmarks: convolutions and matrix products of seeded normal weights, written in
 * pieces, so that the memory it takes does not depend on the size. The file loads and runs in ONNX Runtime.
 */
import { type FileHandle, open } from "node:fs/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { GraphProtoSchema, ModelProtoSchema, type NodeProto, TensorProtoSchema } from "onnx-buf";
import { dtypeCode } from "../../server/src/graph/tensor.js";
import { graph, model, node } from "./model-builder.js";
import { value } from "./model-tensors.js";

interface Layer {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Numbers written at a time: 1 MB. */
const pieceLength = 1 << 18;

/** Channels of the convolutions and width of the matrix products; larger models have larger layers. */
function widths(megabytes: number): { readonly channels: number; readonly width: number } {
  if (megabytes <= 32) return { channels: 128, width: 512 };
  if (megabytes <= 200) return { channels: 256, width: 1024 };
  return { channels: 512, width: 2048 };
}

/** What {@link generateLargeModel} wrote. */
export interface LargeModel {
  readonly path: string;
  readonly bytes: number;
  /** Weights, all of them prunable. */
  readonly parameters: number;
  readonly layers: number;
}

export interface LargeModelOptions {
  readonly seed?: number;
  /** Leaves a hole where the weights would be: they read as zeros and take no room on disk. */
  readonly hollow?: boolean;
}

/**
 * Writes a model of `megabytes` · 10⁶ bytes, off by less than 2 %: one half in 3x3 convolutions, one in matrix products.
 * Input `x` [1, channels, 8, 8] float. The same seed makes the same file.
 */
export async function generateLargeModel(
  path: string,
  megabytes: number,
  { seed = 1, hollow = false }: LargeModelOptions = {},
): Promise<LargeModel> {
  const { channels, width } = widths(megabytes);
  const numbers = (megabytes * 1e6) / 4;
  const perConv = channels * channels * 9;
  const convs = Math.max(1, Math.round(numbers / 2 / perConv));
  const rest = Math.max(0, numbers - convs * perConv - channels * width);
  const squares = Math.floor(rest / (width * width));
  const classes = Math.max(8, Math.round((rest - squares * width * width) / width));
  const layers: Layer[] = [
    ...Array.from({ length: convs }, (_, i) => ({ name: `conv${i}.weight`, shape: [channels, channels, 3, 3] })),
    { name: "linear0.weight", shape: [channels, width] },
    ...Array.from({ length: squares }, (_, i) => ({ name: `linear${i + 1}.weight`, shape: [width, width] })),
    { name: "head.weight", shape: [width, classes] },
  ];
  const { start, heads, bytes } = frame(channels, classes, layers);
  const file = await open(path, "w");
  try {
    await file.truncate(bytes);
    let at = await writeAt(file, 0, start);
    const normal = new NormalStream(seed);
    for (const [i, layer] of layers.entries()) {
      at = await writeAt(file, at, heads[i]!);
      at = hollow ? at + 4 * sizeOf(layer) : await writeWeights(file, at, layer, normal);
    }
  } finally {
    await file.close();
  }
  const parameters = layers.reduce((sum, layer) => sum + sizeOf(layer), 0);
  return { path, bytes, parameters, layers: layers.length };
}

const sizeOf = ({ shape }: Layer): number => shape.reduce((product, dim) => product * dim, 1);

/** Everything but the weights: what stands before all tensors, what stands before each, and the size of the whole file. */
function frame(
  channels: number,
  classes: number,
  layers: readonly Layer[],
): { readonly start: Uint8Array; readonly heads: readonly Uint8Array[]; readonly bytes: number } {
  const outside = model({ graph: { nodes: [], outputs: [] }, producer: "prunescope-large" }).proto;
  delete outside.graph;
  const structure = toBinary(
    GraphProtoSchema,
    graph({
      nodes: nodesOf(layers),
      inputs: [value("x", "float", [1, channels, 8, 8])],
      outputs: [value("y", "float", [1, classes])],
    }),
  );
  const heads = layers.map((layer) => {
    const bytes = 4 * sizeOf(layer);
    const fields = toBinary(
      TensorProtoSchema,
      create(TensorProtoSchema, { name: layer.name, dataType: dtypeCode("float"), dims: layer.shape.map(BigInt) }),
    );
    const open = new BinaryWriter().raw(fields).tag(9, WireType.LengthDelimited).uint32(bytes).finish();
    return new BinaryWriter()
      .tag(5, WireType.LengthDelimited)
      .uint32(open.length + bytes)
      .raw(open)
      .finish();
  });
  const graphBytes = layers.reduce((sum, layer, i) => sum + heads[i]!.length + 4 * sizeOf(layer), structure.length);
  const start = new BinaryWriter()
    .raw(toBinary(ModelProtoSchema, outside))
    .tag(7, WireType.LengthDelimited)
    .uint32(graphBytes)
    .raw(structure)
    .finish();
  return { start, heads, bytes: start.length - structure.length + graphBytes };
}

/** Writes a layer's weights from byte `at` on. @returns the byte behind them. */
async function writeWeights(file: FileHandle, at: number, layer: Layer, normal: NormalStream): Promise<number> {
  const size = sizeOf(layer);
  // A MatMul's fan-in is its first axis, a convolution's all but the first.
  const fanIn = layer.shape.length === 2 ? layer.shape[0]! : size / layer.shape[0]!;
  const piece = new Float32Array(Math.min(size, pieceLength));
  let next = at;
  for (let done = 0; done < size; done += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, size - done));
    normal.fill(part, Math.sqrt(2 / fanIn));
    next = await writeAt(file, next, new Uint8Array(part.buffer, 0, part.byteLength));
  }
  return next;
}

function nodesOf(layers: readonly Layer[]): NodeProto[] {
  const nodes: NodeProto[] = [];
  let from = "x";
  let pooled = false;
  layers.forEach(({ name, shape }, i) => {
    const last = i === layers.length - 1;
    if (shape.length === 2 && !pooled) {
      nodes.push(node("GlobalAveragePool", [from], ["pooled"]), node("Flatten", ["pooled"], ["flat"]));
      from = "flat";
      pooled = true;
    }
    const op =
      shape.length === 2
        ? node("MatMul", [from, name], [last ? "y" : `a${i}`])
        : node("Conv", [from, name], [`a${i}`], { pads: [1, 1, 1, 1] });
    nodes.push(op);
    if (last) return;
    from = `h${i}`;
    nodes.push(node("Relu", [`a${i}`], [from]));
  });
  return nodes;
}

async function writeAt(file: FileHandle, at: number, bytes: Uint8Array): Promise<number> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
  return at + bytes.length;
}

/** Seeded standard normal numbers, two at a time (Box and Muller over Mulberry32), fast enough for hundreds of MB. */
class NormalStream {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Fills `out` with normal numbers times `scale`. */
  fill(out: Float32Array, scale: number): void {
    for (let i = 0; i < out.length; i += 2) {
      const radius = scale * Math.sqrt(-2 * Math.log(1 - this.#uniform()));
      const angle = 2 * Math.PI * this.#uniform();
      out[i] = radius * Math.cos(angle);
      if (i + 1 < out.length) out[i + 1] = radius * Math.sin(angle);
    }
  }

  #uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
}
