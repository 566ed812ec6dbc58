/** Scores from elsewhere: a .npz with an array for each weight, by its name. Higher means keep; they may be negative. */
import type { Criterion } from "./criterion.js";

export const imported: Criterion = {
  id: "imported",
  aliases: [],
  title: "Imported scores",
  summary: "Keeps the weights with the highest scores of a .npz file that was made elsewhere.",
  reference: "The file that the recipe names",
  needs: { data: false, gradientOrder: 0, rounds: 1, file: true },
  signed: true,
  isMagnitude: false,
  unavailable: () => "It takes its scores from a file: prune or analyse with --scores FILE.npz on the command line.",
  score: ({ given }) => given(),
};
