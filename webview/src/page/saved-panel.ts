/**
 * After a save: what was written and what has been found out about it so far, in sentences and two small tables.
 */
import { elementsOf, type Child, type ElementFactory } from "../elements.js";
import type { ErrorData } from "../../../server/protocol/errors.js";
import { describeError } from "../../../server/protocol/errors.js";
import { shownName } from "../../../server/protocol/model-names.js";
import { parityWords } from "../../../server/protocol/parity.js";
import { patternText } from "../../../server/protocol/pattern.js";
import type { CompressReport, SaveReport, VerifyReport } from "../../../server/protocol/report.js";
import type { SavedView } from "../../../server/protocol/view.js";
import { shapeText, shorten } from "../text/names.js";
import { amountWords } from "../text/recipe.js";
import { bytes, counted, integer, percent, score, seconds } from "../text/numbers.js";

/** What zeros are good for, said once and without promises. */
export const honestWords =
  "Zeros scattered through a weight do not make ONNX Runtime faster: it multiplies by them all the same. They " +
  "compress better, and they are the basis for runtimes that know sparsity and for fine-tuning.";

export interface SavedPanel {
  readonly element: HTMLElement;
  show(saved: SavedView | null, bytesBefore: number | null): void;
}

/** Makes the panel; it is not there before a save. */
export function createSavedPanel(document: Document): SavedPanel {
  const h = elementsOf(document);
  const title = h("h2", { class: "saved-title" });
  const body = h("div", { class: "saved-body" });
  const element = h("section", { class: "saved", "aria-label": "Saved model", role: "region" }, title, body);
  let shown: SavedView | null = null;
  return {
    element,
    show(saved, bytesBefore) {
      element.hidden = saved === null;
      if (saved === null || JSON.stringify(saved) === JSON.stringify(shown)) return;
      shown = saved;
      element.dataset["verified"] = stateOf(saved.verify);
      element.dataset["compressed"] = stateOf(saved.compress);
      const path = saved.save.path;
      title.replaceChildren("Saved ", h("code", { title: path }, shorten(shownName(path.replaceAll("\\", "/")), 60)));
      body.replaceChildren(
        ...writtenPart(h, saved.save),
        verifyPart(h, saved.verify),
        sizePart(h, saved, bytesBefore),
        h("p", { class: "saved-honest" }, honestWords),
      );
    },
  };
}

function stateOf(part: object | null): string {
  return part === null ? "pending" : isError(part) ? "failed" : "done";
}

function isError(part: object): part is ErrorData {
  return "code" in part;
}

function writtenPart(h: ElementFactory, save: SaveReport): Node[] {
  const { kept, prunable, layers } = save;
  let zeros = 0;
  const short: string[] = [];
  for (const layer of layers) {
    zeros += layer.zeros;
    if (layer.zeros < layer.parameters - layer.kept) short.push(layer.id);
  }
  const written = h(
    "p",
    { "data-kept": kept, "data-zeros": zeros },
    `${integer(kept)} of ${integer(prunable)} weights kept at ${amountWords(save.recipe.pattern, save.recipe.sparsity)}; `,
    `${integer(zeros)} zeros counted in the written file, ${counted(layers.length, "layer")} checked. `,
    `Written in ${seconds(save.seconds)} to `,
    h("span", { class: "path" }, save.path),
    ".",
  );
  const notes = save.notes.map((note) => h("p", { class: "saved-note" }, note));
  const changes = [...patternPart(h, save), ...permutationPart(h, save), ...editPart(h, save), ...notes];
  if (short.length === 0) return [written, ...changes];
  const names = short.slice(0, 3).map((id) => shorten(id));
  const more = short.length > 3 ? ` and ${short.length - 3} more` : "";
  return [
    written,
    h(
      "p",
      { class: "saved-wrong", role: "alert" },
      `Fewer zeros than the mask asks for in ${names.join(", ")}${more}.`,
    ),
    ...changes,
  ];
}

/** What the pattern holds, counted in the written file. */
function patternPart(h: ElementFactory, { recipe, layers }: SaveReport): Node[] {
  if (recipe.pattern === undefined) return [];
  const holding = layers.flatMap(({ pattern }) => (pattern === undefined || pattern.groups === 0 ? [] : [pattern]));
  const whole = holding.filter(({ groups, held }) => groups === held).length;
  const groups = holding.reduce((sum, pattern) => sum + pattern.held, 0);
  const words =
    `${patternText(recipe.pattern)} holds in ${integer(whole)} of ${counted(holding.length, "layer")} that can hold it ` +
    `(${counted(groups, "group")} counted in the written file); ${counted(layers.length - holding.length, "layer")} left dense.`;
  return [h("p", { class: "saved-pattern", "data-holds": String(whole === holding.length) }, words)];
}

