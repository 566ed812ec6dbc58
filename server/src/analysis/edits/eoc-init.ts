/**
 * `--eoc-init`: all weights drawn anew on the edge of chaos of the activation that follows each layer (Hayou et al. 2019;
 * 2021, section 3): standard deviation σ_w/√fan_in, biases σ_b; norms get the statistics of initialisation.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { EditReport } from "../../../protocol/insights.js";
import type { EocInit } from "../../../protocol/recipe.js";
import type { TensorEdit } from "../../formats/format.js";
import { blockElements, storedConstant, type StoredElements, storedElements } from "../../formats/stored-elements.js";
import type { Constant } from "../../graph/graph.js";
import { operatorLabel } from "../../graph/graph.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { elementCount, holdsCodes, isFloat, storageKey } from "../../graph/tensor.js";
import { allNodes, Scopes } from "../../graph/traversal.js";
import { modelOrigin } from "../../meanfield/origin/index.js";
import { type LayerSite, layerSites } from "../../meanfield/sites/index.js";
import { drawingOf, type Drawing, Edges, undrawn } from "../../meanfield/sites/suggestion.js";
import { orthogonalGain } from "../../meanfield/suggest.js";
import type { JobContext } from "../jobs.js";
import type { OpenModel } from "../open-model.js";
import { normalField, orthogonal, orthogonalCost, orthogonalLimit } from "./draw.js";

/** What norms are initialised with, by the index of their input. */
const freshNorms: Readonly<Record<string, readonly (number | null)[]>> = {
  BatchNormalization: [null, 1, 0, 0, 1],
  GroupNormalization: [null, 1, 0],
  InstanceNormalization: [null, 1, 0],
  LayerNormalization: [null, 1, 0],
  RMSNormalization: [null, 1],
  SimplifiedLayerNormalization: [null, 1],
  "com.microsoft.SkipLayerNormalization": [null, null, 1, 0],
  "com.microsoft.SkipSimplifiedLayerNormalization": [null, null, 1],
};

/**
 * The edits that draw a model anew, and what they are in words.
 * @throws PruneScopeError `bad-request` for a model that looks trained, unless that is what is wanted, and for one
 * without a layer that can be drawn.
 */
export async function eocInitEdits(
  open: OpenModel,
  { sigmaB, scheme, force }: EocInit,
  seed: number,
  context: JobContext,
): Promise<{ readonly edits: readonly TensorEdit[]; readonly report: EditReport }> {
  const { model, source, search } = open;
  const sites = await layerSites(model, search.weights, context.settings.threads);
  const origin = await modelOrigin(sites, model.graph, source, async (done) => {
    context.progress({ stage: "Reading weights", done, total: 0 });
    await context.checkpoint();
  });
  if (origin.model.verdict === "trained" && !force) {
    throw new PruneScopeError(
      "bad-request",
      `The model looks trained. ${origin.model.votes.map(({ words }) => words).join(" ")} Drawing its weights anew would undo that: say --force if it is what you want.`,
      { file: open.path },
    );
  }
  const edges = new Edges(sigmaB);
  const edits = new Edits(open);
  const changes: { name: string; words: string }[] = [];
  let drawn = 0;
  for (const [l, site] of sites.entries()) {
    context.progress({ stage: "Drawing weights on the edge of chaos", done: l, total: sites.length });
    await context.checkpoint();
    const before = edits.count;
    changes.push(...editsOf(site, edits, edges, scheme, seed));
    if (edits.count > before) drawn++;
  }
  if (edits.count === 0) {
    throw new PruneScopeError(
      "bad-request",
      `No layer can be drawn on the edge of chaos: ${changes[0]?.words ?? "the model has no weights"}.`,
      { file: open.path },
    );
  }
  changes.push(...resetNorms(open, edits));
  return {
    edits: edits.all,
    report: {
      edit: "eoc-init",
      words: [
        `Weights of ${drawn} of ${sites.length} layers drawn anew on the edge of chaos (${scheme}, σ_b ${sigmaB}, seed ${seed}); norms as they are initialised, everything else as it was.`,
        ...(origin.model.verdict === "unclear" ? ["Whether the model was trained could not be told."] : []),
        ...(origin.model.verdict === "trained" ? ["The model looked trained: what it had learnt is gone."] : []),
      ].join(" "),
      changes,
      measured: [],
    },
  };
}

