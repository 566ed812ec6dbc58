/** Pruning in rounds, against a plain loop that writes the pruned model to a file and scores that one anew. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { defaultRecipe, keptCount, type Recipe, type Scope } from "../../server/protocol/recipe.js";
import { analyze } from "../../server/src/analysis/analyze.js";
import { withModel } from "../../server/src/analysis/open-model.js";
import { type RankedScores, rankScores } from "../../server/src/analysis/scoring.js";
import { fillKeep, makeMask } from "../../server/src/pruning/mask.js";
import { roundPools } from "../../server/src/pruning/schedule.js";
import { Program } from "../../server/src/runtime/program.js";
import { sortedPlaces } from "../support/arrays.js";
import { quietContext } from "../support/job-context.js";
import { ModelFolder } from "../support/model-folder.js";
import { convNet, type TestModel } from "../support/models.js";

const folder = new ModelFolder();
let path = "";
beforeAll(() => {
  path = folder.write("model.onnx", convNet());
});
afterAll(() => {
  folder.dispose();
});

/** 32 synthetic samples with labels drawn from the model's own softmax: all of it follows from the seed. */
const base: Recipe = { ...defaultRecipe, criterion: "snip", sparsity: 0.8, seed: 3 };

const ranked = <T>(file: string, recipe: Recipe, work: (ranked: RankedScores) => T): Promise<T> =>
  withModel(file, async (open) => work(await rankScores(open, recipe, quietContext())));

type Flags = readonly Uint8Array[];

/** Which weights of each layer the ranking keeps at a sparsity. */
function keptAt({ scores, surveys }: RankedScores, recipe: Recipe): Flags {
  const { layers } = makeMask(scores, surveys, recipe);
  return layers.map(({ cut }, l) => {
    const flags = new Uint8Array(scores.layers[l]!.size).fill(1);
    if (cut !== null)
      scores.blocks(l, (keys, start, count) => {
        fillKeep(scores, l, cut, keys, start, count, flags.subarray(start, start + count));
      });
    return flags;
  });
}

/** The model with zeros where the flags have them. */
function pruned(flags: ReadonlyMap<string, Uint8Array>): TestModel {
  const made = convNet();
  for (const initializer of made.proto.graph!.initializer) {
    const keep = flags.get(initializer.name);
    if (keep === undefined) continue;
    const values = new Float32Array(initializer.rawData.slice().buffer);
    initializer.rawData = new Uint8Array(values.map((one, i) => one * keep[i]!).buffer);
  }
  return made;
}

/** The flags after each round, each scored in a file of its own. */
async function plainLoop(recipe: Recipe, rounds: number): Promise<Flags[]> {
  const after: Flags[] = [];
  let ids: readonly string[] = [];
  for (let round = 1; round <= rounds; round++) {
    const before: Flags | null = after.at(-1) ?? null;
    const file =
      before === null
        ? path
        : folder.write(`round${round}.onnx`, pruned(new Map(ids.map((id, l) => [id, before[l]!]))));
    const flags = await ranked(file, recipe, ({ scores, excluded }): Flags => {
      ids = scores.layers.map(({ id }) => id);
      const left: Uint8Array[] = scores.layers.map(
        ({ size }, l) => before?.[l]?.slice() ?? new Uint8Array(size).fill(1),
      );
      const pool = ids.flatMap((_, l) => (excluded[l] === true ? [] : [l]));
      const share = (1 - recipe.sparsity) ** (round / rounds);
      const groups = recipe.scope === "layer" ? pool.map((l) => [l]) : [pool];
      for (const group of groups) {
        const order = sortedPlaces(scores, group).filter(({ layer, index }) => left[layer]![index] === 1);
        const total = group.reduce((sum, l) => sum + scores.layers[l]!.size, 0);
        const going = order.length - Math.round(share * total);
        for (const { layer, index } of order.slice(0, going)) left[layer]![index] = 0;
      }
      return left;
    });
    after.push(flags);
  }
  return after;
}

