import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { builtSources, isBuilt } from "./test/support/built.js";
import { LongestFirst } from "./test/support/longest-first.js";
import { pointsOfRun } from "./test/support/shared.js";

const root = fileURLToPath(new URL(".", import.meta.url));
/** `npm test` builds first, and its unit tests then load what is built. Whoever runs one test file gets the sources as they stand. */
const built = process.env["IOMMU_LAB_TEST_BUILT"] === "1" && isBuilt(root);

/**
 * Tests of the core's rooms, which have no state between two calls (the lint and test/support/module-state.test.ts hold it): their files share
 * processes, and with them the laboratory's code, loaded once and warm.
 */
const { core } = createRequire(import.meta.url)("./src/rooms.cjs") as { core: string[] };
const ofCore = core.map((room) => `test/${room}/**/*.test.ts`);

/** Node loads what is built, not Vitest. */
const compiled = built
  ? { plugins: [builtSources(root)], test: { server: { deps: { external: [/\/dist\//] } } } }
  : { plugins: [], test: {} };

/**
 * The unit and property tests.
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
    // How many workers there are stands nowhere here: a project's own number counts more than what the command line says.
    sequence: { sequencer: LongestFirst },
    // Tests take no points from this user's earlier runs, and leave none.
    env: { IOMMU_LAB_POINTS: "off" },
    projects: [
      {
        extends: true,
        plugins: compiled.plugins,
        test: {
          ...compiled.test,
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/conformance/**", "test/browser/**", ...(built ? ofCore : [])],
        },
      },
      // Only of what is built: Vitest's own loader keeps less of it from one file to the next.
      ...(built
        ? [
            {
              extends: true as const,
              plugins: compiled.plugins,
              test: { ...compiled.test, name: "core", include: ofCore, isolate: false },
            },
          ]
        : []),
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
        plugins: compiled.plugins,
        test: {
          ...compiled.test,
          name: "browser",
          // Chapters are run to be looked at: their points are those that this run has computed.
          env: { IOMMU_LAB_POINTS: pointsOfRun },
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
