/**
 * What is known of a model before any score: the summary and the layers, as the view, the CLI and the report show them.
 * The graph itself and its weights stay in the engine.
 */

/**
 * Unique and stable name of a layer: the name of its weight's value, prefixed with the path of the subgraph it lies in
 * (`ifOutput.then_branch/weight`). The same in JSON, view, text and recipe.
 */
export type LayerId = string;

/** Element types, in the words of ONNX's textual syntax. */
export type DType =
  | "float"
  | "double"
  | "float16"
  | "bfloat16"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "bool"
  | "string"
  | "complex64"
  | "complex128"
  | "float8e4m3fn"
  | "float8e4m3fnuz"
  | "float8e5m2"
  | "float8e5m2fnuz"
  | "float8e8m0"
  | "float4e2m1"
  | "uint4"
  | "int4"
  | "uint2"
  | "int2"
  /** No tensor: a sequence, map or optional. */
  | "other";

/** An axis length: a number, the name of a dynamic axis, or null when nothing is known. */
export type Dim = number | string | null;

/** An input, output or intermediate value. `type` is the ONNX notation of a type that is no tensor. */
export interface ValueView {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[] | null;
  readonly type?: string;
}

/** Which axes of the stored tensor play which part. Absent axes are empty lists. */
export interface AxisRoles {
  /** Output channels or units. */
  readonly out: readonly number[];
  /** The reduction axis: input channels or features. */
  readonly in: readonly number[];
  readonly spatial: readonly number[];
  /** Directions of a recurrent layer, stacked matrices of a batched MatMul. */
  readonly batch: readonly number[];
  /** Number of groups of a convolution; 1 when it is not grouped. */
  readonly groups: number;
}

/** A prunable weight and where it is used. */
export interface LayerView {
  readonly id: LayerId;
  /** Name of the (first) node that uses the weight, or its first output when the node has no name. */
  readonly name: string;
  /** Operator, with its domain in front when that is not ONNX's own. */
  readonly op: string;
  /** Name of the weight tensor in the file. */
  readonly weight: string;
  readonly dtype: DType;
  /** Type of the codes that the file has in the place of its elements; absent where it has the elements themselves. */
  readonly stored?: DType;
  readonly shape: readonly number[];
  readonly parameters: number;
  readonly roles: AxisRoles;
  /** Operators between the stored tensor and the node, nearest the tensor first. */
  readonly via: readonly string[];
  /** Names of all nodes that use the weight; more than one when it is tied. */
  readonly uses: readonly string[];
  /** Path of the subgraph the layer lies in; empty in the main graph. */
  readonly subgraph: string;
}

/** A tensor that looks like a weight and is not pruned, with the reason. */
export interface UnprunableView {
  readonly weight: string;
  readonly shape: readonly number[];
  readonly reason: string;
}

/** A criterion as the view offers it. */
export interface CriterionView {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  /** Whether it looks at samples: then data, loss and the mode of BatchNormalization change its scores. */
  readonly needsData: boolean;
  /** Rounds in which it prunes while it scores; 1 where one look is enough. */
  readonly rounds: number;
  /** Whether its scores have a sign. */
  readonly signed: boolean;
  /** Why it cannot run on this model; absent when it can. */
  readonly unavailable?: string;
}

/** A loss as the view offers it. */
export interface LossView {
  readonly id: string;
  readonly title: string;
}

export interface ModelView {
  readonly path: string;
  readonly format: string;
  /** Bytes on disk, external data included. */
  readonly bytes: number;
  /** Paths of the files beside the model's own that hold its weights. */
  readonly dataFiles: readonly string[];
  readonly fingerprint: string;
  readonly producer: string;
  readonly irVersion: number;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly metadata: readonly { readonly key: string; readonly value: string }[];
  readonly docString: string;
  readonly inputs: readonly ValueView[];
  readonly outputs: readonly ValueView[];
  readonly nodes: number;
  /** Elements of all floating-point (and quantised weight) constants. */
  readonly parameters: number;
  /** Elements of the prunable weights. */
  readonly prunable: number;
  /** In topological order. */
  readonly layers: readonly LayerView[];
  readonly unprunable: readonly UnprunableView[];
  /** Every criterion there is, those with the reason that cannot run on this model. */
  readonly criteria: readonly CriterionView[];
  /** Every loss that a recipe can name. */
  readonly losses: readonly LossView[];
  /** Whether it has BatchNormalization, so that its mode is a choice. */
  readonly hasBatchNorm: boolean;
  /** Sentences about what was found that a user should know. */
  readonly notes: readonly string[];
}
