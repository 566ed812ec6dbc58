import { describe, expect, it } from "vitest";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { ViewState } from "../../server/protocol/view.js";
import { choicesFor, freshChoices, readChoices, sameChoice } from "../../webview/src/state/choices.js";
import { restDelay, type Change } from "../../webview/src/state/store.js";
import { fakeModel, loadingState, type FakeModel } from "./fake-model.js";
import { startStore, type StartedStore } from "./fake-host.js";

const fake = fakeModel({ layers: 12 });

/** A store that shows `fake`, with the engine's first exact answer taken. */
function opened(model: FakeModel = fake, persisted: unknown = null): StartedStore {
  const started = startStore(true, persisted);
  started.host.send({ type: "state", state: model.state });
  started.clock.draw();
  answer(started, model);
  return started;
}

/** Answers the newest question exactly. */
function answer({ host, clock }: StartedStore, model: FakeModel = fake): void {
  const question = host.of("survival").at(-1);
  if (question !== undefined) {
    host.send({ type: "reply", id: question.id, result: model.exact(question.sparsity, question.scope) });
  }
  clock.draw();
}

function kept({ store }: StartedStore): number[] {
  return [...(store.counts?.kept ?? [])];
}

describe("opening", () => {
  it("asks for the state and shows what the report has exactly, at once", () => {
    const started = startStore();
    const { host, clock, store } = started;
    expect(host.posted).toEqual([{ type: "ready" }]);
    host.send({ type: "state", state: fake.state });
    clock.draw();
    expect(store.rest).toBe(true);
    expect(store.counts?.approximate).toBe(false);
    expect(kept(started)).toEqual(fake.result.report.layers.map((layer) => layer.kept));
    // The threshold is not in the report: it is asked for.
    expect(host.of("survival")).toHaveLength(1);
    answer(started);
    expect(store.counts?.threshold).toBe(fake.exact(0.9, "global").threshold);
    host.send({ type: "state", state: { ...fake.state, banner: "changed" } });
    expect(host.of("survival")).toHaveLength(1);
  });

  it("keeps decoded parts when a state repeats them", () => {
    const { host, store } = opened();
    const { survey, counts } = store;
    host.send({ type: "state", state: JSON.parse(JSON.stringify({ ...fake.state, banner: "hello" })) as ViewState });
    expect(store.survey).toBe(survey);
    expect(store.counts).toBe(counts);
    expect(store.view?.banner).toBe("hello");
  });

  it("has layers before it has numbers", () => {
    const { host, store } = startStore();
    host.send({ type: "state", state: loadingState() });
    expect(store.survey).toBeNull();
    host.send({ type: "state", state: { ...fake.state, result: null } });
    expect(store.survey?.model.layers).toHaveLength(12);
    expect(store.counts).toBeNull();
    expect(host.of("survival")).toHaveLength(0);
  });

  it("leaves out a result of other layers", () => {
    const { host, store } = startStore();
    host.send({ type: "state", state: { ...fake.state, result: fakeModel({ layers: 11 }).result } });
    expect(store.survey?.analysis).toBeNull();
  });
});