/** Writes the elements [start, start + out.length) of a tensor. */
type Fill = (out: Float64Array, start: number) => void;

const constantly =
  (value: number): Fill =>
  (out) => {
    out.fill(value);
  };

const normally =
  (deviation: number, normal: (index: number) => number): Fill =>
  (out, start) => {
    for (let i = 0; i < out.length; i++) out[i] = deviation * normal(start + i);
  };

/** Edits of tensors, each once: what is shared is drawn for its first use. */
class Edits {
  readonly all: TensorEdit[] = [];
  readonly #taken = new Set<string>();
  readonly #values = new Float64Array(blockElements);

  constructor(private readonly open: OpenModel) {}

  get count(): number {
    return this.all.length;
  }

  /** @returns null where it will be written, else why it cannot be. */
  constant(constant: Constant, fill: Fill): string | null {
    const elements = storedConstant(this.open.source, constant);
    if (elements === null) return "it lies in no file, or is sparse";
    return this.#add(constant.name, constant.tensor, elements, fill);
  }

  weight(weight: PrunableWeight, fill: Fill): string | null {
    if (weight.sparse) return "it is stored as a sparse tensor";
    return this.#add(weight.name, weight.tensor, storedElements(this.open.source, weight), fill);
  }

  #add(name: string, tensor: Constant["tensor"], elements: StoredElements, fill: Fill): string | null {
    const key = storageKey(tensor);
    if (tensor.encoding === "varint") return "its elements are stored as varints, whose length would change";
    if (holdsCodes(tensor)) return "its elements are codes of a quantisation";
    if (this.#taken.has(key)) return "another layer or norm shares it, and it was set for that one";
    this.#taken.add(key);
    this.all.push({
      name,
      tensor,
      elements,
      edit: (bytes, start, count) => {
        const values = this.#values.subarray(0, count);
        fill(values, start);
        elements.write(bytes, values);
      },
    });
    return null;
  }
}

/** Adds the edits of one layer. @returns what is done, or why nothing is. */
function editsOf(
  site: LayerSite,
  edits: Edits,
  edges: Edges,
  scheme: EocInit["scheme"],
  seed: number,
): { name: string; words: string }[] {
  const { weight, activation, bias, form } = site;
  const drawing = drawingOf(site, edges);
  if (drawing === null) return [{ name: weight.id, words: kept(undrawn(site, edges) ?? "nothing is known of it") }];
  const normal = normalField(weight.id, seed);
  const matrix = scheme === "orthogonal" ? matrixOf(site) : "";
  const obstacle = edits.weight(
    weight,
    typeof matrix === "string" ? normally(drawing.deviation, normal) : orthogonally(matrix, drawing, normal),
  );
  if (obstacle !== null) return [{ name: weight.id, words: kept(obstacle) }];
  const how =
    typeof matrix !== "string" ? "orthogonal" : matrix === "" ? "normal" : `normal and not orthogonal (${matrix})`;
  const moved = drawing.moved && activation !== null ? `, the nearest σ_b at which ${activation.name} has an edge` : "";
  const words = `${how}, standard deviation ${short(drawing.deviation)}: σ_w ${short(drawing.sigmaW)}, σ_b ${short(drawing.sigmaB)}${moved}, for ${activation?.name ?? "a layer that no activation follows"}`;
  const changes = [{ name: weight.id, words }];
  if (bias !== null) {
    // The biases of a recurrent layer's two paths add up, as its weights do.
    const deviation = drawing.sigmaB / Math.sqrt(form?.form === "recurrent" ? 2 : 1);
    const draw = normalField(`${weight.id} bias`, seed);
    const left = edits.constant(bias, deviation === 0 ? constantly(0) : normally(deviation, draw));
    const drawn = deviation === 0 ? "0" : `normal, standard deviation ${short(deviation)}`;
    changes.push({ name: bias.name, words: left === null ? drawn : kept(left) });
  } else if (drawing.sigmaB > 0)
    changes.push({ name: weight.id, words: "has no bias that can be set: σ_b is 0 in effect" });
  return changes;
}

