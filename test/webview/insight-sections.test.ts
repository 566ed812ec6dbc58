import { describe, expect, it } from "vitest";
import type { ErrorData } from "../../server/protocol/errors.js";
import type { CollapseReport } from "../../server/protocol/insights.js";
import type { Insights } from "../../server/protocol/view.js";
import { fakeInsights, fakeMeasure } from "./fake-insights.js";
import type { FakeClock } from "./fake-host.js";
import { fakeModel } from "./fake-model.js";
import { page, shown, text } from "./page-in-jsdom.js";

const fake = fakeModel({ layers: 12 });

describe("insights", () => {
  const insights = fakeInsights(fake);
  const state = { ...fake.state, insights };
  /** Lets everything be built that waits for what is due. */
  const settle = (clock: FakeClock): void => {
    for (let i = 0; i < 60; i++) clock.pass(1);
  };
  const failed: ErrorData = { code: "internal", message: "No such job.", about: {} };

  it("are built after the page is drawn", () => {
    const { body, clock } = page(state);
    expect(body.querySelectorAll(".insight-body > *")).toHaveLength(0);
    settle(clock);
    for (const part of ["collapse", "theory", "measured", "remedies"]) {
      expect(body.querySelectorAll(`.insight-${part} .insight-body > *`).length).toBeGreaterThan(0);
    }
  });

  it("name the first five layers to go and fold the rest", () => {
    const { body, clock } = page(state);
    settle(clock);
    const { order } = insights.collapse as CollapseReport;
    expect(body.querySelectorAll(".order li")).toHaveLength(5);
    expect(text(body, ".order li")).toContain(order[0]!.id);
    expect(text(body, ".insight-collapse")).toContain(`${order.length - 5} more layers`);
    for (const part of ["Network cutat 98.7 %", "Dead branches1 of 8"])
      expect(text(body, ".insight-collapse")).toContain(part);
  });

  it("raise the risk of a layer whose kept weights are on no path, and say why", () => {
    const { body } = page(state);
    const row = body.querySelector<HTMLElement>(`.rows [data-layer-id="${fake.model.layers[2]!.id}"]`)!;
    expect(row.dataset["standing"]).toBe("high");
    expect(row.querySelector<HTMLElement>(".cell-risk")?.title).toBe("no kept weight is on a path through the network");
    const other = page({ ...state, insights: { ...insights, collapse: failed } });
    const plain = other.body.querySelector<HTMLElement>(`.rows [data-layer-id="${fake.model.layers[2]!.id}"]`);
    expect(plain?.dataset["standing"]).toBe(fake.result.report.layers[2]!.risk);
  });

  it("list every layer's phase and suggestion, with evidence, code and residual blocks", () => {
    const { body, clock } = page(state);
    settle(clock);
    expect(body.querySelectorAll(".insight-theory .data-table tbody tr")).toHaveLength(12);
    expect(text(body, ".insight-theory")).toContain("The weights look as they were drawn");
    expect(text(body, ".insight-theory")).toContain("8 scaled additions (L)");
    const tabs = [...body.querySelectorAll<HTMLElement>("[role=tab]")];
    expect(tabs.map((tab) => tab.textContent)).toEqual(["PyTorch", "Keras", "TensorFlow.js", "JAX"]);
    tabs[3]!.click();
    expect(text(body, ".code")).toContain("jax.nn.initializers");
    expect(tabs.map((tab) => tab.getAttribute("aria-selected"))).toEqual(["false", "false", "false", "true"]);
  });

  it("are linked: a name selects its layer everywhere, and its row is marked", () => {
    const { body, clock, store } = page(state);
    settle(clock);
    body.querySelectorAll<HTMLElement>(".insight-theory .layer-link")[2]!.click();
    clock.draw();
    expect(store.choices.selected).toBe(fake.model.layers[2]!.id);
    expect(text(body, ".row-marked .layer-link")).toBe(fake.model.layers[2]!.weight);
    expect(text(body, ".detail")).toContain("Phase");
    expect(text(body, ".detail")).toContain("Suggestedσ_w 1.30, σ_b 0.200");
  });

  it("are measured and asked for on request", () => {
    const { body, host } = page({ ...fake.state });
    expect(text(body, ".insight-measured .insight-state")).toContain("Not measured.");
    body.querySelector<HTMLElement>(".measure")!.click();
    body.querySelector<HTMLElement>(".measure-stability")!.click();
    body.querySelector<HTMLElement>(".seek-remedies")!.click();
    expect(host.posted.filter(({ type }) => type === "measure" || type === "remedies")).toEqual([
      { type: "measure", stabilityRuns: 0 },
      { type: "measure", stabilityRuns: 3 },
      { type: "remedies", budget: 60 },
    ]);
  });

  it("apply a remedy at the slider's sparsity, say what it changes, and take it back", () => {
    const { body, host, clock, store } = page(state);
    settle(clock);
    body.querySelector<HTMLElement>(".apply")!.click();
    clock.draw();
    expect(host.of("recipe").at(-1)?.recipe).toEqual({ ...fake.recipe, quota: "erk" });
    expect(store.fits).toBe(false);
    expect(text(body, ".extras")).toContain("With ERK densities.");
    body.querySelector<HTMLElement>(".extras-undo")!.click();
    expect(host.of("recipe").at(-1)?.recipe).toEqual(fake.recipe);
    expect(store.fits).toBe(true);
  });

  it("that failed say why, each in its place", () => {
    const { body, clock } = page({
      ...state,
      insights: {
        theory: failed,
        collapse: { ...(insights.collapse as CollapseReport), effective: failed },
        measured: { ...fakeMeasure(fake), conditioning: failed },
        remedies: null,
        parity: null,
      },
    });
    settle(clock);
    expect(text(body, ".insight-theory .insight-state")).toBe("Not known: No such job.");
    expect(text(body, ".insight-collapse .insight-error")).toContain("No such job.");
    expect(text(body, ".insight-measured .insight-error")).toContain("Conditioning is not known: No such job.");
    expect(text(body, ".insight-remedies .insight-state")).toContain("Not asked.");
  });

  it("say whether the numbers are about the person's model, and loudly when they are not", () => {
    const line = (parity: Insights["parity"]): HTMLElement =>
      page({ ...state, insights: { ...insights, parity } }).body.querySelector<HTMLElement>(".parity")!;
    expect(line(null).hidden).toBe(true);
    const same = line({
      proven: true,
      backend: "wasm",
      version: "4.22.0",
      reason: "No better one.",
      input: "synthetic values",
      outputs: [],
      relative: 3.2e-7,
      allowed: 1e-5,
      seconds: 1,
    });
    expect(same.dataset["state"]).toBe("same");
    for (const part of ["4.22.0 (wasm)", "3.2e-7", "1.0e-5", "No better one."])
      expect(same.textContent).toContain(part);
    const unknown = line({ proven: false, reason: "A layer has no lowering.", seconds: 0 });
    expect([unknown.dataset["state"], unknown.textContent]).toEqual([
      "unknown",
      "Not compared with TensorFlow.js: A layer has no lowering.",
    ]);
    const crash = line({ code: "engine-crash", message: "It crashed.", about: {} });
    expect([crash.dataset["state"], crash.textContent]).toEqual([
      "unknown",
      "Not compared with TensorFlow.js: It crashed.",
    ]);
    const differs = line({ code: "parity", message: "It computes something else.", about: {} });
    expect([differs.dataset["state"], differs.textContent]).toEqual(["differs", "It computes something else."]);
  });

  it("stay in a saved report, without what needs a host", () => {
    const { body, clock } = page({ ...state, mode: "report", insights: { ...insights, remedies: null } });
    settle(clock);
    expect(shown(body, ".insight-theory")).toBe(true);
    expect(shown(body, ".insight-remedies")).toBe(false);
    for (const part of [".measure", ".seek-remedies", ".apply"]) expect(body.querySelector(part)).toBeNull();
  });
});
