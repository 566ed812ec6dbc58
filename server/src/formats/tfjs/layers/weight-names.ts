/**
 * Which weight of the manifest each weight of a layer is: by its name, by the rules of tfjs' own loader (a name may have a
 * cell's name in between, which TensorFlow 2.2 added).
 */
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { PruneScopeError } from "../../../../protocol/errors.js";
import type { Constant } from "../../../graph/graph.js";
import { isPlaceholder } from "./known-classes.js";
import type { Layer } from "./rule.js";

export class WeightNames {
  /** Name in the manifest by the name that the rebuilt layer has for it. */
  readonly #stored = new Map<string, string>();
  /** Names in the manifest that no rebuilt layer has. */
  readonly #others: readonly string[];

  /**
   * @throws PruneScopeError `malformed-model` where a weight is missing, or has another shape than its layer wants. Behind a
   * layer that TensorFlow.js does not know, shapes are guesses: there, weights may have others.
   */
  constructor(path: string, model: LayersModel, weights: ReadonlyMap<string, Constant>) {
    const wanted = new Map(model.weights.map((weight) => [weight.originalName, weight.shape] as const));
    const others: string[] = [];
    for (const name of weights.keys()) {
      const tokens = name.split("/");
      const short = [...tokens.slice(0, -2), tokens.at(-1)].join("/");
      const target = wanted.has(name) ? name : wanted.has(short) ? short : null;
      if (target !== null) this.#stored.set(target, name);
      else others.push(name);
    }
    this.#others = others;
    const guessed = hasPlaceholder(model);
    for (const [name, shape] of wanted) {
      const stored = this.#stored.get(name);
      if (stored === undefined)
        throw new PruneScopeError("malformed-model", `${path} has no weight "${name}" in its manifest.`, {
          file: path,
          value: name,
        });
      const { shape: found, dtype } = weights.get(stored)!.tensor;
      // TensorFlow.js has layers of float32 weights only.
      if (dtype !== "float")
        throw new PruneScopeError(
          "malformed-model",
          `Weight "${stored}" has ${dtype} elements, but its layer wants float.`,
          { file: path, value: stored },
        );
      if (!guessed && found.join() !== shape.join())
        throw new PruneScopeError(
          "malformed-model",
          `Weight "${stored}" has the shape [${found.join(", ")}], but its layer wants [${shape.join(", ")}].`,
          { file: path, value: stored },
        );
    }
  }

  /** The stored name of the weight of `layer` whose name ends in `/name`; null where it has none. */
  of(layer: Layer, name: string): string | null {
    const weight = layer.weights.find(({ originalName }) => originalName === name || originalName.endsWith(`/${name}`));
    return weight === undefined ? null : (this.#stored.get(weight.originalName) ?? null);
  }

  /** Stored names of all weights of `layer`. */
  ownedBy(layer: Layer): readonly string[] {
    if (isPlaceholder(layer)) return this.#others.filter((name) => name.startsWith(`${layer.name}/`));
    return layer.weights.flatMap(({ originalName }) => this.#stored.get(originalName) ?? []);
  }
}

/** Whether a layer of a model, or of one nested in it, is in place of one that is not known. */
function hasPlaceholder(model: { readonly layers: readonly Layer[] }): boolean {
  return model.layers.some((layer) => isPlaceholder(layer) || ("layers" in layer && hasPlaceholder(layer as never)));
}
