/**
 * `--eoc-init`: all weights drawn anew on the edge of chaos of the activation that follows each layer (Hayou et al. 2019;
 * 2021, section 3): standard deviation σ_w/√fan_in, biases σ_b; norms get the statistics of initialisation.
 */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { EditReport } from "../../../protocol/insights.js";
import type { EocInit } from "../../../protocol/recipe.js";
import type { TensorEdit } from "../../formats/format.js";
import { storedConstant, type StoredElements, storedElements } from "../../formats/stored-elements.js";
import type { Constant } from "../../graph/graph.js";
import { operatorLabel } from "../../graph/graph.js";
import type { PrunableWeight } from "../../graph/prunable.js";
import { elementCount, storageKey } from "../../graph/tensor.js";
import { allNodes, Scopes } from "../../graph/traversal.js";
import { modelOrigin } from "../../meanfield/origin/index.js";
import { type LayerSite, layerSites } from "../../meanfield/sites/index.js";
import { drawingOf, type Drawing, Edges } from "../../meanfield/sites/suggestion.js";
import { orthogonalGain } from "../../meanfield/suggest.js";
import type { JobContext } from "../jobs.js";
import type { OpenModel } from "../open-model.js";
import { normalField, orthogonal, orthogonalCost, orthogonalLimit } from "./draw.js";

/** What norms start with, by the index of their input. */
const freshNorms: Readonly<Record<string, readonly (number | null)[]>> = {
  BatchNormalization: [null, 1, 0, 0, 1],
  GroupNormalization: [null, 1, 0],
  InstanceNormalization: [null, 1, 0],
  LayerNormalization: [null, 1, 0],
  RMSNormalization: [null, 1],
  SimplifiedLayerNormalization: [null, 1],
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
      `The model looks trained (${origin.model.votes.map(({ words }) => words).join(" ")}) Drawing its weights anew would undo that: say --force if it is what you want.`,
      { file: open.path },
    );
  }
  const edges = new Edges(sigmaB);
  const edits = new Edits(open);
  const changes: { name: string; words: string }[] = [];
  for (const [l, site] of sites.entries()) {
    context.progress({ stage: "Drawing weights on the edge of chaos", done: l, total: sites.length });
    await context.checkpoint();
    changes.push(...editsOf(site, edits, edges, scheme, seed));
  }
  const drawn = edits.count;
  if (drawn === 0) {
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
      words: `Weights drawn anew on the edge of chaos (${scheme}, σ_b ${sigmaB}, seed ${seed})${origin.model.verdict === "unclear" ? "; whether they were trained could not be told" : ""}.`,
      changes,
      measured: [],
    },
  };
}

/** Edits of tensors, each once: what is shared is drawn for its first use. */
class Edits {
  readonly all: TensorEdit[] = [];
  readonly #taken = new Set<string>();

  constructor(private readonly open: OpenModel) {}

  get count(): number {
    return this.all.length;
  }

  /** @returns whether the tensor can be written and was not yet. */
  constant(constant: Constant, value: (index: number) => number): boolean {
    const elements = storedConstant(this.open.source, constant);
    return elements !== null && this.#add(constant.name, constant.tensor, elements, value);
  }

  weight(weight: PrunableWeight, value: (index: number) => number): boolean {
    return this.#add(weight.name, weight.tensor, storedElements(this.open.source, weight), value);
  }

