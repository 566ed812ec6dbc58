/**
 * Where Resize reads: for one axis, the weights of the input's elements in each element of the output, as ONNX Runtime
 * computes them (in float32, because a place that lies between two elements decides which is nearest).
 */

/** How one axis is resized. */
export interface Resampling {
  /** Lengths of the axis before and after. */
  readonly input: number;
  readonly output: number;
  /** Elements of the output for each of the input, as the node says; their quotient is near it, not always equal. */
  readonly scale: number;
  readonly mode: "nearest" | "linear";
  readonly place: string;
  readonly nearest: string;
  /** Start and end of what tf_crop_and_resize reads, as parts of the axis. */
  readonly region: readonly [number, number];
}

/** A weight of one element of the input. */
export interface Reading {
  readonly from: number;
  readonly weight: number;
}

/** What each element of the output reads; nothing where it lies outside and is filled. null for an unknown mode. */
export function readings(axis: Resampling): readonly (readonly Reading[])[] | null {
  const made: (readonly Reading[])[] = [];
  for (let i = 0; i < axis.output; i++) {
    const place = axis.scale === 1 && axis.place !== "tf_crop_and_resize" ? i : placeOf(axis, i);
    if (place === null) return null;
    const last = axis.input - 1;
    if (axis.place === "tf_crop_and_resize" && (place < 0 || place > last)) {
      made.push([]);
    } else if (axis.mode === "nearest") {
      const from = rounded(axis, place);
      if (from === null) return null;
      made.push([{ from: clamped(from, last), weight: 1 }]);
    } else {
      const inside = clamped(place, last);
      const from = Math.floor(inside);
      const part = inside - from;
      made.push(
        part === 0
          ? [{ from, weight: 1 }]
          : [
              { from, weight: 1 - part },
              { from: from + 1, weight: part },
            ],
      );
    }
  }
  return made;
}

const f = Math.fround;

const clamped = (value: number, last: number): number => Math.min(Math.max(value, 0), last);

/** Place in the input that element `i` of the output comes to; null for an unknown mode. */
function placeOf({ input, output, scale, place, region }: Resampling, i: number): number | null {
  const by = f(scale);
  const halfPixel = (): number => f(f(f(i + 0.5) / by) - 0.5);
  switch (place) {
    case "half_pixel":
      return halfPixel();
    case "pytorch_half_pixel":
      return output > 1 ? halfPixel() : 0;
    case "asymmetric":
      return f(i / by);
    case "align_corners":
      return output === 1 ? 0 : f(f(i * (input - 1)) / (output - 1));
    case "half_pixel_symmetric": {
      // Half of this is computed in float64 there.
      const offset = (input / 2) * (1 - f(output / f(by * input)));
      return f(offset + (i + 0.5) / by - 0.5);
    }
    case "tf_crop_and_resize": {
      const [start, end] = region;
      if (output === 1) return f(0.5 * (start + end) * (input - 1));
      return f(f(start * (input - 1)) + f(f(i * f(f(end - start) * (input - 1))) / (output - 1)));
    }
    default:
      return null;
  }
}

/** The element nearest to a place; null for an unknown mode. */
function rounded({ nearest }: Resampling, place: number): number | null {
  switch (nearest) {
    case "round_prefer_floor":
      return place - Math.floor(place) === 0.5 ? Math.floor(place) : Math.round(place);
    case "round_prefer_ceil":
      return Math.floor(place + 0.5);
    case "floor":
      return Math.floor(place);
    case "ceil":
      return Math.ceil(place);
    default:
      return null;
  }
}
