/** Functions of each element. */
import { clip } from "../../lowering/activations.js";
import type { Lowered } from "../../lowering/lowered.js";
import type { Lowering } from "../../lowering/lowering.js";
import type { DType } from "../../../../../protocol/model.js";
import type { OpRule, OpSite } from "../rule.js";
import { dtypeOf } from "../types.js";

type Function = (lowering: Lowering, x: Lowered) => Lowered;

const named =
  (op: string): Function =>
  (lowering, x) =>
    lowering.unary(op, x);

/** `op` of x and a number. */
const withNumber = (lowering: Lowering, op: string, x: Lowered, number: number): Lowered => ({
  ...x,
  value: lowering.op(op, [x.value, lowering.scalar(number)]),
});

const floatFunctions: Readonly<Record<string, Function>> = {
  Acos: named("Acos"),
  Acosh: named("Acosh"),
  Asin: named("Asin"),
  Asinh: named("Asinh"),
  Atan: named("Atan"),
  Atanh: named("Atanh"),
  Cos: named("Cos"),
  Cosh: named("Cosh"),
  Elu: named("Elu"),
  Erf: named("Erf"),
  Exp: named("Exp"),
  Expm1: (lowering, x) => withNumber(lowering, "Sub", lowering.unary("Exp", x), 1),
  Log: named("Log"),
  Log1p: (lowering, x) => lowering.unary("Log", withNumber(lowering, "Add", x, 1)),
  Reciprocal: named("Reciprocal"),
  Relu6: (lowering, x) => clip(lowering, x, 0, 6),
  Rsqrt: (lowering, x) => lowering.unary("Reciprocal", lowering.unary("Sqrt", x)),
  Selu: named("Selu"),
  Sigmoid: named("Sigmoid"),
  Sin: named("Sin"),
  Sinh: named("Sinh"),
  Softplus: named("Softplus"),
  Softsign: named("Softsign"),
  Sqrt: named("Sqrt"),
  Tan: named("Tan"),
  Tanh: named("Tanh"),
};

/** Functions that give floats, whatever they are given. */
export const floatFunction: OpRule = {
  ops: Object.keys(floatFunctions),
  lower: (site) => [floatFunctions[site.node.op]!(site.lowering, asFloat(site))],
  dtype: () => "float",
};

const asFloat = ({ lowering, inputs: [x], dtypes }: OpSite): Lowered =>
  dtypes[0] === "float" ? x! : { ...x!, value: lowering.cast(x!.value, "float") };

const numberFunctions: Readonly<Record<string, string>> = { Abs: "Abs", Neg: "Neg", Relu: "Relu", Sign: "Sign" };

/** Functions that give whole numbers for whole numbers. */
export const numberFunction: OpRule = {
  ops: Object.keys(numberFunctions),
  lower: ({ lowering, node, inputs }) => [lowering.unary(numberFunctions[node.op]!, inputs[0]!)],
};

const roundings: Readonly<Record<string, string>> = { Ceil: "Ceil", Floor: "Floor", Rint: "Round", Round: "Round" };

export const rounding: OpRule = {
  ops: Object.keys(roundings),
  lower: ({ lowering, node, inputs, dtypes }) => [
    dtypes[0] === "float" ? lowering.unary(roundings[node.op]!, inputs[0]!) : inputs[0]!,
  ],
};

export const square: OpRule = {
  ops: ["Square"],
  lower: ({ lowering, inputs: [x] }) => [{ ...x!, value: lowering.op("Mul", [x!.value, x!.value]) }],
};

export const leakyRelu: OpRule = {
  ops: ["LeakyRelu"],
  lower: ({ lowering, node, inputs }) => [
    lowering.unary("LeakyRelu", inputs[0]!, { alpha: { float: node.float("alpha", 0.2) } }),
  ],
};

export const prelu: OpRule = {
  ops: ["Prelu"],
  lower: ({ lowering, inputs }) => [lowering.elementwise("PRelu", inputs)],
};

export const clipByValue: OpRule = {
  ops: ["ClipByValue"],
  lower: ({ lowering, inputs, dtypes, constant }) => {
    const [x] = inputs;
    const [min, max] = [constant(1)[0]!, constant(2)[0]!];
    if (dtypes[0] === "float") return [clip(lowering, x!, min, max)];
    const bounds = [min, max].map((bound) => lowering.literal("int32", [], [bound]));
    return [{ ...x!, value: lowering.op("Clip", [x!.value, ...bounds]) }];
  },
};

export const isNan: OpRule = {
  ops: ["IsNan"],
  lower: ({ lowering, inputs }) => [lowering.unary("IsNaN", inputs[0]!)],
  dtype: () => "bool",
};

export const isInf: OpRule = {
  ops: ["IsInf"],
  lower: ({ lowering, inputs }) => [lowering.unary("IsInf", inputs[0]!)],
  dtype: () => "bool",
};

export const isFinite: OpRule = {
  ops: ["IsFinite"],
  lower: ({ lowering, inputs }) => {
    const [x] = inputs as [Lowered];
    const odd = lowering.elementwise("Or", [lowering.unary("IsNaN", x), lowering.unary("IsInf", x)]);
    return [lowering.unary("Not", odd)];
  },
  dtype: () => "bool",
};

/** Over the last axis, which are the channels. */
export const softmax: OpRule = {
  ops: ["LogSoftmax", "Softmax"],
  lower: ({ lowering, node, inputs }) => [lowering.unary(node.op, inputs[0]!, { axis: lowering.axis(inputs[0]!, -1) })],
};

function castTarget({ node }: OpSite): DType {
  return dtypeOf(node, "DstT");
}

export const cast: OpRule = {
  ops: ["Cast"],
  lower: (site) => {
    const { lowering, inputs, dtypes } = site;
    const to = castTarget(site);
    return [dtypes[0] === to ? inputs[0]! : { ...inputs[0]!, value: lowering.cast(inputs[0]!.value, to) }];
  },
  dtype: castTarget,
};
