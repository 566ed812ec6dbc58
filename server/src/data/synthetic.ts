/** Data for when there is none: seeded values of the right types for as many samples as are wanted. */
import type { Graph } from "../graph/graph.js";
import { boundShape, syntheticValues, uniform } from "../runtime/inputs.js";
import { type DataArray, isNumeric } from "./array.js";
import type { Collection } from "./collection.js";
import type { DataOptions } from "./dataset.js";
import { indexBounds } from "./index-bounds.js";
import { sampledInputs, samplesPerRun } from "./sample-axis.js";
import { heldArray } from "./stored-array.js";

/** @throws PruneScopeError as {@link syntheticValues} does. */
export function syntheticCollection(graph: Graph, { batch, dynamicAxes, seed }: DataOptions): Collection {
  const sampled = sampledInputs(graph.inputs);
  const unit = samplesPerRun(sampled) ?? 1;
  const samples = sampled.some(({ axis }) => axis !== null) ? Math.max(1, Math.floor(batch / unit)) * unit : 1;
  const bounds = indexBounds(graph);
  const random = uniform(seed);
  const words: string[] = [];
  const inputs = new Map(
    sampled.map(({ input, axis }) => {
      const { name, dtype } = input;
      const shape = (boundShape(input, dynamicAxes) ?? []).map((dim, i) => (i === axis ? samples : dim));
      const { data } = syntheticValues(input, shape, random, bounds.get(name));
      if (!isNumeric(dtype)) throw new Error(`values of type ${dtype} were made up`);
      const array: DataArray = { dtype, shape, values: data };
      const bound = bounds.get(name);
      words.push(`${name} ${dtype}[${shape.join(", ")}]${bound === undefined ? "" : ` below ${bound}`}`);
      return [name, heldArray(array, `The synthetic input "${name}"`, "")];
    }),
  );
  return {
    kind: "synthetic",
    file: "",
    title: `synthetic values (seed ${seed}) for ${words.join(", ")}`,
    inputs,
    labels: null,
    targets: new Map(),
    notes: ["The inputs are made up: the scores are a statement about the architecture, not about your task."],
  };
}
