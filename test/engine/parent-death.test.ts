/** No engine outlives a parent that is killed, whatever it is doing at that moment. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeScript, type Step } from "./fake-script.js";
import { Stage, until } from "./stage.js";

const stage = new Stage();
const leaves = stage.path("temporary");

beforeAll(() => stage.bundle({ engine: "test/engine/fake-engine.ts", parent: "test/engine/lonely-parent.ts" }));
afterAll(() => {
  stage.remove();
});

// Each job would run for a minute: an engine that is gone within `until`'s 20 s did not just finish.
test.each<{ name: string; steps: Step[] }>([
  { name: "in a native run that blocks the event loop", steps: [{ do: "block", ms: 60_000 }] },
  { name: "in a busy loop", steps: [{ do: "busy", ms: 60_000 }] },
  { name: "between two checkpoints", steps: [{ do: "checkpoints", ms: 60_000, leaves }] },
])("an engine ends after its parent was killed $name", async ({ steps }) => {
  const progress = { stage: "running", done: 0, total: 0 };
  const { path } = writeScript(stage.folder, "model.onnx", [{ do: "progress", progress }, ...steps]);
  const parent = spawn(process.execPath, [stage.path("parent.js"), path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(parent.stdout, "data");
  expect(stage.processes("engine.js")).toHaveLength(1);
  parent.kill("SIGKILL");
  await until("the engine is gone", () => stage.processes("engine.js").length === 0);
  expect(stage.processes("parent.js")).toEqual([]);
  expect(existsSync(leaves)).toBe(false);
});

test("an idle engine ends after its parent was killed", async () => {
  const progress = { stage: "done", done: 1, total: 1 };
  const { path } = writeScript(stage.folder, "model.onnx", [{ do: "progress", progress }]);
  const parent = spawn(process.execPath, [stage.path("parent.js"), path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(parent.stdout, "data");
  expect(stage.processes("engine.js")).toHaveLength(1);
  parent.kill("SIGKILL");
  await until("the engine is gone", () => stage.processes("engine.js").length === 0);
});
