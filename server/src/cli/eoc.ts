/** `prunescope eoc`: the edge of chaos of an activation, as a table, JSON or code that initialises a network on it. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { pc } from "../analysis/colors.js";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Activation } from "../meanfield/activations/activation.js";
import { activationNamed, activations } from "../meanfield/activations/index.js";
import { edgeCurve, type EdgeCurve, type EdgePoint } from "../meanfield/edge-curve.js";
import { edgeOfChaos, type EdgeOfChaos } from "../meanfield/edge-of-chaos.js";
import { type Phase, phaseOf } from "../meanfield/phase.js";
import { type Framework, frameworks, snippet } from "../meanfield/snippets.js";
import { type Scheme, schemes } from "../../protocol/recipe.js";

interface Options {
  readonly activation: string;
  readonly parameter: Readonly<Record<string, number>>;
  readonly sigmaB: number;
  readonly sigmaW?: number;
  readonly curve?: boolean;
  readonly code?: Framework;
  readonly scheme: Scheme;
  readonly format: "table" | "json";
}

export function addEoc(program: Command): void {
  program
    .command("eoc")
    .description("The edge of chaos of an activation: σ_w, σ_b and whether they hold.")
    .requiredOption("--activation <name>", activations.map(({ id }) => id).join(", "))
    .option("--parameter <name=value>", "parameter of the activation, alpha=0.2 for example (repeatable)", collect, {})
    .option("--sigma-b <number>", "standard deviation of the biases", number, 0)
    .option("--sigma-w <number>", "also say in which phase this σ_w is", number)
    .option("--curve", "list the whole curve")
    .addOption(new Option("--code <framework>", "print code that initialises a network so").choices(frameworks))
    .addOption(new Option("--scheme <scheme>", "what --code draws").choices(schemes).default("normal"))
    .addOption(new Option("--format <format>", "what to print").choices(["table", "json"]).default("table"))
    .action((options: Options) => {
      const activation = activationNamed(options.activation, options.parameter);
      const curve = edgeCurve(activation);
      const edge = edgeOfChaos(activation, options.sigmaB, curve);
      if (options.code !== undefined) {
        process.stdout.write(snippet(options.code, edge.activation, pointToUse(edge), options.scheme));
        return;
      }
      const phase =
        options.sigmaW === undefined ? null : phaseOf(activation, { sigmaW: options.sigmaW, sigmaB: options.sigmaB });
      const shown = { activation, edge, phase, curve: options.curve === true ? curve : null };
      process.stdout.write(options.format === "json" ? json(shown) : table(shown));
    });
}

interface Shown {
  readonly activation: Activation;
  readonly edge: EdgeOfChaos;
  /** Where a σ_w was given. */
  readonly phase: Phase | null;
  /** Where it was asked for. */
  readonly curve: EdgeCurve | null;
}

/** @throws PruneScopeError `bad-request` where no point holds. */
function pointToUse({ status, point, explanation }: EdgeOfChaos): EdgePoint {
  if (point !== null && status !== "unstable") return point;
  throw new PruneScopeError("bad-request", `There is no initialisation to write. ${explanation}`);
}

function json({ activation, edge, phase, curve }: Shown): string {
  const { activation: name, sigmaB, status, point, ...rest } = edge;
  const { sigmaW = null, q = null, chi = null, vPrime = null } = point ?? {};
  const report = {
    ...{ activation: name, sigmaW, sigmaB, q, chi, status, vPrime, ...rest, onnx: activation.onnx },
    ...(phase === null ? {} : { phase }),
    ...(curve === null ? {} : { curve }),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

const digits = (value: number | null, none: string): string =>
  value === null ? none : String(Number(value.toPrecision(7)));

const statusColour: Readonly<Record<EdgeOfChaos["status"], (text: string) => string>> = {
  stable: pc.green,
  marginal: pc.yellow,
  unstable: pc.red,
  none: pc.red,
};

function table({ edge, phase, curve }: Shown): string {
  const { point, inputScale, nearest } = edge;
  const row = (name: string, value: string): string => `  ${name.padEnd(14)} ${value}`;
  const lines = [
    `${pc.bold(edge.activation)}  ${statusColour[edge.status](edge.status)}`,
    row("σ_b", digits(edge.sigmaB, "")),
    ...(point === null
      ? []
      : [
          row("σ_w", digits(point.sigmaW, "")),
          row("q", digits(point.q, "any")),
          row("χ", digits(point.chi, "")),
          row("V'", digits(point.vPrime, "")),
          ...(inputScale === null ? [] : [row("mean x²", `${digits(inputScale, "")} of the network's inputs`)]),
        ]),
    ...(nearest === null
      ? []
      : [row("nearest", `σ_b ${digits(nearest.sigmaB, "")}, σ_w ${digits(nearest.sigmaW, "")}`)]),
    "",
    edge.explanation,
  ];
  if (phase !== null)
    lines.push(
      "",
      `${pc.bold(phase.phase)}, χ = ${digits(phase.chi, "")}, depth scale of gradients ${digits(phase.gradientDepth, "unbounded")}`,
      phase.explanation,
    );
  if (curve !== null) lines.push("", ...curveLines(curve));
  return `${lines.join("\n")}\n`;
}

function curveLines({ origin, parts }: EdgeCurve): string[] {
  const cells = (values: readonly string[]): string => values.map((value) => value.padStart(13)).join("");
  const line = ({ q, sigmaB, sigmaW, vPrime, status }: EdgePoint): string =>
    cells([digits(q, "any"), digits(sigmaB, ""), digits(sigmaW, ""), digits(vPrime, ""), status]);
  return [
    pc.dim(cells(["q", "σ_b", "σ_w", "V'", "status"])),
    ...(origin === null ? [] : [line(origin)]),
    ...parts.flatMap(({ kind, from, to, points }) =>
      kind === "missing" ? [`  no point from q = ${digits(from, "")} to ${digits(to, "")}`] : points.map(line),
    ),
  ];
}

function number(text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number.");
}

/** Parser of NAME=VALUE, repeatable. */
function collect(text: string, known: Readonly<Record<string, number>>): Record<string, number> {
  const at = text.indexOf("=");
  if (at <= 0) throw new InvalidArgumentError("It must be NAME=VALUE.");
  return { ...known, [text.slice(0, at)]: number(text.slice(at + 1)) };
}
