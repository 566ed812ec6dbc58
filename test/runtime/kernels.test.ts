import { expect, it } from "vitest";
import { probeKernels } from "../../server/src/runtime/kernels.js";

it("finds a block size or none, and only once", async () => {
  const kernels = await probeKernels(1);
  expect([null, 8, 16]).toContain(kernels.nchwc);
  expect(await probeKernels(2)).toBe(kernels);
});
