import { describe, expect, it } from "vitest";
import type { ErrorData } from "../../server/protocol/errors.js";
import type { VerifyReport } from "../../server/protocol/report.js";
import type { Activity, ViewState } from "../../server/protocol/view.js";
import { honestWords } from "../../webview/src/page/saved-panel.js";
import { fakeModel, fakeReason, fakeSave, loadingState } from "./fake-model.js";
import { page, shown, text } from "./page-in-jsdom.js";

const fake = fakeModel({ layers: 12 });
const hostile = `</script><img src=x onerror="alert(1)">[x](command:evil)\u202e`;

describe("states of the page", () => {
  const failed: ErrorData = {
    code: "malformed-model",
    message: "The file ends in the middle of a tensor.",
    about: { file: "/models/a.onnx", node: "conv1", operator: "Conv", opset: 17, value: "w", offset: 1234567 },
  };

  it("loading: what is done, how far it is, and Cancel", () => {
    const { body, host } = page(loadingState());
    expect(body.dataset["state"]).toBe("loading");
    expect(text(body, ".loading .work-label")).toBe("Reading the model · initializers · 12 of 54");
    expect(body.querySelector<HTMLProgressElement>(".loading progress")?.value).toBe(12);
    body.querySelector<HTMLElement>(".loading .work-cancel")?.click();
    expect(host.of("cancel")).toHaveLength(1);
  });

  it("failed: the sentence, the place, and Retry where it makes sense", () => {
    const activity: Activity = { kind: "failed", error: failed, retry: true };
    const { body, host, clock } = page({ ...loadingState(), activity });
    expect(body.dataset["state"]).toBe("failed");
    expect(text(body, ".failure-sentence")).toBe(failed.message);
    const places = [...body.querySelectorAll(".places > div")].map((place) => place.textContent);
    expect(places).toEqual(["File/models/a.onnx", "Nodeconv1", "OperatorConv (opset 17)", "Tensorw", "Byte1,234,567"]);
    body.querySelector<HTMLElement>(".failure-retry")?.click();
    expect(host.of("retry")).toHaveLength(1);
    host.send({ type: "activity", activity: { ...activity, retry: false } });
    clock.draw();
    expect(shown(body, ".failure-retry")).toBe(false);
  });

  it("failed for JSON that is no model: it can be read as text, which no other failure is for", () => {
    const offered = (code: ErrorData["code"], file: string, mode: ViewState["mode"] = "editor"): boolean => {
      const error: ErrorData = { code, message: "No.", about: { file } };
      const { body, host } = page({ ...loadingState(), mode, activity: { kind: "failed", error, retry: false } });
      if (!shown(body, ".failure-text")) return false;
      body.querySelector<HTMLElement>(".failure-text")?.click();
      return host.of("openText").length === 1;
    };
    expect(offered("unsupported-format", "/w/package.json")).toBe(true);
    expect(offered("malformed-model", "/w/model.JSON")).toBe(true);
    expect(offered("missing-data", "/w/model.json")).toBe(false);
    expect(offered("malformed-model", "/w/model.onnx")).toBe(false);
    expect(offered("malformed-model", "/w/shard.bin")).toBe(false);
    expect(offered("malformed-model", "/w/model.json", "report")).toBe(false);
  });

  it("failed beside a result: both are shown", () => {
    const { body } = page({ ...fake.state, activity: { kind: "failed", error: failed, retry: true } });
    expect(body.dataset["state"]).toBe("ready");
    expect(body.dataset["activity"]).toBe("failed");
    expect(shown(body, ".failure")).toBe(true);
    expect(shown(body, ".grid")).toBe(true);
  });

  it("failed for scores that are not finite: one click excludes the layer", () => {
    const { id, weight } = fake.model.layers[3]!;
    const error: ErrorData = { code: "non-finite", message: "NaN.", about: { value: weight } };
    const { body, host } = page({ ...fake.state, result: null, activity: { kind: "failed", error, retry: false } });
    body.querySelector<HTMLElement>(".failure-exclude")?.click();
    expect(host.of("recipe").at(-1)?.recipe.exclude).toEqual([id]);
  });

  it("empty: says why", () => {
    const { body } = page({ ...fakeModel({ layers: 0 }).state, result: null });
    expect(body.dataset["state"]).toBe("empty");
    expect(shown(body, ".empty")).toBe(true);
    expect(shown(body, ".controls")).toBe(false);
    expect(text(body, ".facts")).toContain("Parameters9,000");
  });

  it("partial: the layers, while their statistics are computed", () => {
    const working: Activity = { kind: "working", label: "Analyzing", progress: null };
    const { body } = page({ ...fake.state, result: null, activity: working });
    expect(body.dataset["state"]).toBe("loading");
    expect(text(body, ".headline")).toContain("are being computed");
    expect(text(body, ".rows .cell-weight")).toBe(fake.model.layers[0]!.weight);
    expect(body.querySelector(".rows [data-kept]")).toBeNull();
    expect(body.querySelector(".save")?.hasAttribute("disabled")).toBe(true);
  });

  it("partial: offers to analyze where nobody does", () => {
    const { body, host } = page({ ...fake.state, result: null });
    expect(text(body, ".headline")).toContain("have not been analyzed yet");
    body.querySelector<HTMLElement>(".analyze")?.click();
    expect(host.of("recipe")).toHaveLength(1);
  });

  it("ready: the header, the sentence, exact rows", () => {
    const { body } = page({ ...fake.state, banner: "The file changed on disk." });
    expect([body.dataset["state"], body.dataset["rest"]]).toEqual(["ready", "true"]);
    expect(text(body, ".banner")).toBe("The file changed on disk.");
    for (const part of ["pytorch 2.4.1", "ai.onnx 17", "ONNX, IR 8"]) expect(text(body, ".facts")).toContain(part);
    expect(text(body, ".ports")).toContain("imagefloat batch × 3 × 224 × 224");
    const rows = [...body.querySelectorAll<HTMLElement>(".rows [data-layer-id]")];
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      const layer = fake.result.report.layers.find(({ id }) => id === row.dataset["layerId"]);
      expect(row.dataset["kept"]).toBe(String(layer?.kept));
      expect(row.hasAttribute("data-approximate")).toBe(false);
    }
    expect(text(body, ".tally")).toMatch(/^[\d,]+ of [\d,]+ weights kept · [\d.]+ % of all parameters removed$/);
  });

  it("tells a run for shapes that failed", () => {
    const shapes: ErrorData = { code: "unsupported-op", message: "No kernel for Foo.", about: {} };
    expect(text(page({ ...fake.state, shapes }).body, ".disclosure-notes")).toContain("No kernel for Foo.");
  });
});

