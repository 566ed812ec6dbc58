/** An N:M pattern as a restriction: in the layers that hold it, n of every m along the reduction axis are left. */
import type { NofM } from "../../../protocol/recipe.js";
import type { Restriction } from "../restrict.js";
import { PatternField } from "./field.js";
import type { GroupLayout } from "./layout.js";

/** @param layouts where the groups of each layer lie; null for one that does not get the pattern. */
export function patternRestriction({ n, m }: NofM, layouts: readonly (GroupLayout | null)[]): Restriction {
  return {
    identity: ["pattern", n, m, layouts.flatMap((layout, l) => (layout === null ? [] : [l]))],
    field: (scores, l) => {
      const layout = layouts[l] ?? null;
      return layout === null ? null : new PatternField(scores, l, layout, n);
    },
  };
}
