/** Laws of SynFlow: what the flow is, that it is conserved, that exponents change nothing, and what rounds remove. */
import { describe, expect, it } from "vitest";
import { Flow, type Shares } from "../../server/src/autodiff/linearise/flow.js";
import { synflow } from "../../server/src/criteria/synflow/rounds.js";
import {
  convNet,
  mlp,
  model,
  modelBytes,
  namedMlp,
  node,
  recurrent,
  tensor,
  value,
  weight,
} from "../support/models.js";
import type { TestModel } from "../support/models.js";
import { squeezeNet } from "../support/networks/index.js";
import { type OpenedModel, openBytes, synflowInput } from "../support/synflow.js";

async function withModel<T>(bytes: Uint8Array, use: (opened: OpenedModel) => Promise<T>): Promise<T> {
  const opened = await openBytes(bytes);
  try {
    return await use(opened);
  } finally {
    opened.close();
  }
}

interface Ran extends Shares {
  readonly ids: readonly string[];
  readonly reasons: readonly (string | null)[];
  /** Sum of each weight's shares over R. */
  readonly parts: readonly (number | null)[];
}

/** The flow of a whole model, its weights multiplied by `factor` of their index. */
const run = (bytes: Uint8Array, factor: (i: number) => number = () => 1): Promise<Ran> =>
  withModel(bytes, async ({ flow: input, weights }) => {
    const flow = await Flow.open(input);
    try {
      const made = await flow.run(weights.map(({ elements }, i) => elements.map((w) => Math.abs(w) * factor(i))));
      const parts = made.shares.map((share) => share && share.reduce((sum, one) => sum + one, 0) / made.flow);
      return { ...made, reasons: flow.reasons, ids: weights.map(({ id }) => id), parts };
    } finally {
      await flow.close();
    }
  });

/** |w| of a weight of a test model, in float64. */
function magnitudes({ proto }: TestModel, name: string): number[] {
  const { rawData } = proto.graph!.initializer.find((one) => one.name === name)!;
  return Array.from(new Float32Array(Uint8Array.from(rawData).buffer), Math.abs);
}

/** y = |W| x with W [rows, x.length]. */
const times = (w: readonly number[], x: readonly number[]): number[] =>
  Array.from({ length: w.length / x.length }, (_, row) =>
    x.reduce((sum, one, column) => sum + one * w[row * x.length + column]!, 0),
  );

/** Convolution with a 3x3 kernel [out, x.length, 3, 3] and padding 1 of square images. */
function convolved(w: readonly number[], x: readonly (readonly number[])[], size: number): number[][] {
  const filters = w.length / (x.length * 9);
  return Array.from({ length: filters }, (_, k) =>
    Array.from({ length: size * size }, (_, at) => {
      let sum = 0;
      x.forEach((channel, c) => {
        for (let r = 0; r < 3; r++) {
          for (let s = 0; s < 3; s++) {
            const [i, j] = [Math.floor(at / size) + r - 1, (at % size) + s - 1];
            if (i >= 0 && j >= 0 && i < size && j < size)
              sum += w[((k * x.length + c) * 3 + r) * 3 + s]! * channel[i * size + j]!;
          }
        }
      });
      return sum;
    }),
  );
}

const sumOf = (x: readonly number[]): number => x.reduce((sum, one) => sum + one, 0);

/** R of {@link mlp} by its definition. */
const flowOfMlp = (w: readonly (readonly number[])[]): number =>
  sumOf(w.reduce<number[]>((x, layer) => times(layer, x), Array<number>(16).fill(1)));

/** R of {@link convNet}: both convolutions, the skip around the second, the mean over pixels, the last layer. */
function flowOfConvNet([first, second, last]: readonly (readonly number[])[]): number {
  const ones = Array.from({ length: 3 }, () => Array<number>(256).fill(1));
  // BatchNormalization of a fresh network: 1 / √(1 + ε).
  const a = convolved(first!, ones, 16).map((channel) => channel.map((one) => one / Math.sqrt(1 + 1e-5)));
  const b = convolved(second!, a, 16).map((channel, c) => channel.map((one, at) => one + a[c]![at]!));
  return sumOf(
    times(
      last!,
      b.map((channel) => sumOf(channel) / 256),
    ),
  );
}

const definitions = [
  { title: "a multilayer perceptron", made: mlp(), names: ["layer0.weight", "layer1.weight"], flow: flowOfMlp },
  {
    title: "convolutions with a skip",
    made: convNet({ channels: 4 }),
    names: ["conv1.weight", "conv2.weight", "fc.weight"],
    flow: flowOfConvNet,
  },
];

