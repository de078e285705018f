// Prints the ten slowest tests of a run and one plain closing line with the counts.
export default class SlowestReporter {
  onTestRunEnd(modules) {
    const tests = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        tests.push({
          name: `${module.relativeModuleId ?? module.moduleId}: ${test.fullName}`,
          ms: test.diagnostic()?.duration ?? 0,
          state: test.result().state,
        });
      }
    }
    if (tests.length === 0) return;
    console.log("\nThe ten slowest tests:");
    for (const { name, ms } of tests.sort((a, b) => b.ms - a.ms).slice(0, 10)) {
      console.log(`${(ms / 1000).toFixed(2).padStart(8)} s  ${name}`);
    }
    const count = (state) => tests.filter((test) => test.state === state).length;
    console.log(`\n${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
  }
}