describe("the table", () => {
  it("excludes by the box of a row", () => {
    const { body, host } = page(fake.state);
    const box = body.querySelector<HTMLInputElement>(".rows input[type=checkbox]")!;
    expect(box.getAttribute("aria-label")).toBe(`Exclude ${fake.model.layers[0]!.weight}`);
    box.click();
    expect(host.of("recipe").at(-1)?.recipe.exclude).toEqual([fake.model.layers[0]!.id]);
  });

  it("sorts by its headers, and says so", () => {
    const { body, clock } = page(fake.state);
    const button = body.querySelector<HTMLElement>(".row-head .cell-parameters button")!;
    button.click();
    clock.draw();
    const sorted = (): number[] =>
      [...body.querySelectorAll(".rows .cell-parameters")].map((cell) => Number(cell.textContent.replaceAll(",", "")));
    expect(sorted()).toEqual([...sorted()].sort((a, b) => b - a));
    expect(button.parentElement?.getAttribute("aria-sort")).toBe("descending");
    button.click();
    clock.draw();
    expect(sorted()).toEqual([...sorted()].sort((a, b) => a - b));
  });

  it("makes rows only for what is in view", () => {
    const { body } = page(fakeModel({ layers: 500 }).state);
    expect(body.querySelectorAll(".rows .row").length).toBeLessThan(40);
    expect(body.querySelector(".grid")?.getAttribute("aria-rowcount")).toBe("501");
  });

  it("is read-only in a saved report", () => {
    const { body } = page({ ...fake.state, mode: "report" });
    expect(body.querySelector<HTMLInputElement>(".rows input")?.disabled).toBe(true);
    expect(shown(body, ".save")).toBe(false);
    expect(body.querySelector("vscode-dropdown")).toBeNull();
  });
});

