/** The options that make a recipe, the same for every command. */
import { type Command, Option } from "commander";
import { resolve } from "node:path";
import { losses } from "../autodiff/loss/index.js";
import { imported } from "../criteria/imported.js";
import { criteria, criterionNamed } from "../criteria/index.js";
import { PruneScopeError } from "../../protocol/errors.js";
import {
  defaultRecipe,
  maxRounds,
  maxSearch,
  maxSigmaB,
  type NofM,
  parseRecipe,
  quotas,
  type Recipe,
  rescalings,
  schemes,
  scopes,
  stableForms,
} from "../../protocol/recipe.js";
import { collect, numberIn, numbers, pattern, whole } from "./option-values.js";
import { recipeIn, requireFiles } from "./recipe-file.js";

interface Given {
  readonly recipe?: string;
  readonly scores?: string;
  readonly mask?: string;
  readonly criterion: string;
  readonly sparsity?: number;
  readonly nm?: NofM;
  readonly permute?: number | true;
  readonly scope: string;
  readonly seed: number;
  readonly quota?: string;
  readonly rounds?: number;
  readonly eocInit?: number | true;
  readonly scheme: string;
  readonly force?: true;
  readonly stableResnet?: string | true;
  readonly rescale?: string;
  readonly exclude: readonly string[];
  readonly floor: Readonly<Record<string, number>>;
  readonly axis: Readonly<Record<string, number>>;
  readonly data?: string;
  readonly batch: number;
  readonly loss?: string;
  readonly batchnorm: string;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Names of the options that were given, filled in before a command's action. */
  readonly explicit: readonly string[];
}

/** σ_b of suggested and drawn biases where none is named: tanh and its like have a stable edge of chaos there. */
export const defaultSigmaB = 0.2;

/** Seconds that the search for a permutation may take where none are named. */
const defaultSearch = 1;

/** Adds the options that say what a model is run on. @param samples what `--batch` counts. */
export function addDataOptions(command: Command, samples: string): Command {
  return command
    .option("--seed <n>", "seed of everything random", whole(0, 0xffffffff), defaultRecipe.seed)
    .option("--data <path>", "samples: .npz, .npy, a folder of images or of ONNX test data; made up when absent")
    .option("--batch <n>", samples, whole(1, 1e6), defaultRecipe.batch)
    .option("--loss <name[:output]>", `${losses.map(({ id }) => id).join(", ")}; chosen from the outputs when absent`)
    .option("--mean <numbers>", "mean of image channels on a scale of 0 to 1, separated by commas", numbers)
    .option("--std <numbers>", "standard deviation of image channels, separated by commas", numbers)
    .option("--axis <name=length>", "length of a dynamic axis (repeatable)", collect(whole(1, 1e6)), {});
}

/** Adds the recipe's options to a command. */
export function addRecipeOptions(command: Command): Command {
  command
    .addOption(
      new Option("--criterion <name>", "what a weight is judged by")
        .choices(criteria.flatMap(({ id, aliases }) => [id, ...aliases]))
        .default(defaultRecipe.criterion),
    )
    .option(
      "--sparsity <share>",
      `share of the prunable weights to remove, in [0, 1) (${defaultRecipe.sparsity} when absent, with --nm what the pattern removes)`,
      numberIn(0, 1),
    )
    .option("--nm <n:m>", "keep n of every m weights along the reduction axis, 2:4 for example", pattern)
    .option(
      "--permute [seconds]",
      `reorder channels first so that --nm keeps more, within so many seconds for each set of them (${defaultSearch} when absent)`,
      numberIn(0, maxSearch, true),
    )
    .addOption(
      new Option("--scope <scope>", "rank over the whole model, or each layer by itself")
        .choices(scopes)
        .default(defaultRecipe.scope),
    )
    .addOption(
      new Option("--quota <rule>", "densities of layers by a rule; inside a layer the criterion decides").choices(
        quotas,
      ),
    )
    .option("--rounds <n>", "score and prune in so many rounds on the way to the sparsity", whole(1, maxRounds))
    .option(
      "--eoc-init [sigma_b]",
      `draw all weights anew on the edge of chaos before anything is scored (${defaultSigmaB} when absent)`,
      numberIn(0, maxSigmaB, true),
    )
    .addOption(new Option("--scheme <scheme>", "what --eoc-init draws").choices(schemes).default("normal"))
    .option("--force", "let --eoc-init replace weights that look trained")
    .addOption(
      new Option(
        "--stable-resnet [form]",
        "divide residual branches by √L before anything is scored: Mul nodes, or folded into weights",
      )
        .choices(stableForms)
        .preset("mul"),
    )
    .option(
      "--exclude <layer>",
      "leave a layer dense (repeatable)",
      (value, list: readonly string[]) => [...list, value],
      [],
    )
    .option("--floor <layer=density>", "least density of a layer (repeatable)", collect(numberIn(0, 1, true)), {})
    .addOption(
      new Option(
        "--batchnorm <mode>",
        "statistics of BatchNormalization: stored ones, the batch's, or as the model looks",
      )
        .choices(["auto", "stored", "batch"])
        .default(defaultRecipe.batchNorm),
    )
    .option("--scores <file>", "scores from elsewhere: .npz by the names of weights; the criterion is imported then")
    .option("--mask <file>", "mask from elsewhere: .npz by the names of weights; what is 0 there goes first")
    .option("--recipe <file>", "repeat the recipe of a model that was saved, or of a .json; options that are given win")
    .hook("preAction", (_, acting) => {
      const explicit = Object.keys(acting.opts()).filter((name) => acting.getOptionValueSource(name) === "cli");
      acting.setOptionValueWithSource("explicit", explicit, "implied");
    });
  return addDataOptions(command, "samples whose mean loss is differentiated");
}

