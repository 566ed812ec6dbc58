/**
 * Names of weights as names of arrays in a .npz: unique among the weights of a model, and such as a zip archive may
 * hold. A name is the tensor's own wherever that is possible, which is what PyTorch's state_dict has after an export.
 */
import type { PrunableWeight } from "../graph/prunable.js";

/** Name of each weight's array, in the order of the weights: its tensor's name, or its layer id where others have that. */
export function arrayNames(weights: readonly Pick<PrunableWeight, "id" | "name">[]): string[] {
  const bearers = new Map<string, number>();
  for (const { id, name } of weights)
    for (const known of new Set([id, name])) bearers.set(known, (bearers.get(known) ?? 0) + 1);
  return weights.map(({ id, name }) => memberName(bearers.get(name) === 1 ? name : id));
}

/**
 * A name with what zip archives refuse percent-encoded: a backslash, a slash in front, the colon of `C:` in front, and
 * `..` between slashes; and so that no two names become one, the percent sign.
 */
export function memberName(name: string): string {
  return name.replace(/[%\\]|^\/|(?<=^[a-zA-Z]):|(?<=^|\/)\.\.(?=\/)/g, (text) => Array.from(text, hex).join(""));
}

const hex = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