describe.each(definitions)("the flow of $title", ({ made, names, flow }) => {
  // float32 sums of at most 256 non-negative terms, a few behind each other: 2^-24 for each term at worst, less on average.
  const precision = 1e-5;
  const weights = names.map((name) => magnitudes(made, name));

  it("is what its definition says, in float64", async () => {
    const { flow: scaled, exponent } = await run(modelBytes(made));
    expect(Math.abs((scaled * 2 ** exponent) / flow(weights) - 1)).toBeLessThan(precision);
  });

  it("falls by a weight's share when that weight is removed", async () => {
    const { shares, exponent, ids } = await run(modelBytes(made));
    const whole = flow(weights);
    names.forEach((name, l) => {
      const share = shares[ids.indexOf(name)]!;
      for (const at of [0, 7, share.length - 1]) {
        // R is linear in every single weight.
        const without = weights.map((w, i) => (i === l ? w.with(at, 0) : w));
        const lost = whole - flow(without);
        expect(Math.abs(share[at]! * 2 ** exponent - lost)).toBeLessThan(precision * lost + 1e-14 * whole);
      }
    });
  });
});

describe("conservation", () => {
  /** Rounding of float32 sums of some thousand terms. */
  const digits = 4;

  it("gives every cut of a network with parallel branches the whole flow", async () => {
    const { parts } = await run(squeezeNet().bytes);
    const [first, ...rest] = parts as number[];
    const last = rest.pop()!;
    expect(first).toBeCloseTo(1, digits);
    expect(last).toBeCloseTo(1, digits);
    // Each fire module: a squeeze, then two convolutions beside each other.
    expect(rest.length % 3).toBe(0);
    for (let i = 0; i < rest.length; i += 3) {
      expect(rest[i]).toBeCloseTo(1, digits);
      expect(rest[i + 1]! + rest[i + 2]!).toBeCloseTo(1, digits);
    }
  });

  it("holds through 1,000 layers that grow or shrink beyond what float32 and float64 can hold", async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `w${i}`);
    const chain = modelBytes(namedMlp(names, Array<number>(1001).fill(8), 1));
    await withModel(chain, async ({ flow: input, weights }) => {
      const flow = await Flow.open(input);
      for (const factor of [10, 1e-4]) {
        const ran = await flow.run(weights.map(({ elements }) => elements.map((w) => Math.abs(w) * factor)));
        expect(ran.flow).toBeGreaterThan(0);
        expect(Math.abs(ran.exponent)).toBeGreaterThan(1024);
        // Rounding adds up along the way: 1,000 layers of 8 terms.
        for (const share of ran.shares) expect(sumOf([...share!]) / ran.flow).toBeCloseTo(1, 3);
      }
      await flow.close();
    });
    // A session of 15,000 nodes takes its time to be made.
  }, 240_000);
});

it.each([
  { title: "a chain", bytes: modelBytes(mlp()), powers: [40, -25] },
  // The second convolution lies beside a skip: scaling it alone would be another network.
  { title: "a residual network", bytes: modelBytes(convNet()), powers: [40, 0, -25] },
])("exponents change no digit: in $title powers of two in the weights only shift them", async ({ bytes, powers }) => {
  const plain = await run(bytes);
  const scaled = await run(bytes, (i) => 2 ** powers[i]!);
  const shift = 2 ** (plain.exponent + sumOf(powers) - scaled.exponent);
  expect(scaled.flow).toBe(plain.flow * shift);
  expect(scaled.shares).toEqual(plain.shares.map((share) => share!.map((one) => one * shift)));
});

