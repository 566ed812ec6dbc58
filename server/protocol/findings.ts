/**
 * What can be found about a layer that a person should act on: one list of rules with stable ids, for code scanning
 * (SARIF) and for diagnostics in the editor.
 */
import type { LayerId } from "./model.js";

export type FindingLevel = "error" | "warning" | "note";

/** A kind of finding. Ids are relied on outside: they may be added, never renamed. */
export interface FindingRule {
  readonly id: string;
  readonly level: FindingLevel;
  /** In a few words. */
  readonly title: string;
  /** In a sentence. */
  readonly summary: string;
  /** What it means and what to do. */
  readonly help: string;
}

export const findingRules = [
  {
    id: "collapsed-layer",
    level: "error",
    title: "Layer has collapsed",
    summary: "No weight of the layer is left.",
    help: "Nothing passes through a layer without weights. Prune less, give the layer a floor (--floor LAYER=DENSITY), leave it dense (--exclude LAYER), rank each layer by itself (--scope layer), or take another criterion; analyze --remedies computes what each of these would do.",
  },
  {
    id: "high-risk-layer",
    level: "warning",
    title: "Layer is close to collapse",
    summary:
      "The layer dies before density falls to half, or many of its outputs have no weight, or none of its weights lies on a path.",
    help: "The layer still has weights, but little would be left of it a step further. Prune less, or protect it with a floor or an exclusion; analyze --remedies computes what each of these would do.",
  },
  {
    id: "no-signal-layer",
    level: "warning",
    title: "All scores of the layer are 0",
    summary: "The criterion says nothing about the layer: all its scores are 0.",
    help: "The layer does not change the loss on this data, or its gradient vanished. Take other or more data, another loss or another criterion, or leave the layer dense.",
  },
  {
    id: "pattern-failed",
    level: "error",
    title: "Layer does not hold the pattern",
    summary: "The layer could hold the N:M pattern, but some of its groups have too many weights that are not 0.",
    help: "Groups run along the reduction axis of the stored tensor. Prune the model again with --nm, or say with --exclude that the layer is meant to be dense.",
  },
  {
    id: "pattern-impossible",
    level: "note",
    title: "Layer cannot hold the pattern",
    summary: "The layer has no groups of this size along its reduction axis.",
    help: "Patterns need a reduction axis whose length is a multiple of M. Layers that cannot hold a pattern do not count against it.",
  },
] as const satisfies readonly FindingRule[];

export type FindingId = (typeof findingRules)[number]["id"];

/** One thing that was found. */
export interface Finding {
  readonly rule: FindingId;
  /** Absolute path of the model. */
  readonly path: string;
  readonly layer: LayerId;
  readonly message: string;
}

/** The rule of an id. */
export const ruleOf = (id: FindingId): FindingRule => findingRules.find((rule) => rule.id === id)!;
