/** `--fail-on`: what makes a command end with exit code 1 although it could do its work, for use in CI. */
import { type Command, InvalidArgumentError } from "commander";
import { PruneScopeError } from "../../protocol/errors.js";
import type { Recipe } from "../../protocol/recipe.js";
import type { Report } from "../../protocol/report.js";
import { count, plain } from "../analysis/text.js";

export const conditions = ["collapse", "high", "pattern", "none"] as const;
export type Condition = (typeof conditions)[number];

/** The work was done and told, but what was asked of the models does not hold: exit code 1, and this one line. */
export class Unmet extends Error {
  override readonly name = "Unmet";
}

/** Adds the option; `byDefault` is what a command fails on where it is absent. */
export function addFailOn(command: Command, byDefault: Condition): Command {
  return command.option(
    "--fail-on <what>",
    `exit with 1 on: ${conditions.join(", ")} (repeatable, or separated by commas; default: ${byDefault})`,
    (text, known: readonly Condition[] | undefined) => [...(known ?? []), ...text.split(",").map(condition)],
  );
}

function condition(text: string): Condition {
  const found = conditions.find((one) => one === text.trim());
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`It must be ${conditions.join(", ")}.`);
}

/**
 * The conditions of a command. @throws PruneScopeError `bad-request` for `pattern` without a pattern in the recipe, and
 * for `none` beside another one.
 */
export function failsOn(options: unknown, byDefault: Condition, recipe: Recipe | null): ReadonlySet<Condition> {
  const { failOn = [byDefault] } = options as { readonly failOn?: readonly Condition[] };
  const asked = new Set(failOn);
  if (asked.delete("none") && asked.size > 0)
    throw new PruneScopeError("bad-request", "--fail-on none stands alone: it says that nothing is to fail.");
  if (asked.has("pattern") && recipe !== null && recipe.pattern === undefined)
    throw new PruneScopeError("bad-request", "--fail-on pattern needs a pattern: name it with --nm, for example 2:4.");
  return asked;
}

/** Why a report does not meet the conditions, in a few words; null where it does. `high` includes `collapse`. */
export function unmetBy({ layers, pattern }: Report, asked: ReadonlySet<Condition>): string | null {
  const collapsed = layers.filter(({ risk }) => risk === "collapsed");
  const high = layers.filter(({ risk }) => risk === "high");
  const words: string[] = [];
  if (collapsed.length > 0 && (asked.has("collapse") || asked.has("high")))
    words.push(`${layersNamed(collapsed)} collapse${collapsed.length === 1 ? "s" : ""}`);
  if (high.length > 0 && asked.has("high")) words.push(`${layersNamed(high)} at high risk`);
  const able = layers.filter((layer) => layer.pattern !== undefined && layer.pattern.use !== "none");
  if (asked.has("pattern") && pattern !== undefined && able.every(({ excluded }) => excluded))
    words.push("no layer can hold the pattern");
  return words.length === 0 ? null : words.join("; ");
}

/** One layer by its name, several by their number. */
export const layersNamed = (layers: readonly { readonly id: string }[]): string =>
  layers.length === 1 ? `"${plain(layers[0]!.id)}"` : `${count(layers.length)} layers`;

/** Ends a command whose models did not meet what was asked, or could not be worked on. @throws Unmet. */
export function conclude(
  outcomes: readonly { readonly path: string; readonly words: string | null }[],
  what = "did not pass",
): void {
  const bad = outcomes.filter(({ words }) => words !== null);
  if (bad.length === 0) return;
  const [first] = bad;
  throw new Unmet(
    outcomes.length === 1
      ? `${plain(first!.path)}: ${first!.words!}`
      : `${bad.length} of ${outcomes.length} models ${what}, the first ${plain(first!.path)}: ${first!.words!}`,
  );
}