describe("rounds", () => {
  const rounds = 10;
  const compression = 20;
  const result = withModel(modelBytes(mlp()), (opened) => synflow(synflowInput(opened, rounds, compression)));

  it("keep ρ^(−k/n) of the weights, and rank by the round that removes", async () => {
    const { scores, kept } = await result;
    const all = scores.flatMap((layer) => [...layer!]);
    expect(all.length).toBe(16 * 32 + 32 * 10);
    kept.forEach((keep, k) => {
      expect(keep).toBe(Math.round(all.length * compression ** (-(k + 1) / rounds)));
      expect(all.filter((place) => place >= k + 1).length).toBe(keep);
    });
    for (const place of all) {
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThan(rounds + 1);
    }
  });

  it("remove what a plain loop over the definition removes", async () => {
    const made = mlp();
    const weights = ["layer0.weight", "layer1.weight"].map((name) => magnitudes(made, name));
    const { kept, scores } = await result;
    for (const [k, keep] of kept.entries()) {
      const whole = flowOfMlp(weights);
      const shares = weights.flatMap((layer, l) =>
        layer.map((w, at) => ({
          l,
          at,
          share: w === 0 ? -1 : whole - flowOfMlp(weights.map((one, i) => (i === l ? one.with(at, 0) : one))),
        })),
      );
      shares.sort((a, b) => a.share - b.share);
      const gone = shares.slice(0, shares.length - keep);
      for (const { l, at } of gone) weights[l]![at] = 0;
      // None of 832 shares lies so near to the edge that float32 and float64 disagree about it.
      for (const { l, at } of gone) expect(scores[l]![at]!).toBeLessThan(k + 1);
    }
  });

  it("are the first of a longer schedule with the same step", async () => {
    const longer = await withModel(modelBytes(mlp()), (opened) =>
      synflow(synflowInput(opened, 2 * rounds, compression ** 2)),
    );
    const { kept, scores } = await result;
    expect(longer.kept.slice(0, rounds)).toEqual(kept);
    // The same rounds remove the same weights at the same places.
    const removed = (all: typeof scores): number[] => all.flatMap((layer) => [...layer!].filter((one) => one < rounds));
    expect(removed(longer.scores)).toEqual(removed(scores));
  });

  it("depend on the seed only where weights are equal", async () => {
    const again = (made: TestModel, seed: number): Promise<readonly (Float32Array | null)[]> =>
      withModel(modelBytes(made), async (opened) => {
        return (await synflow({ ...synflowInput(opened, rounds, compression), seed })).scores;
      });
    expect(await again(mlp(), 7)).toEqual((await result).scores);
    const equal = model({
      graph: {
        nodes: [node("MatMul", ["x", "w"], ["y"])],
        inputs: [value("x", "float", [1, 10])],
        outputs: [value("y", "float", [1, 10])],
        initializers: [tensor("w", "float", [10, 10], Array<number>(100).fill(1))],
      },
    });
    expect(await again(equal, 1)).toEqual(await again(equal, 1));
    expect(await again(equal, 1)).not.toEqual(await again(equal, 2));
  });

  it("report progress, and stop where the checkpoint throws", async () => {
    const seen: number[] = [];
    const input = (opened: OpenedModel): ReturnType<typeof synflowInput> => ({
      ...synflowInput(opened, rounds, compression),
      progress: (round) => seen.push(round),
      checkpoint: () => (seen.length < 3 ? Promise.resolve() : Promise.reject(new Error("cancelled"))),
    });
    await expect(withModel(modelBytes(mlp()), (opened) => synflow(input(opened)))).rejects.toThrow("cancelled");
    expect(seen).toEqual([1, 2, 3]);
  });

  it("refuse weights that are no numbers", async () => {
    const made = mlp();
    const spoilt = withModel(modelBytes(made), ({ weights, ...rest }) => {
      weights[0]!.elements[3] = NaN;
      return synflow(synflowInput({ ...rest, weights }, 1, 2));
    });
    await expect(spoilt).rejects.toMatchObject({ code: "non-finite" });
  });
});

describe("weights without a score", () => {
  it.each(["LSTM", "GRU"] as const)("%s: gates have no place in the flow, so its weights have no score", async (op) => {
    const { reasons } = await run(modelBytes(recurrent(op, { directions: 2 })));
    const why = `a part of it only feeds the gates of ${op}, which SynFlow holds open`;
    expect(reasons).toEqual([why, why]);
  });

  it("RNN: all of its weights have one, and a state passes on one step", async () => {
    const made = recurrent("RNN", { directions: 2 });
    const { reasons, flow, exponent } = await run(modelBytes(made));
    expect(reasons).toEqual([null, null]);
    const [input, state] = [magnitudes(made, "W"), magnitudes(made, "R")];
    // Five steps with |W| x each, and four of them with |R| |W| x of a neighbour, in both directions.
    const expected = [0, 1].map((d) => {
      const own = times(input.slice(d * 48, (d + 1) * 48), Array<number>(6).fill(1));
      return 5 * sumOf(own) + 4 * sumOf(times(state.slice(d * 64, (d + 1) * 64), own));
    });
    // float32 sums of at most eight terms behind each other.
    expect(Math.abs((flow * 2 ** exponent) / sumOf(expected) - 1)).toBeLessThan(1e-6);
  });

  it("names an operator without a linear form, and the weights around it", async () => {
    const made = model({
      graph: {
        nodes: [
          node("MatMul", ["x", "before"], ["a"]),
          node("Det", ["a"], ["b"]),
          node("MatMul", ["b", "behind"], ["y"]),
        ],
        inputs: [value("x", "float", [5, 4, 4])],
        outputs: [value("y", "float", [3])],
        initializers: [weight("before", [4, 4], 1), weight("behind", [5, 3], 2)],
      },
    });
    const { reasons } = await run(modelBytes(made));
    expect(reasons).toEqual(["SynFlow has no linear form of Det", "no output depends on it on SynFlow's linear path"]);
  });
});
