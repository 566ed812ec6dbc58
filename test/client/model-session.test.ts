// One open model, from the file to its result, with a server that does what the test says.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { Cancelled, ServerLost } from "../../client/src/server/request-error.js";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { ExactSurvival } from "../../server/protocol/report.js";
import type { JobName } from "../../server/protocol/requests.js";
import { noInsights } from "../../server/protocol/view.js";
import {
  analyzed,
  failing,
  model,
  pending,
  type SessionStage,
  sessionStage,
  settle,
  settled,
} from "./session-stage.js";

vi.mock("vscode", () => import("./vscode-stub.js"));

let session: SessionStage["session"];
let answers: SessionStage["answers"];
let asked: SessionStage["asked"];
let posted: SessionStage["posted"];
let noted: SessionStage["noted"];
let settings: SessionStage["settings"];

beforeEach(() => {
  ({ session, answers, asked, posted, noted, settings } = sessionStage());
});

/** The jobs so far, but for the one that follows whatever is shown. */
const jobs = (): JobName[] =>
  asked.map(({ job }) => job).filter((job) => job !== "shapes" && job !== "theory" && job !== "collapse");
const activityKinds = (): string[] =>
  posted.map((message) => {
    if (message.type === "activity") return message.activity.kind;
    return message.type === "state" ? `state ${message.state.activity.kind}` : message.type;
  });

describe("opening", () => {
  it("shows the model at once and the result when it is there", async () => {
    await session.load();
    await settle();
    expect(asked.map(({ job, params }) => [job, params])).toEqual([
      ["open", { uri: "file:///m.onnx", path: "/m.onnx", dynamicAxes: { batch: 2 } }],
      ["analyze", { uri: "file:///m.onnx", path: "/m.onnx", recipe: settled }],
      ["shapes", { uri: "file:///m.onnx", path: "/m.onnx", dynamicAxes: { batch: 2 } }],
      ["theory", { uri: "file:///m.onnx", path: "/m.onnx", sigmaB: 0.2, dynamicAxes: { batch: 2 } }],
      ["collapse", { uri: "file:///m.onnx", path: "/m.onnx", recipe: settled }],
    ]);
    expect(activityKinds().at(-1)).toBe("idle");
    expect(session.state.insights).toEqual({ ...noInsights, theory: { sigmaB: 0.2 }, collapse: { order: [] } });
    expect(session.state.shapes).toEqual({ outputs: {} });
    const states = posted.filter((message) => message.type === "state");
    expect(states.map(({ state }) => [state.model?.fingerprint, state.result?.resultId])).toEqual([
      ["f1", undefined],
      // With the result, the shapes, the theory and the collapse.
      ...Array<unknown>(4).fill(["f1", "magnitude"]),
    ]);
    expect(session.path).toBe("/m.onnx");
  });

  it("stops at the layers when the settings say so, until analysing is asked for", async () => {
    settings.analyzeOnOpen = false;
    await session.load();
    await settle();
    expect(jobs()).toEqual(["open"]);
    expect(session.state.activity.kind).toBe("idle");
    await session.analyze({ ...defaultRecipe, criterion: "random" });
    expect(jobs()).toEqual(["open", "analyze"]);
    expect(session.state.result?.resultId).toBe("random");
  });

  it("says what is wrong with a file, and offers to retry only what may help", async () => {
    answers.open = [failing(new PruneScopeError("malformed-model", "m.onnx is cut off."))];
    await session.load();
    expect(session.state.activity).toEqual({
      kind: "failed",
      error: { code: "malformed-model", message: "m.onnx is cut off.", about: {} },
      retry: false,
    });
    expect(noted).toHaveLength(1);
    answers.open = [failing(new PruneScopeError("engine-crash", "It crashed twice."))];
    await session.load();
    expect(session.state.activity).toMatchObject({ kind: "failed", retry: true });
    answers.open = [() => model("f1", "a")];
    await session.retry();
    expect(asked.find(({ job }) => job === "analyze")?.params).toMatchObject({ retry: true });
    expect(asked.filter(({ job }) => job === "open").at(-1)?.params).toMatchObject({
      retry: true,
      path: "/fresh.onnx",
    });
    await settle();
    expect(session.state.activity.kind).toBe("idle");
    expect(session.state.result).not.toBeNull();
  });

  it("keeps the model when it cannot be analysed", async () => {
    answers.analyze = [failing(new PruneScopeError("non-finite", "Layer a holds NaN."))];
    await session.load();
    expect(session.state).toMatchObject({ model: { fingerprint: "f1" }, result: null, activity: { kind: "failed" } });
  });
});

