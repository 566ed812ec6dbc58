/** A model as TensorFlow.js itself loads and runs it. */
import type { GraphModel } from "@tensorflow/tfjs-converter";
import type { io, NamedTensorMap, Tensor } from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { TensorFlow } from "./tensorflow.js";
import type { TfjsTensor } from "./messages.js";

/** A loaded model. */
export interface Original {
  /** Names of its inputs, in its order: input layers, or placeholders. */
  readonly inputs: readonly string[];
  /** Outputs by names of TensorFlow.js' own, in its order. */
  run(inputs: NamedTensorMap): Promise<readonly (readonly [name: string, value: Tensor])[]>;
}

/** Loads what `artifacts` hold by TensorFlow.js' own loader. @throws Error with what it says. */
export async function loadOriginal(
  tf: TensorFlow,
  kind: "layers" | "graph",
  artifacts: io.ModelArtifacts,
): Promise<Original> {
  const handler: io.IOHandler = { load: () => Promise.resolve(artifacts) };
  return kind === "layers" ? layers(await tf.loadLayersModel(handler)) : graph(await tf.loadGraphModel(handler));
}

/** Runs a loaded model on inputs by name; by their order where names are others. @throws Error with what TensorFlow.js says; for an input that is not given. */
export async function runOriginal(
  tf: TensorFlow,
  original: Original,
  given: readonly TfjsTensor[],
): Promise<TfjsTensor[]> {
  const byName = new Map(given.map((tensor) => [tensor.name, tensor]));
  const named = original.inputs.every((name) => byName.has(name));
  const inputs: NamedTensorMap = {};
  for (const [i, name] of original.inputs.entries()) {
    const input = named ? byName.get(name) : given[i];
    if (input === undefined) throw new Error(`There is nothing for its input "${name}"`);
    inputs[name] = tf.tensor(input.data, [...input.shape], input.dtype);
  }
  const outputs: TfjsTensor[] = [];
  for (const [name, value] of await original.run(inputs)) {
    const { dtype, shape } = value;
    if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool")
      throw new Error(`Elements of its output "${name}" are of type ${dtype}`);
    outputs.push({ name, dtype, shape: [...shape], data: await value.data() });
  }
  return outputs;
}

function layers(model: LayersModel): Original {
  // Symbolic tensors tell their names; `inputNames` of a Sequential is empty.
  const inputs = model.inputs.map(({ sourceLayer }) => sourceLayer.name);
  return {
    inputs,
    run: (given) => {
      const fed = inputs.map((name) => given[name]!);
      const found = model.predict(fed.length === 1 ? fed[0]! : fed);
      const values = Array.isArray(found) ? found : [found];
      return Promise.resolve(values.map((value, i) => [model.outputs[i]!.name, value] as const));
    },
  };
}

function graph(model: GraphModel): Original {
  const names = model.outputNodes;
  return {
    inputs: model.inputNodes,
    run: async (given) => {
      const found = await executed(model, given);
      const values = Array.isArray(found) ? found : [found];
      return values.map((value, i) => [names[i]!, value] as const);
    },
  };
}

/** Control flow and outputs of unknown size run by `executeAsync` only, and nothing tells beforehand. */
async function executed(model: GraphModel, inputs: NamedTensorMap): Promise<Tensor | Tensor[]> {
  try {
    return model.execute(inputs, model.outputNodes);
  } catch (error) {
    if (!(error as Error).message.includes("executeAsync")) throw error;
    return model.executeAsync(inputs, model.outputNodes);
  }
}
