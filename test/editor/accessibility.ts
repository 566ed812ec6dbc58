// What axe-core has to say of a view, run inside the view's own document.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Frame } from "playwright-core";
import { repositoryRoot } from "../support/vscode-host/repository.js";

interface Axe {
  run(root: Document, options: { readonly resultTypes: readonly string[] }): Promise<AxeResults>;
}

/** The rules of impact `serious` and `critical` that are broken, each with the elements that break it. */
export async function seriousFaults(frame: Frame): Promise<string[]> {
  const source = createRequire(join(repositoryRoot(), "package.json")).resolve("axe-core/axe.min.js");
  await frame.evaluate(readFileSync(source, "utf8"));
  const { violations } = await frame.evaluate(() =>
    (Reflect.get(window, "axe") as Axe).run(document, { resultTypes: ["violations"] }),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id} (${help}): ${html} ${failureSummary ?? ""}`),
    );
}
