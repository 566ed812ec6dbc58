/** Entries of the manifest: names, shapes, types and codes of weights. */
import { type BadTfjs, constant, kernel, layers } from "./sound-parts.js";

const shapes: readonly unknown[] = [null, 5, "4,3", [-1, 3], [1.5], ["4", "3"], [4, null], [1e300], Array(65).fill(1)];
const scales: readonly object[] = [
  { dtype: "uint8" },
  { dtype: "uint8", scale: 1 },
  { dtype: "uint8", scale: "0.1", min: 0 },
  { dtype: "uint16", scale: null, min: 0 },
];

export const badWeights: readonly BadTfjs[] = [
  ...shapes.map((shape) => ({
    name: `the shape ${JSON.stringify(shape)}`,
    files: () => kernel({ shape }),
    code: "malformed-model" as const,
    words: /gives "d\/kernel" the shape .*, which is none/,
  })),
  ...[[2 ** 31, 2 ** 31], [2 ** 53 - 1, 2 ** 53 - 1], Array(40).fill(2 ** 50)].map((shape) => ({
    name: `the shape ${JSON.stringify(shape).slice(0, 40)}`,
    files: () => kernel({ shape }),
    code: "malformed-model" as const,
    words: /which no file holds/,
  })),
  {
    name: "a shape of terabytes",
    files: () => kernel({ shape: [2 ** 20, 2 ** 20] }),
    code: "malformed-model",
    words: /would end at byte 4398046511104/,
  },
  ...[undefined, "float64", "toString", "__proto__", 32, null].map((dtype) => ({
    name: `the dtype ${JSON.stringify(dtype)}`,
    files: () => kernel({ dtype }),
    code: "malformed-model" as const,
    words: /gives "d\/kernel" the unknown dtype/,
  })),
  {
    name: "a weight twice",
    files: () => layers(({ weights }) => Object.assign(weights[1]!, { name: "d/kernel" })),
    code: "malformed-model",
    words: /names "d\/kernel" twice/,
  },
  {
    name: "a name of a megabyte",
    files: () => kernel({ name: "n".repeat(1e6) }),
    code: "malformed-model",
    words: /a weight whose name has 1000000 characters/,
  },
  ...["int8", "constructor", 8, null].map((dtype) => ({
    name: `codes of ${JSON.stringify(dtype)}`,
    files: () => kernel({ quantization: { dtype, scale: 1, min: 0 } }),
    code: "malformed-model" as const,
    words: /quantises "d\/kernel" to the unknown dtype/,
  })),
  ...scales.map((quantization) => ({
    name: `the quantisation ${JSON.stringify(quantization)}`,
    files: () => kernel({ quantization }),
    code: "malformed-model" as const,
    words: /quantises "d\/kernel" without the numbers of its scale and min/,
  })),
  ...[
    [1e308, 0],
    [1e308, 1e308],
    [-1e38, -3e38],
    [0, 1e39],
  ].map(([scale, min]) => ({
    name: `the scale ${scale} and min ${min}`,
    files: () => kernel({ quantization: { dtype: "uint8", scale, min } }),
    code: "malformed-model" as const,
    words: /quantises "d\/kernel" by scale .* and min .*, which float has no numbers for/,
  })),
  {
    name: "integers as halves",
    files: () => constant({ dtype: "int32", quantization: { dtype: "float16" } }),
    code: "malformed-model",
    words: /quantises "w" to "float16", which its int32 elements cannot be/,
  },
  {
    name: "integers that are too large",
    files: () => constant({ dtype: "int32", quantization: { dtype: "uint8", scale: 1e9, min: 0 } }),
    code: "malformed-model",
    words: /which int32 has no numbers for/,
  },
  {
    name: "strings that are too few",
    files: () => constant({ dtype: "string", shape: [2 ** 40] }),
    code: "malformed-model",
    words: /has fewer than the 1099511627776 strings of "w"/,
  },
  {
    name: "a weight that a layer misses",
    files: () => layers(({ weights }) => Object.assign(weights[1]!, { name: "d/other" })),
    code: "malformed-model",
    words: /has no weight "d\/bias" in its manifest/,
  },
  {
    name: "a weight of another shape than its layer's",
    files: () => kernel({ shape: [3, 4] }),
    code: "malformed-model",
    words: /"d\/kernel" has the shape \[3, 4\], but its layer wants \[4, 3\]/,
  },
  {
    name: "a weight of another type than its layer's",
    files: () => kernel({ dtype: "int32" }),
    code: "malformed-model",
    words: /"d\/kernel" has int32 elements, but its layer wants float/,
  },
];