describe("gradient criteria", () => {
  const snip = fakeModel({ layers: 12, recipe: { criterion: "snip", batch: 8 } });
  const type = (body: HTMLElement, selector: string, value: string): void => {
    const input = body.querySelector<HTMLInputElement>(selector)!;
    input.value = value;
    input.dispatchEvent(new input.ownerDocument.defaultView!.Event("change"));
  };

  it("are offered with a sentence each, and with the reason where they cannot run", () => {
    const { body } = page(fake.state);
    const options = [...body.querySelectorAll("vscode-dropdown[aria-label=Criterion] vscode-option")];
    const found = options.map((option) => [option.textContent, option.getAttribute("data-meaning")]);
    expect(found).toEqual([
      ...fake.model.criteria.slice(0, -1).map(({ title, summary }) => [title, summary]),
      ["Fisher", "Not available: its loss has no samples. Curvature."],
    ]);
    expect(options.filter((option) => option.hasAttribute("disabled"))).toEqual([options.at(-1)]);
  });

  it("say in a line what they score on, and let it be changed", () => {
    const { body, host, clock } = page(snip.state);
    expect(text(body, ".terms-words")).toBe("SNIP on synthetic data, 8 samples, seed 0");
    expect(text(body, ".terms-data")).toContain("a statement about the architecture, not about your task");
    expect(shown(body, ".data-clear")).toBe(false);
    body.querySelector<HTMLElement>(".data-file")?.click();
    body.querySelector<HTMLElement>(".data-folder")?.click();
    expect(host.of("chooseData").map(({ folder }) => folder)).toEqual([false, true]);
    type(body, "#terms-batch", "64");
    type(body, "#terms-seed", "7");
    expect(host.of("recipe").at(-1)?.recipe).toMatchObject({ criterion: "snip", batch: 64, seed: 7 });
    clock.draw();
    expect(text(body, ".terms-words")).toBe("SNIP on synthetic data, 64 samples, seed 7");
    const asked = host.of("recipe").length;
    type(body, "#terms-batch", "0");
    type(body, "#terms-seed", "");
    expect(host.of("recipe")).toHaveLength(asked);
    expect(body.querySelector<HTMLInputElement>("#terms-batch")?.value).toBe("64");
  });

  it("name the data that was chosen, and go back to synthetic data", () => {
    const recipe = { ...snip.recipe, data: "/home/ada/digits.npz", loss: "cross-entropy", batchNorm: "batch" } as const;
    const { body, host } = page({ ...snip.state, recipe, result: { ...snip.result, recipe } });
    expect(text(body, ".terms-words")).toBe(
      "SNIP on digits.npz, 8 samples, cross-entropy with the data's labels, batch statistics, seed 0",
    );
    expect(body.querySelector<HTMLElement>(".terms-data")?.title).toBe("/home/ada/digits.npz");
    body.querySelector<HTMLElement>(".data-clear")?.click();
    expect(host.of("recipe").at(-1)?.recipe).not.toHaveProperty("data");
  });

  it("ask for data, loss and BatchNorm only where these matter", () => {
    const fields = (state: ViewState): boolean[] => {
      const { body } = page(state);
      const parts = [".terms-field-data", "#terms-batch", "[aria-label=Loss]", "[aria-label=BatchNorm]", "#terms-seed"];
      return parts.map((part) => shown(body, part));
    };
    expect(fields(snip.state)).toEqual([true, true, true, true, true]);
    expect(fields({ ...snip.state, model: { ...snip.model, hasBatchNorm: false } })[3]).toBe(false);
    expect(fields(fake.state)).toEqual([false, false, false, false, true]);
  });

  it("show where the scores come from: terms, loss, BatchNorm, and the analysis's own notes", () => {
    const { body } = page(snip.state);
    const facts = text(body, ".provenance .facts");
    for (const part of ["SNIP on synthetic data", "Loss2.30", "BatchNormstored statistics"]) {
      expect(facts).toContain(part);
    }
    const own = snip.result.report.notes.filter((note) => !snip.model.notes.includes(note));
    expect([...body.querySelectorAll(".provenance-notes li")].map((item) => item.textContent)).toEqual(own);
    expect(shown(body, ".provenance-other")).toBe(false);
  });

  it("are read-only in a saved report, with the same facts", () => {
    const { body } = page({ ...snip.state, mode: "report" });
    expect(text(body, ".terms-words")).toBe("SNIP on synthetic data, 8 samples, seed 0");
    expect(body.querySelectorAll(".terms input, .terms vscode-button, .terms vscode-dropdown")).toHaveLength(0);
    expect(text(body, ".provenance .facts")).toContain("Loss2.30");
  });

  it("name the result that is still shown while another is on its way, and offer to go back when that failed", () => {
    const { body, host, clock, store } = page(fake.state);
    store.choose({ criterion: "snip" });
    host.send({ type: "activity", activity: { kind: "working", label: "Analyzing", progress: null } });
    clock.draw();
    expect(text(body, ".provenance-other")).toContain("SNIP on synthetic data, 32 samples, seed 0 is being scored.");
    expect(text(body, ".provenance-other")).toContain("the numbers are by Magnitude, seed 0.");
    expect(shown(body, ".provenance-back")).toBe(false);
    const error: ErrorData = { code: "missing-data", message: "No array fits.", about: {} };
    host.send({ type: "activity", activity: { kind: "failed", error, retry: true } });
    clock.draw();
    expect(text(body, ".provenance-other")).toContain("could not be scored. The numbers are by Magnitude, seed 0.");
    expect(body.querySelector(".save")?.hasAttribute("disabled")).toBe(true);
    body.querySelector<HTMLElement>(".provenance-back")?.click();
    expect(host.of("recipe").at(-1)?.recipe).toEqual(fake.recipe);
  });

  it("that take rounds say how many, and serve every sparsity", () => {
    const synflow = fakeModel({ layers: 12, recipe: { criterion: "synflow" } });
    const { body, host, store } = page(synflow.state);
    expect(text(body, ".terms-words")).toBe("SynFlow, 200 rounds, seed 0");
    store.slide(0.95);
    store.settle();
    expect(store.fits).toBe(true);
    expect(host.of("survival").at(-1)).toMatchObject({ sparsity: 0.95 });
    expect(host.of("recipe")).toEqual([]);
  });

  it("leave layers without a score dense, and say why", () => {
    const some = fakeModel({ layers: 12, recipe: { criterion: "snip" }, unscored: [2, 5] });
    const { body, clock, store } = page(some.state);
    const { id, parameters } = some.model.layers[2]!;
    const row = body.querySelector<HTMLElement>(`.rows [data-layer-id="${id}"]`)!;
    expect([row.dataset["standing"], row.dataset["kept"]]).toEqual(["no-score", String(parameters)]);
    expect(text(row, ".cell-risk")).toBe("no score");
    expect(row.querySelector<HTMLElement>(".cell-risk")?.title).toContain(fakeReason);
    expect(text(row, ".cell-mean")).toBe("—");
    expect(text(body, ".headline")).toContain("2 layers have no score and stay dense");
    expect(text(body, ".figure-scores .figure-subject")).toBe("all layers but 2 without a score");
    store.select(id);
    clock.draw();
    expect(text(body, ".detail")).toContain(`No score${fakeReason}`);
    expect(text(body, ".figure-scores .figure-words")).toBe("no score: nothing goes");
  });
});

