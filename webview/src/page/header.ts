/**
 * What the model is: title, the facts a person checks first, and behind two disclosures the notes and the tensors that
 * are not pruned.
 */
import { elementsOf, setText, type Child, type ElementFactory } from "../elements.js";
import { describeError } from "../../../server/protocol/errors.js";
import type { ModelView, ValueView } from "../../../server/protocol/model.js";
import type { ViewState } from "../../../server/protocol/view.js";
import { opsetText, shapeText, shorten, valueType } from "../text/names.js";
import { bytes, counted, integer, percent } from "../text/numbers.js";

const formatNames: ReadonlyMap<string, string> = new Map([
  ["onnx", "ONNX"],
  ["tfjs", "TensorFlow.js"],
]);

/** Most entries of a list of names before the rest is only counted. */
const listed = 200;

export interface Header {
  readonly element: HTMLElement;
  show(view: ViewState | null): void;
}

interface Shown {
  readonly model: ModelView | null;
  readonly shapes: ViewState["shapes"];
}

/** Makes the header. */
export function createHeader(document: Document): Header {
  const h = elementsOf(document);
  const title = h("h1", { class: "title" }, "PruneScope");
  const facts = h("dl", { class: "facts" });
  const ports = h("dl", { class: "ports" });
  const notes = disclosure(h, "notes");
  const dense = disclosure(h, "unprunable");
  const about = disclosure(h, "about");
  const more = h("div", { class: "disclosures" }, notes.element, dense.element, about.element);
  facts.hidden = ports.hidden = more.hidden = true;
  let shown: Shown = { model: null, shapes: null };

  return {
    element: h("header", { class: "summary" }, title, facts, ports, more),
    show(view) {
      setText(title, view?.title ?? "PruneScope");
      title.title = view?.model?.path ?? view?.title ?? "";
      const model = view?.model ?? null;
      const known: Shown = { model, shapes: view?.shapes ?? null };
      if (known.model === shown.model && known.shapes === shown.shapes) return;
      shown = known;
      facts.hidden = ports.hidden = more.hidden = model === null;
      if (model === null) return;
      facts.replaceChildren(...factItems(h, model));
      ports.replaceChildren(...portItems(h, "Inputs", model.inputs), ...portItems(h, "Outputs", model.outputs));
      const sentences = noteSentences(known);
      notes.show(
        counted(sentences.length, "note"),
        sentences.map((sentence) => h("li", {}, sentence)),
      );
      dense.show(
        `${counted(model.unprunable.length, "tensor")} not pruned`,
        withRest(h, model.unprunable, ({ weight, shape, reason }) =>
          h("li", {}, h("code", { title: weight }, shorten(weight, 80)), ` ${shapeText(shape)} · ${reason}`),
        ),
      );
      about.show("metadata", metadataItems(h, model));
    },
  };
}

/** What the model and the run for its shapes have to say, each sentence once. */
function noteSentences({ model, shapes }: Shown): string[] {
  const failed =
    shapes !== null && "code" in shapes ? [`ONNX Runtime could not run the model: ${describeError(shapes)}`] : [];
  return [...new Set([...(model?.notes ?? []), ...failed])];
}

function factItems(h: ElementFactory, model: ModelView): Node[] {
  const share = model.parameters === 0 ? 0 : model.prunable / model.parameters;
  const fact = (term: string, ...value: Child[]): Node => h("div", {}, h("dt", {}, term), h("dd", {}, ...value));
  return [
    fact("Producer", model.producer === "" ? "unknown" : shorten(model.producer, 60)),
    ...formatFacts(model).map(([term, value]) => fact(term, value)),
    fact("Parameters", integer(model.parameters)),
    fact("Prunable", `${integer(model.prunable)} (${percent(share)})`),
    fact("Layers", integer(model.layers.length)),
    fact("On disk", bytes(model.bytes)),
  ];
}

/** Versions are told of ONNX files; what another format is read into has some too, which its file knows nothing of. */
function formatFacts({ format, irVersion, opsets }: ModelView): [term: string, value: string][] {
  const name = formatNames.get(format) ?? format;
  if (format !== "onnx") return [["Format", name]];
  return [
    ["Format", `${name}, IR ${irVersion}`],
    ["Opsets", opsetText(opsets)],
  ];
}

function portItems(h: ElementFactory, term: string, values: readonly ValueView[]): Node[] {
  const items = values
    .slice(0, 8)
    .map((value) =>
      h(
        "span",
        { class: "port" },
        h("code", { title: value.name }, shorten(value.name, 40)),
        h("span", { class: "port-type" }, valueType(value)),
      ),
    );
  if (values.length > items.length)
    items.push(h("span", { class: "port" }, `and ${values.length - items.length} more`));
  const label = values.length === 1 ? term.slice(0, -1) : term;
  return [h("div", {}, h("dt", {}, label), h("dd", {}, ...(items.length === 0 ? ["none"] : items)))];
}

function metadataItems(h: ElementFactory, model: ModelView): Node[] {
  const items = model.metadata.slice(0, listed).map(({ key, value }) => h("li", {}, h("code", {}, key), ` ${value}`));
  return model.docString.trim() === "" ? items : [h("li", { class: "doc" }, model.docString), ...items];
}

function withRest<T>(h: ElementFactory, items: readonly T[], show: (item: T) => Node): Node[] {
  const nodes = items.slice(0, listed).map(show);
  if (items.length > listed) nodes.push(h("li", {}, `and ${integer(items.length - listed)} more`));
  return nodes;
}

/** A closed list behind a summary line; without entries it is not there at all. */
function disclosure(
  h: ElementFactory,
  name: string,
): { element: HTMLElement; show: (summary: string, items: readonly Node[]) => void } {
  const line = h("summary");
  const list = h("ul", { tabindex: 0 });
  const element = h("details", { class: `disclosure disclosure-${name}` }, line, list);
  return {
    element,
    show: (summary, items) => {
      element.hidden = items.length === 0;
      setText(line, summary);
      list.setAttribute("aria-label", summary);
      list.replaceChildren(...items);
    },
  };
}
