/** How operators of one family treat the order of channels. */
import type { Site } from "./site.js";

export interface ChannelRule {
  /** Labels of the operators (`operatorLabel`). */
  readonly operators: readonly string[];
  /** Joins axes and states those of the outputs. @returns null, or why nothing that goes in may move. */
  readonly apply: (site: Site) => string | null;
}

/** Refusal of a node whose inputs have shapes that are not known, or do not fit each other. */
export const unfitting = "has inputs whose shapes are not known or do not fit";
