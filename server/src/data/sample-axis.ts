/**
 * Which axis of a model's inputs counts samples, and how a stored array meets an input's shape. Nothing is transposed:
 * all that is added is an axis of length 1 that can only go in one place.
 */
import { PruneScopeError } from "../../protocol/errors.js";
import type { Dim } from "../../protocol/model.js";
import type { ValueInfo } from "../graph/graph.js";
import { elementCount } from "../graph/tensor.js";

/** An input, and the axis of it that counts samples; null when one value serves all samples (a sample rate, say). */
export interface SampledInput {
  readonly input: ValueInfo;
  readonly axis: number | null;
}

/** The axis of samples of each input. */
export function sampledInputs(inputs: readonly ValueInfo[]): SampledInput[] {
  const first = inputs.map(({ shape }) => shape?.[0]);
  const symbol = first.find((dim) => typeof dim === "string");
  const free = inputs.some(({ shape }) => shape === null || (shape.length > 0 && typeof shape[0] !== "number"));
  const fixed = inputs.find(({ shape }) => shape !== null && shape.length > 1)?.shape?.[0];
  return inputs.map((input) => ({ input, axis: input.shape === null ? 0 : axisOf(input.shape) }));

  function axisOf(shape: readonly Dim[]): number | null {
    if (shape.length === 0) return null;
    const named = symbol === undefined ? -1 : shape.indexOf(symbol);
    if (named >= 0) return named;
    if (typeof shape[0] !== "number") return 0;
    // A recurrent state is [layers, batch, units].
    if (free) return shape.length > 1 && shape[1] === null ? 1 : null;
    if (shape.length > 1 && shape[0] === fixed) return 0;
    return shape.length === 3 && shape[1] === fixed ? 1 : null;
  }
}

/** How many samples every run takes; null where the axis is free. @throws PruneScopeError when inputs disagree. */
export function samplesPerRun(inputs: readonly SampledInput[]): number | null {
  let found: number | null = null;
  for (const { input, axis } of inputs) {
    const dim = axis === null ? null : (input.shape?.[axis] ?? null);
    if (typeof dim !== "number") continue;
    if (found !== null && found !== dim) {
      throw new PruneScopeError(
        "shape-mismatch",
        `Input "${input.name}" takes ${dim} samples at a time and another input ${found}: data cannot be divided among them.`,
        { value: input.name },
      );
    }
    found = dim;
  }
  return found ?? (inputs.some(({ axis }) => axis !== null) ? null : 1);
}

/**
 * The shape in which an array of shape `given` is fed to an input, with any number of samples.
 * @param label how the error calls the array.
 * @throws PruneScopeError `shape-mismatch` with what was expected and found, `missing-data` for an array without elements.
 */
export function fitShape(
  { input, axis }: SampledInput,
  given: readonly number[],
  label: string,
  file: string,
): readonly number[] {
  if (given.includes(0)) {
    throw new PruneScopeError("missing-data", `${label} is empty: its shape is [${given.join(", ")}].`, { file });
  }
  const { shape } = input;
  if (shape === null) return given;
  const matches = (dims: readonly number[]): boolean =>
    dims.length === shape.length &&
    dims.every((dim, i) => i === axis || typeof shape[i] !== "number" || shape[i] === dim);
  if (matches(given)) return given;
  if (shape.length === 0 && elementCount(given) === 1) return [];
  const made = new Map<string, readonly number[]>();
  if (given.length === shape.length - 1) {
    // One sample without its axis: certain only where another axis has a known length, or where there is one other.
    const certain = shape.length <= 2 || shape.some((dim, i) => i !== axis && typeof dim === "number" && dim > 1);
    shape.forEach((dim, place) => {
      const dims = [...given.slice(0, place), 1, ...given.slice(place)];
      if ((place === axis ? certain : dim === 1) && matches(dims)) made.set(dims.join(), dims);
    });
  }
  const [only] = made.values();
  if (only !== undefined && made.size === 1) return only;
  const expected = shape.map((dim, i) => (i === axis ? "N" : (dim ?? "any"))).join(", ");
  const permuted =
    given.length === shape.length && matches([given[0]!, given.at(-1)!, ...given.slice(1, -1)])
      ? " Its channels come last, and the model wants them first: transpose it."
      : given.length === shape.length && matches([given[0]!, ...given.slice(2), given[1]!])
        ? " Its channels come first, and the model wants them last: transpose it."
        : "";
  const meaning = axis === null ? "" : " (N samples)";
  throw new PruneScopeError(
    "shape-mismatch",
    `${label} has the shape [${given.join(", ")}], and input "${input.name}" takes [${expected}]${meaning}.${permuted}`,
    { file, value: input.name },
  );
}
