/** Operators on corresponding elements of several tensors, with broadcasting. */
import type { Lowered } from "../../lowering/lowered.js";
import type { Lowering } from "../../lowering/lowering.js";
import { hasChannelsFirst } from "../../lowering/data-format.js";
import { type OpRule, Unlowered } from "../rule.js";

const operators: Readonly<Record<string, string>> = {
  Add: "Add",
  AddV2: "Add",
  Maximum: "Max",
  Minimum: "Min",
  Mul: "Mul",
  Pow: "Pow",
  Sub: "Sub",
};

export const arithmetic: OpRule = {
  ops: Object.keys(operators),
  lower: ({ lowering, node, inputs }) => [lowering.elementwise(operators[node.op]!, inputs)],
};

/** A bias is one number for each of the last axis. */
export const biasAdd: OpRule = {
  ops: ["BiasAdd"],
  lower: ({ lowering, node, inputs }) => {
    if (hasChannelsFirst(node.text("data_format", "NHWC")))
      throw new Unlowered("TensorFlow.js adds to the last axis, and its data_format is NCHW");
    return [lowering.elementwise("Add", inputs)];
  },
};

export const addN: OpRule = {
  ops: ["AddN"],
  lower: ({ lowering, inputs }) => [inputs.reduce((sum, input) => lowering.elementwise("Add", [sum, input]))],
};

export const squaredDifference: OpRule = {
  ops: ["SquaredDifference"],
  lower: ({ lowering, inputs }) => {
    const difference = lowering.elementwise("Sub", inputs);
    return [lowering.elementwise("Mul", [difference, difference])];
  },
};

/** Division: TensorFlow.js rounds that of whole numbers down; ONNX cuts towards 0. */
export const division: OpRule = {
  ops: ["Div", "FloorDiv", "RealDiv"],
  lower: ({ lowering, node, inputs, dtypes }) => {
    const [a, b] = inputs as [Lowered, Lowered];
    if (dtypes[0] !== "float") {
      const rest = lowering.elementwise("Mod", [a, b], { fmod: 0 });
      return [lowering.elementwise("Div", [lowering.elementwise("Sub", [a, rest]), b])];
    }
    const quotient = lowering.elementwise("Div", [a, b]);
    return [node.op === "FloorDiv" ? lowering.unary("Floor", quotient) : quotient];
  },
};

/** A division of which 0 comes where the divisor is 0. */
export const divisionWithoutNaN: OpRule = {
  ops: ["DivNoNan"],
  lower: ({ lowering, inputs }) => {
    const [a, b] = inputs as [Lowered, Lowered];
    const zero = lowering.plain(lowering.scalar(0), []);
    const isZero = lowering.elementwise("Equal", [b, zero]);
    return [lowering.elementwise("Where", [isZero, zero, lowering.elementwise("Div", [a, b])])];
  },
};

/** The rest of a division, with the sign of the divisor. */
export const modulo: OpRule = {
  ops: ["FloorMod", "Mod"],
  lower: ({ lowering, inputs, dtypes }) => {
    const [a, b] = inputs as [Lowered, Lowered];
    if (dtypes[0] !== "float") return [lowering.elementwise("Mod", [a, b], { fmod: 0 })];
    const rest = lowering.elementwise("Mod", [a, b], { fmod: 1 });
    return [lowering.elementwise("Mod", [lowering.elementwise("Add", [rest, b]), b], { fmod: 1 })];
  },
};

/** The angle of a point, put together from the arctangent of its slope. */
export const atan2: OpRule = {
  ops: ["Atan2"],
  lower: ({ lowering, inputs }) => {
    const [y, x] = inputs as [Lowered, Lowered];
    const constant = (value: number): Lowered => lowering.plain(lowering.scalar(value), []);
    const below = lowering.elementwise("Less", [y, constant(0)]);
    const left = lowering.elementwise("Less", [x, constant(0)]);
    const angle = lowering.unary("Atan", lowering.elementwise("Div", [y, x]));
    const turn = choose(lowering, below, constant(-Math.PI), constant(Math.PI));
    const whole = choose(lowering, left, lowering.elementwise("Add", [angle, turn]), angle);
    // On the vertical axis the slope is infinite, and at the origin it is none.
    const sign = lowering.elementwise("Mul", [lowering.unary("Sign", y), constant(Math.PI / 2)]);
    return [choose(lowering, lowering.elementwise("Equal", [x, constant(0)]), sign, whole)];
  },
};

const choose = (lowering: Lowering, condition: Lowered, a: Lowered, b: Lowered): Lowered =>
  lowering.elementwise("Where", [condition, a, b]);
