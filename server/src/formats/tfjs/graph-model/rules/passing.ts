/** Operators that give out what they take in. */
import type { OpRule } from "../rule.js";

/** Of an input with a default the default is taken, as TensorFlow.js does where nothing is fed. */
export const passing: OpRule = {
  ops: [
    "CheckNumerics",
    "EnsureShape",
    "FakeQuantWithMinMaxVars",
    "Identity",
    "PlaceholderWithDefault",
    "PreventGradient",
    "Print",
    "Snapshot",
    "StopGradient",
  ],
  lower: ({ inputs }) => inputs.slice(0, 1),
};

export const passingAll: OpRule = {
  ops: ["IdentityN"],
  lower: ({ inputs }) => inputs,
  dtype: ({ dtypes }) => dtypes,
};

/** Operators that are run for what they do, and give out nothing. */
export const nothing: OpRule = {
  ops: ["Assert", "NoOp"],
  lower: () => [],
};
