/** An N:M pattern in the view: chosen, shown by layer, and told after a save; and what a file holds already. */
import { describe, expect, it } from "vitest";
import { decodeArray, encodeArray } from "../../server/protocol/codec.js";
import type { LayerPattern } from "../../server/protocol/report.js";
import type { HeldReport } from "../../server/protocol/sparsity.js";
import type { ViewState } from "../../server/protocol/view.js";
import { fakeModel, fakeSave } from "./fake-model.js";
import { page, shown, text } from "./page-in-jsdom.js";

const pattern = { n: 2, m: 4 };
const recipe = { pattern, sparsity: 0 };
const fake = fakeModel({ layers: 3, recipe });
const standing: readonly LayerPattern[] = [
  { use: "none", reason: "its reduction axis has 3 elements, which 4 does not divide", retained: null },
  { use: "kernel", reason: "a sparse kernel may be chosen for it", retained: 0.8125 },
  { use: "pattern-only", reason: "no sparse kernel is known for recurrent layers", retained: 0.75 },
];
const patterned: ViewState = {
  ...fake.state,
  result: {
    ...fake.result,
    report: {
      ...fake.result.report,
      pattern,
      layers: fake.result.report.layers.map((layer, l) => ({ ...layer, pattern: standing[l]! })),
    },
  },
};

describe("the choice of a pattern", () => {
  const choose = (body: HTMLElement, id: string): void => {
    const dropdown = body.querySelector<HTMLElement & { value: string }>("vscode-dropdown[aria-label=Pattern]")!;
    dropdown.value = id;
    dropdown.dispatchEvent(new dropdown.ownerDocument.defaultView!.Event("change"));
  };

  it("begins with the pattern alone, and comes back to the sparsity that was left", () => {
    const { body, host, clock, store } = page(fakeModel({ layers: 3 }).state);
    store.slide(0.7);
    choose(body, "2:4");
    const asked = host.of("recipe").at(-1)!.recipe;
    expect(asked).toMatchObject({ pattern, sparsity: 0 });
    clock.draw();
    expect(shown(body, ".permute")).toBe(true);
    choose(body, "1:4");
    expect(host.of("recipe").at(-1)!.recipe).toMatchObject({ pattern: { n: 1, m: 4 }, sparsity: 0 });
    choose(body, "none");
    const back = host.of("recipe").at(-1)!.recipe;
    expect(back.pattern).toBeUndefined();
    expect(back.sparsity).toBe(0.7);
  });

  it("permits permutations with a pattern only, and takes them back", () => {
    const { body, host } = page(patterned);
    const box = body.querySelector<HTMLInputElement>("#permute")!;
    box.click();
    expect(host.of("recipe").at(-1)!.recipe.permute).toEqual({ seconds: 1 });
    box.click();
    expect(host.of("recipe").at(-1)!.recipe.permute).toBeUndefined();
    expect(shown(page(fakeModel({ layers: 3 }).state).body, ".permute")).toBe(false);
  });

  it("shows a pattern that is none of the usual ones", () => {
    const { body } = page(fakeModel({ layers: 3, recipe: { pattern: { n: 3, m: 7 }, sparsity: 0 } }).state);
    const ids = [...body.querySelectorAll("vscode-dropdown[aria-label=Pattern] vscode-option")].map((option) =>
      option.getAttribute("value"),
    );
    expect(ids).toContain("3:7");
  });
});

