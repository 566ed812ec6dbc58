/** The text of `docs/operators.md`: which operators gradients go through, and what their tests check. */
import type { GradientRule } from "../../server/src/autodiff/rule.js";
import type { Check } from "../cases/gradients/checks.js";

/** @param rules every rule. @param checks every check that the tests run. */
export function operatorsText(rules: readonly GradientRule[], checks: readonly Check[]): string {
  const names = (of: (rule: GradientRule) => boolean): string[] =>
    rules
      .filter(of)
      .map(({ op }) => op)
      .sort(byName);
  const checked = names((rule) => rule.flat !== true && rule.quantises !== true);
  const cases = checks.filter(({ order }) => order === 1).length;
  const rows = checked.map((op) => {
    const own = checks.filter((check) => check.op === op);
    const opsets = [...new Set(own.map(({ opset }) => opset))].sort((a, b) => a - b);
    const count = (order: 1 | 2): string => String(own.filter((check) => check.order === order).length);
    return [op, opsets.join(", "), count(1), count(2)];
  });
  return [
    "# Operators that gradients go through",
    "",
    "Written by `npm run docs` from the cases that `test/autodiff/rules.test.ts` runs; edit those. Models of operator sets 7",
    "and newer are raised to 21 before they are differentiated, so a rule holds for the sets between the ones listed too.",
    "_Order 1_ counts the cases whose gradient is compared with finite differences of ONNX Runtime's own forward pass,",
    "_order 2_ those whose gradient is differentiated once more and compared with finite differences of the gradient.",
    "",
    `${checked.length} operators, ${cases} cases.`,
    "",
    ...table(["Operator", "Opsets", "Order 1", "Order 2"], rows),
    "",
    "## Straight through",
    "",
    "Rounding counts as the identity inside the range of the integers (`test/autodiff/straight-through.test.ts`):",
    `${list(names((rule) => rule.quantises === true))}.`,
    "",
    "## Not differentiable by nature",
    "",
    "Their gradient is zero wherever it exists, and what lies behind them alone has no score:",
    `${list(names((rule) => rule.flat === true))}.`,
    "",
    "## Everything else",
    "",
    "An operator that is not on this page, or a node that its rule cannot handle, is reported as `missing-gradient`: by name,",
    "with the reason, and with the layers that it cuts off. The others are scored.",
    "",
  ].join("\n");
}

/** ONNX's own operators first, then those of other domains. */
const byName = (a: string, b: string): number => Number(a.includes(".")) - Number(b.includes(".")) || (a < b ? -1 : 1);

const list = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");

/** A table in Markdown, its columns padded as Prettier has them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
