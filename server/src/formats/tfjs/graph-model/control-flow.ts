/**
 * Control flow, and other operators that no graph of ours can hold: why not, by family. A branch whose condition is known
 * before the model runs is no obstacle: what is not taken is dead, and so is all that only it leads to.
 */

/** Why operators are not lowered, by what their names begin with. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^(Enter|Exit|NextIteration|LoopCond|While|StatelessWhile)$/, "a loop runs as often as the data says"],
  [/^(Switch|Merge|If|StatelessIf)$/, "which branch is taken depends on the data"],
  [/^(Stateful)?PartitionedCall$/, "the function that it calls is not in the model"],
  [/^(TensorList|TensorArray|EmptyTensorList)/, "it works on a list of tensors"],
  [/^(HashTable|LookupTable|InitializeTable)/, "it looks up a table of texts or numbers"],
  [/^(NonMaxSuppression|Where$|ListDiff$)/, "how much it gives out depends on the data"],
  [/^(Random|TruncatedNormal|Multinomial)/, "it draws random numbers"],
  [/^(String|StaticRegex)/, "it works on texts"],
  [/^(Ragged|Sparse)/, "it works on ragged or sparse tensors"],
  [/^(Complex|Real$|Imag$|I?R?FFT)/, "it works on complex numbers"],
  [/^SimpleML/, "it is a forest of decision trees"],
];

/** Why `op` has no rule, in a few words. */
export const reasonOf = (op: string): string =>
  reasons.find(([names]) => names.test(op))?.[1] ?? "no rule knows this operator";

/** Reads the result of the round before: the one edge of a loop that runs backwards. */
export const isBackEdge = (reader: { readonly op: string }, from: { readonly op: string } | undefined): boolean =>
  reader.op === "Merge" && from?.op === "NextIteration";
