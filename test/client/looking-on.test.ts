// What is found out about a model beside its result: shapes, theory, collapse; measurements and remedies on request.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { JobName } from "../../server/protocol/requests.js";
import { failing, model, pending, type SessionStage, sessionStage, settle, settled } from "./session-stage.js";

vi.mock("vscode", () => import("./vscode-stub.js"));

let session: SessionStage["session"];
let answers: SessionStage["answers"];
let asked: SessionStage["asked"];
let noted: SessionStage["noted"];

beforeEach(() => {
  ({ session, answers, asked, noted } = sessionStage());
});

describe("output shapes", () => {
  it("give way to what the person asks for, and are asked for again after it", async () => {
    answers.shapes = [pending, () => ({ outputs: { a: [1] } })];
    await session.load();
    await session.analyze({ ...defaultRecipe, criterion: "random" });
    await settle();
    expect(asked.map(({ job }) => job).slice(0, 5)).toEqual(["open", "analyze", "shapes", "analyze", "shapes"]);
    expect(session.state.shapes).toEqual({ outputs: { a: [1] } });
    expect(session.state.activity.kind).toBe("idle");
  });

  it("say why they are not known, and leave the rest alone", async () => {
    answers.shapes = [failing(new PruneScopeError("unsupported-op", "No kernel for Foo."))];
    await session.load();
    await settle();
    expect(session.state.shapes).toMatchObject({ code: "unsupported-op" });
    expect(session.state.activity.kind).toBe("idle");
    await session.analyze({ ...defaultRecipe, criterion: "random" });
    await settle();
    expect(asked.filter(({ job }) => job === "shapes")).toHaveLength(1);
  });
});

describe("what is found out beside the result", () => {
  const count = (job: JobName): number => asked.filter((one) => one.job === job).length;

  it("theory once for a file, collapse for every result and every sparsity at rest", async () => {
    await session.load();
    await settle();
    await session.analyze({ ...settled, criterion: "random" });
    await settle();
    session.rest(0.5);
    await settle();
    session.rest(0.5);
    await settle();
    expect([count("theory"), count("collapse")]).toEqual([1, 3]);
    expect(asked.at(-1)!.params).toMatchObject({ recipe: { criterion: "random", sparsity: 0.5 } });
  });

  it("parity once for a file that was lowered, and for no other", async () => {
    await session.load();
    await settle();
    expect(count("parity")).toBe(0);
    answers.open = [() => ({ ...model("f2", "a"), format: "tfjs" })];
    answers.parity = [() => ({ proven: true })];
    await session.load();
    await settle();
    await session.analyze({ ...settled, criterion: "random" });
    await settle();
    expect(session.state.insights.parity).toEqual({ proven: true });
    expect(asked.filter(({ job }) => job === "parity").map(({ params }) => params)).toEqual([
      { uri: "file:///m.onnx", path: "/m.onnx", seed: settled.seed, dynamicAxes: settled.axes },
    ]);
  });

  it("a failure is shown in its place, noted, and not tried again", async () => {
    answers.theory = [failing(new PruneScopeError("unsupported-op", "No such operator."))];
    await session.load();
    await settle();
    expect(session.state.insights.theory).toMatchObject({ code: "unsupported-op" });
    expect(session.state.activity.kind).toBe("idle");
    expect([noted.length, count("theory"), count("collapse")]).toEqual([1, 1, 1]);
  });

  it("gives way to what the person asks for", async () => {
    answers.theory = [pending, () => ({ sigmaB: 0.2 })];
    await session.load();
    await settle();
    await session.analyze({ ...settled, criterion: "random" });
    await settle();
    expect(session.state.insights.theory).toEqual({ sigmaB: 0.2 });
    expect(noted).toEqual([]);
  });

  it("is not done by itself for very large models", async () => {
    answers.open = [() => ({ ...model("f1", "a"), prunable: 1e9 })];
    await session.load();
    await settle();
    expect([count("theory"), count("collapse")]).toEqual([1, 0]);
  });

  it("measurements and remedies on request, of the shown recipe at the sparsity of the slider", async () => {
    answers.measure = [() => ({ loss: 1 })];
    answers.remedies = [() => ({ budget: 60 })];
    await session.load();
    session.rest(0.7);
    await settle();
    await session.looking.measure(3);
    await session.looking.remedies(60);
    expect(session.state.insights).toMatchObject({ measured: { loss: 1 }, remedies: { budget: 60 } });
    const params = asked.filter(({ job }) => job === "measure" || job === "remedies").map((one) => one.params);
    expect(params).toMatchObject([
      { recipe: { sparsity: 0.7 }, stabilityRuns: 3 },
      { recipe: { sparsity: 0.7 }, budget: 60 },
    ]);
    // Another recipe: they no longer hold, the theory does.
    await session.analyze({ ...settled, criterion: "random" });
    expect(session.state.insights).toMatchObject({ theory: { sigmaB: 0.2 }, measured: null, remedies: null });
  });

  it("what comes too late is dropped, and cancelling leaves nothing behind", async () => {
    let answer: (value: unknown) => void = () => undefined;
    answers.measure = [() => new Promise((resolve) => (answer = resolve)), pending];
    await session.load();
    await settle();
    const late = session.looking.measure(0);
    await session.analyze({ ...settled, criterion: "random" });
    answer({ loss: 1 });
    await late;
    expect(session.state.insights.measured).toBeNull();
    const cancelled = session.looking.measure(0);
    session.cancel();
    await cancelled;
    expect(session.state.insights.measured).toBeNull();
    expect(noted).toEqual([]);
  });
});
