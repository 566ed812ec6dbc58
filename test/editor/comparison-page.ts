// Drives the page of a comparison inside VS Code, and reads its figures as a person does.

import type { Frame, Locator } from "playwright-core";
import type { EditorWindow } from "../support/vscode-host/window.js";
import { until } from "./stage.js";

export class ComparisonPage {
  private constructor(readonly frame: Frame) {}

  /** The page that is open in `window`, once it shows a report. */
  static async ready(window: EditorWindow): Promise<ComparisonPage> {
    const frame = await until("The page of a comparison", async () => {
      for (const candidate of window.page.frames())
        if (
          (await candidate
            .locator("main[data-view='comparison']")
            .count()
            .catch(() => 0)) > 0
        )
          return candidate;
      return null;
    });
    await frame.locator("body[data-state='ready'][data-activity='idle']").waitFor({ timeout: 120_000 });
    return new ComparisonPage(frame);
  }

  /** What stands in a row of the tables of figures, after its name. */
  cells(row: string): Promise<string[]> {
    return this.frame.locator(`[data-row="${row}"] td`).allInnerTexts();
  }

  /** The densities of every layer, of the original and of the pruned model, by id. */
  async densities(): Promise<Record<string, number[]>> {
    const rows = this.frame.locator(".compared-layers tbody tr");
    return Object.fromEntries(
      await rows.evaluateAll((elements) =>
        elements.map((row): [string, number[]] => [
          row.querySelector<HTMLElement>("[data-layer]")?.dataset["layer"] ?? "",
          [...row.querySelectorAll<HTMLElement>("[data-density]")].map(({ dataset }) => Number(dataset["density"])),
        ]),
      ),
    );
  }

  /** A section of the page: `latency`, say. */
  section(name: string): Locator {
    return this.frame.locator(`.compared-${name}`);
  }
}
