/** What a case of lowering is: a small TensorFlow.js model of one layer class or operator, and inputs to run it on. */
import type { layers as tfjsLayers, LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";
import { input, model } from "@tensorflow/tfjs-layers";
import {
  type FolderOptions,
  graphModel,
  type GraphAttribute,
  type GraphModelParts,
  layersModel,
  type LayersOptions,
  node,
  ofType,
  type ParityOptions,
  placeholder,
  type TensorValue,
  type TensorValues,
  type TfjsModel,
  type TfjsWeight,
} from "../../support/tfjs/index.js";

export interface TfjsCase {
  /** The layer class or the operator whose rule it is a case of. */
  readonly of: string;
  /** What is special about it; unique together with `of`. */
  readonly what: string;
  readonly make: () => Promise<TfjsModel>;
  readonly inputs: TensorValues;
  readonly folder?: FolderOptions;
  readonly parity?: ParityOptions;
}

/** What a case may say besides its model. */
export type CaseOptions = Pick<TfjsCase, "folder" | "parity"> & LayersOptions;

/** A case of a layers model. Inputs go by the names of its input layers. */
export function layersCase(
  of: string,
  what: string,
  inputs: TensorValues,
  build: () => LayersModel,
  { folder, parity, ...options }: CaseOptions = {},
): TfjsCase {
  return {
    of,
    what,
    inputs,
    make: () => layersModel(build, options),
    ...(folder === undefined ? {} : { folder }),
    ...(parity === undefined ? {} : { parity }),
  };
}

type Layer = InstanceType<typeof tfjsLayers.Layer>;

/**
 * A case of one layer right behind its inputs, which are called x, or x0, x1, … where there are several. The first axis
 * of every input is the batch.
 */
export function layerCase(
  of: string,
  what: string,
  given: TensorValue | readonly TensorValue[],
  make: () => Layer,
  options: CaseOptions = {},
): TfjsCase {
  const values = "shape" in given ? { x: given } : Object.fromEntries(given.map((value, i) => [`x${i}`, value]));
  const build = (): LayersModel => {
    const inputs = Object.entries(values).map(([name, { shape, dtype }]) =>
      input({ name, shape: shape.slice(1), dtype }),
    );
    const outputs = make().apply("shape" in given ? inputs[0]! : inputs) as SymbolicTensor | SymbolicTensor[];
    return model({ inputs, outputs });
  };
  return layersCase(of, what, values, build, options);
}

/** A case of a graph model. Inputs go by the names of its placeholders. */
export function graphCase(
  of: string,
  what: string,
  inputs: TensorValues,
  parts: GraphModelParts,
  { folder, parity }: Pick<TfjsCase, "folder" | "parity"> = {},
): TfjsCase {
  return {
    of,
    what,
    inputs,
    make: () => Promise.resolve(graphModel(parts)),
    ...(folder === undefined ? {} : { folder }),
    ...(parity === undefined ? {} : { parity }),
  };
}

const dataTypes = { float32: "DT_FLOAT", int32: "DT_INT32", bool: "DT_BOOL" } as const;

/** Placeholders for these inputs, with an unknown batch axis unless `fixed`. */
export function placeholders(inputs: TensorValues, { fixed = false } = {}): GraphModelParts["inputs"] {
  return Object.entries(inputs).map(([name, { shape, dtype }]) =>
    placeholder(name, fixed || shape.length === 0 ? shape : [null, ...shape.slice(1)], dataTypes[dtype]),
  );
}

/**
 * A case of one node `y` behind its inputs and weights, which go into it in this order. `T` is the type of the first
 * input. Of `count` outputs there stands an identity behind each: tfjs gives out first outputs only.
 */
export function nodeCase(
  of: string,
  what: string,
  inputs: TensorValues,
  weights: readonly TfjsWeight[],
  attributes: Readonly<Record<string, GraphAttribute>> = {},
  {
    count = 1,
    ...options
  }: Pick<TfjsCase, "folder" | "parity"> &
    Pick<GraphModelParts, "outputTypes"> & {
      readonly count?: number;
    } = {},
): TfjsCase {
  const [first] = Object.values(inputs);
  const type = first === undefined ? {} : { T: ofType(dataTypes[first.dtype]) };
  const names = [...Object.keys(inputs), ...weights.map(({ name }) => name)];
  const { outputTypes, ...rest } = options;
  const outputs = Array.from({ length: count }, (_, i) => (count === 1 ? "y" : `y${i}`));
  const behind = count === 1 ? [] : outputs.map((output, i) => node("Identity", output, [`y:${i}`]));
  return graphCase(
    of,
    what,
    inputs,
    {
      inputs: placeholders(inputs),
      weights,
      nodes: [node(of, "y", names, { ...type, ...attributes }), ...behind],
      outputs,
      ...(outputTypes === undefined ? {} : { outputTypes }),
    },
    rest,
  );
}