describe("another recipe", () => {
  const random = { ...defaultRecipe, criterion: "random" };

  it("replaces the result; only the newest counts", async () => {
    await session.load();
    answers.analyze = [pending, analyzed];
    const first = session.analyze({ ...defaultRecipe, criterion: "never" });
    await session.analyze(random);
    await first;
    await settle();
    expect(session.state.result?.resultId).toBe("random");
    expect(session.state.recipe.criterion).toBe("random");
    expect(session.state.activity.kind).toBe("idle");
  });

  it("goes back to what is shown when it is cancelled, the slider's place kept", async () => {
    await session.load();
    await settle();
    answers.analyze = [pending];
    const analysis = session.analyze(random);
    session.rest(0.4);
    session.cancel();
    await analysis;
    expect(session.state.recipe).toEqual({ ...settled, sparsity: 0.4 });
    expect(session.state.activity.kind).toBe("idle");
    expect(noted).toEqual([]);
  });

  it("is shown as what is asked for at once, and stays so when it fails; the result stays what it was", async () => {
    await session.load();
    await settle();
    posted.length = 0;
    answers.analyze = [failing(new PruneScopeError("missing-data", "No array fits."))];
    await session.analyze({ ...settled, criterion: "snip" });
    const first = posted.find((message) => message.type === "state");
    expect(first?.state).toMatchObject({ recipe: { criterion: "snip" }, result: { resultId: "magnitude" } });
    expect(session.state).toMatchObject({
      recipe: { criterion: "snip" },
      result: { resultId: "magnitude", recipe: { criterion: "magnitude" } },
      activity: { kind: "failed" },
    });
    // Trying again and failing again loses nothing either.
    await session.retry();
    expect(session.state.result?.resultId).toBe("magnitude");
  });

  it("takes other data at the sparsity where the slider rests", async () => {
    await session.load();
    await session.analyze({ ...settled, criterion: "snip" });
    session.rest(0.7);
    await session.scoreOn("/images");
    expect(session.state.result?.recipe).toEqual({ ...settled, criterion: "snip", sparsity: 0.7, data: "/images" });
  });

  it("can be tried again when the first analysis was cancelled", async () => {
    answers.analyze = [pending];
    const opening = session.load();
    await settle();
    session.cancel();
    await opening;
    expect(session.state.activity).toMatchObject({ kind: "failed", error: { code: "cancelled" }, retry: true });
  });
});

describe("a file that changes", () => {
  it("is read again when it has settled; the old view stays until then", async () => {
    await session.load();
    session.changing();
    expect(session.state.banner).toContain("m.onnx is changing on disk");
    answers.open = [() => model("f2", "b")];
    const recipe = { ...settled, exclude: ["a", "b"], floors: { a: 0.5 } };
    await session.analyze(recipe);
    posted.length = 0;
    session.settled();
    await settle();
    const models = posted.flatMap((message) => (message.type === "state" ? [message.state.model?.fingerprint] : []));
    // With the result, the output shapes, the theory and the collapse.
    expect(models).toEqual(["f2", "f2", "f2", "f2"]);
    expect(session.state.banner).toBeNull();
    // What the recipe says of a layer that is gone is forgotten.
    expect(session.state.recipe).toEqual({ ...recipe, exclude: ["b"], floors: {} });
    expect(asked.at(-2)?.params).toMatchObject({ path: "/fresh.onnx" });
  });

  it("leaves the old view, and says so, when it cannot be read any more or is gone", async () => {
    await session.load();
    session.changing();
    answers.open = [failing(new PruneScopeError("malformed-model", "cut off"))];
    session.settled();
    await settle();
    expect(session.state).toMatchObject({
      model: { fingerprint: "f1" },
      result: { resultId: "magnitude" },
      activity: { kind: "failed" },
    });
    expect(session.state.banner).toContain("cannot be read now");
    session.deleted();
    expect(session.state.banner).toContain("no longer on disk");
  });

  it("is read again when the server sees the change first", async () => {
    await session.load();
    answers.analyze = [failing(new PruneScopeError("changed-on-disk", "changed")), analyzed];
    await session.analyze({ ...defaultRecipe, criterion: "random" });
    await settle();
    expect(jobs()).toEqual(["open", "analyze", "analyze", "open", "analyze"]);
    expect(session.state.result?.resultId).toBe("random");
  });
});

