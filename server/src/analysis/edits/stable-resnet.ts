/**
 * Stable ResNet (Hayou et al. 2021, section 4): y = x + F(x)/√L, L being the number of residual sums. As Mul nodes for
 * models that are to be trained, or folded into the last numbers of every branch: the same function, not the same
 * criterion, so that scores are taken of the form with nodes.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { EditReport } from "../../../protocol/insights.js";
import type { DType } from "../../../protocol/model.js";
import type { InputScale, TensorEdit } from "../../formats/format.js";
import { blockElements, storedConstant, type StoredElements } from "../../formats/stored-elements.js";
import { type Constant, nodeLabel } from "../../graph/graph.js";
import { literalValues } from "../../graph/literal.js";
import { linksOf } from "../../graph/links.js";
import { Folds } from "../../graph/residual/fold.js";
import {
  blockLabel,
  findResiduals,
  type ResidualBlock,
  residualWords,
  type Residuals,
} from "../../graph/residual/index.js";
import { elementCount, isFloat } from "../../graph/tensor.js";
import { constantBehind } from "../../graph/weighted-sum.js";
import { boundShapes } from "../../runtime/inputs.js";
import { valueTypes } from "../../runtime/shapes.js";
import type { JobContext } from "../jobs.js";
import type { OpenModel } from "../open-model.js";

/** A tensor that is multiplied by a number. */
export interface FoldedTensor {
  readonly constant: Constant;
  readonly elements: StoredElements;
  readonly factor: number;
}

/** What folding does, block by block. */
export interface Folding {
  readonly tensors: readonly FoldedTensor[];
  /** The same as edits of the file as it is. */
  readonly edits: readonly TensorEdit[];
  readonly report: EditReport;
}

/**
 * The Mul nodes of Stable ResNet, and what they are in words.
 * @throws PruneScopeError `bad-request` for a model without residual blocks, and for one that is stable already.
 */
export async function stableScales(
  open: OpenModel,
  context: JobContext,
): Promise<{ readonly scales: readonly InputScale[]; readonly report: EditReport }> {
  const residuals = residualsOf(open);
  const types = await branchTypes(open, residuals, context);
  const factor = stableFactor(residuals);
  const scales = residuals.blocks.map((block, i): InputScale => ({
    node: block.add,
    input: block.branchInput,
    factor,
    dtype: types[i]!,
  }));
  const changes = residuals.blocks.map((block) => ({
    name: blockLabel(block),
    words: `A Mul node by ${factor.toPrecision(6)} is put before its input ${block.branchInput}, the residual branch.`,
  }));
  const words = `${residualWords(residuals)} ${residuals.additions} Mul nodes were added; weights stay as they are.`;
  return { scales, report: { edit: "stable-resnet", words, changes, measured: [] } };
}

/**
 * The same factors folded into the numbers of the branches. `open` is the model without the nodes.
 * @throws PruneScopeError `bad-request` as {@link stableScales} does, and naming every branch that no factor can be
 * folded into.
 */
export function foldStable(open: OpenModel): Folding {
  const residuals = residualsOf(open);
  const factor = stableFactor(residuals);
  const folds = new Folds(open.model);
  const tensors: FoldedTensor[] = [];
  const changes: { name: string; words: string }[] = [];
  const unfoldable: string[] = [];
  for (const block of residuals.blocks) {
    const fold = folds.of(block);
    if ("reason" in fold) {
      unfoldable.push(`"${blockLabel(block)}": ${fold.reason}`);
      continue;
    }
    for (const constant of fold.constants) {
      const elements = storedConstant(open.source, constant);
      if (elements === null) {
        unfoldable.push(`"${blockLabel(block)}": the numbers of "${constant.name}" cannot be written`);
        continue;
      }
      tensors.push({ constant, elements, factor });
      changes.push({
        name: constant.name,
        words: `Multiplied by ${factor.toPrecision(6)}, for the residual branch of "${blockLabel(block)}".`,
      });
    }
  }
  if (unfoldable.length > 0) {
    const shown = unfoldable.slice(0, 3).join("; ");
    const more = unfoldable.length > 3 ? `; and ${unfoldable.length - 3} more` : "";
    throw new PruneScopeError(
      "bad-request",
      `Stable ResNet cannot be folded into ${unfoldable.length} of ${residuals.additions} residual branches (${shown}${more}). Use --stable-resnet mul, which adds nodes instead.`,
      { file: open.path },
    );
  }
  const words = `${residualWords(residuals)} The factors are folded into ${tensors.length} tensors, for inference: the same function as with nodes, not the same gradients.`;
  return {
    tensors,
    edits: tensors.map(({ constant, elements, factor: by }) => ({
      name: constant.name,
      tensor: constant.tensor,
      elements,
      edit: multiplied(elements, by),
    })),
    report: { edit: "stable-resnet", words, changes, measured: [] },
  };
}

