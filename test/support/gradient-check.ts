/**
 * Holds a gradient rule against central finite differences of ONNX Runtime's own forward pass, along random directions
 * of all inputs at once; at order 2 the gradient itself is differenced, by the inputs and by the cotangent that came in (in
a network that depends on the weights too, so that a rule of a linear operator has a second order as well).
 *
 * The loss is Σ c·y with fixed random c, summed in float64. A float32 output y carries a rounding error of about 2⁻²⁴|y|,
 * so the quotient of a step h is uncertain by about 2⁻²⁴·Σ|c·y|/h (the sum of errors, not their square root: outputs
 * may share an intermediate), and its truncation error falls as h²: the step is halved once and the two are extrapolated
 * (Richardson), which leaves h⁴.
 */
import type { Differentiated } from "../../server/src/autodiff/differentiate.js";
import { GraphBuilder } from "../../server/src/graph/builder.js";
import type { Graph, Model } from "../../server/src/graph/graph.js";
import { castTo } from "../../server/src/graph/literal.js";
import { isFloat } from "../../server/src/graph/tensor.js";
import type { ValueType } from "../../server/src/graph/value-type.js";
import type { Kernels } from "../../server/src/runtime/kernels.js";
import type { Feeds } from "../../server/src/runtime/program.js";
import { type CaseInput, type GradientCase, usualOpset } from "../cases/gradients/case.js";
import { uniform } from "./arrays.js";
import { backward, graphModel, type Inputs, open, tensorsOf, typesOf } from "./backward.js";
import { node, normals, tensor, value } from "./models.js";

const step = 1 / 64;

/** What finite differences and the rule say of one direction. */
export interface Comparison {
  readonly analytic: number;
  readonly numeric: number;
  /** How far the two may lie apart by rounding and truncation alone. */
  readonly tolerance: number;
}

export interface CheckOptions {
  readonly order: 1 | 2;
  readonly kernels?: Kernels;
  readonly directions?: number;
}

/** Compares the gradient of one case with finite differences. */
export function checkGradient(one: GradientCase, options: CheckOptions): Promise<Comparison[]> {
  const inputs = variableInputs(one);
  return checkModel(readCase(one), one.title, (i, random) => draw(inputs[i]!, random), options);
}

/** Compares the gradients of a model by its inputs with finite differences; `elements` makes those of input `i`. */
export async function checkModel(
  made: Model,
  title: string,
  elements: (i: number, random: () => number) => Float32Array,
  { order, kernels = { nchwc: null }, directions = 3 }: CheckOptions,
): Promise<Comparison[]> {
  const { graph: base } = made;
  const types = await typesOf(made);
  const variables = base.inputs.map(({ name }) => name);
  if (variables.length === 0) throw new Error(`${title}: nothing to differentiate by`);
  const random = uniform(hashOf(title));
  const normal = (count: number): Float32Array => Float32Array.from(normals(Math.floor(random() * 2 ** 31), count));

  // Σ c·y over the outputs that are real.
  const outputs = base.outputs.filter(({ name }) => isFloat(types.get(name)!.dtype)).map(({ name }) => name);
  const feeds = new Map<string, Float32Array>();
  const shapeOf = (name: string): readonly number[] => types.get(name)!.shape!;
  const lossGraph = dotted(base, outputs, (name) => types.get(name)!, "c/");
  for (const output of outputs) feeds.set(`c/${output}`, normal(size(shapeOf(output))));

  const first = await differentiated(
    { ...made, graph: lossGraph.graph },
    lossGraph.loss,
    variables,
    kernels,
    order === 2,
  );
  let values = outputs;
  let weights = outputs.map((output) => `c/${output}`);
  let moving: readonly string[] = variables;
  let last = first;
  if (order === 2) {
    // Two variables may share one gradient.
    const at = new Map([...first.gradients].map(([variable, gradient]) => [gradient, variable]));
    values = [...at.keys()];
    const again = dotted(first.graph, values, (name) => types.get(at.get(name)!)!, "u/");
    weights = values.map((name) => `u/${name}`);
    for (const name of values) feeds.set(`u/${name}`, normal(size(shapeOf(at.get(name)!))));
    moving = [...variables, ...outputs.map((output) => `c/${output}`)];
    if (values.length === 0) return [{ analytic: 0, numeric: 0, tolerance: 0 }];
    last = await differentiated({ ...made, graph: again.graph }, again.loss, moving, kernels, false);
  }
  const drawn = new Map(variables.map((name, i) => [name, elements(i, random)]));
  const x = new Map(moving.map((name) => [name, drawn.get(name) ?? feeds.get(name)!]));
  const tensors = (xs: Inputs): Feeds => tensorsOf(last.graph, new Map([...feeds, ...xs]));
  // A step function has no gradient at all, and its differences have to vanish too.
  const gradients = last.gradients.size === 0 ? null : await open(made, last.graph, [...last.gradients.values()]);
  const forward = await open(made, order === 2 ? first.graph : base, values);
  try {
    const computed = gradients === null ? {} : await gradients.run(tensors(x));
    /** Σ weight·value at x + t·v, and Σ |weight·value|. */
    const f = async (v: Inputs, t: number): Promise<{ sum: number; size: number }> => {
      const moved = new Map([...x].map(([name, data]) => [name, data.map((e, i) => e + t * v.get(name)![i]!)]));
      const result = await forward.run(tensors(moved));
      let sum = 0;
      let size = 0;
      values.forEach((name, o) => {
        const y = result[name]!.data as Float32Array | Float64Array;
        const c = feeds.get(weights[o]!)!;
        for (let i = 0; i < y.length; i++) {
          sum += y[i]! * c[i]!;
          size += Math.abs(y[i]! * c[i]!);
        }
      });
      return { sum, size };
    };
    const comparisons: Comparison[] = [];
    for (let d = 0; d < directions; d++) {
      // Steps that float32 holds exactly enough: x + t·v is rounded, so v is what is left of it.
      const v = new Map(
        [...x].map(([name, data]) => [name, normal(data.length).map((e) => Math.max(-2, Math.min(2, e)))]),
      );
      let analytic = 0;
      for (const variable of moving) {
        const gradient = last.gradients.get(variable);
        if (gradient === undefined) continue;
        const g = computed[gradient]!.data as Float32Array;
        g.forEach((e, i) => (analytic += e * v.get(variable)![i]!));
      }
      const quotient = async (h: number): Promise<number> => ((await f(v, h)).sum - (await f(v, -h)).sum) / (2 * h);
      const coarse = await quotient(step);
      const fine = await quotient(step / 2);
      const numeric = (4 * fine - coarse) / 3;
      const { size: magnitude } = await f(v, 0);
      // Rounding of both ends over the fine step (weight 4/3), and a tenth of what extrapolation changed.
      const tolerance =
        (4 / 3) * 2 ** -23 * (magnitude / step) * 4 + 0.1 * Math.abs(numeric - fine) + 1e-4 * Math.abs(numeric) + 1e-5;
      comparisons.push({ analytic, numeric, tolerance });
    }
    return comparisons;
  } finally {
    await gradients?.close();
    await forward.close();
  }
}