describe("after a save", () => {
  const saved = fakeSave(fake);

  it("says what was written, how outputs differ, what it weighs, and what it is not good for", () => {
    const { body } = page({ ...fake.state, saved });
    const said = text(body, ".saved");
    const { kept, prunable } = saved.save;
    const zeros = saved.save.layers.reduce((sum, layer) => sum + layer.zeros, 0);
    expect(said).toContain(`${kept.toLocaleString("en")} of ${prunable.toLocaleString("en")} weights kept`);
    expect(said).toContain(`${zeros.toLocaleString("en")} zeros counted in the written file`);
    expect(text(body, "[data-output=logits]")).toBe("logits 1 × 10001.830.2119.4419.4 %");
    expect(said).toContain("18.5 % of the original's size");
    expect(said).toContain(honestWords);
  });

  it("says what is still pending, and what did not work", () => {
    const pending = page({ ...fake.state, saved: { ...saved, verify: null, compress: null } });
    expect(pending.body.querySelectorAll(".saved progress")).toHaveLength(2);
    const error: ErrorData = { code: "out-of-memory", message: "Not enough memory.", about: {} };
    const { body } = page({ ...fake.state, saved: { ...saved, verify: error, compress: error } });
    expect(text(body, ".saved")).toContain("The comparison of outputs did not finish: Not enough memory.");
    expect(text(body, ".saved")).toContain("Compression did not finish: Not enough memory.");
  });

  it("warns when the written file has fewer zeros than the mask asks for", () => {
    const layers = saved.save.layers.map((layer, l) => (l === 2 ? { ...layer, zeros: 0 } : layer));
    const { body } = page({ ...fake.state, saved: { ...saved, save: { ...saved.save, layers } } });
    expect(text(body, ".saved-wrong")).toContain(layers[2]!.id);
  });

  it("has no number where outputs cannot be compared", () => {
    const output = { name: "y", shape: [1], maxDifference: null, meanDifference: null, maxOriginal: 1 };
    const verify: VerifyReport = { input: "noise", outputs: [output], seconds: 1 };
    const { body } = page({ ...fake.state, saved: { ...saved, verify } });
    expect(text(body, "[data-output=y]")).toBe("y 1——1.00—");
    expect(text(body, ".saved")).toContain("differ in shape");
  });
});

