/** Job `compress`: how small original and pruned model become in a zip, measured, not guessed. */
import { createReadStream } from "node:fs";
import { createDeflateRaw } from "node:zlib";
import type { CompressReport } from "../../protocol/report.js";
import type { CompressParams } from "../../protocol/requests.js";
import type { JobContext } from "./jobs.js";
import { withModel } from "./open-model.js";

export async function compress({ path, pruned }: CompressParams, context: JobContext): Promise<CompressReport> {
  const began = performance.now();
  const filesOf = (model: string): Promise<{ paths: readonly string[]; bytes: number }> =>
    withModel(model, ({ source }) => Promise.resolve({ paths: source.paths, bytes: source.size() }));
  const before = await filesOf(path);
  const after = await filesOf(pruned);
  const total = before.bytes + after.bytes;
  let done = 0;
  const compressed = async (paths: readonly string[]): Promise<number> => {
    let size = 0;
    for (const file of paths) {
      const deflate = createReadStream(file, { highWaterMark: 1 << 20 }).pipe(createDeflateRaw({ level: 6 }));
      for await (const chunk of deflate as AsyncIterable<Buffer>) {
        size += chunk.length;
        context.progress({
          stage: "Measuring compressed size",
          done: done + Math.min(deflate.bytesWritten, total),
          total,
        });
        await context.checkpoint();
      }
      done += deflate.bytesWritten;
    }
    return size;
  };
  const original = { bytes: before.bytes, compressed: await compressed(before.paths) };
  const smaller = { bytes: after.bytes, compressed: await compressed(after.paths) };
  return { original, pruned: smaller, seconds: (performance.now() - began) / 1000 };
}
