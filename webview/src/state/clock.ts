/**
 * Time as the store needs it: the next frame, and a timer that can be stopped. Tests bring their own.
 */
export interface Clock {
  /** Calls back before the next repaint. */
  frame(callback: () => void): void;
  /** Calls back after `milliseconds`. @returns a function that stops the timer. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The clock of a window. */
export function windowClock(window: Window): Clock {
  return {
    frame: (callback) => void window.requestAnimationFrame(callback),
    after: (milliseconds, callback) => {
      const timer = window.setTimeout(callback, milliseconds);
      return () => {
        window.clearTimeout(timer);
      };
    },
  };
}
