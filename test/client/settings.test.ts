// Settings are checked: whatever settings.json holds, what reaches the server is in range.

import { describe, expect, it, vi } from "vitest";
import { parseModelSettings, parseServerSettings, traceLevel } from "../../client/src/settings.js";
import { defaultRecipe, parseRecipe } from "../../server/protocol/recipe.js";
import { parseJobParams, parseServerSettings as checkByServer } from "../../server/protocol/validate.js";
import { configuration } from "./vscode-stub.js";

vi.mock("vscode", () => import("./vscode-stub.js"));

const from = (values: Record<string, unknown>) => (key: string) => values[key];

describe("settings of a model", () => {
  it("are taken over", () => {
    const dynamicAxes = { batch: 2, "input:1": 224 };
    const given = { criterion: "random", sparsity: 0.5, scope: "layer", seed: 7, dynamicAxes, analyzeOnOpen: false };
    expect(parseModelSettings(from(given))).toEqual({
      recipe: { ...defaultRecipe, criterion: "random", sparsity: 0.5, scope: "layer", seed: 7, axes: dynamicAxes },
      dynamicAxes,
      analyzeOnOpen: false,
    });
  });

  const odd = [undefined, null, "", "x", -1, 1, 1.5, 2 ** 40, NaN, Infinity, true, [], {}, { a: 0 }, { a: "1" }];
  it.each(odd)("fall back to what the server accepts when each is %j", (value) => {
    const { recipe, dynamicAxes } = parseModelSettings(() => value);
    expect(parseRecipe(recipe)).toEqual(recipe);
    const params = { uri: "file:///m.onnx", path: "/m.onnx", dynamicAxes };
    expect(parseJobParams("open", params)).toEqual(params);
    const server = parseServerSettings(() => value);
    expect(checkByServer(server)).toEqual(server);
  });
});

it("traces only when asked to", () => {
  for (const [value, level] of [
    [undefined, "off"],
    ["off", "off"],
    ["messages", "messages"],
    ["verbose", "verbose"],
    [7, "off"],
  ] as const) {
    configuration.set("trace.server", value);
    expect(traceLevel()).toBe(level);
  }
});
