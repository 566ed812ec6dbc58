/**
 * What would help: other criteria, schedules, floors, quotas, exclusions, initialisations and scalings, each with its
 * effect on the first layer to go, computed within a time that the person allows.
 */
import { elementsOf, setText, type Child } from "../elements.js";
import type { RemediesReport, Remedy } from "../../../server/protocol/insights.js";
import { createChoice } from "../page/choice.js";
import type { ViewStore } from "../state/store.js";
import { counted, integer, percent, seconds } from "../text/numbers.js";
import { createDataTable } from "./data-table.js";
import { folded } from "./fold.js";
import { createSection, type Section } from "./section.js";

const budgets = [
  { id: "10", title: "10 seconds" },
  { id: "60", title: "1 minute" },
  { id: "300", title: "5 minutes" },
] as const;

/** Makes the section. */
export function createRemediesSection(document: Document, store: ViewStore): Section {
  const h = elementsOf(document);
  let budget = "60";
  const choice = createChoice(document, "Time", true, (id) => {
    budget = id;
  });
  choice.show(
    budgets.map((one) => ({ ...one, meaning: "", disabled: false })),
    budget,
  );
  const ask = h("vscode-button", { class: "seek-remedies", appearance: "secondary" }, "What Would Help?");
  ask.addEventListener("click", () => {
    store.seekRemedies(Number(budget));
  });

  const build = (report: RemediesReport): Node[] => {
    const { remedies, skipped, sparsity, collapsed } = report;
    const columns = [
      { title: "Remedy" },
      { title: "First layer gone at", numeric: true },
      { title: "Layers gone", meaning: `At ${percent(sparsity)} sparsity`, numeric: true },
      { title: "What to know" },
      ...(store.live ? [{ title: "Apply" }] : []),
    ];
    const before = h("p", {});
    setText(
      before,
      `At ${percent(sparsity)} sparsity ${counted(collapsed, "layer")} ${collapsed === 1 ? "is" : "are"} gone as it is; ` +
        `the first goes at ${critical(report.criticalSparsity)}. Computed in ${seconds(report.seconds)} of ${seconds(report.budget)}.`,
    );
    const cells = (remedy: Remedy): readonly Child[] => [
      remedy.title,
      `${critical(report.criticalSparsity)} → ${critical(remedy.criticalSparsity)}`,
      `${integer(collapsed)} → ${integer(remedy.collapsed)}`,
      h("span", { class: "limits" }, remedy.words),
      ...(store.live ? [applyButton(remedy)] : []),
    ];
    return [
      before,
      ...(remedies.length === 0
        ? [h("p", {}, "Nothing that was tried changes it for the better.")]
        : [
            createDataTable(document, store, "What would help, best first", columns, remedies.length, (row) =>
              cells(remedies[row]!),
            ).element,
          ]),
      ...(skipped.length === 0
        ? []
        : [
            folded(
              document,
              `${counted(skipped.length, "remedy", "remedies")} not tried`,
              skipped.map(({ title, reason }) => `${title}: ${reason}`),
            ),
          ]),
    ];
  };

  const applyButton = (remedy: Remedy): HTMLElement => {
    const apply = h("button", { type: "button", class: "link apply", "aria-label": `Apply: ${remedy.title}` }, "Apply");
    apply.addEventListener("click", () => {
      store.apply(remedy.recipe);
    });
    return apply;
  };

  return createSection(document, store, {
    part: "remedies",
    title: "What would help",
    actions: [choice.element, ask],
    waiting:
      "Not asked. Each remedy is computed on this model; what does not fit into the time is listed as not tried.",
    build,
    follow(changes) {
      if (changes.has("state")) ask.toggleAttribute("disabled", store.shownRecipe === null);
    },
  });
}

function critical(sparsity: number | null): string {
  return sparsity === null ? "—" : percent(sparsity);
}
