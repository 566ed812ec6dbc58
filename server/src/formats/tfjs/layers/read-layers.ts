/**
 * Lowers a layers model: every call of every layer, from inputs to outputs, nested models and shared layers among them.
 */
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";
import { PruneScopeError } from "../../../../protocol/errors.js";
import type { DType } from "../../../../protocol/model.js";
import type { Constant, Graph } from "../../../graph/graph.js";
import type { TfjsDocument } from "../document.js";
import { shortened } from "../json.js";
import type { Lowered } from "../lowering/lowered.js";
import { orContradiction } from "../lowering/contradiction.js";
import { Lowering } from "../lowering/lowering.js";
import { isPlaceholder } from "./known-classes.js";
import { configOf, type Layer, type LayerCall, type LayerRule } from "./rule.js";
import { layerRules } from "./rules/index.js";
import { rebuild } from "./topology.js";
import { WeightNames } from "./weight-names.js";

type Shapes = LayerCall["outputShapes"];

const rules: ReadonlyMap<string, LayerRule> = new Map(
  layerRules.flatMap((rule) => rule.classes.map((name) => [name, rule] as const)),
);

const dtypes: Readonly<Record<string, DType>> = { float32: "float", int32: "int32", bool: "bool" };

/** The graph of a layers model. @throws PruneScopeError with what is wrong with its topology. */
export async function readLayers(
  document: TfjsDocument,
  weights: ReadonlyMap<string, Constant>,
): Promise<{ graph: Graph; notes: readonly string[] }> {
  const rebuilt = await rebuild(document);
  try {
    const { graph, notes } = new LayersReader(document, rebuilt.model, weights).read();
    const starts =
      "keeps its states from one run to the next in TensorFlow.js: the lowered graph starts every run anew";
    return { graph, notes: [...notes, ...rebuilt.stateful.map((name) => `${shortened(name)} ${starts}.`)] };
  } finally {
    rebuilt.dispose();
  }
}

/** Names of the input layers: those of their tensors are numbered anew by every model that is read. */
const inputNames = (model: LayersModel): string[] => model.inputs.map(({ sourceLayer }) => sourceLayer.name);

class LayersReader {
  readonly #lowering: Lowering;
  readonly #names: WeightNames;

  constructor(
    readonly document: TfjsDocument,
    readonly model: LayersModel,
    weights: ReadonlyMap<string, Constant>,
  ) {
    const outputs = model.outputs.map(({ sourceLayer }) => sourceLayer.name);
    this.#lowering = new Lowering(weights, [...outputs, ...inputNames(model)]);
    this.#names = new WeightNames(document.path, model, weights);
  }

  read(): { graph: Graph; notes: readonly string[] } {
    const { model } = this;
    const lowering = this.#lowering;
    const names = inputNames(model);
    const inputs = model.inputs.map(({ shape, dtype }, i) => {
      const name = names[i]!;
      const known = dtypes[dtype];
      if (known !== undefined) return lowering.input(name, known, shape);
      throw new PruneScopeError("unsupported-op", `Input "${name}" of ${this.document.path} is ${dtype}.`, {
        value: name,
      });
    });
    const found = this.#container(model, inputs);
    const taken = new Set(names);
    const outputs = model.outputs.map(({ sourceLayer, dtype }, i) => {
      let { name } = sourceLayer;
      for (let n = 1; taken.has(name); n++) name = `${sourceLayer.name}:${n}`;
      taken.add(name);
      return { name, tensor: found[i]!, dtype: dtypes[dtype] ?? "float" };
    });
    return { graph: lowering.graph(model.name, outputs), notes: lowering.notes };
  }

  /** Outputs of a model, which may be nested in another, on the given inputs. */
  #container(model: LayersModel, inputs: readonly Lowered[]): Lowered[] {
    const known = new Map<number, Lowered>(model.inputs.map(({ id }, i) => [id, inputs[i]!]));
    // Post-order with a stack of its own: chains of layers may be long.
    const stack: SymbolicTensor[] = [...model.outputs].reverse();
    for (let tensor = stack.at(-1); tensor !== undefined; tensor = stack.at(-1)) {
      if (known.has(tensor.id)) {
        stack.pop();
        continue;
      }
      const node = tensor.sourceLayer.inboundNodes[tensor.nodeIndex]!;
      const missing = node.inputTensors.filter(({ id }) => !known.has(id));
      if (missing.length > 0) {
        stack.push(...missing.reverse());
        continue;
      }
      const given = node.inputTensors.map(({ id }) => known.get(id)!);
      const { name } = tensor.sourceLayer;
      const { path: file } = this.document;
      const outputs = orContradiction(`Layer "${name}" of ${file}`, { file, node: name }, () =>
        this.#call(
          tensor.sourceLayer,
          given,
          node.outputTensors.map(({ shape }) => shape.map(lengthOf)),
        ),
      );
      node.outputTensors.forEach(({ id }, i) => known.set(id, outputs[i]!));
    }
    return model.outputs.map(({ id }) => known.get(id)!);
  }

  #call(layer: Layer, inputs: readonly Lowered[], outputShapes: Shapes): readonly Lowered[] {
    const lowering = this.#lowering;
    const unknown = isPlaceholder(layer) ? layer.original : null;
    const className = unknown?.name ?? layer.getClassName();
    if (isModel(layer)) return this.#container(layer, inputs);
    const around = lowering.scope;
    lowering.scope = layer.name;
    try {
      const stored = (owner: Layer, name: string): Lowered | null => {
        const found = this.#names.of(owner, name);
        return found === null ? null : lowering.weight(found);
      };
      const unlowered = (why: string): readonly Lowered[] => {
        const own = this.#names.ownedBy(layer).flatMap((name) => lowering.weight(name) ?? []);
        return lowering.unlowered(className, [...inputs, ...own], outputShapes, why);
      };
      if (unknown !== null) return unlowered(unknown.why.name);
      const rule = rules.get(className);
      if (rule === undefined) return unlowered("no rule knows this layer");
      return rule.lower({
        lowering,
        layer,
        className,
        config: configOf(layer),
        inputs,
        outputShapes,
        weight: (name, owner = layer) => stored(owner, name),
        unlowered,
        nested: (inner, given, shapes) => this.#call(inner, given, shapes),
      });
    } finally {
      lowering.scope = around;
    }
  }
}

/** A length of a shape; null for what is no length: TensorFlow.js writes −1, or what came out, where it knows none. */
const lengthOf = (dim: number | null): number | null => (Number.isSafeInteger(dim) && dim! >= 0 ? dim : null);

const isModel = (layer: unknown): layer is LayersModel =>
  typeof layer === "object" && layer !== null && "layers" in layer && "outputs" in layer;
