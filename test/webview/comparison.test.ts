/** The page of a comparison: every figure of the report in its place, each state of the work, and nothing but text of hostile names. */
import { JSDOM } from "jsdom";
import { describe, expect, it } from "vitest";
import type { CompareReport, ComparisonState, FromComparison, ToComparison } from "../../server/protocol/compare.js";
import { latencySentence } from "../../webview/src/comparison/summary.js";
import { cosineText } from "../../webview/src/comparison/outputs.js";
import { mountComparison } from "../../webview/src/comparison/comparison-page.js";
import { latencyIntervals } from "../../webview/src/plots/latency-intervals.js";
import { comparisonReport, comparisonState } from "./fake-comparison.js";
import { FakeClock } from "./fake-host.js";
import { shown, text } from "./page-in-jsdom.js";

interface Mounted {
  readonly body: HTMLElement;
  readonly posted: FromComparison[];
  readonly clock: FakeClock;
  readonly send: (message: ToComparison) => void;
}

function mount(state: ComparisonState): Mounted {
  const { document } = new JSDOM(`<body><main id="app"></main></body>`).window;
  const posted: FromComparison[] = [];
  const clock = new FakeClock();
  let receiver: (message: ToComparison) => void = () => undefined;
  const host = {
    live: true,
    post: (message: FromComparison) => void posted.push(message),
    listen: (listener: (message: ToComparison) => void) => void (receiver = listener),
    recall: () => null,
    remember: () => undefined,
  };
  mountComparison(document, document.getElementById("app")!, host, clock);
  receiver({ type: "comparison", state });
  return {
    body: document.body,
    posted,
    clock,
    send: (message) => {
      receiver(message);
    },
  };
}

const withReport = (change: Partial<CompareReport>): ComparisonState => ({
  ...comparisonState,
  report: { ...comparisonReport, ...change },
});
const cells = (body: HTMLElement, row: string): string[] =>
  [...body.querySelectorAll(`[data-row='${row}'] td`)].map((cell) => cell.textContent.replaceAll("\u00a0", " "));

describe("a report", () => {
  it("has both models side by side", () => {
    const { body } = mount(comparisonState);
    expect(text(body, "h1")).toBe("net.onnx and net.snip-90.onnx");
    expect(cells(body, "On disk")).toEqual(["4.0 MB", "4.0 MB", "100 %"]);
    expect(cells(body, "Zipped")).toEqual(["3.6 MB", "900 kB", "25 %"]);
    // The second layer is in one of them only.
    expect(cells(body, "Weights not 0")).toEqual(["292", "54", "18.5 %"]);
    expect(cells(body, "Accuracy")).toEqual(["90.6 %", "89.1 %", "−1.56 points"]);
    expect(cells(body, "Latency")).toEqual(["12.0 ms", "9.00 ms", "75 %"]);
    expect(body.querySelector(".compared-name")!.getAttribute("title")).toBe("/models/net.onnx");
  });

  it("has every output, and a dash for what has no number", () => {
    const { body } = mount(comparisonState);
    expect(cells(body, "logits")).toEqual(["4 × 10", "1.25", "0.125", "8.00", "0.9876", "95.3 %"]);
    expect(cells(body, "boxes")).toEqual(["4 × 7", "—", "—", "300", "—", "—"]);
    expect(text(body, ".compared-outputs")).toContain("all 64 samples of digits.npz");
  });

  it("has every layer with both densities as bars", () => {
    const { body } = mount(comparisonState);
    const rows = [...body.querySelectorAll(".compared-layers tbody tr")];
    expect(rows.map((row) => row.querySelector("[data-layer]")!.textContent)).toEqual(["conv.weight", "fc.weight"]);
    const densities = rows.map((row) =>
      [...row.querySelectorAll<HTMLElement>("[data-density]")].map((cell) => Number(cell.dataset["density"])),
    );
    expect(densities).toEqual([[1, 0.25], [0.95]]);
    expect(rows[0]!.querySelectorAll<HTMLElement>(".bar")[1]!.style.backgroundSize).toBe("25% 100%");
  });

  it("says how latency was measured, and draws it", () => {
    const { body } = mount(comparisonState);
    const said = text(body, ".compared-latency");
    expect(said).toContain("Original 12.0 ms (11.5 ms to 12.8 ms), pruned 9.00 ms (8.50 ms to 9.50 ms)");
    expect(said).toContain("40 runs of each model in turn, 1 sample a run, on 3 threads");
    expect(body.querySelectorAll(".compared-latency svg")).toHaveLength(1);
    // A strict policy refuses style elements and attributes in the page's text.
    expect(body.querySelectorAll("style")).toHaveLength(0);
  });

  it("leaves out what was not measured", () => {
    const { body } = mount(withReport({ latency: null, accuracy: null, compressed: null, samples: 0, outputs: [] }));
    for (const absent of [".compared-latency", ".compared-outputs", "[data-row='Accuracy']", "[data-row='Zipped']"])
      expect(body.querySelector(absent)).toBeNull();
    expect(text(body, ".compared-notes")).toContain("One sample serves all.");
  });

  it("says why sizes could not be compressed", () => {
    const compressed = { code: "missing-data", message: "It is gone.", about: {} } as const;
    expect(text(mount(withReport({ compressed })).body, ".compared-notes")).toContain("Not compressed: It is gone.");
  });

  it("shows hostile names as text", () => {
    const evil = `<img src=x onerror="alert(1)">`;
    const [layer] = comparisonReport.layers;
    const [output] = comparisonReport.outputs;
    const { body } = mount({
      ...withReport({ layers: [{ ...layer!, id: evil }], outputs: [{ ...output!, name: evil }], notes: [evil] }),
      original: evil,
    });
    expect(body.querySelector("img")).toBeNull();
    expect(text(body, "h1")).toContain(evil);
  });

  it("of five thousand layers builds its rows a few at a time", () => {
    const [layer] = comparisonReport.layers;
    const layers = Array.from({ length: 5000 }, (_, i) => ({ ...layer!, id: `layer${i}` }));
    const { body, clock } = mount(withReport({ layers }));
    const count = (): number => body.querySelectorAll(".compared-layers tbody tr").length;
    expect(count()).toBeLessThan(100);
    const before = count();
    clock.pass(1);
    expect(count()).toBeGreaterThan(before);
  });
});

