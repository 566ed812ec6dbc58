/**
 * Every fixture model and what is prunable in it: one line for each layer, in the words of {@link layerLine}. The lines
 * were written from ONNX's definitions of the operators, not copied from the product's answers.
 */
import type { PrunableWeight } from "../../server/src/graph/prunable.js";
import { layerLabel } from "../../server/src/graph/prunable.js";
import * as models from "../support/models.js";
import { hostileNames } from "../support/models.js";

export interface Fixture {
  readonly name: string;
  readonly make: () => models.TestModel;
  readonly layers: readonly string[];
  /** False where ONNX Runtime has no kernel for the model. */
  readonly runs?: false;
}

/** `id: operator [stored shape], axes that are not empty, operators on the way, number of uses`. */
export function layerLine(weight: PrunableWeight): string {
  const { id, shape, roles, via, uses, sparse, tensor } = weight;
  const axes = (["out", "in", "spatial", "batch"] as const)
    .filter((role) => roles[role].length > 0)
    .map((role) => `${role} ${roles[role].join(" ")}`);
  return [
    `${id}: ${layerLabel(weight).op} [${shape.join(", ")}]`,
    ...axes,
    ...(roles.groups === 1 ? [] : [`groups ${roles.groups}`]),
    ...(via.length === 0 ? [] : [`via ${via.join(" ")}`]),
    ...(uses.length === 1 ? [] : [`${uses.length} uses`]),
    ...(tensor.dtype === "float" ? [] : [tensor.dtype]),
    ...(sparse ? [`stored ${weight.size}`] : []),
  ].join(", ");
}

const convNetLayers = [
  "conv1.weight: Conv [8, 3, 3, 3], out 0, in 1, spatial 2 3",
  "conv2.weight: Conv [8, 8, 3, 3], out 0, in 1, spatial 2 3",
  "fc.weight: Gemm [10, 8], out 0, in 1",
];
const mlpLayers = ["layer0.weight: Gemm [32, 16], out 0, in 1", "layer1.weight: Gemm [10, 32], out 0, in 1"];

/** How the weight of each chain is stored, and its axes there. */
const chainLines: Readonly<Record<keyof typeof models.chains, string>> = {
  cast: "w: MatMul [6, 8], out 1, in 0, via Cast, double",
  identity: "w: MatMul [6, 8], out 1, in 0, via Identity",
  reshape: "w: MatMul [6, 1, 8], out 2, in 0, via Reshape",
  reshapeMixingAxes: "w: MatMul [3, 16], via Reshape",
  several: "w: MatMul [8, 6, 1], out 0, in 1, via Identity Cast Transpose Reshape, float16",
  sliceConcat: "w: MatMul [6, 8], out 1, in 0, via Slice Concat",
  splitConcat: "w: MatMul [6, 8], out 1, in 0, via Split Concat",
  squeezeUnsqueeze: "w: MatMul [1, 6, 8], out 2, in 1, via Squeeze Unsqueeze Squeeze",
  transpose: "w: MatMul [8, 6], out 0, in 1, via Transpose",
};

const chainFixtures = (Object.keys(models.chains) as (keyof typeof models.chains)[]).flatMap((chain): Fixture[] => [
  { name: `weight behind ${chain}`, make: () => models.behind(chain), layers: [chainLines[chain]] },
  {
    name: `weight in a Constant node behind ${chain}`,
    make: () => models.behind(chain, { inNodes: true }),
    layers: [chainLines[chain]],
  },
]);

const storedFixtures = (["float", "double", "float16", "bfloat16"] as const).flatMap((dtype) =>
  (["raw", "typed", "external"] as const).map((storage): Fixture => {
    const cast = dtype === "float" ? "" : `, via Cast, ${dtype}`;
    return {
      name: `${dtype} weight, ${storage}`,
      make: () => models.storedWeight({ dtype, storage }),
      layers: [`w: MatMul [64, 48], out 1, in 0${cast}`],
    };
  }),
);

const quantisedFixtures = (["int8", "uint8"] as const).flatMap((dtype) =>
  ([null, 0, 1, -1] as const).map((axis): Fixture => {
    return {
      name: `${dtype} weight, ${axis === null ? "one scale" : `scales along axis ${axis}`}`,
      make: () => models.quantised({ dtype, axis, zeroPoint: axis !== -1 }),
      layers: [`w: MatMul [6, 8], out 1, in 0, via DequantizeLinear, ${dtype}`],
    };
  }),
);

/** Newest operator set that the installed ONNX Runtime takes. */
export const newestOpset = 26;

const opsetFixtures = Array.from({ length: newestOpset - 6 }, (_, i): Fixture => {
  const opset = 7 + i;
  return {
    name: `convolutions at opset ${opset}`,
    make: () => models.convNet({ opset, ir: opset < 9 ? 4 : opset < 19 ? 8 : 10 }),
    layers: convNetLayers,
  };
});