describe("slider", () => {
  it("interpolates once a frame, asks after it rests, and is exact after the answer", () => {
    const started = opened();
    const { host, clock, store } = started;
    const announced: Change[][] = [];
    store.subscribe((changes) => announced.push([...changes]));
    for (let i = 0; i < 50; i++) store.slide(0.5 + i / 1000);
    clock.draw();
    expect(announced).toEqual([["sparsity"]]);
    expect(store.rest).toBe(false);
    expect(store.counts?.approximate).toBe(true);
    const exact = fake.exact(0.549, "global").kept;
    const points = 127;
    for (const [l, count] of kept(started).entries()) {
      expect(Math.abs(count - exact[l]!)).toBeLessThan((2 * fake.model.prunable) / points);
    }
    expect(host.of("survival")).toHaveLength(1);
    clock.pass(restDelay);
    expect(host.of("sparsity")).toEqual([{ type: "sparsity", sparsity: 0.549 }]);
    expect(host.of("survival")).toHaveLength(2);
    expect(store.rest).toBe(false);
    answer(started);
    expect(store.rest).toBe(true);
    expect(kept(started)).toEqual(exact);
    expect(store.counts?.approximate).toBe(false);
  });

  it("drops answers that come too late", () => {
    const started = opened();
    const { host, clock, store } = started;
    store.slide(0.3);
    store.settle();
    const late = host.of("survival").at(-1)!;
    store.slide(0.7);
    host.send({ type: "reply", id: late.id, result: fake.exact(0.3, "global") });
    clock.draw();
    expect(store.rest).toBe(false);
    expect(store.counts?.sparsity).toBe(0.7);
    store.settle();
    host.send({ type: "reply", id: late.id, result: fake.exact(0.3, "global") });
    expect(store.rest).toBe(false);
    const question = host.of("survival").at(-1)!;
    host.send({ type: "reply", id: question.id, result: { ...fake.exact(0.7, "global"), resultId: "another" } });
    expect(store.rest).toBe(false);
    expect(store.counts?.approximate).toBe(true);
  });

  it("asks again when another view's question cancelled its own, but not for ever", () => {
    const { host, clock, store } = opened();
    store.slide(0.4);
    store.settle();
    const asked = host.of("survival").length;
    for (let i = 0; i < 10; i++) {
      const { id } = host.of("survival").at(-1)!;
      host.send({ type: "reply", id, error: { code: "cancelled", message: "cancelled", about: {} } });
      clock.pass(restDelay);
    }
    expect(host.of("survival").length).toBe(asked + 3);
    expect(store.rest).toBe(true);
    expect(store.notice).toBeNull();
  });

  it("says why there are no exact numbers", () => {
    const { host, store } = opened();
    store.slide(0.4);
    store.settle();
    const { id } = host.of("survival").at(-1)!;
    host.send({ type: "reply", id, error: { code: "engine-crash", message: "The engine died.", about: {} } });
    expect(store.notice).toBe("The engine died.");
    expect(store.counts?.approximate).toBe(true);
    store.slide(0.5);
    expect(store.notice).toBeNull();
  });

  it("needs no answer where each layer loses its own share", () => {
    const layer = fakeModel({ layers: 12, recipe: { scope: "layer" } });
    const started = opened(layer);
    started.store.slide(0.25);
    started.clock.draw();
    expect(kept(started)).toEqual(layer.exact(0.25, "layer").kept);
  });
});

