/** Code for other frameworks: it holds the numbers, scales inputs where there is a scale, and parses. */
import { describe, expect, it } from "vitest";
import { transform } from "esbuild";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import { edgeOfChaos } from "../../server/src/meanfield/edge-of-chaos.js";
import { schemes } from "../../server/protocol/recipe.js";
import { frameworks, snippet } from "../../server/src/meanfield/snippets.js";

const tanh = edgeOfChaos(activationNamed("tanh"), 0.2).point!;
const relu = edgeOfChaos(activationNamed("relu"), 0).point!;

describe.each(frameworks)("%s", (framework) => {
  describe.each(schemes)("%s", (scheme) => {
    it("holds σ_w, σ_b and the scale of inputs", () => {
      const code = snippet(framework, "tanh", tanh, scheme);
      for (const number of ["1.30414584", "0.2", "0.2775632121"]) expect(code).toContain(number);
      expect(code.includes("rthogonal")).toBe(scheme === "orthogonal");
    });

    it("scales no inputs where any scale will do", () => {
      const code = snippet(framework, "relu", relu, scheme);
      expect(code).toContain("1.414213562");
      expect(code).not.toMatch(/scaled_?inputs/i);
    });

    it("closes every bracket and quote, line by line in Python", async () => {
      const code = snippet(framework, "tanh", tanh, scheme);
      if (framework === "tfjs") await transform(code, { loader: "js" });
      else
        for (const line of code.split("\n")) {
          expect(line.length).toBeLessThanOrEqual(240);
          for (const pair of ["()", "[]", "{}"])
            expect(line.split(pair[0]!).length, line).toBe(line.split(pair[1]!).length);
          expect(line.split('"').length % 2, line).toBe(1);
          expect(/^ */.exec(line)![0].length % 4, line).toBe(0);
        }
    });
  });
});
