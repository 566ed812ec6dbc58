/** What there is to say of the theory of a whole model, in sentences. */
import type { LayerTheory, TheoryReport } from "../../protocol/insights.js";
import type { Activation } from "../meanfield/activations/activation.js";
import { isCovered, type LayerSite } from "../meanfield/sites/index.js";
import type { Edges } from "../meanfield/sites/suggestion.js";

/** What the suggestions are for. */
export function adviceFor(verdict: TheoryReport["origin"]["verdict"], layers: readonly LayerTheory[]): string {
  if (layers.length === 0) return "The model has no weighted layers, so that there is nothing to draw.";
  if (layers.every(({ suggestion }) => suggestion === null))
    return "There is no layer whose scale the theory advises on: measured values are what counts.";
  if (verdict === "fresh") return "The model looks freshly initialised: the suggestions are for it.";
  return verdict === "trained"
    ? "The suggestions are for training this architecture from scratch; they would undo what this model has learnt."
    : "Whether the model was trained cannot be told: the suggestions are for training this architecture from scratch.";
}

/**
 * Sentences about the suggestions and their assumptions.
 * @param main the activation that the ready code is for.
 */
export function theoryNotes(
  sites: readonly LayerSite[],
  layers: readonly LayerTheory[],
  main: Activation | null,
  edges: Edges,
): string[] {
  const notes: string[] = [];
  const used = new Map(sites.flatMap(({ activation }) => (activation === null ? [] : [[activation.name, activation]])));
  for (const activation of used.values()) {
    if (edges.pointOf(activation) === null)
      notes.push(`${activation.name} has no edge of chaos that holds: layers with it get no suggestion.`);
  }
  if (main !== null && used.size > 1)
    notes.push(
      `The code is for ${main.name}, the most common; other layers have ${[...used.keys()].filter((name) => name !== main.name).join(", ")}.`,
    );
  if (main !== null && sites.every(isHomogeneous)) {
    const biased = layers.some(({ sigmaB }) => sigmaB !== 0);
    notes.push(
      biased
        ? "Activations are positively homogeneous: apart from the biases, Σ w·∂L/∂w is the same in every layer, and σ_w makes hardly a trend over depth."
        : "Activations are positively homogeneous and there are no biases: Σ w·∂L/∂w is the same in every layer, so that σ_w alone does not make layers collapse.",
    );
  }
  const skewed = layers.filter(({ meanShare }) => (meanShare ?? 0) > 0.05);
  if (skewed.length > 0)
    notes.push(
      `The theory takes weights as centred; ${skewed.length === 1 ? "one layer has" : `${skewed.length} layers have`} a mean that is more than 5 % of the mean square: ${skewed
        .slice(0, 3)
        .map(({ id }) => `"${id}"`)
        .join(", ")}${skewed.length > 3 ? ", …" : ""}.`,
    );
  return notes;
}

/** A layer of a plain chain whose output scales with its input. */
export function isHomogeneous(site: LayerSite): boolean {
  if (isCovered(site)) return site.activation?.homogeneous === true;
  return site.limits.every(({ kind }) => kind === "last" || kind === "no-activation");
}
