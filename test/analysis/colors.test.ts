import { describe, expect, it } from "vitest";
import { inColor } from "../../server/src/analysis/colors.js";

describe("colours", () => {
  it.each([
    ["a terminal", {}, true, true],
    ["a terminal that cannot", { TERM: "dumb" }, true, false],
    ["a pipe", {}, false, false],
    ["a pipe of a CI run", { CI: "true" }, false, false],
    ["a pipe that asks for colours", { FORCE_COLOR: "1" }, false, true],
    ["a terminal that asks for none", { NO_COLOR: "1" }, true, false],
    ["a terminal that forces none", { FORCE_COLOR: "0" }, true, false],
    ["both asked for: none", { NO_COLOR: "1", FORCE_COLOR: "1" }, true, false],
  ])("%s", (_, env, terminal, colored) => {
    expect(inColor(env, terminal)).toBe(colored);
  });
});
