import { defineConfig } from "vitest/config";
import { watInTests } from "./server/wat.mjs";

// Two projects: everything that runs in Node, and everything that drives a real VS Code.
export default defineConfig({
  test: {
    projects: [
      {
        plugins: [watInTests],
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/editor/**"],
          // Tests read what the command line prints; whoever runs them may have asked for colours.
          env: { FORCE_COLOR: "" },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "editor",
          // After everything else: a real editor wants the machine for itself.
          sequence: { groupOrder: 1 },
          include: ["test/editor/**/*.test.ts"],
          // Two hosts at a time: they wait more than they work.
          maxWorkers: 2,
          // A real editor on a shared machine loses a key press or the start of a frame now and then. What fails twice is a defect; what passed at the second try is marked in the log.
          retry: 1,
          testTimeout: 180_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