describe("a result under a pattern", () => {
  it("says it in the headline and lists every layer with its reason", () => {
    const { body, clock } = page(patterned);
    clock.draw();
    // Chores are done one after the other, when what is due has been drawn.
    for (let i = 0; i < 60; i++) clock.pass(1);
    expect(text(body, ".headline")).toMatch(/^Under 2:4, /);
    expect(text(body, ".figure-words")).toContain("2:4 decides what goes");
    expect(text(body, ".insight-pattern h2")).toBe("2:4 pattern");
    const facts = text(body, ".insight-pattern .facts");
    expect(facts).toContain("Layers that hold it2 of 3");
    expect(facts).toContain("A sparse kernel may be chosen for1");
    // (0.8125 + 0.75) / 2
    expect(facts).toContain("Score kept, mean of layers78.1");
    const rows = [...body.querySelectorAll(".insight-pattern tbody tr")].map((row) => row.textContent);
    expect(rows).toHaveLength(3);
    standing.forEach(({ reason }, l) => {
      expect(rows[l]).toContain(reason);
    });
  });

  it("is not there without a pattern", () => {
    expect(shown(page(fakeModel({ layers: 3 }).state).body, ".insight-pattern")).toBe(false);
  });

  it("keeps no more than the pattern leaves, however far left the slider is", () => {
    const survival = fake.result.survival;
    const [removed, kept] = [decodeArray(survival.removed), decodeArray(survival.kept)];
    // The table begins where the pattern has removed what it removes: at the first point that is not 0.
    const from = {
      ...survival,
      removed: encodeArray("f64", removed.slice(1)),
      kept: encodeArray("u32", kept.slice(3)),
    };
    const state = { ...patterned, result: { ...patterned.result!, survival: from } };
    const { store } = page(state);
    store.counts!.interpolate(0, "global");
    const expected = [...kept.slice(3, 6)];
    expect([...store.counts!.kept]).toEqual(expected);
    store.counts!.interpolate(0, "layer");
    expect([...store.counts!.kept]).toEqual(expected);
  });
});

it("tells after a save what was counted in the file, and what a permutation won", () => {
  const saved = fakeSave(fake);
  const save = {
    ...saved.save,
    layers: saved.save.layers.map((layer, l) => ({
      ...layer,
      pattern: { ...standing[l]!, groups: l === 0 ? 0 : 1000, held: l === 0 ? 0 : 1000 },
    })),
    permutation: {
      layers: [{ id: fake.model.layers[1]!.id, channels: "c", before: 0.8, after: 0.86, efficacy: 40 }],
      left: [{ id: fake.model.layers[2]!.id, reason: "Softmax reads its channels" }],
      moves: { c: 12 },
      seconds: 1,
    },
  };
  const { body } = page({ ...patterned, saved: { ...saved, save } });
  expect(text(body, ".saved-body")).toContain("weights kept at 2:4;");
  expect(text(body, ".saved-pattern")).toBe(
    "2:4 holds in 2 of 2 layers that can hold it (2,000 groups counted in the written file); 1 layer left dense.",
  );
  expect(body.querySelector<HTMLElement>(".saved-pattern")!.dataset["holds"]).toBe("true");
  expect(text(body, ".saved-permutation")).toContain("the pattern keeps 86 % of their score instead of 80 %");
  expect(text(body, ".saved-body")).toContain("Softmax reads its channels");
});

it("tells what a file holds that is sparse already, and nothing of a dense one", () => {
  const [first, second] = fake.model.layers;
  const held: HeldReport = {
    prunable: 200,
    zeros: 70,
    sparsity: 0.35,
    seconds: 0.1,
    layers: [
      {
        ...{ id: first!.id, name: "a", op: "Conv", weight: "a", parameters: 100, zeros: 50, sparsity: 0.5 },
        ...{ patterns: [pattern], emptyOutputs: { count: 3, of: 16 }, emptyInputs: null },
        ...{ storedSparsely: false, sharedBy: [] },
      },
      {
        ...{ id: second!.id, name: "b", op: "MatMul", weight: "b", parameters: 100, zeros: 20, sparsity: 0.2 },
        ...{ patterns: [], emptyOutputs: null, emptyInputs: null, storedSparsely: true, sharedBy: ["m1", "m2"] },
      },
    ],
  };
  const result = { ...fake.result, report: { ...fake.result.report, held } };
  const { body, clock } = page({ ...fake.state, result });
  for (let i = 0; i < 60; i++) clock.pass(1);
  expect(text(body, ".insight-held .facts")).toContain("70 of 200 (35 %)");
  const rows = [...body.querySelectorAll(".insight-held tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent.replaceAll("\u00a0", " ")),
  );
  expect(rows[0]!.slice(1)).toEqual(["50.00 %", "2:4", "3 of 16", "", ""]);
  expect(rows[1]!.slice(1)).toEqual(["20.00 %", "", "", "", "stored sparsely; shared by m1, m2"]);
  expect(shown(page(fake.state).body, ".insight-held")).toBe(false);
});
