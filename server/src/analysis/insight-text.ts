/** What goes beyond scores and mask, for terminals: parity with the original, collapse, theory, measurements and remedies, headline first. */
import { pc } from "./colors.js";
import { describeError, type ErrorData } from "../../protocol/errors.js";
import type {
  CollapseReport,
  EffectiveReport,
  LayerTheory,
  MeasureReport,
  RemediesReport,
  TheoryReport,
} from "../../protocol/insights.js";
import { parityWords } from "../../protocol/parity.js";
import type { Report } from "../../protocol/report.js";
import { count, percent, plain, shorten } from "./text.js";

/** Layers named in a list before the rest is counted. */
const named = 5;

/** Sections for the parts that the report has, each begun by an empty line; nothing where it has none. */
export function insightText(report: Report, width: number): string {
  const { theory, collapse, measured, remedies, parity } = report;
  const sections = [
    section("Parity with TensorFlow.js", parity, (part) => [plain(parityWords(part))]),
    section("Collapse", collapse, (part) => collapseLines(part, report)),
    section("Initialisation and edge of chaos", theory, (part) => theoryLines(part, width)),
    section("Conditioning and propagation", measured, (part) => measureLines(part, width)),
    section("What would help", remedies, remedyLines),
  ];
  return sections.flat().join("");
}

function section<T extends object>(
  title: string,
  part: T | ErrorData | undefined,
  lines: (part: T) => readonly string[],
): string[] {
  if (part === undefined) return [];
  const body = isError(part) ? [pc.yellow(`not known: ${plain(describeError(part))}`)] : lines(part);
  return [`\n${pc.bold(title)}\n`, ...body.map((line) => `${line}\n`)];
}

const isError = (part: object): part is ErrorData => "code" in part && "message" in part;

/** A number with four significant digits; a dash where there is none. */
const number = (value: number | null): string =>
  value === null
    ? "–"
    : Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3)
      ? value.toExponential(2)
      : String(Number(value.toPrecision(4)));

const list = (names: readonly string[]): string =>
  names.length <= named
    ? names.map((name) => `"${plain(name)}"`).join(", ")
    : `${names
        .slice(0, named)
        .map((name) => `"${plain(name)}"`)
        .join(", ")} and ${names.length - named} more`;

function collapseLines(
  { order, criticalSparsity, maxSparsity, noSignal, effective }: CollapseReport,
  report: Report,
): string[] {
  const lines: string[] = [];
  if (order.length > 0 && criticalSparsity !== null) {
    const most = maxSparsity === null ? "" : ` (no ranking can keep every layer beyond ${percent(maxSparsity, 2)})`;
    lines.push(
      `layers die in this order: ${order
        .slice(0, named)
        .map(({ id, sparsity }) => `"${plain(id)}" at ${percent(sparsity, 2)}`)
        .join(", ")}${order.length > named ? ", …" : ""}${most}`,
    );
  }
  if (noSignal.length > 0) lines.push(`no signal (all scores are 0): ${list(noSignal)}`);
  if (isError(effective)) lines.push(pc.yellow(`paths not known: ${plain(describeError(effective))}`));
  else lines.push(...effectiveLines(effective, report));
  return lines;
}

function effectiveLines(effective: EffectiveReport, { sparsity }: Report): string[] {
  const { kept, prunable, connected, cutSparsity, branches, notes } = effective;
  const dead = branches.filter((branch) => branch.dead);
  return [
    `on a path from input to output: ${count(kept)} of ${count(prunable)} weights; effective sparsity ` +
      `${percent(effective.sparsity, 2)} at nominal ${percent(sparsity, 2)}`,
    connected
      ? cutSparsity === null
        ? "something always gets through"
        : `the network is cut at ${percent(cutSparsity, 2)}`
      : pc.red("nothing gets from the inputs to the output"),
    ...(dead.length > 0
      ? [
          pc.red(
            `${dead.length} of ${branches.length} residual branches are dead: ${list(dead.map(({ node }) => node))}`,
          ),
        ]
      : []),
    ...notes.map((note) => pc.dim(`note: ${plain(note)}`)),
  ];
}

function theoryLines(
  { origin, advice, layers, residual, edges, inputScale, notes }: TheoryReport,
  width: number,
): string[] {
  // A row for what the theory says something of; the others in a line for each reason.
  const told = layers.filter(({ phase, suggestion }) => phase !== null || suggestion !== null);
  const name = Math.max(12, Math.min(36, width - 72, Math.max(0, ...told.map(({ id }) => id.length))));
  const row = (cells: readonly string[]): string =>
    [
      cells[0]!.padEnd(name),
      cells[1]!.padEnd(activationWidth),
      ...cells.slice(2, 5).map((cell) => cell.padStart(8)),
      ...cells.slice(5),
    ].join("  ");
  return [
    `weights look ${origin.verdict}: ${origin.votes.map(({ words }) => plain(words)).join(" ")}`,
    plain(advice),
    ...(told.length === 0
      ? []
      : [
          pc.dim(row(["layer", "activation", "σ_w", "σ_b", "χ", "phase and suggestion"])),
          ...told.map((layer) => row(theoryCells(layer, name))),
        ]),
    ...untold(layers.filter((layer) => !told.includes(layer))),
    ...edges.map(({ activation, explanation }) => `${plain(activation)}: ${explanation}`),
    ...(inputScale === null ? [] : [`inputs should have mean square ${number(inputScale)}`]),
    plain(residual.words),
    ...notes.map((note) => pc.dim(`note: ${plain(note)}`)),
  ];
}

