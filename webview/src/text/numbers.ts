/**
 * Numbers as people read them: thousands separators, percent that never rounds to a false 0 or 100, scores with three
 * significant digits, decimal bytes. A no-break space stands before every unit.
 */

const integerFormat = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compactFormat = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const space = "\u00a0";

/** 23454912 → `23,454,912`. */
export function integer(value: number): string {
  return integerFormat.format(value);
}

/** 23454912 → `23.5M`, for axes. */
export function compact(value: number): string {
  return compactFormat.format(value);
}

/** A share with two decimals, for columns whose points align: 0.1023 → `10.23 %`; never 0 or 100 when it is not. */
export function columnPercent(share: number): string {
  if (!Number.isFinite(share)) return "—";
  if (share > 0 && share < 0.0001) return `<0.01${space}%`;
  if (share < 1 && share > 0.9999) return `>99.99${space}%`;
  return `${(share * 100).toFixed(2)}${space}%`;
}

/** A share in running text, as short as it is true: `90 %`, `97.2 %`, `99.98 %`, `0.012 %`. */
export function percent(share: number): string {
  return `${percentDigits(share)}${space}%`;
}

/** {@link percent} without the sign, as it stands in a number field. */
export function percentDigits(share: number): string {
  const value = share * 100;
  if (!Number.isFinite(value)) return "—";
  const rest = Math.min(Math.abs(value), Math.abs(100 - value));
  if (rest < 1e-9) return String(Math.round(value));
  // One decimal, and more where the distance to 0 or 100 would be lost: two digits of that distance.
  const decimals = Math.min(9, Math.max(1, 1 - Math.floor(Math.log10(rest))));
  return String(Number(value.toFixed(decimals)));
}

/** A score with three significant digits; very small and very large ones with an exponent. */
export function score(value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) return "—";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e6) return value.toExponential(2).replace("e+", "e").replaceAll("-", "−");
  return (size >= 999.5 ? integer(value) : value.toPrecision(3)).replaceAll("-", "−");
}

/** Bytes in decimal units, as file managers count them: 97503221 → `97.5 MB`. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let amount = value;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${unit === 0 || amount >= 99.95 ? amount.toFixed(0) : amount.toFixed(1)}${space}${units[unit]!}`;
}

/** Seconds: `0.4 s`, `12 s`, `3 min 5 s`. */
export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)}${space}s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole}${space}s`;
  return `${Math.floor(whole / 60)}${space}min ${whole % 60}${space}s`;
}

/** `layer` or `layers`, with its number: `3 layers`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${integer(count)} ${count === 1 ? singular : plural}`;
}
