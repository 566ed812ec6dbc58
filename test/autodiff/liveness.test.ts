/** Effective weights by ONNX Runtime, against paths that are counted one unit at a time. */
import { describe, expect, it } from "vitest";
import { Flow } from "../../server/src/autodiff/linearise/flow.js";
import { deepChain, type PathCase, pathCases } from "../cases/path-networks.js";
import { uniform } from "../support/arrays.js";
import { withLiveNetwork } from "../support/liveness.js";
import { model, modelBytes, node, recurrent, tensor, value, weight } from "../support/models.js";
import type { Kept, PathNetwork } from "../support/path-network.js";
import { openBytes } from "../support/synflow.js";

const total = (flags: Uint8Array): number => flags.reduce((sum, one) => sum + one, 0);

/** Masks of a network: random ones, and the smallest weights removed. */
function* masks(network: PathNetwork, densities: readonly number[], seed: number): Iterable<Kept> {
  const random = uniform(seed);
  const magnitudes = Object.values(network.weights).flatMap((w) => Array.from(w, Math.abs));
  magnitudes.sort((a, b) => b - a);
  for (const density of densities) {
    yield network.kept((_, w) => w !== 0 && random() < density);
    const least = magnitudes[Math.floor(density * magnitudes.length)] ?? 0;
    yield network.kept((_, w) => w !== 0 && Math.abs(w) > least);
  }
}

async function agrees({ make }: PathCase, densities: readonly number[]): Promise<{ dead: number; masks: number }> {
  let dead = 0;
  let count = 0;
  for (const whole of [false, true]) {
    const network = make(3, whole);
    await withLiveNetwork(network.made(), async (live, ids) => {
      expect(live.reasons).toEqual(ids.map(() => null));
      expect(live.gaps).toEqual([]);
      for (const kept of masks(network, densities, 11)) {
        const { connected, effective } = network.count(kept);
        const flags = ids.map((id) => kept[id]!);
        const found = await live.live(flags);
        const counts = ids.map((id) => total(effective[id]!));
        expect(found).toEqual({ flows: connected, effective: counts, onPaths: counts });
        expect(await live.flows(flags)).toBe(connected);
        ids.forEach((id, i) => expect(found.effective[i]).toBeLessThanOrEqual(total(kept[id]!)));
        count++;
        if (ids.some((id, i) => found.effective[i]! < total(kept[id]!))) dead++;
      }
    });
  }
  return { dead, masks: count };
}

describe("effective weights are those that paths lead through", () => {
  const densities = [1, 0.9, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05];

  it.each(pathCases)("$title", async (one) => {
    const { dead, masks } = await agrees(one, densities);
    // Else nothing was tested but counting.
    expect(dead).toBeGreaterThan(masks / 4);
  });

  it("a chain of 200 layers, without underflow", async () => {
    const { dead } = await agrees(deepChain(200), [1, 0.9, 0.8]);
    expect(dead).toBeGreaterThan(0);
  });
});

describe("weights on no path", () => {
  it.each(pathCases)("carry nothing of SynFlow's flow: $title", async ({ make }) => {
    const network = make(5);
    const opened = await openBytes(modelBytes(network.made()));
    const flow = await Flow.open(opened.flow);
    try {
      for (const kept of masks(network, [0.6, 0.3], 2)) {
        const { effective } = network.count(kept);
        const flowOf = async (flags: Kept): Promise<number> => {
          const magnitudes = opened.weights.map(({ id, elements }) =>
            elements.map((w, i) => Math.abs(w) * flags[id]![i]!),
          );
          const ran = await flow.run(magnitudes);
          return ran.flow * 2 ** ran.exponent;
        };
        // The same products; what is left out are zeros in sums.
        expect(await flowOf(effective)).toBe(await flowOf(kept));
      }
    } finally {
      await flow.close();
      opened.close();
    }
  });

  it.each(pathCases)("change nothing when they go: $title", async ({ make }) => {
    const network = make(5);
    await withLiveNetwork(network.made(), async (live, ids) => {
      for (const kept of masks(network, [0.6, 0.3], 2)) {
        const { connected, effective } = network.count(kept);
        const again = await live.live(ids.map((id) => effective[id]!));
        expect(again).toMatchObject({ flows: connected, effective: ids.map((id) => total(effective[id]!)) });
      }
    });
  });
});

