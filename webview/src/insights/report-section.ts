/**
 * A section about a part of the report itself, which comes with every analysis: it is there while the report has that
 * part, and its body is made after what is due has been drawn, only when the report is another.
 */
import { elementsOf, setText } from "../elements.js";
import type { Report } from "../../../server/protocol/report.js";
import type { ViewStore } from "../state/store.js";
import type { Section } from "./section.js";

export interface ReportSectionOptions<T> {
  /** Ends the class of the section and the id of its heading. */
  readonly name: string;
  /** The part; undefined where the report has none. */
  readonly part: (report: Report) => T | undefined;
  readonly title: (part: T) => string;
  readonly build: (part: T, report: Report) => readonly Node[];
}

/** Makes the section. */
export function createReportSection<T>(
  document: Document,
  store: ViewStore,
  { name, part, title, build }: ReportSectionOptions<T>,
): Section {
  const h = elementsOf(document);
  const heading = h("h2", { id: `insight-${name}` });
  const body = h("div", { class: "insight-body" });
  const names = { class: `insight insight-${name}`, "aria-labelledby": heading.id };
  const element = h("section", { ...names, hidden: true }, heading, body);
  let built: Report | null = null;
  return {
    element,
    show(changes) {
      if (!changes.has("state")) return;
      const report = store.survey?.analysis?.result.report ?? null;
      const found = report === null ? undefined : part(report);
      element.hidden = found === undefined;
      if (report === built) return;
      built = report;
      if (report === null || found === undefined) {
        body.replaceChildren();
        return;
      }
      setText(heading, title(found));
      store.later(() => {
        body.replaceChildren(...build(found, report));
      });
    },
  };
}
