// `npm start [MODEL] [options]`: the CLI's `start` on the given model, or on a real one that came with a devDependency.
import { spawnSync } from "node:child_process";
import { join, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const given = process.argv.slice(2);
const hasModel = given[0] !== undefined && !given[0].startsWith("-");
const demo = join(root, "node_modules", "@gutenye", "ocr-models", "assets", "ch_PP-OCRv4_rec_infer.onnx");
const model = hasModel ? given : [demo, ...given];
const { status } = spawnSync(process.execPath, [join(root, "dist", "cli.js"), "start", ...model], { stdio: "inherit" });
process.exitCode = status ?? 1;
