/** Words and numbers as terminals show them. */

/** Text that came from a model, without control characters and marks that change the direction of text. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
}

/** The end of a name that is longer than `width`. */
export const shorten = (text: string, width: number): string =>
  text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
/** A whole number with separators. */
export const count = (value: number): string => value.toLocaleString("en-US");
/** Rounded towards 0, so that 99.996 % never reads as all of it. */
export const percent = (share: number, digits = 1): string => {
  const scale = 10 ** (digits + 2);
  return `${((Math.floor(share * scale + 1e-9) / scale) * 100).toFixed(digits)} %`;
};
