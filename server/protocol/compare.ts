/** Two models side by side: result of the job `compare`, and the messages of the page that shows it. */
import type { ErrorData } from "./errors.js";
import type { LayerId } from "./model.js";
import type { CompressReport } from "./report.js";
import { parseFromView, type Activity, type FromView } from "./view.js";

/** One prunable layer as both models have it; null where a model has none of that id. */
export interface ComparedLayer {
  readonly id: LayerId;
  readonly op: string;
  readonly shape: readonly number[];
  readonly parameters: number;
  /** Elements that are 0. */
  readonly zeros: { readonly original: number | null; readonly pruned: number | null };
  /**
   * Share of the elements that are not 0 in the pruned model whose number is exactly the original's; null where there is
   * none, and where shapes or types differ.
   */
  readonly unchanged: number | null;
}

/** One output on the same input. */
export interface ComparedOutput {
  readonly name: string;
  readonly shape: readonly number[];
  /** Largest and mean |a − b|; null where shapes differ, or NaN stands against a number. */
  readonly maxDifference: number | null;
  readonly meanDifference: number | null;
  /** ⟨a, b⟩ / (‖a‖ ‖b‖) over all elements; null as above, or where one of them is 0. */
  readonly cosine: number | null;
  /** Share of samples whose largest element along the last axis is at the same place; null for outputs without classes. */
  readonly argmaxAgreement: number | null;
  /** Largest |a| of the original's output, to see the difference against. */
  readonly maxOriginal: number;
}

/** Milliseconds of one run: median and the quartiles around it, over so many runs of each model in turn. */
export interface Latency {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly runs: number;
}

export interface CompareReport {
  readonly original: { readonly path: string; readonly bytes: number };
  readonly pruned: { readonly path: string; readonly bytes: number };
  readonly layers: readonly ComparedLayer[];
  /** What was fed, in a sentence. */
  readonly input: string;
  /** On how many samples outputs were compared; 0 where the models could not be run. */
  readonly samples: number;
  readonly outputs: readonly ComparedOutput[];
  /** Share of samples with the right label; null where there are no labels. */
  readonly accuracy: { readonly original: number; readonly pruned: number; readonly samples: number } | null;
  /** Of runs on `samples` samples in ONNX Runtime on this machine, both models in turn; null where it was not measured. */
  readonly latency: {
    readonly original: Latency;
    readonly pruned: Latency;
    readonly threads: number;
    readonly samples: number;
  } | null;
  readonly compressed: CompressReport | ErrorData | null;
  readonly notes: readonly string[];
  readonly seconds: number;
}

/** Everything that the page of a comparison shows. */
export interface ComparisonState {
  /** Names to show, usually base names. */
  readonly original: string;
  readonly pruned: string;
  readonly report: CompareReport | null;
  readonly activity: Activity;
}

/** Host to the page of a comparison. */
export type ToComparison =
  | { readonly type: "comparison"; readonly state: ComparisonState }
  | { readonly type: "activity"; readonly activity: Activity };

/** The page of a comparison to its host: words that the results view has too. `retry` compares again. */
export type FromComparison = Extract<FromView, { readonly type: "cancel" | "chooseData" | "ready" | "retry" }>;

/** Checks a message from the page of a comparison. @returns the message, or null when it is none. */
export function parseFromComparison(input: unknown): FromComparison | null {
  const message = parseFromView(input);
  switch (message?.type) {
    case "cancel":
    case "chooseData":
    case "ready":
    case "retry":
      return message;
    default:
      return null;
  }
}
