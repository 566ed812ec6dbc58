/** What a model is, for people: the summary and the layers, without any pass over its weights. */
import type { CriterionView, ModelView, ValueView } from "../../protocol/model.js";
import { losses } from "../autodiff/loss/index.js";
import { type Prospects, prospectsOf } from "../autodiff/prospects.js";
import type { Criterion } from "../criteria/criterion.js";
import { criteria } from "../criteria/index.js";
import type { Graph, ValueInfo } from "../graph/graph.js";
import { nodeLabel } from "../graph/graph.js";
import { layerLabel } from "../graph/prunable.js";
import { storedType } from "../graph/tensor.js";
import { allNodes } from "../graph/traversal.js";
import type { OpenModel } from "./open-model.js";

/** Notes beyond this many are counted, not listed. */
const maxNotes = 50;

export function describeModel(open: OpenModel): ModelView {
  const { model, search, source } = open;
  const conditional = search.weights.filter((weight) => weight.uses.every((use) => isConditional(use.graph)));
  const nodes = [...allNodes(model.graph)];
  const prospects = prospectsOf(model, search.weights);
  const notes = [...model.notes];
  if (conditional.length > 0) {
    notes.push(
      `${conditional.length} of ${search.weights.length} layers lie in branches or loop bodies; which of them run depends on the input.`,
    );
  }
  for (const weight of search.weights) {
    if (weight.uses.length > 1)
      notes.push(`"${weight.name}" is used ${weight.uses.length} times (tied); it counts once.`);
  }
  return {
    path: source.main,
    format: open.format.id,
    bytes: source.size(),
    dataFiles: source.paths.slice(1),
    fingerprint: open.fingerprint,
    producer: model.producer,
    irVersion: model.irVersion,
    opsets: [...model.opsets].map(([domain, version]) => ({ domain, version })),
    metadata: model.metadata,
    docString: model.docString,
    inputs: model.graph.inputs.map(valueView),
    outputs: model.graph.outputs.map(valueView),
    nodes: nodes.length,
    parameters: search.parameters,
    prunable: search.weights.reduce((sum, weight) => sum + weight.size, 0),
    layers: search.weights.map((weight) => ({
      id: weight.id,
      ...layerLabel(weight),
      weight: weight.name,
      dtype: weight.tensor.dtype,
      ...(storedType(weight.tensor) === weight.tensor.dtype ? {} : { stored: storedType(weight.tensor) }),
      shape: weight.shape,
      parameters: weight.size,
      roles: weight.roles,
      via: weight.via,
      uses: weight.uses.map((use) => nodeLabel(use.node)),
      subgraph: weight.uses[0]!.graph.path,
    })),
    unprunable: search.unprunable,
    criteria: criteria.map((criterion) => criterionView(criterion, prospects)),
    losses: losses.map(({ id, title }) => ({ id, title })),
    hasBatchNorm: nodes.some(({ node }) => node.op === "BatchNormalization" && node.domain === ""),
    notes:
      notes.length <= maxNotes ? notes : [...notes.slice(0, maxNotes), `… and ${notes.length - maxNotes} more notes.`],
  };
}

function criterionView(criterion: Criterion, prospects: Prospects): CriterionView {
  const { id, title, summary, needs, signed } = criterion;
  const unavailable = criterion.unavailable(prospects);
  return {
    id,
    title,
    summary,
    needsData: needs.data,
    rounds: needs.rounds,
    signed,
    ...(unavailable === null ? {} : { unavailable }),
  };
}

const isConditional = (graph: Graph): boolean => graph.parent !== null;

function valueView({ name, dtype, shape, type }: ValueInfo): ValueView {
  return { name, dtype, shape, ...(type === undefined ? {} : { type }) };
}
