// One comparison with a server that does what the test says: what its page is told, and what becomes of work that is
// cancelled, fails or is asked for again.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { ComparisonSession, latencySeconds } from "../../client/src/comparison/comparison-session.js";
import { originalFirst } from "../../client/src/comparison/original-first.js";
import type { CompareReport, ToComparison } from "../../server/protocol/compare.js";
import { parseFromComparison } from "../../server/protocol/compare.js";
import { PruneScopeError } from "../../server/protocol/errors.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import type { JobName, Jobs } from "../../server/protocol/requests.js";
import { comparisonReport } from "../webview/fake-comparison.js";
import { failing, pending, settle, type Answer } from "./session-stage.js";

vi.mock("vscode", () => import("./vscode-stub.js"));

const report = (samples: number): CompareReport => ({ ...comparisonReport, samples });

let answers: Answer[];
let asked: { job: JobName; params: unknown }[];
let posted: ToComparison[];
let noted: unknown[];
let session: ComparisonSession;

beforeEach(() => {
  [answers, asked, posted, noted] = [[() => report(1)], [], [], []];
  session = new ComparisonSession(
    {
      server: {
        request: async <J extends JobName>(job: J, params: Jobs[J]["params"], signal: AbortSignal) => {
          asked.push({ job, params });
          return (await (answers.length > 1 ? answers.shift() : answers[0])?.(params, signal)) as Jobs[J]["result"];
        },
      },
      uri: "prunescope-comparison:1",
      paths: () => Promise.resolve({ original: "/a.onnx", pruned: "/b.onnx" }),
      post: (message) => posted.push(message),
      note: (error) => noted.push(error),
    },
    { original: "a.onnx", pruned: "b.onnx" },
    defaultRecipe,
  );
});

describe("a comparison", () => {
  it("asks for both models and shows the report", async () => {
    await session.run();
    const params = {
      uri: "prunescope-comparison:1",
      path: "/a.onnx",
      pruned: "/b.onnx",
      recipe: defaultRecipe,
      latencySeconds,
    };
    expect(asked).toEqual([{ job: "compare", params }]);
    const state = { original: "a.onnx", pruned: "b.onnx", report: report(1), activity: { kind: "idle" } };
    expect(posted[0]).toMatchObject({ type: "activity", activity: { kind: "working" } });
    expect(posted.at(-1)).toEqual({ type: "comparison", state });
  });

  it("tells its progress", async () => {
    answers = [pending];
    void session.run();
    await settle();
    session.progress({ stage: "Comparing weights", done: 1, total: 2 });
    expect(posted.at(-1)).toMatchObject({ activity: { progress: { stage: "Comparing weights", done: 1, total: 2 } } });
    session.cancel();
  });

  it("is made again on other samples, with the last report in view meanwhile", async () => {
    await session.run();
    answers = [() => report(2)];
    const again = session.runOn("/data.npz");
    expect(session.state).toMatchObject({ report: { samples: 1 }, activity: { kind: "working" } });
    await again;
    expect(asked.at(-1)).toMatchObject({ params: { recipe: { data: "/data.npz" } } });
    expect(session.state.report).toEqual(report(2));
  });

  it("that is cancelled offers another attempt, or goes back to the last report", async () => {
    answers = [pending];
    const first = session.run();
    await settle();
    session.cancel();
    await first;
    expect(session.state.activity).toMatchObject({ kind: "failed", retry: true, error: { code: "cancelled" } });
    answers = [() => report(1), pending];
    await session.run();
    const second = session.run();
    await settle();
    session.cancel();
    await second;
    expect(session.state).toMatchObject({ report: { samples: 1 }, activity: { kind: "idle" } });
    expect(noted).toEqual([]);
  });

  it("that fails says why, and offers what can help", async () => {
    const wrong = new PruneScopeError("shape-mismatch", "The models take different inputs.");
    answers = [failing(wrong)];
    await session.run();
    expect(session.state.activity).toMatchObject({ kind: "failed", retry: false, error: { code: "shape-mismatch" } });
    expect(noted).toEqual([wrong]);
    answers = [() => report(3)];
    await session.run();
    expect(session.state).toMatchObject({ report: { samples: 3 }, activity: { kind: "idle" } });
  });

  it("listens to the newest attempt only", async () => {
    let finish: (value: CompareReport) => void = () => undefined;
    answers = [() => new Promise((resolve) => (finish = resolve)), () => report(2)];
    const first = session.run();
    await settle();
    await session.run();
    finish(report(1));
    await first;
    expect(session.state).toMatchObject({ report: { samples: 2 }, activity: { kind: "idle" } });
  });

  it("is silent and stops its work once its page is closed", async () => {
    answers = [pending];
    const running = session.run();
    await settle();
    const told = posted.length;
    session.dispose();
    await running;
    expect(posted).toHaveLength(told);
  });
});

it.each([
  ["net.onnx", "net.snip-90.onnx", true],
  ["net.2of4.onnx", "net.onnx", false],
  ["net-pruned.ONNX", "net.onnx", false],
  // Another name altogether, or one that only begins alike: as they were chosen.
  ["network.onnx", "net.onnx", true],
  ["b.onnx", "a.onnx", true],
  // TensorFlow.js models, whose folders tell them apart.
  ["/w/net/model.json", "/w/net.snip-90/model.json", true],
  ["/w/net.snip-90/model.json", "/w/net/model.json", false],
  ["/w/net/net.snip-90/model.json", "/w/net/model.json", false],
  ["/w/net.snip-90/net.json", "/w/net.json", false],
  ["/w/b/model.json", "/w/a/model.json", true],
  ["/w/net.onnx", "/w/net.snip-90/model.json", true],
] as const)("of %s and %s the first is the original: %s", (a, b, expected) => {
  expect(originalFirst([a, b])).toBe(expected);
});

it.each([
  [{ type: "ready" }, { type: "ready" }],
  [
    { type: "chooseData", folder: true, more: 1 },
    { type: "chooseData", folder: true },
  ],
  [{ type: "chooseData" }, null],
  [{ type: "save", recipe: {} }, null],
  ["ready", null],
])("takes %o from a page as %o", (message, expected) => {
  expect(parseFromComparison(message)).toEqual(expected);
});
