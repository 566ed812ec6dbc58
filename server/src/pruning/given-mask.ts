/** A mask from elsewhere as a restriction: what is 0 there is removed, whatever its score. */
import { blockElements, type NumberField } from "../formats/stored-elements.js";
import { outside, type Restriction } from "./restrict.js";

/**
 * The restriction of a mask.
 * @param fields 0 or 1 for every weight of a layer; null where the mask says nothing of it, and it is kept.
 * @param excluded layers that are left dense whatever the mask says.
 * @param identity of the file that it comes from.
 */
export function givenMask(
  fields: readonly (NumberField | null)[],
  excluded: readonly boolean[],
  identity: unknown,
): Restriction {
  const keep = new Float32Array(blockElements);
  return {
    identity,
    field: (scores, l) => {
      const mask = fields[l] ?? null;
      const { field, size } = scores.layers[l]!;
      if (mask === null || field === null || excluded[l] === true) return null;
      return {
        size,
        read: (start, count, out) => {
          field.read(start, count, out);
          mask.read(start, count, keep);
          for (let i = 0; i < count; i++) if (keep[i] === 0) out[i] = outside;
        },
      };
    },
  };
}
