/**
 * A parent that is killed in a test: starts an engine host whose job is the script at `argv[2]`, and says `running` when
 * the job's first progress arrives.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { EngineHost } from "../../server/src/engine/host.js";

const path = process.argv[2]!;
const settings = { threads: 1, memoryLimit: 0, cacheMaxSize: 0 };
const host = new EngineHost({ entry: join(__dirname, "engine.js"), storage: null, settings });

void host.run(
  "open",
  { uri: pathToFileURL(path).href, path, dynamicAxes: {} },
  {
    onProgress: () => {
      process.stdout.write("running\n");
    },
  },
);