describe("paths that are not followed", () => {
  const weightsOf = (made: ReturnType<typeof model>, flags: (size: number) => Uint8Array): Promise<unknown> =>
    withLiveNetwork(made, async (live) => {
      const keep = live.input.weights.map((name) =>
        flags((live.input.types.get(name ?? "")?.shape ?? []).reduce((product, dim) => product * dim, 1)),
      );
      return { reasons: live.reasons, gaps: live.gaps, ...(await live.live(keep)) };
    });
  const all = (size: number): Uint8Array => new Uint8Array(size).fill(1);
  const chain = (
    middle: ReturnType<typeof node>,
    initializers: ReturnType<typeof weight>[] = [],
  ): ReturnType<typeof model> =>
    model({
      opset: 18,
      graph: {
        nodes: [node("MatMul", ["x", "before"], ["a"]), middle, node("MatMul", ["b", "behind"], ["y"])],
        inputs: [value("x", "float", [1, 4])],
        outputs: [value("y", "float", null)],
        initializers: [weight("before", [4, 4], 1), weight("behind", [4, 4], 2), ...initializers],
      },
    });

  it("an LSTM's gates are open, so its weights are not told apart", async () => {
    const why = "a part of it only feeds a gate, which SynFlow holds constant";
    expect(await weightsOf(recurrent("LSTM", { directions: 2 }), all)).toMatchObject({
      reasons: [why, why],
      flows: true,
      effective: [null, null],
    });
  });

  it("what makes gates is on no path, and what makes them in part is where it makes the rest", async () => {
    const made = model({
      opset: 18,
      graph: {
        nodes: [
          node("MatMul", ["x", "joint"], ["h"]),
          node("Split", ["h"], ["main", "half"], { axis: 1, num_outputs: 2 }),
          node("MatMul", ["half", "gate"], ["g"]),
          node("Sigmoid", ["g"], ["s"]),
          node("Mul", ["main", "s"], ["gated"]),
          node("MatMul", ["gated", "last"], ["y"]),
        ],
        inputs: [value("x", "float", [1, 4])],
        outputs: [value("y", "float", null)],
        initializers: [weight("joint", [4, 6], 1), weight("gate", [3, 3], 2), weight("last", [3, 2], 3)],
      },
    });
    expect(await weightsOf(made, all)).toMatchObject({
      reasons: [
        "a part of it only feeds a gate, which SynFlow holds constant",
        "it only feeds a gate, which SynFlow holds constant",
        null,
      ],
      effective: [null, null, 6],
      onPaths: [12, 0, 6],
    });
  });

  it("an operator without a linear form is a gap, and weights around it are not counted", async () => {
    const found = await weightsOf(chain(node("Einsum", ["a"], ["b"], { equation: "ij->ij" })), all);
    expect(found).toMatchObject({
      reasons: ["SynFlow has no linear form of Einsum", "no output depends on it on SynFlow's linear path"],
      gaps: ["SynFlow has no linear form of Einsum"],
      flows: false,
      effective: [null, null],
    });
  });

  it("a weight that the model computes with is not counted, the others are", async () => {
    const made = model({
      graph: {
        nodes: [
          node("MatMul", ["x", "w"], ["a"]),
          node("ReduceMean", ["w"], ["mean"], { keepdims: 1 }),
          node("Sub", ["w", "mean"], ["centred"]),
          node("MatMul", ["a", "centred"], ["b"]),
          node("MatMul", ["b", "v"], ["y"]),
        ],
        inputs: [value("x", "float", [1, 4])],
        outputs: [value("y", "float", null)],
        initializers: [weight("w", [4, 4], 1), weight("v", [4, 2], 2)],
      },
    });
    expect(await weightsOf(made, all)).toMatchObject({
      reasons: [expect.stringMatching(/computes with it$/), null],
      effective: [null, 8],
    });
  });

  it.each([
    ["NaN and infinity are factors that are not 0", [NaN, Infinity, -Infinity, 1e-45], 16],
    ["0 is none", [0, 0, -0, 1], 4],
  ])("%s", async (_, scales, effective) => {
    const made = chain(node("Mul", ["a", "scales"], ["b"]), [tensor("scales", "float", [4], scales)]);
    expect(await weightsOf(made, all)).toMatchObject({ flows: true, effective: [effective, effective] });
  });

  it("a divisor is no factor that ends a path, whatever it is", async () => {
    const made = chain(node("Div", ["a", "divisors"], ["b"]), [tensor("divisors", "float", [4], [0, NaN, 1e30, -2])]);
    expect(await weightsOf(made, all)).toMatchObject({ flows: true, effective: [16, 16] });
  });
});