describe("hostile text", () => {
  it("stays text wherever a model or an error can speak", () => {
    const bad = fakeModel({ layers: 12, name: (l) => `${hostile}${l}`, title: hostile });
    const evil = { name: hostile, dtype: "float", shape: [hostile], type: hostile } as const;
    const error: ErrorData = {
      code: "internal",
      message: hostile,
      about: { file: hostile, node: hostile, operator: hostile, value: hostile },
    };
    const saved = fakeSave(bad);
    const { body, store, clock } = page({
      ...bad.state,
      banner: hostile,
      model: {
        ...bad.model,
        producer: hostile,
        docString: hostile,
        metadata: [{ key: hostile, value: hostile }],
        opsets: [{ domain: hostile, version: 1 }],
        notes: [hostile],
        unprunable: [{ weight: hostile, shape: [1], reason: hostile }],
        inputs: [evil],
        outputs: [evil],
        criteria: [
          {
            id: "magnitude",
            title: hostile,
            summary: hostile,
            unavailable: hostile,
            needsData: true,
            rounds: 2,
            signed: true,
          },
        ],
        losses: [{ id: hostile, title: hostile }],
      },
      shapes: error,
      activity: { kind: "failed", error, retry: true },
      saved: { save: { ...saved.save, path: hostile }, verify: error, compress: error },
    });
    store.select(bad.model.layers[2]!.id);
    store.arrange({ filter: hostile });
    clock.draw();
    expect(body.querySelectorAll("img, script, a, style, [style*=url], [onerror]")).toHaveLength(0);
    expect(body.textContent).toContain("<img src=x");
    expect(text(body, ".detail")).toContain(hostile);
    expect(text(body, ".title")).toBe(hostile);
  });
});
