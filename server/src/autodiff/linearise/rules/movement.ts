/** What moves, repeats, drops or averages elements stays as it is. Shapes and indices must not come from the data. */
import type { Value } from "../../../graph/builder.js";
import { fitted } from "../fitted.js";
import { decision, type LinearRule, type LinearSite, NoLinearForm, type Signal } from "../rule.js";

/** Values of the inputs from 1 on; absent ones are empty. */
export function otherInputs(site: LinearSite): Value[] {
  return Array.from({ length: site.arity - 1 }, (_, at) => {
    const image = site.image(at + 1);
    if (image === null) return "";
    if (image.kind !== "known") throw new NoLinearForm(`its input ${at + 1} is computed from the data`);
    return image.value;
  });
}

const kept = (op: string): LinearRule => ({
  op,
  images: (site) => {
    const x = site.signal(0);
    return site.same([x.value, ...otherInputs(site)]).map((value): Signal => ({ ...x, value }));
  },
});

/** Another shape of the same elements: that of the model, whoever computes it there. */
const reshaped = (op: string): LinearRule => ({
  op,
  images: (site) => {
    const x = site.signal(0);
    return [{ ...x, value: site.b.reshape(x.value, site.outputShape()) }];
  },
});

const expand: LinearRule = { op: "Expand", images: (site) => [fitted(site, 0)] };

/** The first output alone is a number; the second says where elements came from. */
const pool = (op: string): LinearRule => ({
  op,
  images: (site) => {
    const x = site.signal(0);
    const [value] = site.same([x.value]);
    return [{ ...x, value: value!, bounds: null }, decision];
  },
});

/** Pads are 0, unless they repeat elements. */
const pad: LinearRule = {
  op: "Pad",
  images: (site) => {
    const x = site.signal(0);
    const [pads, , axes] = otherInputs(site);
    const inputs = [x.value, pads!, ...(axes === undefined || axes === "" ? [] : ["", axes])];
    return [{ ...x, value: site.same(inputs)[0]!, bounds: null }];
  },
};

/** Constants among the parts are shifts: 0. */
const concat: LinearRule = {
  op: "Concat",
  images: (site) => {
    const { b } = site;
    const parts = Array.from({ length: site.arity }, (_, i) => ({ i, image: site.image(i) }));
    const signals = parts.flatMap(({ image }) => (image?.kind === "signal" ? [image] : []));
    const { values, exponent, loose } = site.exponents.aligned(signals);
    let at = 0;
    const inputs = parts.map(({ i, image }) => {
      if (image?.kind === "signal") return values[at++]!;
      if (image?.kind !== "known") throw new NoLinearForm(`its input ${i} is decided by the data`);
      return b.zeros(site.shape(i));
    });
    return [{ kind: "signal", value: b.concat(inputs, site.int("axis", 0)), exponent, loose, bounds: null }];
  },
};

export const movements: readonly LinearRule[] = [
  ...["CenterCropPad", "Compress", "DepthToSpace", "Gather", "GatherElements", "GatherND", "Resize"].map(kept),
  ...["ReverseSequence", "Slice", "SpaceToDepth", "Split", "Tile", "Transpose", "Trilu", "Upsample"].map(kept),
  ...["Flatten", "Reshape", "Squeeze", "Unsqueeze"].map(reshaped),
  ...["AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool"].map(pool),
  concat,
  expand,
  pad,
];