describe("recipe", () => {
  const first = fake.model.layers[0]!.id;

  it("posts an exclusion and is approximate until the new result is there", () => {
    const started = opened();
    const { host, clock, store } = started;
    store.exclude(first, true);
    clock.draw();
    expect(host.of("recipe").at(-1)?.recipe).toEqual({ ...fake.recipe, exclude: [first] });
    expect([store.fits, store.rest, store.counts?.approximate]).toEqual([false, false, true]);
    const next = fakeModel({ layers: 12, recipe: { exclude: [first] } });
    host.send({ type: "state", state: next.state });
    clock.draw();
    expect([store.fits, store.rest]).toEqual([true, true]);
    expect(kept(started)).toEqual(next.exact(0.9, "global").kept);
    expect(kept(started)[0]).toBe(fake.model.layers[0]!.parameters);
  });

  it("does not lose an exclusion that follows another at once", () => {
    const { host, store } = opened();
    const second = fake.model.layers[1]!.id;
    store.exclude(first, true);
    store.exclude(second, true);
    expect(host.of("recipe").at(-1)?.recipe.exclude).toEqual([first, second]);
    store.exclude(first, false);
    expect(host.of("recipe").at(-1)?.recipe.exclude).toEqual([second]);
  });

  it("goes back to what is shown when the analysis is cancelled", () => {
    const started = opened();
    const { host, clock, store } = started;
    store.choose({ scope: "layer" });
    host.send({ type: "activity", activity: { kind: "working", label: "Analyzing", progress: null } });
    expect(store.recipe.scope).toBe("layer");
    host.send({ type: "activity", activity: { kind: "idle" } });
    clock.draw();
    expect(store.recipe.scope).toBe("global");
    expect([store.fits, store.rest]).toEqual([true, true]);
    expect(kept(started)).toEqual(fake.exact(0.9, "global").kept);
  });

  it("keeps the choice when it failed, and what is shown stays exact", () => {
    const started = opened();
    const { host, clock, store } = started;
    store.choose({ criterion: "snip", scope: "layer" });
    host.send({ type: "activity", activity: { kind: "working", label: "Analyzing", progress: null } });
    expect([store.rest, store.leftBehind]).toEqual([false, false]);
    const error = { code: "missing-data", message: "No data.", about: {} } as const;
    host.send({ type: "activity", activity: { kind: "failed", error, retry: true } });
    clock.draw();
    expect([store.recipe.criterion, store.fits, store.leftBehind]).toEqual(["snip", false, true]);
    expect([store.rest, store.scope]).toEqual([true, "global"]);
    expect(kept(started)).toEqual(fake.exact(0.9, "global").kept);
    store.slide(0.7);
    store.settle();
    expect(host.of("survival").at(-1)).toMatchObject({ sparsity: 0.7, scope: "global" });
    answer(started);
    expect(kept(started)).toEqual(fake.exact(0.7, "global").kept);
    store.keepShown();
    expect(host.of("recipe").at(-1)?.recipe).toEqual({ ...fake.recipe, sparsity: 0.7 });
  });

  it("takes over what the host chose by itself, and remembers it", () => {
    const { host, clock, store } = opened(fakeModel({ layers: 12, recipe: { criterion: "snip" } }));
    store.choose({ batch: 8 });
    store.chooseData(true);
    expect(host.of("chooseData")).toEqual([{ type: "chooseData", folder: true }]);
    const next = fakeModel({ layers: 12, recipe: { criterion: "snip", batch: 8, data: "/images" } });
    host.send({ type: "state", state: { ...next.state, recipe: { ...next.recipe, data: "/other" } } });
    // The choice of 8 samples has not come yet, so what came is not the answer to it.
    expect(store.recipe).toMatchObject({ batch: 8 });
    const { recipe } = fakeModel({ layers: 12, recipe: { criterion: "snip", batch: 8 } });
    host.send({ type: "state", state: { ...next.state, recipe } });
    host.send({ type: "state", state: next.state });
    clock.pass(1000);
    expect(store.recipe.data).toBe("/images");
    expect(host.remembered).toMatchObject({ recipe: { criterion: "snip", data: "/images" } });
  });

  it("saves what is shown", () => {
    const { host, store } = opened();
    store.slide(0.8);
    store.save(true);
    expect(host.of("save")).toEqual([{ type: "save", recipe: { ...fake.recipe, sparsity: 0.8 }, as: true }]);
  });
});

describe("scores that are not finite", () => {
  it("keep everything where it is until their layer is excluded", () => {
    const bad = fakeModel({ layers: 12, nonFinite: [3] });
    const started = opened(bad);
    const { host, clock, store } = started;
    expect(store.blocked).toBe(true);
    store.slide(0.99);
    clock.pass(restDelay);
    expect(kept(started)).toEqual(bad.model.layers.map(({ parameters }) => parameters));
    expect(host.of("survival")).toHaveLength(0);
    expect(store.rest).toBe(true);
    host.send({
      type: "state",
      state: fakeModel({ layers: 12, nonFinite: [3], recipe: { exclude: [bad.model.layers[3]!.id] } }).state,
    });
    expect(store.blocked).toBe(false);
  });
});

