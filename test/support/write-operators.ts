// Writes docs/operators.md (npm run docs).
import { writeFileSync } from "node:fs";
import { rules } from "../../server/src/autodiff/gradients/index.js";
import { checks } from "../cases/gradients/checks.js";
import { operatorsText } from "./operators-table.js";

writeFileSync("docs/operators.md", operatorsText(rules, checks));
