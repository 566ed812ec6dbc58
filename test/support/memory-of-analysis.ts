/** A process that opens and analyses the model it is given, by magnitude, and tells by how much that raised its peak memory. */
import { analyze } from "../../server/src/analysis/analyze.js";
import { open } from "../../server/src/analysis/open.js";
import { defaultRecipe } from "../../server/protocol/recipe.js";
import { quietContext } from "./job-context.js";

const path = process.argv[2] ?? "";
const ref = { uri: "x:", path };
const before = 1024 * process.resourceUsage().maxRSS;
await open({ ...ref, dynamicAxes: {} }, quietContext());
const { report } = await analyze({ ...ref, recipe: { ...defaultRecipe, sparsity: 0.5 } }, quietContext());
const bytes = 1024 * process.resourceUsage().maxRSS - before;
console.log(JSON.stringify({ bytes, kept: report.layers.map(({ kept }) => kept) }));
