/**
 * `npm run bench [MB …]`: ratios inside one run, as a table and as JSON in out/bench.json. Nothing here fails a build:
 * a missed aim is printed as missed.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { benchModel } from "./models.js";
import { benchSelection } from "./selection.js";
import { formatTable, type Row } from "./table.js";

const sizes = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "prunescope-bench-"));
const rows: Row[] = [];
try {
  for (const size of sizes.length > 0 ? sizes : [10, 100, 500]) rows.push(...(await benchModel(size, folder)));
  rows.push(...(await benchSelection()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
mkdirSync("out", { recursive: true });
const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}, Node ${process.version}`;
writeFileSync(join("out", "bench.json"), `${JSON.stringify({ machine, rows }, null, 2)}\n`);
console.log(`${machine}\n${formatTable(rows)}`);
