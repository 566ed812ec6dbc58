import { describe, expect, it } from "vitest";
import { activationNamed } from "../../server/src/meanfield/activations/index.js";
import { edgeOfChaos } from "../../server/src/meanfield/edge-of-chaos.js";
import { fanIns, type LayerForm } from "../../server/src/meanfield/fan-in.js";
import { orthogonalGain, suggestDeviations } from "../../server/src/meanfield/suggest.js";

const forms: readonly (readonly [string, LayerForm, readonly number[]])[] = [
  ["Gemm", { form: "dense", inputs: 300 }, [300]],
  ["Conv", { form: "conv", channels: 64, group: 1, kernel: [3, 3] }, [576]],
  ["grouped Conv", { form: "conv", channels: 64, group: 4, kernel: [3, 3] }, [144]],
  ["depthwise Conv", { form: "conv", channels: 32, group: 32, kernel: [3, 3] }, [9]],
  ["Conv1D", { form: "conv", channels: 8, group: 1, kernel: [5] }, [40]],
  ["ConvTranspose", { form: "conv-transpose", channels: 64, group: 1, kernel: [4, 4], strides: [2, 2] }, [256]],
  ["LSTM", { form: "recurrent", inputs: 10, hidden: 40 }, [10, 40]],
];

describe("fan-in", () => {
  it.each(forms)("of %s", (_, layer, expected) => {
    expect(fanIns(layer).map(({ fanIn }) => fanIn)).toEqual(expected);
  });
});

describe("suggested deviations", () => {
  const { point } = edgeOfChaos(activationNamed("tanh"), 0.2);

  it.each(forms)("of %s: the sum of fan-in times variance is σ_w²", (_, layer) => {
    const { sigmaW, sigmaB, weights } = suggestDeviations(layer, point);
    expect({ sigmaW, sigmaB }).toEqual({ sigmaW: point!.sigmaW, sigmaB: 0.2 });
    const total = weights.reduce((sum, { fanIn, deviation }) => sum + fanIn * deviation ** 2, 0);
    expect(total).toBeCloseTo(sigmaW ** 2, 13);
  });

  it("without an activation behind it σ_w is 1 and there is no bias", () => {
    const { weights, ...rest } = suggestDeviations({ form: "dense", inputs: 16 }, null);
    expect(rest).toEqual({ sigmaW: 1, sigmaB: 0 });
    expect(weights).toEqual([{ weight: "W", fanIn: 16, deviation: 0.25 }]);
  });

  it.each([
    [10, 40],
    [40, 40],
    [90, 40],
  ])("an orthogonal matrix %i × %i times its gain has the same mean square", (outputs, fanIn) => {
    const gain = orthogonalGain(1.3, outputs, fanIn);
    // min(outputs, fanIn) orthonormal rows or columns: that is the sum of all squares.
    const meanSquare = (gain ** 2 * Math.min(outputs, fanIn)) / (outputs * fanIn);
    expect(fanIn * meanSquare).toBeCloseTo(1.3 ** 2, 13);
  });
});
