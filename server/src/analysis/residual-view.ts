/** The residual blocks of a model as reports show them. */
import type { ResidualView } from "../../protocol/insights.js";
import type { Model } from "../graph/graph.js";
import { nodeLabel } from "../graph/graph.js";
import type { PrunableWeight } from "../graph/prunable.js";
import { blockLabel, findResiduals, residualWords } from "../graph/residual/index.js";

export function residualView(model: Model, weights: readonly PrunableWeight[]): ResidualView {
  const residuals = findResiduals(model, weights);
  return {
    additions: residuals.additions,
    blocks: residuals.blocks.map((block) => ({
      node: blockLabel(block),
      kind: block.kind,
      activationAfter: block.activationAfter,
      branch: block.branch,
      shortcut: block.shortcut,
    })),
    rejected: residuals.rejected.map(({ add, reason }) => ({ node: nodeLabel(add), reason })),
    words: residualWords(residuals),
  };
}
