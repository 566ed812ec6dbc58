/** What a sparse file holds, for terminals: a headline, and a line for each layer that holds something. */
import { pc } from "./colors.js";
import { patternText } from "../../protocol/pattern.js";
import type { HeldLayer, HeldReport } from "../../protocol/sparsity.js";
import { count, percent, plain, shorten } from "./text.js";

/** The section, begun by an empty line. */
export function heldText({ prunable, zeros, sparsity, layers }: HeldReport, width: number): string {
  const told = layers.map((layer) => ({ layer, words: heldWords(layer) })).filter(({ words }) => words !== "");
  const nameWidth = Math.max(12, Math.min(44, width - 60, Math.max(...told.map(({ layer }) => layer.id.length))));
  return `${[
    "",
    pc.bold("What the file holds already"),
    `${count(zeros)} of ${count(prunable)} prunable weights are 0 (${percent(sparsity, 2)}); embeddings, norms and biases do not count`,
    ...told.map(
      ({ layer, words }) =>
        `${shorten(plain(layer.id), nameWidth).padEnd(nameWidth)}  ${percent(layer.sparsity).padStart(7)}  ${words}`,
    ),
  ].join("\n")}\n`;
}

/** What is worth a word of a layer; empty for a dense one. */
function heldWords(layer: HeldLayer): string {
  const { zeros, patterns, emptyOutputs, emptyInputs, storedSparsely, sharedBy, unchecked } = layer;
  const empty = (side: HeldLayer["emptyOutputs"], name: string): string[] =>
    side === null || side.count === 0 ? [] : [`${count(side.count)} of ${count(side.of)} ${name} empty`];
  const words = [
    ...(patterns.length === 0 ? [] : [`holds ${patterns.map(patternText).join(" and ")}`]),
    ...empty(emptyOutputs, "outputs"),
    ...empty(emptyInputs, "inputs"),
    ...(storedSparsely ? ["stored sparsely"] : []),
    ...(sharedBy.length === 0 ? [] : [`shared by ${sharedBy.map((name) => `"${plain(name)}"`).join(", ")}`]),
    ...(unchecked === undefined ? [] : [plain(unchecked)]),
  ];
  return words.length === 0 && zeros > 0 ? "no pattern" : words.join(", ");
}
