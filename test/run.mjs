// What `npm test` runs: lint, the floor plan, types, then every test project, with the ten slowest tests at the end.
// `npm test -- unit` (or lint, types, conformance, browser) runs a part; further words go to vitest.
import { spawnSync } from "node:child_process";

const node = process.execPath;
const bin = (path) => `node_modules/${path}`;
const steps = [
  ["lint", [node, [bin("@biomejs/biome/bin/biome"), "check", "."]]],
  // What nothing uses: once as if there were no tests, once with them.
  ["unused", [node, [bin("knip/bin/knip.js"), "--production"]]],
  ["unused-tests", [node, [bin("knip/bin/knip.js")]]],
  [
    "floors",
    [node, [bin("dependency-cruiser/bin/dependency-cruise.mjs"), "--config", ".dependency-cruiser.cjs", "src"]],
  ],
  ["types", [node, [bin("typescript/bin/tsc"), "-p", "tsconfig.test.json", "--noEmit"]]],
  ...["unit", "conformance", "browser"].map((project) => [
    project,
    [
      node,
      [
        bin("vitest/vitest.mjs"),
        "run",
        "--project",
        project,
        "--passWithNoTests",
        "--reporter=default",
        "--reporter=./test/support/slowest-reporter.mjs",
      ],
    ],
  ]),
];

const [only, ...extra] = process.argv.slice(2);
const known = steps.map(([name]) => name);
if (only !== undefined && !known.includes(only)) {
  console.error(`npm test: there is no part "${only}"; the parts are ${known.join(", ")}.`);
  process.exit(2);
}
const failed = [];
for (const [name, [command, args]] of steps) {
  if (only !== undefined && name !== only) continue;
  console.log(`\n== ${name}`);
  const started = performance.now();
  const { status } = spawnSync(command, [...args, ...(only === name ? extra : [])], { stdio: "inherit" });
  console.log(
    `== ${name}: ${status === 0 ? "passed" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nnpm test: failed: ${failed.join(", ")}`);
  process.exit(1);
}