describe.each<[string, Partial<Recipe>]>([
  ["snip", {}],
  ["snip layer by layer", { scope: "layer" }],
  ["taylor with a dense layer", { criterion: "taylor", exclude: ["conv1.weight"], batch: 4 }],
  ["grasp, whose scores have signs", { criterion: "grasp" }],
])("%s", (_, change) => {
  const recipe = { ...base, ...change };
  const rounds = 4;

  it("removes in every round what a plain loop removes", async () => {
    const expected = await plainLoop(recipe, rounds);
    await ranked(path, { ...recipe, rounds }, (one) => {
      expected.forEach((flags, t) => {
        const sparsity = 1 - (1 - recipe.sparsity) ** ((t + 1) / rounds);
        expect(keptAt(one, { ...recipe, sparsity })).toEqual(flags);
      });
    });
  });

  it("keeps exactly as many as one shot, and masks nest over rounds", async () => {
    await ranked(path, { ...recipe, rounds }, (one) => {
      const sparsities = [0.1, 0.35, 0.6, recipe.sparsity, 0.95];
      const masks = sparsities.map((sparsity) => keptAt(one, { ...recipe, sparsity }));
      masks.forEach((flags, i) => {
        if (recipe.scope === "global") {
          const inPool = flags.filter((_one, l) => one.excluded[l] !== true);
          const kept = inPool.reduce((sum, layer) => sum + layer.reduce((a, b) => a + b, 0), 0);
          expect(kept).toBe(keptCount(one.total, sparsities[i]!));
        }
        masks[i + 1]?.forEach((layer, l) => {
          expect(layer.every((flag, at) => flag <= flags[l]![at]!)).toBe(true);
        });
      });
    });
  });
});

it("one round of a schedule is one shot", async () => {
  const scopes: readonly Scope[] = ["global", "layer"];
  const one = await ranked(path, base, (scores) => scopes.map((scope) => keptAt(scores, { ...base, scope })));
  const same = await ranked(path, { ...base, rounds: 1 }, (scores) =>
    scopes.map((scope) => keptAt(scores, { ...base, scope })),
  );
  expect(same).toEqual(one);
});

it("opens the sessions of one shot, however many rounds there are", async () => {
  const opened = vi.spyOn(Program, "open");
  const closed = vi.spyOn(Program.prototype, "close");
  try {
    for (const criterion of ["snip", "grasp"]) {
      const counts: number[] = [];
      for (const rounds of [1, 2, 6]) {
        opened.mockClear();
        closed.mockClear();
        await ranked(path, { ...base, criterion, rounds }, () => undefined);
        counts.push(opened.mock.calls.length);
        expect(closed).toHaveBeenCalledTimes(opened.mock.calls.length);
      }
      expect(counts).toEqual([counts[0], counts[0], counts[0]]);
    }
  } finally {
    opened.mockRestore();
    closed.mockRestore();
  }
});

it("ends at the counts of the recipe's quota", () => {
  const layers = [30, 50, 20].map((size) => ({ size, extent: size / 2, pointwise: true }));
  const pools = roundPools(layers, { sparsity: 0.9, scope: "global", quota: "igq" }, 5, 5);
  expect(pools.map((pool) => pool.layers)).toEqual([[0], [1], [2]]);
  expect(pools.reduce((sum, { keep }) => sum + keep, 0)).toBe(10);
});

describe("the report", () => {
  const notes = async (recipe: Partial<Recipe>): Promise<string> =>
    (await analyze({ uri: path, path, recipe: { ...base, ...recipe } }, quietContext())).report.notes.join("\n");

  it("says where the schedule ends, and that its loss is that of the whole network", async () => {
    const { loss } = (await analyze({ uri: path, path, recipe: base }, quietContext())).report;
    const scheduled = await analyze({ uri: path, path, recipe: { ...base, rounds: 3 } }, quietContext());
    expect(scheduled.report.loss).toBe(loss);
    expect(scheduled.report.notes.join("\n")).toMatch(/In 3 rounds down to 20 % .*Above 80 % sparsity/);
  });

  it.each([
    ["magnitude", /Rounds change nothing: Magnitude/],
    ["random", /Rounds change nothing: Random/],
    ["synflow", /SynFlow .* has 200 rounds of its own; the recipe's 3 are not used/],
  ])("says that rounds are no matter of %s", async (criterion, words) => {
    expect(await notes({ criterion, rounds: 3 })).toMatch(words);
  });
});

it("scores of another sparsity are other scores, in rounds only", async () => {
  const context = quietContext(folder.file("cache"));
  const id = async (recipe: Partial<Recipe>): Promise<string> =>
    (await analyze({ uri: path, path, recipe: { ...base, ...recipe } }, context)).resultId;
  expect(await id({ sparsity: 0.5 })).toBe(await id({ sparsity: 0.6 }));
  const ids = [
    await id({}),
    await id({ rounds: 2 }),
    await id({ rounds: 3 }),
    await id({ rounds: 3, sparsity: 0.5 }),
    await id({ rounds: 3, scope: "layer" }),
    await id({ rounds: 3, quota: "erk" }),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  expect(await id({ rounds: 3, quota: "erk" })).toBe(ids.at(-1));
});
