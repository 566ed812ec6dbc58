/**
 * Figure 1 of Hayou et al. 2021 (arXiv 2002.08797): a plain network of depth 100 and width 100 at 70 % sparsity by SBP,
 * the share of its connections that every neuron keeps, on the edge of chaos and in the chaotic phase.
 */
import { ffnn } from "../support/networks/index.js";
import { caption, drawn, heatMap, type PaperFigure, sideBySide } from "./figure.js";
import { scoredNetwork } from "./scored-network.js";

const [depth, width, sparsity] = [100, 100, 0.7];
const panels = [
  { title: "edge of chaos", sigmaW: 1.304146, sigmaB: 0.2 },
  { title: "chaotic", sigmaW: 2, sigmaB: 0.2 },
] as const;
const [panelWidth, height] = [380, 360];

export async function figure1(): Promise<PaperFigure> {
  const found = [];
  for (const { title, sigmaW, sigmaB } of panels) {
    const network = ffnn({ activation: "Tanh", sigmaW, sigmaB, depth, width, batch: 100, seed: 1 });
    const { layers, criticalSparsity } = await scoredNetwork(network, { sparsity, batch: 100 });
    found.push({ title, sigmaW, sigmaB, criticalSparsity, neurons: layers.map((layer) => layer.neurons) });
  }
  const svg = found.map(({ title, sigmaW, sigmaB, neurons, criticalSparsity }) =>
    drawn({
      width: panelWidth,
      height,
      marginTop: 40,
      x: { label: "layer", domain: [0, depth] },
      y: { label: "neuron", domain: [0, width] },
      marks: [
        heatMap(columnsToRows(neurons, width)),
        caption(`${title}: σ_w ${sigmaW}, σ_b ${sigmaB}, s_cr ${criticalSparsity.toFixed(3)}`),
      ],
    }),
  );
  return {
    name: "figure-1",
    svg: sideBySide(svg, panelWidth, height),
    data: found,
    words:
      "Share of connections kept per neuron (dark: all), tanh, depth 100, width 100, 70 % sparsity by SBP. " +
      "The paper uses MNIST; here inputs are standard normal and labels random, 100 samples.",
  };
}

/** Rows of the picture are neurons, columns layers; the last layer has fewer neurons. */
function columnsToRows(layers: readonly (readonly number[])[], neurons: number): number[][] {
  return Array.from({ length: neurons }, (_, n) => layers.map((layer) => layer[n] ?? 0));
}
