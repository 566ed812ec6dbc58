/** Keys of what a save appends to a model's metadata: nothing that is there is replaced. */

export interface MetadataRecord {
  readonly key: string;
  readonly value: string;
}

/** `records` under keys that are not `taken`: those that are get a number behind them, `prunescope.recipe.2`. */
export function underFreeKeys(
  taken: readonly MetadataRecord[],
  records: readonly MetadataRecord[],
): readonly MetadataRecord[] {
  const keys = new Set(taken.map(({ key }) => key));
  return records.map(({ key, value }) => {
    let free = key;
    for (let n = 2; keys.has(free); n++) free = `${key}.${n}`;
    return { key: free, value };
  });
}
