/** `prunescope start`: the main job at one go: table, pruned model and HTML report of a model, and what to do next. */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, relative, resolve } from "node:path";
import type { Command } from "commander";
import { pc } from "../analysis/colors.js";
import { insightText } from "../analysis/insight-text.js";
import { reportTable } from "../analysis/report-text.js";
import type { CommandEngine } from "./command-engine.js";
import { isJson } from "../../protocol/model-names.js";
import { htmlReport } from "./html-report.js";
import { addInsightOptions, insightsOf, judged, withInsights } from "./insights.js";
import { modelAt, modelWords, shown } from "./models.js";
import { addRecipeOptions, addRescaleOption, recipeOf } from "./recipe-options.js";
import { makeFolderOf, targetsIn } from "./targets.js";
import { addTfjsNode } from "./tfjs-node.js";
import { verifiedSave } from "./verified-save.js";

export function addStart(program: Command, engine: CommandEngine): void {
  const command = program
    .command("start")
    .description("Analyse a model, write the pruned model and an HTML report.")
    .argument("<model>", modelWords);
  addInsightOptions(addRescaleOption(addRecipeOptions(addTfjsNode(command, engine))))
    .option("--out <folder>", "where to write", "out")
    .action(async (model: string, options: { out: string }) => {
      const path = modelAt(resolve(model));
      const recipe = recipeOf(options);
      const dynamicAxes = recipe.axes;
      const analysis = await engine.run("analyze", { uri: path, path, recipe });
      const insights = await insightsOf(engine, analysis.report, recipe, options);
      const result = { ...analysis, report: judged(analysis.report, insights) };
      const width = process.stdout.columns || 120;
      process.stdout.write(
        `${reportTable(result.report, width)}${insightText(withInsights(analysis.report, insights), width)}\n`,
      );

      const folder = resolve(options.out);
      await mkdir(folder, { recursive: true });
      const target = targetsIn(folder, [path], recipe).get(path)!;
      makeFolderOf(target);
      const page = `${isJson(target) ? dirname(target) : target.replace(/\.[^.]*$/, "")}.html`;
      const { saved, lines } = await verifiedSave(engine, {
        path,
        target,
        recipe,
        dynamicAxes,
        metadata: true,
        replaceOriginal: false,
        verify: true,
      });
      await writeFile(page, await htmlReport(engine, path, result, dynamicAxes, insights, saved));
      process.stdout.write(
        [
          ...lines,
          `${pc.green("report")} ${shown(page)}`,
          "",
          pc.bold("What next"),
          `  open ${shown(page)} in a browser and drag the slider`,
          `  another sparsity:     ${invocation()} prune ${shown(path)} --sparsity 0.8 -o ${isJson(path) ? "pruned" : "pruned.onnx"}`,
          `  leave a layer dense:  --exclude ${JSON.stringify(result.report.layers[0]?.id ?? "LAYER")}`,
          "  in the editor:        npm run editor, then open any model",
          "",
        ].join("\n"),
      );
    });
}

/** How this program was called. */
function invocation(): string {
  const script = process.argv[1] ?? "";
  return basename(script) === "cli.js" ? `node ${relative(process.cwd(), script)}` : "prunescope";
}
