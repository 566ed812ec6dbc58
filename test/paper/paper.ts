/** `npm run paper`: the figures of Robust Pruning at Initialization from our own engine, as SVG and JSON in out/paper/. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { criticalSparsity } from "./critical-sparsity.js";
import { figure1 } from "./figure-1.js";
import { figure2 } from "./figure-2.js";

const folder = join("out", "paper");
mkdirSync(folder, { recursive: true });
const report = (line: string): void => {
  console.log(line);
};
for (const make of [figure1, figure2, () => criticalSparsity(report)]) {
  const began = performance.now();
  const { name, svg, data, words } = await make();
  writeFileSync(join(folder, `${name}.svg`), svg);
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ words, data }, null, 1)}\n`);
  report(`${join(folder, `${name}.svg`)} (${((performance.now() - began) / 1000).toFixed(0)} s): ${words}`);
}
