/** The bytes of a file by range. Small neighbouring ranges are served from one window, large ones are read directly. */
import type { Source } from "../formats/source.js";
import type { ByteSource, Range } from "./stored-array.js";

const windowBytes = 1 << 20;

export function fileBytes(source: Source): ByteSource {
  const path = source.main;
  const size = source.size(path);
  return {
    size,
    collect: (ranges, out) => {
      collect(ranges, out);
      return Promise.resolve();
    },
  };

  function collect(ranges: Iterable<Range>, out: Uint8Array): void {
    let window = new Uint8Array(0);
    let start = 0;
    let filled = 0;
    for (const { offset, length } of ranges) {
      const target = out.subarray(filled, filled + length);
      filled += length;
      if (length >= windowBytes / 16) {
        source.read(path, offset, target);
        continue;
      }
      if (offset < start || offset + length > start + window.length) {
        start = offset;
        window = new Uint8Array(Math.min(windowBytes, size - offset));
        source.read(path, offset, window);
      }
      target.set(window.subarray(offset - start, offset - start + length));
    }
  }
}