const kept = (why: string): string => `kept as it is: ${why}`;

interface MatrixLayout {
  readonly outputs: number;
  readonly inputs: number;
  /** Row and column of an element of the stored tensor. */
  readonly place: (index: number) => readonly [row: number, column: number];
}

/** How a stored tensor is a matrix of outputs by inputs; else why it is drawn normal. */
function matrixOf({ weight, form }: LayerSite): MatrixLayout | string {
  const { shape, roles, size } = weight;
  const [out] = roles.out;
  if (form?.form === "conv-transpose") return "it is transposed";
  if (form?.form === "recurrent") return "it is recurrent";
  if (roles.groups !== 1) return "it has groups";
  if (out === undefined || roles.out.length !== 1 || roles.batch.length > 0) return "it is no matrix";
  const inner = elementCount(shape.slice(out + 1));
  const outputs = shape[out]!;
  const inputs = size / outputs;
  if (orthogonalCost(outputs, inputs) > orthogonalLimit) return `it is as large as ${outputs} by ${inputs}`;
  return {
    outputs,
    inputs,
    place: (index) => [
      Math.floor(index / inner) % outputs,
      Math.floor(index / (inner * outputs)) * inner + (index % inner),
    ],
  };
}

/** The matrix is made when its first element is wanted, and forgotten with its last. */
function orthogonally(
  { outputs, inputs, place }: MatrixLayout,
  { sigmaW }: Drawing,
  normal: (index: number) => number,
): Fill {
  const gain = orthogonalGain(sigmaW, outputs, inputs);
  let made: Float64Array | null = null;
  return (out, start) => {
    const matrix = (made ??= orthogonal(outputs, inputs, normal));
    for (let i = 0; i < out.length; i++) {
      const [row, column] = place(start + i);
      out[i] = gain * matrix[row * inputs + column]!;
    }
    if (start + out.length === outputs * inputs) made = null;
  };
}

/** Norms as they are before training, and what else was trained and is left alone. */
function resetNorms({ model }: OpenModel, edits: Edits): { name: string; words: string }[] {
  const scopes = new Scopes();
  const changes: { name: string; words: string }[] = [];
  const seen = new Set<Constant>();
  for (const { node, graph } of allNodes(model.graph)) {
    const label = operatorLabel(node);
    const values = Object.hasOwn(freshNorms, label) ? freshNorms[label]! : [];
    for (const [i, value] of values.entries()) {
      const found = value === null ? null : scopes.resolve(graph, node.inputs[i] ?? "");
      if (value === null || found?.kind !== "constant" || seen.has(found.constant)) continue;
      seen.add(found.constant);
      const left = edits.constant(found.constant, constantly(value));
      changes.push({
        name: found.constant.name,
        words: left === null ? `${value}, as norms are initialised` : kept(left),
      });
    }
    if (label !== "Gather") continue;
    const table = scopes.resolve(graph, node.inputs[0] ?? "");
    if (table?.kind !== "constant" || seen.has(table.constant) || !isFloat(table.constant.tensor.dtype)) continue;
    seen.add(table.constant);
    changes.push({ name: table.constant.name, words: kept("embeddings have no fan-in") });
  }
  return changes;
}

const short = (value: number): string => String(Number(value.toPrecision(4)));
