/**
 * Which array of a .npz belongs to which weight, by names. Exact names first; then one prefix for all (`model.`,
 * `module.`), on either side; then the path of the module that PyTorch (1.13 and newer) names nodes by, because an export
 * gives weights that it folded or transposed names of its own (`onnx::MatMul_45`); then endings that only one of each has.
 */
import type { PrunableWeight } from "../graph/prunable.js";
import { arrayNames } from "./array-names.js";

/** The array of a weight. */
export interface ArrayMatch {
  readonly name: string;
  /**
   * The array is a module's own weight, under the module's name: where the stored tensor is its transpose, shapes need
   * not show it.
   */
  readonly ofModule: boolean;
}

export interface ArrayMatches {
  /** One for each weight, null where no array has its name. */
  readonly matches: readonly (ArrayMatch | null)[];
  /** Names that belong to no weight. */
  readonly unused: readonly string[];
}

/** Matches the arrays called `names` with `weights`; no array goes to two weights, and no weight takes two arrays. */
export function matchArrays(names: readonly string[], weights: readonly PrunableWeight[]): ArrayMatches {
  const matches: (ArrayMatch | null)[] = weights.map(() => null);
  const free = new Set(names);
  const take = (i: number, name: string, ofModule: boolean): void => {
    if (matches[i] !== null || !free.delete(name)) return;
    matches[i] = { name, ofModule };
  };
  /** Weights that have no array yet, by a name that no other of them has. */
  const waiting = (nameOf: (i: number) => string | null): Map<string, number> => {
    const found = new Map<string, number>();
    const twice = new Set<string>();
    weights.forEach((_, i) => {
      const name = matches[i] === null ? nameOf(i) : null;
      if (name !== null && found.has(name)) twice.add(name);
      else if (name !== null) found.set(name, i);
    });
    for (const name of twice) found.delete(name);
    return found;
  };
  const exported = arrayNames(weights);
  const modules = weights.map((weight) => {
    const path = modulePath(weight);
    return path === null ? null : `${path}.weight`;
  });
  const known: readonly [(i: number) => string | null, boolean][] = [
    [(i) => exported[i]!, false],
    [(i) => weights[i]!.id, false],
    [(i) => weights[i]!.name, false],
    [(i) => modules[i]!, true],
  ];
  for (const [nameOf, ofModule] of known) for (const [name, i] of waiting(nameOf)) take(i, name, ofModule);
  for (const [nameOf, ofModule] of [known[2]!, known[3]!]) {
    const wanted = waiting(nameOf);
    for (const [name, array] of prefixed(free, wanted)) take(wanted.get(name)!, array, ofModule);
  }
  const rest = waiting((i) => weights[i]!.name);
  for (const [name, array] of unambiguous(endingPairs(free, rest.keys()))) take(rest.get(name)!, array, false);
  return { matches, unused: [...free] };
}

/** A name without the number of an output that TensorFlow appends. */
const plain = (name: string): string => name.replace(/:\d+$/, "");

/** Every ending of a name that begins behind a dot or a slash, with what stands before it. */
function* endings(name: string): Iterable<{ readonly prefix: string; readonly rest: string }> {
  for (const { index } of name.matchAll(/[./]/g))
    yield { prefix: name.slice(0, index + 1), rest: name.slice(index + 1) };
}

/**
 * Pairs of weight and array whose names differ by one prefix, on the side where it fits most: that which fits more
 * pairs than any other.
 */
function prefixed(arrays: ReadonlySet<string>, wanted: ReadonlyMap<string, number>): [string, string][] {
  const groups = new Map<string, [string, string][]>();
  const add = (key: string, pair: [string, string]): void => {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [pair]);
    else group.push(pair);
  };
  for (const array of arrays)
    for (const { prefix, rest } of endings(array)) if (wanted.has(rest)) add(`array ${prefix}`, [rest, array]);
  for (const name of wanted.keys())
    for (const { prefix, rest } of endings(name)) if (arrays.has(rest)) add(`weight ${prefix}`, [name, rest]);
  const [first, second] = [...groups.values()].sort((a, b) => b.length - a.length);
  return first === undefined || first.length === second?.length ? [] : first;
}

/** Pairs of weight and array of which one name is an ending of the other. */
function endingPairs(arrays: Iterable<string>, names: Iterable<string>): [string, string][] {
  const byPlain = (list: Iterable<string>): Map<string, string[]> => {
    const found = new Map<string, string[]>();
    for (const name of list) found.set(plain(name), [...(found.get(plain(name)) ?? []), name]);
    return found;
  };
  const [ofArrays, ofNames] = [byPlain(arrays), byPlain(names)];
  const pairs: [string, string][] = [];
  for (const [array, bearers] of ofArrays) {
    const others = [array, ...Array.from(endings(array), ({ rest }) => rest)].flatMap(
      (rest) => ofNames.get(rest) ?? [],
    );
    for (const name of others) for (const bearer of bearers) pairs.push([name, bearer]);
  }
  for (const [name, bearers] of ofNames) {
    const others = Array.from(endings(name), ({ rest }) => rest).flatMap((rest) => ofArrays.get(rest) ?? []);
    for (const array of others) for (const bearer of bearers) pairs.push([bearer, array]);
  }
  return pairs;
}

/** The pairs whose members are in no other pair. */
function unambiguous(pairs: readonly [string, string][]): [string, string][] {
  const count = (side: 0 | 1): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const pair of pairs) counts.set(pair[side], (counts.get(pair[side]) ?? 0) + 1);
    return counts;
  };
  const [names, arrays] = [count(0), count(1)];
  return pairs.filter(([name, array]) => names.get(name) === 1 && arrays.get(array) === 1);
}

/** Operators that an export makes of a module with one `weight`. */
const moduleOperators: ReadonlySet<string> = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

/**
 * Path of the PyTorch module whose only weight this is, by the name of the node that uses it first; null where it has no
 * such name. `/layer1/layer1.0/conv1/Conv` is the node of `layer1.0.conv1`: a child of a Sequential is called by the
 * name that it has from there on.
 */
function modulePath({ uses }: PrunableWeight): string | null {
  const { node, index } = uses[0]!;
  const [empty, ...parts] = node.name.split("/");
  const operator = parts.pop();
  if (empty !== "" || parts.length === 0 || parts.includes("") || index !== 1) return null;
  if (node.domain !== "" || !moduleOperators.has(node.op) || operator !== node.op) return null;
  let path = "";
  let last = "";
  for (const part of parts) {
    path =
      last !== "" && part.startsWith(`${last}.`)
        ? path.slice(0, -last.length) + part
        : path + (path === "" ? "" : ".") + part;
    last = part;
  }
  return path;
}
