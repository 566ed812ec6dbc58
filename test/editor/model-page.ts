// The results view of one model as a test sees it: through its own document, by the attributes that are there for
// that (`data-state`, `data-rest`, `data-layer-id`, `data-kept`) and by what a person would click on.

import type { Frame, FrameLocator, Locator } from "playwright-core";
import type { EditorWindow } from "../support/vscode-host/window.js";

/** A row of the table of layers. */
export interface ShownLayer {
  readonly id: string;
  readonly kept: number;
  readonly approximate: boolean;
  readonly text: string;
}

/** Width of the slider's thumb in pixels. */
const thumb = 14;

export class ModelPage {
  private constructor(
    readonly window: EditorWindow,
    /** The model's file name, which is the page's title or its end. */
    readonly title: string,
  ) {}

  /** Opens a file of the window's folder with Ctrl+P. Does not wait for what the view then shows. */
  static async open(window: EditorWindow, file: string): Promise<ModelPage> {
    await window.quickOpen(file);
    return ModelPage.coming(window, file.split("/").at(-1) ?? file);
  }

  /** The page of a model that was opened in another way. Does not wait for what the view then shows. */
  static async coming(window: EditorWindow, title: string): Promise<ModelPage> {
    const page = new ModelPage(window, title);
    await page.view.locator("h1", { hasText: title }).waitFor({ timeout: 30_000 });
    return page;
  }

  /** The same, with the model read and analysed. */
  static async opened(window: EditorWindow, file: string): Promise<ModelPage> {
    const page = await ModelPage.open(window, file);
    await page.state("ready");
    return page;
  }

  /** The view's document. */
  get view(): FrameLocator {
    return this.window.webview();
  }

  get slider(): Locator {
    return this.view.locator("#sparsity");
  }

  /** The table's own body, which scrolls and has the keyboard. */
  get grid(): Locator {
    return this.view.locator("[role='grid']");
  }

  /** The rows that are rendered: those in view and some around them. */
  get rows(): Locator {
    return this.grid.locator("[data-layer-id]");
  }

  get bars(): Locator {
    return this.view.locator("rect[data-layer-id][data-density]");
  }

  /** What a person reads in a part of the page, its spaces all of one kind. */
  async read(selector: string): Promise<string> {
    return (await this.view.locator(selector).innerText()).replace(/\s+/g, " ");
  }

  get filter(): Locator {
    return this.view.locator("input[type='search']");
  }

  /** The header of a column of the table, by its title. */
  header(title: string): Locator {
    return this.view.locator("[role='columnheader']").filter({ hasText: new RegExp(`^${title}[▾▴]?$`) });
  }

  /** The button in that header, which sorts. */
  column(title: string): Locator {
    return this.header(title).locator("button");
  }

  /** Waits until the page is `ready`, `failed`, … */
  async state(state: string, timeout = 60_000): Promise<void> {
    await this.view.locator(`body[data-state="${state}"]`).waitFor({ timeout });
  }

  /** Waits until the numbers are final. */
  async rest(timeout = 30_000): Promise<void> {
    await this.view.locator('body[data-state="ready"][data-rest="true"]').waitFor({ timeout });
  }

  /** Waits until nothing is being worked on. */
  async idle(timeout = 60_000): Promise<void> {
    await this.view.locator('body[data-activity="idle"]').waitFor({ timeout });
  }

  /** The frame itself, to run code in. */
  async frame(): Promise<Frame> {
    const body = await this.view.locator("body").elementHandle();
    const frame = await body.ownerFrame();
    if (frame === null) throw new Error("The view has no frame: it was closed.");
    return frame;
  }

  /** Number of layers that the table has, shown or scrolled away. */
  async rowCount(): Promise<number> {
    return Number(await this.grid.getAttribute("aria-rowcount")) - 1;
  }

  async sparsity(): Promise<number> {
    return Number(await this.slider.inputValue());
  }

  /** Moves the slider as one step of the keyboard's or a click would, and waits for the numbers at rest. */
  async slideTo(sparsity: number): Promise<void> {
    await this.slider.fill(String(sparsity));
    await this.rest();
  }

  /** Takes hold of the slider as it is now. @returns what drags its thumb to a share of the track's width, by mouse. */
  async mouseOnSlider(): Promise<(to: number) => Promise<void>> {
    const { mouse } = this.window.page;
    const box = await this.slider.boundingBox();
    if (box === null) throw new Error("The slider is not to be seen.");
    let from = (await this.sparsity()) / Number(await this.slider.getAttribute("max"));
    const move = (share: number): Promise<void> =>
      mouse.move(box.x + thumb / 2 + share * (box.width - thumb), box.y + box.height / 2);
    return async (to) => {
      await Promise.all([move(from), mouse.down()]);
      // In two lots, since a mouse reports more often than a screen is drawn: each lot is one frame or two.
      for (const lot of [
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
      ]) {
        await Promise.all(lot.map((step) => move(from + ((to - from) * step) / 10)));
      }
      await mouse.up();
      from = to;
    };
  }

  /** Every row of the table, read by scrolling through it. */
  async allRows(): Promise<ShownLayer[]> {
    return this.grid.evaluate(async (grid) => {
      const painted = (): Promise<unknown> =>
        new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const found = new Map<string, ShownLayer>();
      const before = grid.scrollTop;
      for (let top = 0; ; top += Math.max(100, grid.clientHeight - 100)) {
        grid.scrollTop = top;
        await painted();
        for (const row of grid.querySelectorAll<HTMLElement>("[data-layer-id]")) {
          const { layerId: id = "", kept = "NaN" } = row.dataset;
          const approximate = row.hasAttribute("data-approximate");
          found.set(id, { id, kept: Number(kept), approximate, text: row.textContent });
        }
        if (top + grid.clientHeight >= grid.scrollHeight) break;
      }
      grid.scrollTop = before;
      return [...found.values()];
    });
  }

  /** Kept weights by layer id, of every row of the table at rest. Throws when one of them is not exact. */
  async kept(): Promise<Record<string, number>> {
    await this.rest();
    const rows = await this.allRows();
    const vague = rows.filter((row) => row.approximate).map((row) => row.id);
    if (vague.length > 0) throw new Error(`At rest these layers still show estimates: ${vague.join(", ")}.`);
    return Object.fromEntries(rows.map((row) => [row.id, row.kept]));
  }

  /** Chooses from one of the dropdowns, by their labels. */
  async choose(dropdown: "Criterion" | "Scope", option: string): Promise<void> {
    await this.view.locator(`vscode-dropdown[aria-label="${dropdown}"]`).click();
    await this.view.locator(`vscode-dropdown[aria-label="${dropdown}"] vscode-option`, { hasText: option }).click();
  }
}