describe("the work", () => {
  const none: ComparisonState = { ...comparisonState, report: null };

  it("is shown with its progress, and can be cancelled", () => {
    const { body, posted, send } = mount(none);
    const progress = { stage: "Comparing weights", done: 3, total: 12 };
    send({ type: "activity", activity: { kind: "working", label: "Comparing", progress } });
    expect(body.dataset["state"]).toBe("loading");
    expect(text(body, ".work-label")).toBe("Comparing · Comparing weights · 3 of 12");
    expect(body.querySelector("progress")).toMatchObject({ value: 3, max: 12 });
    body.querySelector<HTMLElement>(".work-cancel")!.click();
    expect(posted).toEqual([{ type: "ready" }, { type: "cancel" }]);
  });

  it("that failed says why, and is tried again", () => {
    const error = { code: "shape-mismatch", message: "The models take different inputs.", about: {} } as const;
    const { body, posted } = mount({ ...none, activity: { kind: "failed", error, retry: true } });
    expect(body.dataset["state"]).toBe("failed");
    expect(text(body, ".failure-sentence")).toBe("The models take different inputs.");
    body.querySelector<HTMLElement>(".failure-retry")!.click();
    expect(posted.at(-1)).toEqual({ type: "retry" });
  });

  it("can be done again, on samples too, once it is done", () => {
    const { body, posted, send } = mount(comparisonState);
    expect(body.dataset["state"]).toBe("ready");
    const buttons = [...body.querySelectorAll<HTMLElement>(".comparison-again vscode-button")];
    for (const button of buttons) button.click();
    expect(posted.slice(1)).toEqual([
      { type: "retry" },
      { type: "chooseData", folder: false },
      { type: "chooseData", folder: true },
    ]);
    send({ type: "activity", activity: { kind: "working", label: "Comparing", progress: null } });
    // The last report stays while the next is made.
    expect(shown(body, ".comparison-again")).toBe(false);
    expect(shown(body, ".compared-summary")).toBe(true);
  });
});

describe("words", () => {
  const at = (
    low: number,
    median: number,
    high: number,
  ): { low: number; median: number; high: number; runs: number } => ({
    low,
    median,
    high,
    runs: 9,
  });

  it("claim a difference only where quartiles lie apart", () => {
    expect(latencySentence(at(9, 10, 11), at(8, 9, 9.5))).toContain("no difference can be told");
    expect(latencySentence(at(9, 10, 11), at(4, 5, 6))).toContain("pruned model takes 50\u00a0% less time");
    expect(latencySentence(at(4, 5, 6), at(9, 10, 11))).toContain("original takes 50\u00a0% less time");
  });

  it("never call a cosine 1 that is not", () => {
    expect([1, 0.99999999, 0.99984, 0, -0.5].map(cosineText)).toEqual(["1", ">0.9999", "0.9998", "0.0000", "−0.5000"]);
  });
});

describe("the figure of latencies", () => {
  const { document } = new JSDOM().window;
  const draw = (high: number): ReturnType<typeof latencyIntervals> =>
    latencyIntervals(
      [
        { name: "Original", low: 2, median: 3, high },
        { name: "Pruned", low: 1, median: 1.5, high: 2 },
      ],
      { document, width: 480, height: 104 },
    );

  it("has a line between quartiles and a bar at the median, on an axis from 0", () => {
    const { svg, x } = draw(4);
    const lines = [...svg.querySelectorAll(".interval-line line")];
    expect(lines.map((line) => ["x1", "x2"].map((end) => Number(line.getAttribute(end))))).toEqual([
      [x(2), x(4)],
      [x(1), x(2)],
    ]);
    const medians = [...svg.querySelectorAll(".interval-median line")];
    expect(medians.map((line) => Number(line.getAttribute("x1")))).toEqual([x(3), x(1.5)]);
    expect(x(0)).toBe(64);
    expect(svg.textContent).toContain("Milliseconds");
  });

  it("holds whatever is slowest", () => {
    const { x } = draw(4000);
    expect(x(4000)).toBeLessThanOrEqual(480 - 12);
  });
});