async function differentiated(
  made: Model,
  loss: string,
  by: readonly string[],
  kernels: Kernels,
  twice: boolean,
): Promise<Differentiated> {
  const result = await backward(made, loss, by, { kernels, twice, prefix: twice ? "d/" : "e/" });
  if (result.missing.length > 0) throw new Error(`${result.missing[0]!.operator}: ${result.missing[0]!.reason}`);
  return result;
}

/** The graph with Σ c·y of `values` as its loss; each c is an input `prefix + value`. */
function dotted(
  graph: Graph,
  values: readonly string[],
  typeOf: (name: string) => ValueType,
  prefix: string,
): { graph: Graph; loss: string } {
  const b = new GraphBuilder(`${prefix}loss/`, []);
  const terms = values.map((name) => {
    const { dtype, shape } = typeOf(name);
    const product = b.mul(dtype === "float" ? name : b.cast(name, castTo("float")), `${prefix}${name}`);
    const rank = shape!.length;
    return b.reduceSum(
      product,
      Array.from({ length: rank }, (_, axis) => axis),
    );
  });
  const loss = b.op("Sum", terms);
  return {
    loss,
    graph: {
      ...graph,
      inputs: [
        ...graph.inputs,
        ...values.map((name) => ({
          name: `${prefix}${name}`,
          dtype: "float" as const,
          shape: [...typeOf(name).shape!],
        })),
      ],
      nodes: [...graph.nodes, ...b.nodes],
      constants: new Map([...graph.constants, ...b.constants]),
    },
  };
}

const isVariable = (input: CaseInput | null): input is CaseInput => input !== null && input.fixed === undefined;
const variableInputs = (one: GradientCase): CaseInput[] => one.inputs.filter(isVariable);

/** The model of a case, read like any file and raised to the operator set that rules know. */
export function readCase(one: GradientCase): Model {
  const names = one.inputs.map((input, i) => (input === null ? "" : `x${i}`));
  const outputs = Array.from({ length: one.outputs ?? 1 }, (_, i) => `y${i}`);
  return graphModel(
    {
      nodes: [node(one.op, names, outputs, one.attributes ?? {}, { name: "n", domain: one.domain ?? "" })],
      inputs: one.inputs.flatMap((input, i) => (isVariable(input) ? [value(`x${i}`, "float", input.shape)] : [])),
      outputs: outputs.map((name) => value(name, "other", null)),
      initializers: one.inputs.flatMap((input, i) =>
        input?.fixed === undefined ? [] : [tensor(`x${i}`, input.fixed.dtype, input.shape, input.fixed.values)],
      ),
    },
    one.opset ?? usualOpset,
  );
}

function draw(input: CaseInput, random: () => number): Float32Array {
  const { shape, at, draw: kind = "normal", scale = 1, shift = 0 } = input;
  if (at !== undefined) return Float32Array.from(at);
  const count = size(shape);
  const seed = Math.floor(random() * 2 ** 31);
  const drawn =
    kind === "normal"
      ? normals(seed, count)
      : kind === "positive"
        ? Array.from({ length: count }, () => 0.5 + 1.5 * random())
        : shuffled(
            Array.from({ length: count }, (_, i) => 0.1 * (i - (count >> 1)) + 0.05),
            random,
          );
  return Float32Array.from(drawn, (e) => scale * e + shift);
}

function shuffled(values: number[], random: () => number): number[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

const size = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

function hashOf(text: string): number {
  let hash = 2166136261;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 16777619) >>> 0;
  return hash;
}
