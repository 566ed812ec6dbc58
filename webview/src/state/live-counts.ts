/**
 * The numbers that move with the slider: kept weights and risk of every layer. They are interpolated from the survival
 * table while it moves and exact at rest. All arrays are allocated once per analysis and changed in place.
 */
import type { Scope } from "../../../server/protocol/recipe.js";
import type { ExactSurvival, Risk } from "../../../server/protocol/report.js";
import { interpolateKept } from "../../../server/protocol/survival.js";
import { riskSeverity } from "./layer-order.js";
import { estimateRisk, type Settled } from "./risk-estimate.js";
import type { Analysis, Survey } from "./survey.js";

export class LiveCounts {
  /** Kept weights per layer; whole numbers unless {@link approximate}. */
  readonly kept: Float64Array;
  readonly density: Float64Array;
  readonly risks: Risk[];
  readonly excluded: boolean[];
  /** Share of outputs without a weight, per layer, at the last exact sparsity; NaN when unknown. */
  readonly deadOutputs: Float64Array;
  /** Whether the numbers are interpolated. */
  approximate = true;
  sparsity: number;
  /** Kept weights of all layers together. */
  total = 0;
  /** Kept weights of the layers that are not excluded. */
  ranked = 0;
  /** The engine's threshold, while the numbers are its own; undefined when it is not known. */
  threshold: number | null | undefined = undefined;

  private readonly settledRisk: Risk[];
  /** One object, filled anew for each layer. */
  private readonly settled: Settled;

  constructor(
    private readonly survey: Survey,
    private readonly analysis: Analysis,
  ) {
    const { report } = analysis.result;
    const layers = analysis.layers;
    this.kept = new Float64Array(layers.length);
    this.density = new Float64Array(layers.length);
    this.risks = layers.map((layer) => layer.risk);
    this.settledRisk = [...this.risks];
    this.excluded = layers.map((layer) => layer.excluded);
    this.deadOutputs = Float64Array.from(layers, (layer) => layer.deadOutputs ?? NaN);
    this.sparsity = report.sparsity;
    this.settled = { sparsity: report.sparsity, risk: "none", deadOutputs: NaN };
    this.settleFromReport();
  }

  /** Moves to `sparsity` by interpolation. */
  interpolate(sparsity: number, scope: Scope): void {
    this.sparsity = sparsity;
    this.approximate = true;
    this.threshold = undefined;
    interpolateKept(this.analysis.survival, this.survey.sizes, this.excluded, sparsity, scope, this.kept);
    for (let l = 0; l < this.kept.length; l++) {
      const critical = this.analysis.layers[l]!.criticalSparsity;
      this.settled.risk = this.settledRisk[l]!;
      this.settled.deadOutputs = this.deadOutputs[l]!;
      this.risks[l] = estimateRisk(this.kept[l]!, critical, sparsity, this.excluded[l]!, this.settled);
    }
    this.addUp();
  }

  /** Takes over the engine's exact answer. */
  settle(exact: ExactSurvival): void {
    this.take(exact.sparsity, (l) => ({
      kept: exact.kept[l] ?? NaN,
      risk: exact.risks[l] ?? "none",
      deadOutputs: exact.deadOutputs[l] ?? null,
    }));
    this.threshold = exact.threshold;
  }

  /** Takes over the report's numbers, which are exact at its own sparsity. */
  settleFromReport(): void {
    this.take(this.analysis.result.report.sparsity, (l) => this.analysis.layers[l]!);
    this.threshold = undefined;
  }

  /** Raises risks to what is known of the paths through the network at the same sparsity. */
  worsen(risks: readonly Risk[]): void {
    for (let l = 0; l < this.risks.length; l++) {
      const risk = risks[l];
      if (risk !== undefined && riskSeverity(risk) > riskSeverity(this.risks[l]!)) this.risks[l] = risk;
    }
  }

  private take(sparsity: number, layer: (l: number) => { kept: number; risk: Risk; deadOutputs: number | null }): void {
    this.sparsity = sparsity;
    this.settled.sparsity = sparsity;
    this.approximate = false;
    for (let l = 0; l < this.kept.length; l++) {
      const { kept, risk, deadOutputs } = layer(l);
      this.kept[l] = kept;
      this.risks[l] = risk;
      this.settledRisk[l] = risk;
      this.deadOutputs[l] = deadOutputs ?? NaN;
    }
    this.addUp();
  }

  private addUp(): void {
    this.total = 0;
    this.ranked = 0;
    for (let l = 0; l < this.kept.length; l++) {
      const kept = this.kept[l]!;
      const size = this.survey.sizes[l]!;
      this.density[l] = size === 0 ? 0 : kept / size;
      this.total += kept;
      if (!this.excluded[l]!) this.ranked += kept;
    }
  }
}
