import { appendFileSync } from "node:fs";

// Prints the ten slowest tests of a run, those that needed a second try, and one plain closing line with the counts.
// The names of those that failed go to a file, where test/run.mjs gives one, to stand at the very end of all parts.
export default class SlowestReporter {
  onTestRunEnd(modules) {
    const tests = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { duration = 0, flaky = false } = test.diagnostic() ?? {};
        const name = `${module.relativeModuleId ?? module.moduleId}: ${test.fullName}`;
        tests.push({ name, ms: duration, flaky, state: test.result().state });
      }
    }
    if (tests.length === 0) return;
    console.log("\nThe ten slowest tests:");
    for (const { name, ms } of [...tests].sort((a, b) => b.ms - a.ms).slice(0, 10)) {
      console.log(`${(ms / 1000).toFixed(2).padStart(8)} s  ${name}`);
    }
    const again = tests.filter(({ flaky }) => flaky);
    if (again.length > 0) console.log("\nPassed at the second try, and should be looked at:");
    for (const { name } of again) console.log(`  ${name}`);
    const count = (state) => tests.filter((test) => test.state === state).length;
    console.log(`\n${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
    const file = process.env["IOMMU_LAB_TEST_FAILURES"];
    if (file !== undefined)
      for (const { name, state } of tests) if (state === "failed") appendFileSync(file, `${name}\n`);
  }
}