/** How much more of the score a permutation of channels keeps. */
function permutationPart(h: ElementFactory, { permutation }: SaveReport): Node[] {
  if (permutation === undefined) return [];
  const { layers, left } = permutation;
  const mean = (part: "before" | "after"): string =>
    percent(layers.reduce((sum, layer) => sum + layer[part], 0) / layers.length);
  const moved =
    layers.length === 0
      ? "No channels could be reordered."
      : `Channels reordered for ${counted(layers.length, "layer")}: the pattern keeps ${mean("after")} of their score instead of ${mean("before")}.`;
  const rest = left.length === 0 ? "" : ` ${counted(left.length, "layer")} left in order, each with its reason below.`;
  return [
    h("p", { class: "saved-permutation" }, moved + rest),
    ...(left.length === 0
      ? []
      : [
          h(
            "details",
            { class: "disclosure" },
            h("summary", {}, `${counted(left.length, "layer")} left in order`),
            h(
              "ul",
              { tabindex: 0, "aria-label": "Layers whose channels were left in order" },
              ...left.map(({ id, reason }) => h("li", {}, h("code", { title: id }, shorten(id, 60)), ` ${reason}`)),
            ),
          ),
        ]),
  ];
}

/** What a save changed besides the mask. */
function editPart(h: ElementFactory, { edits }: SaveReport): Node[] {
  return edits.map(({ words, measured }) => h("p", { class: "saved-edit" }, [words, ...measured].join(" ")));
}

function verifyPart(h: ElementFactory, verify: VerifyReport | ErrorData | null): Node {
  if (verify === null) return pending(h, "Running both models in ONNX Runtime on the same input …");
  if (isError(verify)) return failed(h, "The comparison of outputs did not finish", verify);
  const rows = verify.outputs.map(({ name, shape, maxDifference, meanDifference, maxOriginal }) =>
    h(
      "tr",
      { "data-output": name },
      h("th", { scope: "row", title: name }, h("code", {}, shorten(name, 40)), ` ${shapeText(shape)}`),
      number(h, score(maxDifference)),
      number(h, score(meanDifference)),
      number(h, score(maxOriginal)),
      number(h, maxDifference !== null && maxOriginal > 0 ? percent(round(maxDifference / maxOriginal)) : "—"),
    ),
  );
  const apart = verify.outputs.some(({ maxDifference }) => maxDifference === null);
  return h(
    "div",
    { class: "saved-verify" },
    h("p", {}, `Both models were run in ONNX Runtime on ${verify.input} (${seconds(verify.seconds)}).`),
    table(h, "Differences of outputs", ["Output", "Largest difference", "Mean", "Largest original", "Relative"], rows),
    ...(apart ? [h("p", {}, "—: the outputs differ in shape, or one is NaN where the other is a number.")] : []),
    ...(verify.parity === undefined ? [] : [h("p", { class: "saved-parity" }, parityWords(verify.parity))]),
  );
}

function sizePart(h: ElementFactory, saved: SavedView, bytesBefore: number | null): Node {
  const { compress, save } = saved;
  const before = bytesBefore === null ? "" : ` (before: ${bytes(bytesBefore)})`;
  if (compress === null) return pending(h, `${bytes(save.bytes)}${before}. Compressing both files …`);
  if (isError(compress)) return failed(h, `${bytes(save.bytes)}${before}. Compression did not finish`, compress);
  const row = (term: string, size: CompressReport["original"]): Node =>
    h("tr", {}, h("th", { scope: "row" }, term), number(h, bytes(size.bytes)), number(h, bytes(size.compressed)));
  const { original, pruned } = compress;
  const share = original.compressed === 0 ? 1 : pruned.compressed / original.compressed;
  return h(
    "div",
    { class: "saved-sizes" },
    h(
      "p",
      {},
      `Zipped, the pruned model has ${percent(round(share))} of the original's size (measured in ${seconds(compress.seconds)}).`,
    ),
    table(h, "Sizes", ["", "As it is", "Zipped"], [row("Original", original), row("Pruned", pruned)]),
  );
}

function table(h: ElementFactory, caption: string, heads: readonly string[], rows: readonly Node[]): Node {
  const head = h("tr", {}, ...heads.map((text) => (text === "" ? h("td") : h("th", { scope: "col" }, text))));
  return h(
    "div",
    // A narrow window scrolls it, which the keyboard has to reach.
    { class: "table-frame", role: "group", tabindex: 0, "aria-label": caption },
    h(
      "table",
      { class: "small-table" },
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, head),
      h("tbody", {}, ...rows),
    ),
  );
}

function number(h: ElementFactory, text: Child): Node {
  return h("td", { class: "cell-number" }, text);
}

function pending(h: ElementFactory, text: string): Node {
  return h("p", { class: "saved-pending" }, h("progress", { class: "work-bar", "aria-label": text }), text);
}

function failed(h: ElementFactory, what: string, error: ErrorData): Node {
  return h("p", { class: "saved-wrong" }, `${what}: ${describeError(error)}`);
}

/** Three significant digits are all that a ratio of differences is worth. */
function round(share: number): number {
  return Number(share.toPrecision(3));
}
