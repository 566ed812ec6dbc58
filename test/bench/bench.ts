/**
 * `npm run bench [-- MB … | gradients | insights | permutation | split | tfjs]`: ratios inside one run, as a table and as JSON in
 * out/bench.json. Nothing here fails a build: a missed aim is printed as missed.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { benchGradients } from "./gradients.js";
import { benchInsights } from "./insights.js";
import { benchModel } from "./models.js";
import { benchPermutation } from "./permutation.js";
import { benchSelection } from "./selection.js";
import { benchSplit } from "./split.js";
import { formatTable, type Row } from "./table.js";
import { benchTfjs } from "./tfjs.js";

const words = process.argv.slice(2);
const sizes = words.map(Number).filter((size) => size > 0);
const everything = words.length === 0;
const folder = mkdtempSync(join(tmpdir(), "prunescope-bench-"));
const rows: Row[] = [];
try {
  for (const size of everything ? [10, 100, 500] : sizes) rows.push(...(await benchModel(size, folder)));
  if (everything || sizes.length > 0) rows.push(...(await benchSelection()));
  if (everything || words.includes("gradients")) rows.push(...benchGradients(folder));
  if (everything || words.includes("insights")) rows.push(...(await benchInsights(folder)));
  if (everything || words.includes("permutation")) rows.push(...(await benchPermutation(folder)));
  if (everything || words.includes("split")) rows.push(...(await benchSplit(folder)));
  if (everything || words.includes("tfjs")) rows.push(...benchTfjs());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
mkdirSync("out", { recursive: true });
const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.version}`;
writeFileSync(join("out", "bench.json"), `${JSON.stringify({ machine, rows }, null, 2)}\n`);
console.log(`${machine}\n${formatTable(rows)}`);
