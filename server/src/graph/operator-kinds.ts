/** What kinds of operators do to their first input. */

/** Every element of the input is one of the output, as it was but for its type. */
export const movers: ReadonlySet<string> = new Set([
  "Cast",
  "Flatten",
  "Identity",
  "Reshape",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);

/** One function of each element. */
export const activations: ReadonlySet<string> = new Set([
  "Celu",
  "Clip",
  "Elu",
  "Gelu",
  "HardSigmoid",
  "HardSwish",
  "LeakyRelu",
  "Mish",
  "PRelu",
  "Relu",
  "Selu",
  "Sigmoid",
  "Softplus",
  "Softsign",
  "Swish",
  "Tanh",
  "ThresholdedRelu",
]);
