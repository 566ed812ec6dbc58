/** Images in another size, and pixels dealt out to channels or to several images. */
import { hasChannelsFirst } from "../../lowering/data-format.js";
import { resize } from "../../lowering/resize.js";
import { beginsDilated } from "../dilated.js";
import { isWhole, longs, type OpRule, type OpSite, ranked, Unlowered } from "../rule.js";

export const resizing: OpRule = {
  ops: ["ResizeBilinear", "ResizeNearestNeighbor"],
  lower: (site) => {
    const { lowering, node, inputs, known, dtypes } = site;
    const x = ranked(inputs[0]!, 4);
    const options = {
      interpolation: node.op === "ResizeBilinear" ? "bilinear" : "nearest",
      alignCorners: node.bool("align_corners"),
      halfPixelCenters: node.bool("half_pixel_centers"),
    } as const;
    const given = { ...x, value: dtypes[0] === "float" ? x.value : lowering.cast(x.value, "float") };
    const size = known(1)?.values;
    if (size?.length === 2 && isWhole(size)) return [resize(lowering, given, { ...options, size: { lengths: size } })];
    return [resize(lowering, given, { ...options, size: { computed: longs(site, 1) } })];
  },
  dtype: () => "float",
};

export const depthToSpace: OpRule = {
  ops: ["DepthToSpace", "SpaceToDepth"],
  lower: ({ lowering, node, inputs }) => {
    if (hasChannelsFirst(node.text("data_format", "NHWC"))) throw new Unlowered("its data_format is NCHW");
    const block = node.int("block_size", 2);
    const x = ranked(inputs[0]!, 4);
    const grows = node.op === "DepthToSpace";
    const value = lowering.op(node.op, [lowering.firstValue(x)], {
      blocksize: block,
      ...(grows ? { mode: "DCR" } : {}),
    });
    const by = (dim: number | null, factor: number): number | null => (dim === null ? null : dim * factor);
    const [batch, height, width, channels] = x.shape as [number | null, number | null, number | null, number | null];
    const factor = grows ? block : 1 / block;
    const lengths = [by(height, factor), by(width, factor)];
    return [lowering.first(value, [batch, ...lengths, by(channels, factor ** -2)])];
  },
};

/**
 * Pixels dealt out to block² images. With batch and channels changed round it is what SpaceToDepth does: the place in the
 * block is the slowest axis in both.
 */
export const spaceToBatch: OpRule = {
  ops: ["SpaceToBatchND"],
  lower: (site) => {
    const { lowering, inputs } = site;
    if (beginsDilated(site)) return [inputs[0]!];
    const { block, widths } = blockOf(site);
    const x = ranked(inputs[0]!, 4);
    const [top, bottom, left, right] = widths;
    const first = lowering.firstValue(x);
    const padded = widths.every((width) => width === 0)
      ? first
      : lowering.op("Pad", [first, lowering.ints([0, 0, top, left, 0, 0, bottom, right])]);
    const dealt = lowering.op("SpaceToDepth", [lowering.transposed(padded, [1, 0, 2, 3])], { blocksize: block });
    const [batch, height, width, channels] = x.shape as [number | null, number | null, number | null, number | null];
    const part = (dim: number | null, more: number): number | null => (dim === null ? null : (dim + more) / block);
    return [
      lowering.first(lowering.transposed(dealt, [1, 0, 2, 3]), [
        batch === null ? null : batch * block * block,
        part(height, top + bottom),
        part(width, left + right),
        channels,
      ]),
    ];
  },
};

export const batchToSpace: OpRule = {
  ops: ["BatchToSpaceND"],
  lower: (site) => {
    const { lowering, inputs } = site;
    const { block, widths } = blockOf(site);
    const x = ranked(inputs[0]!, 4);
    const [top, bottom, left, right] = widths;
    const turned = lowering.transposed(lowering.firstValue(x), [1, 0, 2, 3]);
    const joined = lowering.op("DepthToSpace", [turned], { blocksize: block, mode: "DCR" });
    const whole = lowering.transposed(joined, [1, 0, 2, 3]);
    const value = widths.every((width) => width === 0)
      ? whole
      : lowering.op("Pad", [whole, lowering.ints([0, 0, -top, -left, 0, 0, -bottom, -right])]);
    const [batch, height, width, channels] = x.shape as [number | null, number | null, number | null, number | null];
    const grown = (dim: number | null, less: number): number | null => (dim === null ? null : dim * block - less);
    return [
      lowering.first(value, [
        batch === null ? null : batch / block ** 2,
        grown(height, top + bottom),
        grown(width, left + right),
        channels,
      ]),
    ];
  },
};

/** Length of the sides of a square block, and what is added or cut off: top, bottom, left, right. */
function blockOf({ lowering, inputs, constant }: OpSite): {
  readonly block: number;
  readonly widths: readonly [number, number, number, number];
} {
  const sides = constant(1);
  const widths = lowering.numbers(inputs[2]!);
  if (sides.length !== 2 || sides[0] !== sides[1]) throw new Unlowered(`its blocks are [${sides.join(", ")}]`);
  if (widths?.length !== 4) throw new Unlowered("its widths are computed while the model runs");
  return { block: sides[0]!, widths: [widths[0]!, widths[1]!, widths[2]!, widths[3]!] };
}
