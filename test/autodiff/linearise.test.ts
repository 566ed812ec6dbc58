/** Linear forms of small graphs: the flow as computed by hand, and which weights are in it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { linearRules } from "../../server/src/autodiff/linearise/rules/index.js";
import { Flow } from "../../server/src/autodiff/linearise/flow.js";
import { linearCases } from "../cases/linear-forms.js";
import { model, modelBytes, tensor, value } from "../support/models.js";
import { openBytes } from "../support/synflow.js";

describe("the linear form of", () => {
  it.each(linearCases)("$title", async ({ nodes, constants = [], shape = [1, 4], dtype = "float", flow, reason }) => {
    const signs = Array.from({ length: 16 }, (_, i) => (i % 3 === 0 ? -0.5 : 0.5));
    const made = model({
      opset: 18,
      graph: {
        nodes,
        inputs: [value("x", dtype, shape)],
        outputs: [value("y", "float", null)],
        initializers: [tensor("W", "float", [4, 4], signs), ...constants],
      },
    });
    const opened = await openBytes(modelBytes(made));
    const linear = await Flow.open(opened.flow);
    try {
      const at = opened.flow.weights.indexOf("W");
      const ran = await linear.run(opened.weights.map(({ elements }) => elements.map(Math.abs)));
      if (linear.program === null) expect(reason).toBeDefined();
      // Few terms, most of them powers of two: some roundings of 2^-24.
      else expect(Math.abs((ran.flow * 2 ** ran.exponent) / flow - 1)).toBeLessThan(1e-6);
      expect(linear.reasons[at]).toBe(reason ?? null);
    } finally {
      await linear.close();
      opened.close();
    }
  });
});

describe("the list of rules", () => {
  it("has every file of its folder, and no operator twice", () => {
    const folder = join(import.meta.dirname, "..", "..", "server", "src", "autodiff", "linearise", "rules");
    const index = readFileSync(join(folder, "index.ts"), "utf8");
    for (const file of readdirSync(folder)) if (file !== "index.ts") expect(index).toContain(file.replace(/ts$/, "js"));
    const operators = linearRules.map(({ op }) => op);
    expect(new Set(operators).size).toBe(operators.length);
  });
});