const nestedFixtures: readonly Fixture[] = [
  {
    name: "branches in branches in a loop",
    make: models.deepBranches,
    layers: [
      "y.body/h.next.then_branch/outer.weight: MatMul [6, 6], out 1, in 0",
      "y.body/h.next.then_branch/got.then_branch/a.weight: MatMul [6, 6], out 1, in 0",
      "y.body/h.next.then_branch/got.else_branch/b.weight: MatMul [6, 6], out 1, in 0",
    ],
  },
  {
    name: "branches of an If",
    make: models.ifBranches,
    layers: [
      "y.then_branch/then.weight: MatMul [6, 4], out 1, in 0",
      "y.else_branch/else.weight: MatMul [6, 4], out 1, in 0",
    ],
  },
  {
    name: "function with branches in branches",
    make: models.functionWithBranches,
    layers: ["one#0/w: MatMul [6, 6], out 1, in 0, 2 uses"],
  },
  {
    name: "functions that call functions",
    make: models.localFunctions,
    layers: ["first#0/#1/w: MatMul [6, 6], out 1, in 0, 4 uses"],
  },
  {
    name: "loop body",
    make: models.loopBody,
    layers: ["y.body/body.weight: MatMul [6, 5], out 1, in 0", "outer.weight: MatMul [5, 6], out 1, in 0"],
  },
  { name: "scan body", make: models.scanBody, layers: ["end.body/scan.weight: MatMul [6, 4], out 1, in 0"] },
];

const recurrentFixtures = (["GRU", "LSTM", "RNN"] as const).flatMap((op) =>
  [1, 2].map((directions): Fixture => {
    const rows = { GRU: 24, LSTM: 32, RNN: 8 }[op];
    return {
      name: `${op} in ${directions} directions`,
      make: () => models.recurrent(op, { directions }),
      layers: [
        `W: ${op} [${directions}, ${rows}, 6], out 1, in 2, batch 0`,
        `R: ${op} [${directions}, ${rows}, 8], out 1, in 2, batch 0`,
      ],
    };
  }),
);

export const fixtures: readonly Fixture[] = [
  { name: "convolutions with a residual", make: models.convNet, layers: convNetLayers },
  {
    name: "external data in two files",
    make: models.externalWeights,
    layers: [
      "first: MatMul [32, 64], out 1, in 0",
      "second: MatMul [64, 48], out 1, in 0, via Cast, float16",
      "third: MatMul [48, 32], out 1, in 0",
      "fourth: MatMul [32, 16], out 1, in 0",
    ],
  },
  {
    name: "grouped, depthwise and transposed convolutions",
    make: models.groupedConvolutions,
    layers: [
      "grouped: Conv [6, 2, 3, 3], out 0, in 1, spatial 2 3, groups 2",
      "depthwise: Conv [6, 1, 3, 3], out 0, in 1, spatial 2 3, groups 6",
      "transposed: ConvTranspose [6, 4, 3, 3], out 1, in 0, spatial 2 3, groups 2",
    ],
  },
  {
    name: "hostile names",
    make: models.hostileNamesModel,
    layers: Object.values(hostileNames).map((name) => `${name}: Gemm [6, 6], out 0, in 1`),
  },
  { name: "initializers among the inputs, IR version 3", make: models.irVersion3, layers: convNetLayers },
  { name: "initializers among the inputs, IR version 8", make: models.overriddenInputs, layers: mlpLayers },
  {
    name: "matrix products of every kind",
    make: models.matMuls,
    layers: [
      "right: MatMul [6, 5], out 1, in 0",
      "left: MatMul [5, 4], out 0, in 1",
      "batched: MatMul [3, 6, 5], out 2, in 1, batch 0",
      "vector: MatMul [6], in 0",
      "row: MatMul [4], in 0",
      "gemmA: Gemm [5, 4], out 0, in 1",
      "gemmAT: Gemm [4, 5], out 1, in 0",
    ],
  },
  { name: "nodes in reverse order", make: models.unsortedNodes, layers: convNetLayers },
  { name: "perceptron", make: models.mlp, layers: mlpLayers },
  {
    name: "sparse constant",
    make: () => models.sparseWeight({ inNode: true }),
    layers: ["w: MatMul [6, 8], out 1, in 0, stored 16"],
  },
  {
    name: "sparse initializer, coordinates",
    make: () => models.sparseWeight({ coordinates: true }),
    layers: ["w: MatMul [6, 8], out 1, in 0, stored 16"],
  },
  {
    name: "sparse initializer, linear indices",
    make: models.sparseWeight,
    layers: ["w: MatMul [6, 8], out 1, in 0, stored 16"],
  },
  { name: "tied weights", make: models.tiedWeights, layers: ["embedding: MatMul [12, 5], out 1, in 0, 2 uses"] },
  {
    name: "unknown domain",
    make: models.unknownDomain,
    layers: ["fancy.weight: com.example.fancy.FancyConv [8, 8]", "fc.weight: Gemm [4, 8], out 0, in 1"],
    runs: false,
  },
  ...chainFixtures,
  ...nestedFixtures,
  ...opsetFixtures,
  ...quantisedFixtures,
  ...recurrentFixtures,
  ...storedFixtures,
];