describe("a saved report", () => {
  it("is exact at its own sparsity, interpolates elsewhere, and says nothing to anybody", () => {
    const { host, clock, store } = startStore(false);
    const started = { host, clock, store };
    host.send({ type: "state", state: { ...fake.state, mode: "report" } });
    clock.draw();
    expect([store.rest, store.counts?.approximate]).toEqual([true, false]);
    store.slide(0.6);
    clock.pass(restDelay);
    expect([store.rest, store.counts?.approximate]).toEqual([true, true]);
    store.slide(0.9);
    clock.pass(restDelay);
    expect([store.rest, store.counts?.approximate]).toEqual([true, false]);
    expect(kept(started)).toEqual(fake.exact(0.9, "global").kept);
    expect(host.posted).toEqual([{ type: "ready" }]);
  });
});

describe("choices", () => {
  it("come back after the tab was hidden", () => {
    const before = opened();
    before.store.slide(0.42);
    before.store.arrange({ sort: { column: "kept", descending: true }, filter: "gemm", scrollTop: 120 });
    before.store.select(fake.model.layers[6]!.id);
    before.clock.pass(1000);
    const after = opened(fake, before.host.remembered);
    expect(after.store.choices).toEqual(before.store.choices);
    expect(after.store.sparsity).toBe(0.42);
    answer(after);
    expect(kept(after)).toEqual(fake.exact(0.42, "global").kept);
  });

  it("ask a host that started anew for the recipe that was chosen", () => {
    const before = opened();
    before.store.choose({ scope: "layer" });
    before.clock.pass(1000);
    const after = startStore(true, before.host.remembered);
    after.host.send({ type: "state", state: fake.state });
    expect(after.host.of("recipe").map(({ recipe }) => recipe.scope)).toEqual(["layer"]);
  });

  it("yield to a host whose recipe another view has changed", () => {
    const before = opened();
    before.store.choose({ scope: "layer" });
    before.clock.pass(1000);
    const after = startStore(true, before.host.remembered);
    after.host.send({ type: "state", state: fakeModel({ layers: 12, recipe: { criterion: "random" } }).state });
    expect(after.host.of("recipe")).toEqual([]);
    expect(after.store.recipe.scope).toBe("global");
  });

  it("of another model are dropped, but for the order of the table", () => {
    const sort = { column: "kept", descending: true } as const;
    const other = { ...freshChoices, path: "/other.onnx", sparsity: 0.3, selected: "x", sort };
    expect(choicesFor(other, "/model.onnx")).toEqual({ ...freshChoices, path: "/model.onnx", sort });
  });

  it.each([null, 7, "x", [], { sparsity: 2, sort: { column: "nonsense" }, scrollTop: -1, recipe: { scope: "both" } }])(
    "that make no sense (%j) are left out",
    (stored) => {
      expect(readChoices(stored)).toEqual(freshChoices);
    },
  );

  it("of recipes are compared as sets", () => {
    const recipe = { ...defaultRecipe, exclude: ["a", "b"] };
    expect(sameChoice(recipe, { ...recipe, exclude: ["b", "a"] })).toBe(true);
    expect(sameChoice(recipe, { ...recipe, exclude: ["a", "c"] })).toBe(false);
    expect(sameChoice(recipe, { ...recipe, exclude: ["a"] })).toBe(false);
    expect(sameChoice(recipe, { ...recipe, scope: "layer" })).toBe(false);
    expect(sameChoice(recipe, { ...recipe, ...{ sparsity: 0.5 } })).toBe(true);
    for (const other of [{ data: "/x.npz" }, { loss: "mse" }, { batch: 8 }, { seed: 1 }]) {
      expect(sameChoice(recipe, { ...recipe, ...other }), JSON.stringify(other)).toBe(false);
    }
  });

  it("reveal a layer that the filter hides", () => {
    const { host, store } = opened();
    store.arrange({ filter: "nothing" });
    host.send({ type: "reveal", layer: fake.model.layers[4]!.id });
    expect(store.choices).toMatchObject({ filter: "", selected: fake.model.layers[4]!.id });
    host.send({ type: "reveal", layer: "unknown" });
    expect(store.choices.selected).toBe(fake.model.layers[4]!.id);
  });
});