  #add(name: string, tensor: Constant["tensor"], elements: StoredElements, value: (index: number) => number): boolean {
    const key = storageKey(tensor);
    if (tensor.encoding === "varint" || this.#taken.has(key)) return false;
    this.#taken.add(key);
    this.all.push({
      name,
      tensor,
      elements,
      edit: (bytes, start, count) => {
        elements.write(
          bytes,
          Float64Array.from({ length: count }, (_, i) => value(start + i)),
        );
      },
    });
    return true;
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
  const { weight, activation, bias } = site;
  const drawing = drawingOf(site, edges);
  if (drawing === null) {
    const why =
      weight.dequantisation !== null
        ? "its elements are codes of a quantisation"
        : site.fanIn === null
          ? "its fan-in is not known"
          : `${activation?.name ?? "its activation"} has no edge of chaos that holds`;
    return [{ name: weight.id, words: `kept as it is: ${why}` }];
  }
  const normal = normalField(weight.id, seed);
  const matrix = scheme === "orthogonal" ? matrixOf(site) : null;
  const values =
    matrix === null ? (index: number) => drawing.deviation * normal(index) : orthogonalValues(matrix, drawing, normal);
  if (!edits.weight(weight, values))
    return [
      { name: weight.id, words: "kept as it is: its elements are stored as varints, or shared with another layer" },
    ];
  const form =
    matrix !== null
      ? "orthogonal"
      : `normal${scheme === "orthogonal" ? " (not orthogonal: its form or size does not allow it)" : ""}`;
  const moved = drawing.moved && activation !== null ? `, σ_b moved to the nearest that ${activation.name} has` : "";
  const words = `${form}, standard deviation ${short(drawing.deviation)} (σ_w ${short(drawing.sigmaW)}, σ_b ${short(drawing.sigmaB)}${moved}) for ${activation?.name ?? "a layer that no activation follows"}`;
  const changes = [{ name: weight.id, words }];
  if (bias !== null) {
    const draw = normalField(`${weight.id} bias`, seed);
    const done = edits.constant(bias, drawing.sigmaB === 0 ? () => 0 : (index) => drawing.sigmaB * draw(index));
    changes.push({
      name: bias.name,
      words: !done
        ? "kept as it is: it is shared, or lies in no file"
        : drawing.sigmaB === 0
          ? "0"
          : `normal, standard deviation ${short(drawing.sigmaB)}`,
    });
  } else if (drawing.sigmaB > 0) changes.push({ name: weight.id, words: "has no bias, so that σ_b is 0 in effect" });
  return changes;
}

interface MatrixLayout {
  readonly outputs: number;
  readonly inputs: number;
  /** Row and column of an element of the stored tensor. */
  readonly place: (index: number) => readonly [row: number, column: number];
}

/** How a stored tensor is a matrix of outputs by inputs; null where it is none, or too large to be made orthogonal. */
function matrixOf({ weight, form }: LayerSite): MatrixLayout | null {
  const { shape, roles, size } = weight;
  const [out] = roles.out;
  if (form?.form === "conv-transpose" || form?.form === "recurrent") return null;
  if (out === undefined || roles.out.length !== 1 || roles.groups !== 1 || roles.batch.length > 0) return null;
  const inner = elementCount(shape.slice(out + 1));
  const outputs = shape[out]!;
  const inputs = size / outputs;
  if (orthogonalCost(outputs, inputs) > orthogonalLimit) return null;
  return {
    outputs,
    inputs,
    place: (index) => [
      Math.floor(index / inner) % outputs,
      Math.floor(index / (inner * outputs)) * inner + (index % inner),
    ],
  };
}

function orthogonalValues(
  { outputs, inputs, place }: MatrixLayout,
  { sigmaW }: Drawing,
  normal: (index: number) => number,
): (index: number) => number {
  const gain = orthogonalGain(sigmaW, outputs, inputs);
  let made: Float64Array | null = null;
  return (index) => {
    made ??= orthogonal(outputs, inputs, normal);
    const [row, column] = place(index);
    return gain * made[row * inputs + column]!;
  };
}

/** Norms as they are before training. */
function resetNorms({ model }: OpenModel, edits: Edits): { name: string; words: string }[] {
  const scopes = new Scopes();
  let reset = 0;
  for (const { node, graph } of allNodes(model.graph)) {
    const label = operatorLabel(node);
    const values = Object.hasOwn(freshNorms, label) ? freshNorms[label]! : [];
    for (const [i, value] of values.entries()) {
      const found = value === null ? null : scopes.resolve(graph, node.inputs[i] ?? "");
      if (found?.kind === "constant" && edits.constant(found.constant, () => value!)) reset++;
    }
  }
  return reset === 0
    ? []
    : [{ name: "norms", words: `${reset} tensors of norms set to what they are initialised with` }];
}

const short = (value: number): string => String(Number(value.toPrecision(4)));
