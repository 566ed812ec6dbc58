/** What comes out of both models on the same input, output by output, and on what they were run. */
import type { CompareReport } from "../../../server/protocol/compare.js";
import { elementsOf } from "../elements.js";
import { shapeText, shorten } from "../text/names.js";
import { percent, score } from "../text/numbers.js";
import { smallTable } from "./table.js";

/** Makes the table of outputs. */
export function createOutputs(document: Document, { outputs }: CompareReport): HTMLElement {
  const h = elementsOf(document);
  const heads = [
    "Output",
    "Shape of a run",
    "Largest difference",
    "Mean difference",
    "Largest value",
    "Cosine",
    "Same class",
  ];
  return smallTable(
    document,
    "Outputs on the same input",
    heads,
    outputs.map(({ name, shape, maxDifference, meanDifference, cosine, argmaxAgreement, maxOriginal }) => ({
      name: shorten(name, 40),
      meaning: name,
      cells: [
        shapeText(shape),
        score(maxDifference),
        score(meanDifference),
        score(maxOriginal),
        cosine === null ? "—" : cosineText(cosine),
        argmaxAgreement === null
          ? h("span", { title: "The output holds no classes" }, "—")
          : h("span", { title: "Samples whose largest element is at the same place" }, percent(argmaxAgreement)),
      ],
    })),
  );
}

/** A cosine never reads as 1 when it is not: `0.9999`, `>0.9999`, `1`. */
export function cosineText(cosine: number): string {
  if (cosine === 1) return "1";
  if (cosine > 0.9999) return ">0.9999";
  return cosine.toFixed(4).replace("-", "−");
}