/** Columns of an activation's name. */
const activationWidth = 24;

/** Layers without a phase, a line for each kind of reason, with the words of the first as an example. */
function untold(layers: readonly LayerTheory[]): string[] {
  const groups = new Map<string, LayerTheory[]>();
  for (const layer of layers) {
    const kinds = layer.limits.map(({ kind }) => kind).join(", ");
    groups.set(kinds, [...(groups.get(kinds) ?? []), layer]);
  }
  return [...groups].map(([kinds, alike]) => {
    const reasons = new Set(alike[0]!.limits.map(({ words }) => plain(words)));
    const what = `${alike.length} ${alike.length === 1 ? "layer has" : "layers have"} no phase (${kinds}): ${list(alike.map(({ id }) => id))}`;
    return `${what}. ${alike.length === 1 ? "" : "The first: "}${[...reasons].join(" ")}`;
  });
}

/** An activation with its parameters to three digits. */
const activationText = (name: string): string =>
  name.replace(/\d+\.\d{4,}/g, (digits) => String(Number(Number(digits).toPrecision(3))));

function theoryCells(
  { id, activation, sigmaW, sigmaB, phase, suggestion, limits }: LayerTheory,
  name: number,
): string[] {
  const advice =
    suggestion === null
      ? ""
      : `; σ_w ${number(suggestion.sigmaW)}, σ_b ${number(suggestion.sigmaB)}: std ${number(suggestion.deviation)}`;
  const words = phase === null ? limits.map(({ kind }) => kind).join(", ") || "–" : phase.phase;
  return [
    shorten(plain(id), name),
    shorten(plain(activationText(activation ?? "–")), activationWidth),
    number(sigmaW),
    number(sigmaB),
    number(phase?.chi ?? null),
    words + advice,
  ];
}

function measureLines({ conditioning, propagation, stability, notes }: MeasureReport, width: number): string[] {
  const lines: string[] = [];
  if (isError(conditioning)) lines.push(pc.yellow(`conditioning not known: ${plain(describeError(conditioning))}`));
  else {
    const { rate, ratio, verdict } = conditioning;
    lines.push(verdict);
    if (rate !== null)
      lines.push(
        `m = mean (w·∂L/∂w)² changes by a factor of ${number(Math.exp(rate.rate))} a layer ` +
          `(95 %: ${number(Math.exp(rate.low))} to ${number(Math.exp(rate.high))}); largest over smallest ${number(ratio)}`,
      );
  }
  if (isError(propagation)) lines.push(pc.yellow(`propagation not known: ${plain(describeError(propagation))}`));
  else {
    const { layers } = propagation;
    const known = new Map(isError(conditioning) ? [] : conditioning.layers.map(({ id, m }) => [id, m] as const));
    const name = Math.max(12, Math.min(36, width - 76, Math.max(0, ...layers.map(({ id }) => id.length))));
    const row = (cells: readonly string[]): string =>
      [cells[0]!.padEnd(name), ...cells.slice(1).map((cell) => cell.padStart(10))].join("  ");
    lines.push(
      pc.dim(row(["layer", "m", "q", "theory", "c", "forward", "backward"])),
      ...layers.map((layer) =>
        row([
          shorten(plain(layer.id), name),
          number(known.get(layer.id) ?? null),
          number(layer.q),
          number(layer.predicted?.q ?? null),
          number(layer.c),
          number(layer.forwardGain),
          number(layer.backwardGain),
        ]),
      ),
      ...propagation.notes.map((note) => pc.dim(`note: ${plain(note)}`)),
    );
  }
  if (stability !== null)
    lines.push(
      isError(stability)
        ? pc.yellow(`stability not known: ${plain(describeError(stability))}`)
        : plain(stability.words),
    );
  lines.push(...notes.map((note) => pc.dim(`note: ${plain(note)}`)));
  return lines;
}

function remedyLines({ criticalSparsity, remedies, skipped, budget, seconds, sparsity }: RemediesReport): string[] {
  const share = (value: number | null): string => (value === null ? "–" : percent(value, 2));
  return [
    `first layer gone at ${share(criticalSparsity)} as it is; at ${percent(sparsity, 2)}, computed in ${seconds.toFixed(1)} of ${budget} s:`,
    ...remedies.map(
      ({ title, criticalSparsity: after, collapsed, words }) =>
        `  ${share(after).padStart(9)}  ${collapsed === 0 ? "" : `${collapsed} collapsed  `}${plain(title)}: ${plain(words)}`,
    ),
    ...skipped.map(({ title, reason }) => pc.dim(`  not computed: ${plain(title)}: ${plain(reason)}`)),
  ];
}
