/**
 * The page of a comparison: both models in figures, their latencies with spread, outputs, layers. While nothing is known
 * it says what is being done; what failed says why and offers another attempt.
 */
import type { CompareReport, ComparisonState, FromComparison, ToComparison } from "../../../server/protocol/compare.js";
import { describeError } from "../../../server/protocol/errors.js";
import type { Activity } from "../../../server/protocol/view.js";
import { elementsOf, setText } from "../elements.js";
import type { HostPort } from "../host/host-port.js";
import { createFailure, createWorkLine } from "../page/activity.js";
import { onResize } from "../page/on-resize.js";
import { honestWords } from "../page/saved-panel.js";
import { latencyIntervals } from "../plots/latency-intervals.js";
import { Chores } from "../state/chores.js";
import type { Clock } from "../state/clock.js";
import { counted } from "../text/numbers.js";
import { createLayers } from "./layers.js";
import { createOutputs } from "./outputs.js";
import { createSummary, latencySentence, milliseconds } from "./summary.js";

/** Height of the figure of latencies, in pixels. */
const figureHeight = 104;

/** Builds the page into `root`, asks the host for its state and keeps in step with it. */
export function mountComparison(
  document: Document,
  root: HTMLElement,
  host: HostPort<ToComparison, FromComparison>,
  clock: Clock,
): void {
  const h = elementsOf(document);
  const chores = new Chores(clock);
  const title = h("h1", { class: "title" }, "Compare");
  const work = createWorkLine(document, {
    cancel: () => {
      host.post({ type: "cancel" });
    },
  });
  const failure = createFailure(document, {
    live: true,
    // No layer can be left out of a comparison.
    survey: null,
    exclude: () => undefined,
    retry: () => {
      host.post({ type: "retry" });
    },
  });
  const ask = h("div", { class: "comparison-again" });
  const button = (words: string, message: FromComparison): void => {
    const made = h("vscode-button", { appearance: "secondary" }, words);
    made.addEventListener("click", () => {
      host.post(message);
    });
    ask.append(made);
  };
  button("Compare Again", { type: "retry" });
  button("On Samples in a File…", { type: "chooseData", folder: false });
  button("In a Folder…", { type: "chooseData", folder: true });
  const body = h("div", { class: "comparison" });
  root.classList.add("page");
  root.replaceChildren(h("header", { class: "summary" }, title), ask, work.element, failure.element, body);

  let shown: CompareReport | null = null;
  const showActivity = (activity: Activity): void => {
    const working = activity.kind === "working";
    document.body.dataset["activity"] = activity.kind;
    document.body.dataset["state"] = shown !== null ? "ready" : activity.kind === "failed" ? "failed" : "loading";
    work.element.hidden = !working;
    work.show(activity);
    failure.show(activity);
    ask.hidden = working || shown === null;
  };
  const showState = ({ report, original, pruned, activity }: ComparisonState): void => {
    setText(title, `${original} and ${pruned}`);
    if (report !== null && JSON.stringify(report) !== JSON.stringify(shown)) {
      body.replaceChildren(...sections(document, report, { original, pruned }, chores));
    }
    shown = report;
    showActivity(activity);
  };
  host.listen((message) => {
    if (message.type === "comparison") showState(message.state);
    else showActivity(message.activity);
  });
  showActivity({ kind: "idle" });
  host.post({ type: "ready" });
}

function sections(
  document: Document,
  report: CompareReport,
  names: Pick<ComparisonState, "original" | "pruned">,
  chores: Chores,
): HTMLElement[] {
  const h = elementsOf(document);
  const section = (name: string, heading: string, ...parts: readonly (Node | string)[]): HTMLElement =>
    h("section", { class: `compared-${name}`, "aria-label": heading }, h("h2", {}, heading), ...parts);
  const { compressed, outputs, samples, input, layers, notes } = report;
  const made = [section("summary", "Side by side", createSummary(document, report, names))];
  const latency = latencyParts(document, report);
  if (latency !== null) made.push(section("latency", "Latency in ONNX Runtime", ...latency));
  if (samples > 0) {
    const fed = h("p", { class: "quiet" }, `On ${input}.`);
    made.push(section("outputs", "Outputs on the same input", createOutputs(document, { ...report, outputs }), fed));
  }
  const failed = compressed !== null && "code" in compressed ? [`Not compressed: ${describeError(compressed)}`] : [];
  const sentences = [...failed, ...notes];
  made.push(section("layers", counted(layers.length, "layer"), createLayers(document, layers, chores)));
  if (sentences.length > 0)
    made.push(section("notes", "Notes", h("ul", {}, ...sentences.map((sentence) => h("li", {}, sentence)))));
  return made;
}

/** The figure and what it says in words; null where latency was not measured. */
function latencyParts(document: Document, { latency }: CompareReport): Node[] | null {
  if (latency === null) return null;
  const h = elementsOf(document);
  const { original, pruned, threads, samples } = latency;
  const frame = h("div", { class: "interval-frame" });
  let drawnWidth = 0;
  const draw = (): void => {
    const width = Math.min(720, frame.clientWidth || 480);
    if (width === drawnWidth) return;
    drawnWidth = width;
    const rows = [
      { name: "Original", ...original },
      { name: "Pruned", ...pruned },
    ];
    frame.replaceChildren(latencyIntervals(rows, { document, width, height: figureHeight }).svg);
  };
  draw();
  onResize(frame, draw);
  const words = (name: string, { median, low, high }: typeof original): string =>
    `${name} ${milliseconds(median)} (${milliseconds(low)} to ${milliseconds(high)})`;
  const how = `Median and quartiles of ${counted(original.runs, "run")} of each model in turn, ${counted(samples, "sample")} a run, on ${counted(threads, "thread")}`;
  return [
    h(
      "figure",
      { class: "figure", role: "group", "aria-label": "Latency of both models" },
      h("figcaption", {}, `${words("Original", original)}, ${words("pruned", pruned)}.`),
      frame,
    ),
    h("p", {}, latencySentence(original, pruned)),
    h("p", { class: "quiet" }, `${how}. ${honestWords}`),
  ];
}
