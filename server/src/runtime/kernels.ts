/** Which special kernels of ONNX Runtime this processor has: their presence and layout are not documented, so they are tried. */
import type * as Ort from "onnxruntime-node";
import { PruneScopeError } from "../../protocol/errors.js";
import { GraphBuilder } from "../graph/builder.js";
import type { Graph } from "../graph/graph.js";
import { blockedWeight, convBlocks, reorderInput, reorderOutput } from "./blocked-conv.js";
import { Program } from "./program.js";
import { onnxRuntime } from "./session.js";

/** Which special kernels the gradients may use. */
export interface Kernels {
  /** Channels in a block of ONNX Runtime's NCHWc convolution on this processor, or null when it must not be used. */
  readonly nchwc: number | null;
}

/** Nothing but ONNX's own operators. */
export const plainKernels: Kernels = Object.freeze({ nchwc: null });

let probed: Promise<Kernels> | undefined;

/** The kernels that give the same result as plain operators here. Found once for the life of the process. */
export function probeKernels(threads: number): Promise<Kernels> {
  probed ??= blockSize(threads).then((nchwc) => ({ nchwc }));
  return probed;
}

/** The smaller of the known block sizes that works: with too small a one, reordering pads the channels and nothing fits. */
async function blockSize(threads: number): Promise<number | null> {
  for (const size of [8, 16]) if (await works(size, threads)) return size;
  return null;
}

/** Whether convolutions of `channels` channels in blocks, each channel alone and all together, are those without blocks. */
async function works(channels: number, threads: number): Promise<boolean> {
  const ort = await onnxRuntime();
  const kernel = [3, 3];
  const alone = { group: channels, channels: 1, maps: 1 };
  const together = { group: 1, channels, maps: channels };
  const lengths = {
    x: [1, channels, 5, 5],
    alone: [channels, 1, ...kernel],
    together: [channels, channels, ...kernel],
  };
  const b = new GraphBuilder("", Object.keys(lengths));
  const pairs = ([alone, together] as const).map((c, i) => {
    const w = i === 0 ? "alone" : "together";
    const words = { kernel_shape: kernel, dilations: [2, 2], pads: [1, 1, 1, 1], group: c.group };
    const blocked = convBlocks(b, [reorderInput(b, "x"), blockedWeight(b, channels, c, w, kernel)], words);
    return [reorderOutput(b, blocked, channels), b.op("Conv", ["x", w], words)] as const;
  });
  try {
    const graph: Graph = {
      name: "probe",
      path: "",
      parent: null,
      inputs: Object.entries(lengths).map(([name, shape]) => ({ name, dtype: "float", shape })),
      outputs: [],
      constants: b.constants,
      nodes: b.nodes,
    };
    const opsets = new Map([
      ["", 21],
      ["com.microsoft.nchwc", 1],
    ]);
    const model = { graph, irVersion: 10, opsets, producer: "", docString: "", metadata: [], notes: [] };
    const program = await Program.open(model, graph, {
      outputs: pairs.flat(),
      inputShapes: new Map(),
      threads,
      optimise: false,
      constant: () => Promise.reject(new Error("the probe has no large constants")),
    });
    try {
      const feeds: Record<string, Ort.Tensor> = {};
      for (const [name, shape] of Object.entries(lengths)) {
        const count = shape.reduce((product, dim) => product * dim, 1);
        // Whole numbers: both kernels are exact.
        feeds[name] = new ort.Tensor(
          "float32",
          Float32Array.from({ length: count }, (_, i) => ((i * 7) % 11) - 5),
          shape,
        );
      }
      const results = await program.run(feeds);
      return pairs.every(([blocked, plain]) => {
        const [found, expected] = [blocked, plain].map((name) => results[name]!.data as Float32Array);
        return found!.length === expected!.length && found!.every((value, i) => value === expected![i]);
      });
    } finally {
      await program.close();
    }
  } catch (error) {
    if (error instanceof PruneScopeError) return false;
    throw error;
  }
}
