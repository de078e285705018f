import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { builtSources, isBuilt } from "./test/support/built.js";
import { LongestFirst } from "./test/support/longest-first.js";

const root = fileURLToPath(new URL(".", import.meta.url));
/** `npm test` builds first, and its unit tests then load what is built. Whoever runs one test file gets the sources as they stand. */
const built = process.env["IOMMU_LAB_TEST_BUILT"] === "1" && isBuilt(root);

/**
 * The unit and property tests, on two workers.
 * Tests that need Python or a browser live in test/conformance and test/browser and are driven by the same runner
 * (test/run.mjs), each in a project of its own.
 */
export default defineConfig({
  test: {
    // Five times what the slowest takes on two quiet cores: a busy machine is no fault.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Where nobody watches, a test of processes that another load upset gets a second try, and is named at the end. Properties draw the same
    // cases again, so that a fault stays one.
    retry: process.env["CI"] ? 1 : 0,
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Tests take no points from this user's earlier runs, and leave none; where a run shares some, its folder is given.
    env: { IOMMU_LAB_POINTS: process.env["IOMMU_LAB_TEST_POINTS"] ?? "off" },
    projects: [
      {
        extends: true,
        plugins: built ? [builtSources(root)] : [],
        test: {
          name: "unit",
          // Node loads them, not Vitest.
          ...(built ? { server: { deps: { external: [/\/dist\//] } } } : {}),
          include: ["test/**/*.test.ts"],
          exclude: ["test/conformance/**", "test/browser/**"],
        },
      },
      {
        extends: true,
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