describe("a server that dies", () => {
  it("is asked again by itself", async () => {
    answers.analyze = [failing(new ServerLost()), analyzed];
    await session.load();
    await settle();
    expect(jobs()).toEqual(["open", "analyze", "open", "analyze"]);
    expect(session.state.activity.kind).toBe("idle");
    expect(activityKinds()).not.toContain("failed");
  });

  it("is asked again when it is back, if nothing else is under way", async () => {
    await session.load();
    await settle();
    session.serverBack();
    await settle();
    expect(jobs()).toEqual(["open", "analyze", "open", "analyze"]);
    answers.open = [failing(new PruneScopeError("malformed-model", "cut off"))];
    await session.load();
    session.serverBack();
    await settle();
    expect(jobs()).toHaveLength(5);
  });

  it("is given up when the model takes it down again and again", async () => {
    answers.open = [failing(new ServerLost())];
    await session.load();
    await settle();
    expect(jobs()).toEqual(["open", "open", "open"]);
    expect(session.state.activity).toMatchObject({ kind: "failed", retry: true, error: { code: "engine-crash" } });
  });
});

describe("exact counts", () => {
  it("are asked about the scores that are shown, and once more when the server is lost", async () => {
    await session.load();
    answers.analyze = [pending];
    void session.analyze({ ...defaultRecipe, criterion: "random" });
    const exact = { resultId: "magnitude" } as ExactSurvival;
    answers.survival = [failing(new ServerLost()), () => exact];
    expect(await session.survival(0.25, "layer", new AbortController().signal)).toBe(exact);
    expect(asked.at(-1)?.params).toEqual({
      uri: "file:///m.onnx",
      path: "/m.onnx",
      recipe: { ...settled, sparsity: 0.25, scope: "layer" },
    });
    session.cancel();
  });

  it("are refused before there is a result", async () => {
    const asking = session.survival(0.5, "global", new AbortController().signal);
    await expect(asking).rejects.toMatchObject({ code: "bad-request" });
  });
});

describe("work beside", () => {
  it("shows its label and progress, and is cancelled with the rest", async () => {
    await session.load();
    await settle();
    const saving = session.beside("Saving", "save", (signal) => pending(null, signal) as Promise<never>);
    expect(session.state.activity).toEqual({ kind: "working", label: "Saving", progress: null });
    session.progress("save", { stage: "copy", done: 1, total: 4 });
    session.progress("verify", { stage: "run", done: 1, total: 2 });
    expect(session.state.activity).toMatchObject({ progress: { stage: "copy", done: 1, total: 4 } });
    session.cancel();
    await expect(saving).rejects.toBeInstanceOf(Cancelled);
    expect(session.state.activity.kind).toBe("idle");
  });

  it("says nothing once the last view is closed", async () => {
    answers.analyze = [pending];
    const opening = session.load();
    await settle();
    posted.length = 0;
    session.dispose();
    await opening;
    session.settled();
    session.deleted();
    await settle();
    expect(posted).toEqual([]);
    expect(noted).toEqual([]);
  });
});

it("can be waited for until there is something to save", async () => {
  answers.analyze = [failing(new ServerLost()), analyzed];
  void session.load();
  await session.firstResult();
  expect(session.state.result?.resultId).toBe("magnitude");
  answers.open = [failing(new PruneScopeError("malformed-model", "cut off"))];
  void session.load();
  await session.firstResult();
});
