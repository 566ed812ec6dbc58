/**
 * Which rows of a long table are worth having: those in view and a few around them. Pure arithmetic on pixels.
 */

/** Height of a row in pixels; media/view.css has the same. */
export const rowHeight = 24;

const overscan = 2;

/** First row to show and how many, for a scroll position inside the rows. */
export function rowWindow(count: number, scrollTop: number, height: number): { first: number; size: number } {
  const visible = Math.ceil(height / rowHeight) + 1 + 2 * overscan;
  const size = Math.min(count, visible);
  const first = Math.max(0, Math.min(count - size, Math.floor(scrollTop / rowHeight) - overscan));
  return { first, size };
}

/** Scroll position that has the row wholly in view, as little changed as possible. */
export function scrollTo(row: number, scrollTop: number, height: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + height) return top + rowHeight - height;
  return scrollTop;
}

/** Row that a key moves to, or null when the key moves nothing. */
export function rowAfterKey(key: string, row: number, count: number, height: number): number | null {
  if (count === 0) return null;
  const page = Math.max(1, Math.floor(height / rowHeight) - 1);
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: row + 1,
    ArrowUp: row - 1,
    PageDown: row + page,
    PageUp: row - page,
    Home: 0,
    End: count - 1,
  };
  const target = steps[key];
  return target === undefined ? null : Math.max(0, Math.min(count - 1, target));
}
