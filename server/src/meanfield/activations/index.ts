/** The activations that the theory knows, by name. */
import { PruneScopeError } from "../../../protocol/errors.js";
import type { Activation, ActivationFamily } from "./activation.js";
import { celu, elu, selu } from "./exponential.js";
import { gelu, geluTanh, hardSwish, mish, silu, softplus } from "./gated.js";
import {
  clipBetween,
  hardSigmoid,
  hardTanh,
  identity,
  leakyRelu,
  pRelu,
  relu,
  relu6,
  thresholdedRelu,
} from "./piecewise-linear.js";
import { erfActivation, sigmoid, sin, softsign, tanh } from "./saturating.js";

/** Sorted by id. */
export const activations: readonly ActivationFamily[] = Object.freeze([
  celu,
  clipBetween,
  elu,
  erfActivation,
  gelu,
  geluTanh,
  hardSigmoid,
  hardSwish,
  hardTanh,
  identity,
  leakyRelu,
  mish,
  pRelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  sin,
  softplus,
  softsign,
  tanh,
  thresholdedRelu,
]);

/**
 * The activation of a name, with parameters by theirs. Case, hyphens and underscores of the name do not count.
 * @throws PruneScopeError `bad-request` for an unknown name or parameter, or a value out of range.
 */
export function activationNamed(name: string, parameters: Readonly<Record<string, number>> = {}): Activation {
  const key = plainName(name);
  const family = activations.find(({ id, aliases }) => [id, ...aliases].some((one) => plainName(one) === key));
  if (family === undefined)
    throw refused(`There is no activation "${name}". Known are ${activations.map(({ id }) => id).join(", ")}.`);
  const names = family.parameters.map((parameter) => parameter.name);
  for (const given of Object.keys(parameters))
    if (!names.includes(given))
      throw refused(
        `${family.id} has no parameter "${given}". ${names.length === 0 ? "It has none" : `It has ${names.join(" and ")}`}.`,
      );
  const values = family.parameters.map((parameter) => {
    const value = parameters[parameter.name] ?? parameter.default;
    if (!Number.isFinite(value)) throw refused(`${family.id}'s ${parameter.name} must be a finite number.`);
    return value;
  });
  const problem = family.problem?.(...values) ?? null;
  if (problem !== null) throw refused(`${family.id} cannot be used with ${values.join(" and ")}: ${problem}.`);
  const changed = family.parameters.flatMap((parameter, i) =>
    values[i] === parameter.default ? [] : [`${parameter.name}=${values[i]}`],
  );
  return {
    name: changed.length === 0 ? family.id : `${family.id}(${changed.join(", ")})`,
    homogeneous: false,
    jumps: false,
    tails: { left: 0, right: 0 },
    exact: null,
    ...family.make(...values),
  };
}

const plainName = (name: string): string => name.toLowerCase().replace(/[-_\s]/g, "");

const refused = (message: string): PruneScopeError => new PruneScopeError("bad-request", message);
