/**
 * SynFlow's linear network as one of paths: what is reached, not how strongly (effective sparsity: Vysogorets and Kempe
 * 2021, arXiv 2107.02306). Extremes are sums, because every input of theirs is a way; divisors and the coefficients of
 * interpolations are factors that are not 0. A convolution joins channels, not places: a channel is live everywhere or
 * nowhere, and every tap between two live channels is live, also one that reads nothing but padding at these sizes.
 */
import type { Value } from "../../graph/builder.js";
import type { Attribute } from "../../graph/graph.js";
import { byOperator, type LinearForm, synflowForm } from "../linearise/linearise.js";
import { fitted } from "../linearise/fitted.js";
import { decision, type Image, type LinearRule, type LinearSite, type Signal } from "../linearise/rule.js";
import { otherInputs } from "../linearise/rules/movement.js";
import { NoExponents } from "./no-exponents.js";

/** What SynFlow's rule of operator `op` makes. */
function synflow(op: string): LinearRule["images"] {
  const rule = synflowForm.rules.get(op);
  if (rule === undefined) throw new Error(`there is no linear rule of ${op}`);
  return rule.images;
}

const spatial = (site: LinearSite, i: number): number[] => site.shape(i).flatMap((_, axis) => (axis < 2 ? [] : [axis]));

/** Conv or ConvTranspose of one place, a channel in each, and its outputs everywhere. */
const channels = (op: string): LinearRule => ({
  op,
  images: (site) => {
    const { b } = site;
    const x = site.signal(0);
    const inputs = [
      b.reduceSum(x.value, spatial(site, 0), true),
      b.reduceSum(site.magnitude(1), spatial(site, 1), true),
    ];
    const value = b.expand(b.op(op, inputs, { group: site.int("group", 1) }), site.outputShape());
    return [{ ...x, value, bounds: null }];
  },
});

/** The node as another operator, with these of its attributes and some more. */
function turnedInto(
  site: LinearSite,
  op: string,
  inputs: readonly Value[],
  kept: (name: string) => boolean,
  more: Readonly<Record<string, Attribute>> = {},
): Signal {
  const value = site.b.fresh(op);
  const attributes = new Map([...site.node.attributes].filter(([name]) => kept(name)));
  for (const [name, attribute] of Object.entries(more)) attributes.set(name, attribute);
  site.b.node({ name: value, op, domain: "", inputs, outputs: [value], attributes });
  return { ...site.signal(0), value, bounds: null };
}

/** Pads are counted so that no window is empty. */
const maxPool: LinearRule = {
  op: "MaxPool",
  images: (site): Image[] => {
    const counted: Attribute = { kind: "int", value: 1n };
    const kept = (name: string): boolean => name !== "storage_order";
    const pool = turnedInto(site, "AveragePool", [site.signal(0).value], kept, { count_include_pad: counted });
    return [pool, decision];
  },
};

const globalMaxPool: LinearRule = {
  op: "GlobalMaxPool",
  images: (site) => [
    { ...site.signal(0), value: site.b.op("GlobalAveragePool", [site.signal(0).value]), bounds: null },
  ],
};

/** Linear where it is cubic or smoothed: which elements are read, without coefficients that may be negative. */
const resize: LinearRule = {
  op: "Resize",
  images: (site) => {
    const cubic = site.string("mode", "nearest") === "cubic";
    const odd = new Set(["antialias", ...(cubic ? ["cubic_coeff_a", "exclude_outside"] : [])]);
    const mode: Attribute = { kind: "string", value: new TextEncoder().encode("linear") };
    const inputs = [site.signal(0).value, ...otherInputs(site)];
    return [turnedInto(site, "Resize", inputs, (name) => !odd.has(name), cubic ? { mode } : {})];
  },
};

const div: LinearRule = {
  op: "Div",
  images: (site) => {
    const [made] = synflow("Div")(site) as [Signal];
    return [site.image(1)?.kind === "signal" ? made : { ...fitted(site, 0), bounds: made.bounds }];
  },
};

/** What zeros and ones, 1 where a path leads, are computed by. */
export const pathForm: LinearForm = Object.freeze({
  rules: new Map([
    ...synflowForm.rules,
    ...byOperator([
      ...["Conv", "ConvTranspose"].map(channels),
      ...["Max", "Min"].map((op) => ({ op, images: synflow("Sum") })),
      ...["ReduceMax", "ReduceMin"].map((op) => ({ op, images: synflow("ReduceSum") })),
      div,
      globalMaxPool,
      maxPool,
      resize,
    ]),
  ]),
  exponents: NoExponents,
});