/** 1/√L. */
export const stableFactor = ({ additions }: Residuals): number => 1 / Math.sqrt(additions);

/** An edit that multiplies what a file holds by a number. */
export function multiplied(elements: StoredElements, factor: number): TensorEdit["edit"] {
  const values = new Float64Array(blockElements);
  return (bytes, start, count) => {
    const block = values.subarray(0, count);
    elements.readExact(start, count, block);
    for (let i = 0; i < count; i++) block[i]! *= factor;
    elements.write(bytes, block);
  };
}

function residualsOf({ model, search, path }: OpenModel): Residuals {
  const residuals = findResiduals(model, search.weights);
  if (residuals.additions === 0) {
    throw new PruneScopeError(
      "bad-request",
      `Stable ResNet divides residual branches by √L, and the main graph of this model has none${residuals.rejected.length === 0 ? "" : ` ("${nodeLabel(residuals.rejected[0]!.add)}": ${residuals.rejected[0]!.reason})`}.`,
      { file: path },
    );
  }
  const links = linksOf(model.graph);
  const factor = stableFactor(residuals);
  // √L to four digits: what a training script wrote by hand counts as well.
  const done = residuals.blocks.every((block) => Math.abs((branchFactor(links, block) ?? 0) / factor - 1) < 1e-4);
  if (done && residuals.additions > 1) {
    throw new PruneScopeError(
      "bad-request",
      `This model is a Stable ResNet already: each of its ${residuals.additions} residual branches is multiplied by 1/√${residuals.additions}.`,
      { file: path },
    );
  }
  return residuals;
}

/** The constant that a branch is multiplied by right before its sum; null where there is none. */
function branchFactor(links: ReturnType<typeof linksOf>, { add, branchInput }: ResidualBlock): number | null {
  const node = links.producer.get(add.inputs[branchInput]!);
  if (node?.domain !== "" || (node.op !== "Mul" && node.op !== "Div")) return null;
  for (const [i, name] of node.inputs.entries()) {
    const constant = constantBehind(links, name);
    if (constant === null || elementCount(constant.tensor.shape) !== 1 || (node.op === "Div" && i === 0)) continue;
    const [value] = literalValues(constant) ?? [];
    if (value !== undefined) return node.op === "Div" ? 1 / value : value;
  }
  return null;
}

/** Element type of each branch: the runtime's word, else that of its last weight. */
async function branchTypes(open: OpenModel, { blocks }: Residuals, context: JobContext): Promise<DType[]> {
  const { model, search } = open;
  let unknown: unknown;
  const types = await valueTypes(model, boundShapes(model.graph.inputs, {}), context.settings.threads).catch(
    (error: unknown) => {
      unknown = error;
      return new Map<string, { readonly dtype: DType }>();
    },
  );
  const weights = new Map(search.weights.map((weight) => [weight.id, weight]));
  return blocks.map((block) => {
    const known = types.get(block.add.inputs[block.branchInput]!)?.dtype;
    if (known !== undefined) return known;
    const last = weights.get(block.branch.at(-1) ?? "");
    if (last !== undefined && last.via.length === 0 && isFloat(last.tensor.dtype)) return last.tensor.dtype;
    throw unknown instanceof PruneScopeError
      ? unknown
      : new PruneScopeError(
          "unsupported-op",
          `The element type of the branch of "${blockLabel(block)}" is not known.`,
          {
            file: open.path,
            node: blockLabel(block),
          },
        );
  });
}
