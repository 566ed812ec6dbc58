/** The HTML report for a finished analysis: the view's state with what else can be found out, put into a page. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { reportPage } from "../analysis/report-html.js";
import { toErrorData } from "../../protocol/errors.js";
import type { AnalysisResult } from "../../protocol/report.js";
import type { DynamicAxes } from "../../protocol/requests.js";
import type { Insights, SavedView } from "../../protocol/view.js";
import type { CommandEngine } from "./command-engine.js";

/** Makes the page. `saved` shows what a save did beside it. */
export async function htmlReport(
  engine: CommandEngine,
  path: string,
  result: AnalysisResult,
  dynamicAxes: DynamicAxes,
  insights: Insights,
  saved: SavedView | null = null,
): Promise<string> {
  const model = await engine.run("open", { uri: path, path, dynamicAxes });
  const shapes = await engine.run("shapes", { uri: path, path, dynamicAxes }).catch(toErrorData);
  const { recipe } = result;
  const [script, style] = await Promise.all([
    readFile(join(__dirname, "webview.js"), "utf8"),
    readFile(join(__dirname, "..", "media", "view.css"), "utf8"),
  ]);
  return reportPage(
    {
      mode: "report",
      title: basename(path),
      recipe,
      model,
      shapes,
      result,
      insights,
      activity: { kind: "idle" },
      saved,
      banner: null,
    },
    { script, style },
  );
}
