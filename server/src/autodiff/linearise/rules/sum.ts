/**
 * Sums, differences and extremes of several values. Constants in them are shifts, which are 0; Sub becomes Add; the
 * difference to a value's own mean or maximum is the value, as in a normalisation. Max and Min of several paths stay,
 * as MaxPool does.
 */
import type { Value } from "../../../graph/builder.js";
import { type Bounds, boundsOf, negated, shifted } from "../bounds.js";
import { fitted } from "../fitted.js";
import { type LinearRule, type LinearSite, NoLinearForm, type Signal } from "../rule.js";

/** Inputs that are signals; all others must be known. */
function signalsOf(site: LinearSite): { readonly index: number; readonly signal: Signal }[] {
  return Array.from({ length: site.arity }, (_, index) => ({ index, image: site.image(index) })).flatMap(
    ({ index, image }) => {
      if (image?.kind === "signal") return [{ index, signal: image }];
      if (image?.kind !== "known") throw new NoLinearForm(`its input ${index} is decided by the data`);
      return [];
    },
  );
}

/** The signals on one exponent, combined by `make`; one alone passes. */
function combined(site: LinearSite, make: (values: readonly Value[]) => Value): Signal {
  const found = signalsOf(site);
  if (found.length === 1) return fitted(site, found[0]!.index);
  const { values, exponent, loose } = site.exponents.aligned(found.map(({ signal }) => signal));
  const value = found.length === site.arity ? make(values) : expandedTo(site, make(values));
  return { kind: "signal", value, exponent, loose: loose + 1, bounds: null };
}

/** A constant that was left out may have had the longer axes. */
const expandedTo = (site: LinearSite, value: Value): Value => site.b.expand(value, site.outputShape());

/** Bounds of `signal + constant` or of either difference. */
function shiftedBounds(site: LinearSite, signal: Signal): Bounds | null {
  if (signal.bounds === null || site.arity !== 2) return null;
  const first = site.image(0)?.kind === "signal";
  const by = boundsOf(site.constant(first ? 1 : 0));
  if (by === null) return null;
  if (site.node.op !== "Sub") return shifted(signal.bounds, by);
  return first ? shifted(signal.bounds, negated(by)) : shifted(negated(signal.bounds), by);
}

const total = (op: string): LinearRule => ({
  op,
  images: (site) => {
    if (op === "Sub" && site.image(0)?.kind === "signal" && site.image(1)?.kind === "signal") {
      if (site.isReductionOf(1, 0)) return [{ ...fitted(site, 0), bounds: null }];
    }
    const sum = combined(site, (values) => site.b.sum(values));
    const found = signalsOf(site);
    return [{ ...sum, bounds: found.length === 1 ? shiftedBounds(site, found[0]!.signal) : null }];
  },
});

const mean: LinearRule = {
  op: "Mean",
  images: (site) => {
    const sum = combined(site, (values) => site.b.sum(values));
    return [{ ...sum, value: site.b.scale(sum.value, 1 / site.arity), bounds: null }];
  },
};

const extreme = (op: string): LinearRule => ({
  op,
  images: (site) => [{ ...combined(site, (values) => site.b.op(op, values)), bounds: null }],
});

export const sums: readonly LinearRule[] = [
  total("Add"),
  total("Sub"),
  total("Sum"),
  mean,
  extreme("Max"),
  extreme("Min"),
];