/** Adds what a recipe does after pruning: for commands that write a model. */
export function addRescaleOption(command: Command): Command {
  return command.addOption(
    new Option("--rescale <how>", "multiply what is left of each layer back onto the edge of chaos").choices(
      rescalings,
    ),
  );
}

/** The option that each field of a recipe comes from, where it has another name. */
const optionOf: Readonly<Partial<Record<keyof Recipe, string>>> = {
  axes: "axis",
  batchNorm: "batchnorm",
  floors: "floor",
  pattern: "nm",
};

/**
 * The recipe that the options describe; with `--recipe` that of the file, but for what options say themselves.
 * @throws PruneScopeError `bad-request`, and what {@link recipeIn} throws.
 */
export function recipeOf(options: unknown): Recipe {
  const { recipe: from, explicit } = options as Given;
  const fields = fieldsOf(options);
  if (from === undefined) {
    if (fields["permute"] !== undefined && fields["pattern"] === undefined)
      throw new PruneScopeError("bad-request", "--permute serves a pattern: name one, --nm 2:4 for example.");
    return parseRecipe(fields);
  }
  const base = recipeIn(from);
  const given = new Set(explicit);
  const own = Object.entries(fields).filter(([field]) => given.has(optionOf[field as keyof Recipe] ?? field));
  const eocInit = eocInitOver(options as Given, given, base);
  const merged = parseRecipe({
    ...base,
    ...Object.fromEntries(own),
    eocInit,
    ...scoresOver(options as Given, given, base),
  });
  requireFiles(merged, from, given);
  return merged;
}

function fieldsOf(options: unknown): Record<string, unknown> {
  const { floor, batchnorm, nm, permute, scope, exclude, quota, rounds, stableResnet, rescale, mask } =
    options as Given;
  // A pattern or a mask alone removes what it removes.
  const { sparsity = nm === undefined && mask === undefined ? defaultRecipe.sparsity : 0 } = options as Given;
  return {
    ...dataFields(options),
    ...scoresOver(options as Given, new Set((options as Given).explicit), null),
    sparsity,
    pattern: nm,
    permute: permute === undefined ? undefined : { seconds: permute === true ? defaultSearch : permute },
    scope,
    exclude,
    floors: floor,
    batchNorm: batchnorm,
    quota,
    rounds,
    eocInit: eocInitOver(options as Given, new Set(), null),
    stableResnet,
    rescale,
    mask: mask === undefined ? undefined : resolve(mask),
  };
}

/** The draw of weights that options ask for, over that of another recipe. */
function eocInitOver(
  { eocInit, scheme, force }: Given,
  given: ReadonlySet<string>,
  base: Recipe | null,
): { readonly sigmaB: number; readonly scheme: string; readonly force: boolean } | undefined {
  const before = base?.eocInit;
  if (eocInit === undefined && before === undefined) return undefined;
  return {
    sigmaB: eocInit === undefined ? before!.sigmaB : eocInit === true ? defaultSigmaB : eocInit,
    scheme: given.has("scheme") || before === undefined ? scheme : before.scheme,
    force: given.has("force") || before === undefined ? force === true : before.force,
  };
}

/** Criterion and scores that options ask for, over those of another recipe: a file of scores is a criterion by itself. */
function scoresOver(
  { criterion, scores }: Given,
  given: ReadonlySet<string>,
  base: Recipe | null,
): { readonly criterion: string; readonly scores: string | undefined } {
  const named = criterionNamed(criterion)?.id ?? criterion;
  if (scores !== undefined && given.has("criterion") && named !== imported.id)
    throw new PruneScopeError("bad-request", `--scores is a criterion by itself: leave out --criterion ${criterion}.`);
  const id = scores !== undefined ? imported.id : given.has("criterion") || base === null ? named : base.criterion;
  if (id !== imported.id) return { criterion: id, scores: undefined };
  return { criterion: id, scores: scores === undefined ? base?.scores : resolve(scores) };
}

/** A recipe of the options of {@link addDataOptions} alone. @throws PruneScopeError `bad-request`. */
export function dataRecipeOf(options: unknown): Recipe {
  return parseRecipe(dataFields(options));
}

function dataFields(options: unknown): Record<string, unknown> {
  const { seed, data, batch, loss, mean, std, axis } = options as Given;
  return { seed, batch, loss, mean, std, axes: axis, data: data === undefined ? undefined : resolve(data) };
}
