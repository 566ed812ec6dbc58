/** Every activation of the theory, with its default parameters and with others. */
import type { Activation } from "../../server/src/meanfield/activations/activation.js";
import { activationNamed, activations } from "../../server/src/meanfield/activations/index.js";

const variants: readonly (readonly [name: string, parameters: Readonly<Record<string, number>>])[] = [
  ["celu", { alpha: 0.3 }],
  ["clip", { min: -0.5, max: 4 }],
  ["clip", { min: 1, max: 2 }],
  ["elu", { alpha: 0 }],
  ["elu", { alpha: 2 }],
  ["hard-sigmoid", { alpha: -0.5, beta: 0.2 }],
  ["leaky-relu", { alpha: 0.3 }],
  ["prelu", { slope: -1.5 }],
  ["selu", { alpha: 1, gamma: 2 }],
  ["silu", { alpha: 1.702 }],
  ["thresholded-relu", { alpha: 0 }],
  ["thresholded-relu", { alpha: -0.4 }],
];

export const everyActivation: readonly Activation[] = [
  ...activations.map(({ id }) => activationNamed(id)),
  ...variants.map(([name, parameters]) => activationNamed(name, parameters)),
];

/** For `it.each`: the name first. */
export const named = (list: readonly Activation[]): [string, Activation][] => list.map((one) => [one.name, one]);
