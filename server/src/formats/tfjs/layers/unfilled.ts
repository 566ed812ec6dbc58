/**
 * Layers without elements. While TensorFlow.js builds layers here, every weight that one asks for has a shape and no
 * elements: whatever a configuration says, nothing is allocated or drawn at random, and all that was made is let go.
 */
import type { LayersModel, LayerVariable } from "@tensorflow/tfjs-layers";
import type { DataType, Tensor } from "@tensorflow/tfjs-core";
import type { JsonObject } from "../document.js";
import type { TensorFlow } from "../tensorflow.js";

/** A model that was built, without elements. */
export interface Unfilled {
  readonly model: LayersModel;
  /** Lets go of its weights. */
  dispose(): void;
}

/** What a layer cannot be built for. */
export class BuildFailure extends Error {
  /** @param layer name of the layer that was called when it happened; null where none was. */
  constructor(
    readonly layer: string | null,
    cause: unknown,
  ) {
    super((cause instanceof Error ? cause.message : String(cause)).split("\n")[0], { cause });
  }
}

/** The methods of a layer that builds and calls go through. */
interface LayerMethods {
  addWeight: (this: Named, name: string, shape: number[], dtype: DataType | null, ...rest: unknown[]) => LayerVariable;
  apply: (this: Named, ...given: unknown[]) => unknown;
}

interface Named {
  readonly name: string;
}

/**
 * Builds the model of a topology that was checked.
 * @throws BuildFailure with the words of TensorFlow.js; nothing is left of the model then.
 */
export async function buildUnfilled(tf: TensorFlow, topology: JsonObject): Promise<Unfilled> {
  const { Layer } = tf.layers.layers;
  const { modelFromJSON } = tf.layers.models;
  const made: LayerVariable[] = [];
  const dispose = (): void => {
    for (const weight of made.splice(0)) weight.dispose();
  };
  let failed: string | null = null;
  // One of them is protected: the types say that nobody replaces it.
  const methods = Layer.prototype as unknown as LayerMethods;
  const { addWeight, apply } = methods;
  methods.addWeight = function (name, shape, dtype) {
    const initializer = { apply: () => withoutElements(tf, shape, dtype ?? "float32") };
    const weight = addWeight.call(this, name, shape, dtype, initializer);
    made.push(weight);
    return weight;
  };
  methods.apply = function (...given) {
    try {
      return apply.apply(this, given);
    } catch (error) {
      failed ??= this.name;
      throw error;
    }
  };
  // It warns of what people cannot change: the command line has one line on stderr, which says what is wrong.
  const { warn } = console;
  console.warn = () => undefined;
  let building: Promise<LayersModel>;
  try {
    // All of it happens in this call; what is awaited is done already. It asks for a mutable dictionary, and changes nothing.
    building = modelFromJSON({ modelTopology: topology } as Parameters<typeof modelFromJSON>[0]);
  } finally {
    Object.assign(methods, { addWeight, apply });
    console.warn = warn;
  }
  try {
    return { model: await building, dispose };
  } catch (error) {
    dispose();
    throw new BuildFailure(failed, error);
  }
}

/** A tensor that has no elements, whatever its shape says. */
function withoutElements({ core }: TensorFlow, shape: number[], dtype: DataType): Tensor {
  return core.engine().makeTensor(new Float32Array(0), shape, dtype);
}
