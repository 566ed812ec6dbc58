/**
 * The score distribution on the page: of all layers that are ranked, or of the selected one, with the threshold through
 * it and a line that says it in words.
 */
import { patternText } from "../../../server/protocol/pattern.js";
import { elementsOf, setText } from "../elements.js";
import { scoreDistribution, updateScoreDistribution } from "../plots/score-distribution.js";
import { addHistograms, binEdge, estimateThreshold, trimLow, type Histogram } from "../state/histogram.js";
import type { ViewStore } from "../state/store.js";
import type { Analysis } from "../state/survey.js";
import { layerLabel, shorten } from "../text/names.js";
import { counted, integer, score } from "../text/numbers.js";
import type { FigureView } from "./density-figure.js";
import { onResize } from "./on-resize.js";

const figureHeight = 190;
/** Share of scores, the smallest ones, that the plot leaves out and says so. */
const trimmed = 0.02;

/** Makes the figure. */
export function createScoreFigure(document: Document, store: ViewStore): FigureView {
  const h = elementsOf(document);
  const frame = h("div", { class: "plot-frame", role: "img", "aria-label": "Distribution of scores" });
  const heading = h("h2", {}, "Scores");
  const subject = h("span", { class: "figure-subject" });
  const all = h("button", { type: "button", class: "link", hidden: true }, "Show all layers");
  all.addEventListener("click", () => {
    store.select(null);
  });
  const words = h("p", { class: "figure-words" });
  const omitted = h("p", { class: "figure-words figure-omitted" });
  const element = h(
    "figure",
    { class: "figure figure-scores" },
    h("figcaption", {}, heading, subject, all),
    h("div", { class: "plot-area" }, frame),
    words,
    omitted,
  );

  let svg: SVGSVGElement | null = null;
  let histogram: Histogram | null = null;
  /** Scores too small to be drawn. */
  let left = { count: 0, under: 0 };
  /** All ranked layers together: what the threshold is estimated from under scope `global`. */
  let ranked: { analysis: Analysis; sum: Histogram | null } | null = null;
  let drawn: { analysis: Analysis | null; layer: number; width: number } = { analysis: null, layer: -1, width: 0 };

  const layerShown = (): number => store.survey?.indexOf.get(store.choices.selected ?? "") ?? -1;

  const draw = (): void => {
    const analysis = store.survey?.analysis ?? null;
    const layer = layerShown();
    const width = frame.clientWidth;
    if (drawn.analysis === analysis && drawn.layer === layer && drawn.width === width) return;
    drawn = { analysis, layer, width };
    svg = null;
    frame.replaceChildren(...(analysis === null ? [h("p", { class: "figure-empty" }, "Being computed …")] : []));
    if (analysis === null || width === 0) {
      histogram = null;
      return;
    }
    if (ranked?.analysis !== analysis) {
      ranked = { analysis, sum: addHistograms(analysis.histograms.filter((_, l) => !analysis.layers[l]!.excluded)) };
    }
    histogram = layer < 0 ? ranked.sum : addHistograms(analysis.histograms.slice(layer, layer + 1));
    if (histogram === null) {
      frame.append(h("p", { class: "figure-empty" }, whyEmpty(analysis, layer)));
      return;
    }
    const tail = trimLow(histogram, trimmed);
    left = { count: tail.cut, under: binEdge(tail.histogram, 0) };
    svg = scoreDistribution(
      { histogram: tail.histogram, threshold: threshold() },
      { document, width, height: figureHeight },
    );
    frame.append(svg);
  };

  /** Score of the weakest kept weight: the engine's word at rest, from the histogram in between. */
  const threshold = (): number | null => {
    const { counts } = store;
    const layer = drawn.layer;
    if (counts === null || ranked === null || store.blocked) return null;
    if (layer >= 0 && counts.excluded[layer]!) return null;
    // How many go does not tell how high their scores are where others decide first.
    if (decidedFirst(ranked.analysis) !== null) return store.scope === "global" ? (counts.threshold ?? null) : null;
    if (store.scope === "layer") {
      return layer < 0 || histogram === null ? null : estimateThreshold(histogram, counts.kept[layer]!);
    }
    if (counts.threshold !== undefined) return counts.threshold;
    return ranked.sum === null ? null : estimateThreshold(ranked.sum, counts.ranked);
  };

  const showWords = (line: number | null): void => {
    const { counts, survey } = store;
    const analysis = survey?.analysis;
    const layer = drawn.layer;
    if (counts === null || analysis === null || analysis === undefined) {
      setText(words, "");
      setText(omitted, "");
      return;
    }
    const exact = !counts.approximate && counts.threshold !== undefined && store.scope === "global";
    const parts: string[] = [];
    if (store.blocked) parts.push("no threshold: not all scores are finite");
    else if (layer >= 0 && counts.excluded[layer]!) {
      parts.push(`${analysis.layers[layer]!.score === null ? "no score" : "excluded"}: nothing goes`);
    } else if (line === null) {
      const each = store.scope === "layer" && layer < 0;
      if (each) parts.push("every layer has its own threshold: select one");
      else if (decidedFirst(analysis) !== null) parts.push(`${decidedFirst(analysis)} decides what goes`);
      else if (!signed(analysis)) parts.push("nothing above 0 goes");
      else if (!counts.approximate && counts.threshold === null && store.scope === "global") parts.push("nothing goes");
    } else if (line === Infinity) parts.push("everything goes");
    else {
      const first = decidedFirst(analysis);
      parts.push(
        `scores under ${exact ? "" : "≈ "}${score(line)} go${first === null ? "" : `, after what ${first} removes`}`,
      );
    }
    const chosen = layer >= 0 ? [analysis.layers[layer]!] : analysis.layers.filter((report) => !report.excluded);
    let zeros = 0;
    let nonFinite = 0;
    for (const { score: statistics, parameters } of chosen) {
      zeros += Math.round((statistics?.zeroShare ?? 0) * parameters);
      nonFinite += statistics?.nonFinite ?? 0;
    }
    const unseen: string[] = [];
    if (zeros > 0) unseen.push(counted(zeros, "exact zero"));
    if (svg !== null && left.count > 0) unseen.push(`${integer(left.count)} under ${score(left.under)}`);
    if (nonFinite > 0) unseen.push(`${integer(nonFinite)} not finite`);
    setText(words, parts.join(" · "));
    setText(omitted, unseen.length === 0 ? "" : `not drawn: ${unseen.join(", ")}`);
  };

  const showSubject = (): void => {
    const { survey } = store;
    const analysis = survey?.analysis;
    const layer = layerShown();
    all.hidden = layer < 0;
    if (survey === null || layer < 0) {
      const dense = analysis?.layers.filter((report) => report.excluded) ?? [];
      const unscored = dense.filter((report) => report.score === null).length;
      const excluded = dense.length - unscored;
      const apart = [
        ...(excluded === 0 ? [] : [`${excluded} excluded`]),
        ...(unscored === 0 ? [] : [`${unscored} without a score`]),
      ];
      setText(subject, apart.length === 0 ? "all layers" : `all layers but ${apart.join(" and ")}`);
      subject.title = "";
      return;
    }
    const label = layerLabel(survey.model.layers[layer]!);
    setText(subject, shorten(label, 44));
    subject.title = label;
  };

  /** What removes weights whatever their rank; null where scores alone decide. */
  const decidedFirst = ({ result: { recipe } }: Analysis): string | null =>
    recipe.pattern !== undefined ? patternText(recipe.pattern) : recipe.mask !== undefined ? "the mask" : null;

  const signed = (analysis: Analysis): boolean => store.criterion(analysis.result.report.criterion)?.signed === true;

  const whyEmpty = (analysis: Analysis, layer: number): string => {
    if (layer >= 0 && analysis.layers[layer]!.score === null) return "The criterion has no score for this layer.";
    if (signed(analysis)) {
      return "These scores are positive and negative, which a logarithmic axis cannot show; the table has their mean and maximum.";
    }
    return "No score here is a finite number above 0.";
  };

  onResize(frame, draw);

  return {
    element,
    show(changes) {
      if (changes.has("state") || changes.has("selection")) {
        draw();
        showSubject();
      }
      if (changes.has("sparsity") || changes.has("selection")) {
        const line = threshold();
        if (svg !== null) updateScoreDistribution(svg, line);
        showWords(line);
      }
    },
  };
}
