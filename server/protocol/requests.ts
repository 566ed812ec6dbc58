/**
 * What the client asks of the language server, and what the server tells it. Every job names its model by `uri` (whose
 * work can be stopped as a whole) and by the `path` of the file to read, which differ for temporary copies.
 */
import type { CompareReport } from "./compare.js";
import type { Dim, LayerId, ModelView } from "./model.js";
import type { CollapseReport, MeasureReport, RemediesReport, TheoryReport } from "./insights.js";
import type { ParityReport } from "./parity.js";
import type { NofM, Recipe } from "./recipe.js";
import type { AnalysisResult, CompressReport, ExactSurvival, SaveReport, VerifyReport } from "./report.js";
import type { CheckReport, HeldReport } from "./sparsity.js";

/** Values for dynamic axes, by axis name, or by `input:axis` where an axis has no name. */
export type DynamicAxes = Readonly<Record<string, number>>;

/** Which model a request is about. */
export interface ModelRef {
  readonly uri: string;
  /** Absolute path of a file on the machine that the server runs on. */
  readonly path: string;
}

export interface OpenParams extends ModelRef {
  readonly dynamicAxes: DynamicAxes;
  /** Try again although the file crashed the engine before. */
  readonly retry?: boolean;
}
export interface AnalyzeParams extends ModelRef {
  readonly recipe: Recipe;
  readonly retry?: boolean;
}
export type SurvivalParams = AnalyzeParams;
/** Output shape of each layer's first node with dynamic axes bound, by layer id; layers that are absent have none that is known. */
export interface ShapesResult {
  readonly outputs: Readonly<Record<LayerId, readonly Dim[]>>;
}
export interface SaveParams extends ModelRef {
  readonly recipe: Recipe;
  /** Absolute path of the file to write. */
  readonly target: string;
  /** The person picked the original itself and confirmed. */
  readonly replaceOriginal: boolean;
  /** Append provenance to the saved model. */
  readonly metadata: boolean;
  /** Fingerprint of the model that the person saw; the save is refused when the file has changed since. */
  readonly fingerprint?: string;
}
export interface VerifyParams extends ModelRef {
  /** The saved model. */
  readonly pruned: string;
  readonly seed: number;
  readonly dynamicAxes: DynamicAxes;
}
export interface CompressParams extends ModelRef {
  readonly pruned: string;
}

/** Weights alone are looked at: no run, and no recipe but its seed. */
export interface TheoryParams extends ModelRef {
  /** σ_b of the suggestions. */
  readonly sigmaB: number;
  readonly dynamicAxes: DynamicAxes;
}
export type CollapseParams = AnalyzeParams;
export interface MeasureParams extends ModelRef {
  readonly recipe: Recipe;
  /** Seeds or batches whose masks are compared; 0 or 1 = none. */
  readonly stabilityRuns: number;
}
export interface RemediesParams extends ModelRef {
  readonly recipe: Recipe;
  /** Seconds that may be taken; what does not fit is listed as skipped. */
  readonly budget: number;
}

/** The person's model and the graph that it was lowered to are run on the same input. */
export interface ParityParams extends ModelRef {
  readonly seed: number;
  readonly dynamicAxes: DynamicAxes;
}

export interface CheckParams extends ModelRef {
  readonly pattern: NofM;
  /** Ids of layers that need not hold it. */
  readonly exclude: readonly LayerId[];
}
export type HeldParams = ModelRef;
export interface CompareParams extends ModelRef {
  /** The other model. */
  readonly pruned: string;
  /** Data, labels, seed, batch and lengths of dynamic axes are taken from it. */
  readonly recipe: Recipe;
  /** Seconds that measuring latency may take; 0 = it is not measured. */
  readonly latencySeconds: number;
}
export interface ExportParams extends ModelRef {
  readonly recipe: Recipe;
  /** Absolute path of the .npz file to write. */
  readonly target: string;
  /** One array per weight, by its name, in the shape that the file stores it in: 0 and 1, or scores as float32. */
  readonly what: "mask" | "scores";
}
export interface ExportReport {
  readonly path: string;
  readonly bytes: number;
  readonly arrays: number;
  readonly elements: number;
}

/** Every job: parameters and result. The same names serve LSP requests (`prunescope/NAME`) and the engine's messages. */
export interface Jobs {
  open: { params: OpenParams; result: ModelView };
  analyze: { params: AnalyzeParams; result: AnalysisResult };
  shapes: { params: OpenParams; result: ShapesResult };
  survival: { params: SurvivalParams; result: ExactSurvival };
  save: { params: SaveParams; result: SaveReport };
  verify: { params: VerifyParams; result: VerifyReport };
  compress: { params: CompressParams; result: CompressReport };
  check: { params: CheckParams; result: CheckReport };
  held: { params: HeldParams; result: HeldReport };
  compare: { params: CompareParams; result: CompareReport };
  export: { params: ExportParams; result: ExportReport };
  theory: { params: TheoryParams; result: TheoryReport };
  collapse: { params: CollapseParams; result: CollapseReport };
  measure: { params: MeasureParams; result: MeasureReport };
  remedies: { params: RemediesParams; result: RemediesReport };
  parity: { params: ParityParams; result: ParityReport };
}
export type JobName = keyof Jobs;
export const jobNames: readonly JobName[] = [
  "open",
  "shapes",
  "analyze",
  "survival",
  "save",
  "verify",
  "compress",
  "check",
  "held",
  "compare",
  "export",
  "theory",
  "collapse",
  "measure",
  "remedies",
  "parity",
];

/** What a job is doing. `done` of `total` in the stage's own unit; `total` 0 when it is not known. */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** LSP notification `prunescope/progress`, server to client. */
export interface ProgressParams extends Progress {
  readonly uri: string;
  readonly job: JobName;
}
/** LSP notification `prunescope/close`, client to server: the model's last view is gone; stop its work. */
export interface CloseParams {
  readonly uri: string;
}
/** LSP notification `prunescope/configure`, client to server. */
export interface ServerSettings {
  /** Threads of ONNX Runtime; 0 = one less than there are cores. */
  readonly threads: number;
  /** Most memory of the engine in MB; 0 = no limit. */
  readonly memoryLimit: number;
  /** Most MB of cached results. */
  readonly cacheMaxSize: number;
  /** Folder of `@tensorflow/tfjs-node`, which then runs TensorFlow.js models; empty or absent = none is named. */
  readonly tfjsNodePath?: string;
}
/** LSP `initializationOptions`. */
export interface InitializationOptions extends ServerSettings {
  /** Folder for cached results. */
  readonly storage: string;
}

export const methods = {
  progress: "prunescope/progress",
  close: "prunescope/close",
  configure: "prunescope/configure",
} as const;

/** LSP method of a job. */
export function jobMethod(job: JobName): string {
  return `prunescope/${job}`;
}
