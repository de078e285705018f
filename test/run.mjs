// What `npm test` runs: lint, what nothing uses, the floor plan, types, then every test project, with the ten slowest tests at the end, and the
// drift check: every stored notebook executed anew and compared, number by number, with what it holds.
// `npm test -- unit` (or lint, types, conformance, drift, browser) runs a part; further words go to vitest.
// `npm test -- --quick [REV]` runs what the changes since a revision (default: where this branch left main) need: test/support/affected.mjs.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { affected } from "./support/affected.mjs";

const node = process.execPath;
const bin = (path) => `node_modules/${path}`;
const vitest = (project, ...more) => [
  node,
  [
    bin("vitest/vitest.mjs"),
    "run",
    "--project",
    project,
    "--passWithNoTests",
    "--reporter=default",
    "--reporter=./test/support/slowest-reporter.mjs",
    ...more,
  ],
];
/** What the parts of this run share (test/support/shared.ts): points of experiments and whatever takes long to make. Made in it, and gone with it. */
const shared = mkdtempSync(join(tmpdir(), "iommu-lab-test-"));
process.on("exit", () => rmSync(shared, { recursive: true, force: true }));
/** The longest first, so that no core waits at the end for one that began late. */
const longest = ["03", "07", "06", "02", "08", "09", "10"];
const turn = (name) => (longest.indexOf(name.slice(0, 2)) + longest.length + 1) % (longest.length + 1);
const notebooks = readdirSync("notebooks")
  .filter((name) => name.endsWith(".ipynb"))
  .sort((a, b) => turn(a) - turn(b));
const results = join(shared, "reproduced");
/** Where the tests' reporter writes the names of those that failed. */
const failures = join(shared, "failures.txt");

const lint = ["lint", [node, [bin("@biomejs/biome/bin/biome"), "check", "."]]];
const floors = [
  "floors",
  [node, [bin("dependency-cruiser/bin/dependency-cruise.mjs"), "--config", ".dependency-cruiser.cjs", "src"]],
];
const types = ["types", [node, [bin("typescript/bin/tsc"), "-p", "tsconfig.test.json", "--noEmit"]]];
const knip = [bin("knip/bin/knip.js"), "--config", "test/support/knip.config.js"];
/** What looks at the sources and runs nothing: one core each, so that two of them run at a time. */
const looks = [
  types,
  lint,
  // What nothing uses: once as if there were no tests, once with them.
  ["unused", [node, [...knip, "--production"]]],
  ["unused-tests", [node, knip]],
  floors,
];
const steps = [
  ...looks,
  // Before all that runs notebooks: it computes each point anew, and the others take them from here.
  [
    "drift",
    [
      node,
      // Each by its name: without the ledger and the site, which tests of their own make.
      [
        "src/cli/iommu-lab.mjs",
        "reproduce",
        "--check",
        "--only",
        notebooks.join(),
        "--points",
        join(shared, "points"),
        "--out",
        results,
      ],
    ],
  ],
  ["conformance", vitest("conformance")],
  // `core` are those of the unit tests that share processes.
  ["unit", vitest("unit", "--project", "core")],
  ["browser", vitest("browser")],
];

/** What may run beside what: the conformance tests wait for Python most of the time. */
const beside = { drift: "conformance" };

/**
 * The unit tests and the browser's as one, where both are asked for: on the same workers, so that none is idle while there is something left of either.
 */
const together = (list) => {
  const both = list.filter(([name]) => name === "unit" || name === "browser");
  if (both.length < 2) return list;
  return [
    ...list.filter((one) => !both.includes(one)),
    ["unit and browser", vitest("unit", "--project", "core", "--project", "browser")],
  ];
};

/**
 * How many test files run at a time. Most of them wait a third of their time, for a kernel, a page, a killed command or a clock: with some more files
 * than cores two cores have work all the time.
 */
const workers = (name, extra) => {
  const most = { unit: 3, "unit and browser": 3, browser: 2 }[name];
  return most === undefined || extra.some((word) => word.startsWith("--maxWorkers")) ? [] : [`--maxWorkers=${most}`];
};

/** What every part is told. The tests load what `pretest` has built. */
const env = {
  ...process.env,
  IOMMU_LAB_TEST_FAILURES: failures,
  IOMMU_LAB_TEST_BUILT: "1",
  IOMMU_LAB_TEST_SHARED: shared,
};

/** What {@link cpuOfChildren} said when the last child ended: what is new then is the next one's. */
let taken = 0;

/** Seconds of CPU that ended children, with all that they have waited for, have taken; undefined where the system does not say. */
function cpuOfChildren() {
  try {
    const fields = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1).split(" ");
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return undefined;
  }
}

/** Runs a step; what it prints appears as it comes, or when it has ended where another runs beside it. @returns whether it passed */
async function step([name, [command, args]], extra, quiet) {
  if (!quiet) console.log(`\n== ${name}`);
  const started = performance.now();
  const printed = [];
  const child = spawn(command, [...args, ...workers(name, extra), ...extra], {
    stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
    env,
  });
  for (const stream of quiet ? [child.stdout, child.stderr] : []) stream.on("data", (piece) => printed.push(piece));
  let cpu = "";
  const status = await new Promise((resolve) => {
    child.on("error", (error) => {
      printed.push(`${error.message}\n`);
      resolve(1);
    });
    child.on("exit", () => {
      const now = cpuOfChildren();
      if (now !== undefined) cpu = `, ${(now - taken).toFixed(0)} s of CPU`;
      taken = now ?? 0;
    });
    child.on("close", resolve);
  });
  if (quiet) process.stdout.write(`\n== ${name}\n${Buffer.concat(printed.map((piece) => Buffer.from(piece)))}`);
  console.log(
    `== ${name}: ${status === 0 ? "passed" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(1)} s${cpu}`,
  );
  return status === 0;
}

async function run(list, extra) {
  const failed = [];
  const first = list.filter((one) => looks.includes(one));
  const rest = together(list.filter((one) => !looks.includes(one)));
  const waiting = [...first];
  await Promise.all(
    [0, 1].map(async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
        if (!(await step(one, extra, first.length > 1))) failed.push(one[0]);
    }),
  );
  while (rest.length > 0) {
    const one = rest.shift();
    const other = rest.findIndex(([name]) => name === beside[one[0]]);
    const both = [[one, false], ...(other < 0 ? [] : rest.splice(other, 1).map((found) => [found, true]))];
    await Promise.all(
      both.map(async ([each, quiet]) => {
        if (!(await step(each, extra, quiet))) failed.push(each[0]);
      }),
    );
  }
  if (failed.length === 0) return;
  if (existsSync(failures)) console.error(`\nFailed:\n${readFileSync(failures, "utf8")}`);
  console.error(`\nnpm test: failed: ${failed.join(", ")}`);
  process.exit(1);
}

const [only, ...extra] = process.argv.slice(2);
const known = steps.map(([name]) => name);
if (only === "--quick") {
  const { since, sources, tests, left } = affected(extra[0]);
  console.log(`Changed since ${since}: ${sources.length} files; ${tests.length} test files need them.`);
  const written = sources.filter((file) => /\.(ts|mts|mjs|cjs|json)$/.test(file));
  await run(
    [
      ...(written.length > 0
        ? [["lint", [node, [...lint[1][1].slice(0, 2), "--no-errors-on-unmatched", ...written]]]]
        : []),
      floors,
      types,
      ...(tests.length > 0 ? [["unit", vitest("unit", "--project", "core", ...tests)]] : []),
    ],
    [],
  );
  if (left.length > 0)
    console.log(`\nLeft out for the time that they take, and run by \`npm test\`: ${left.join(", ")}.`);
} else if (only !== undefined && !known.includes(only)) {
  console.error(`npm test: there is no part "${only}"; the parts are ${known.join(", ")}, and --quick.`);
  process.exit(2);
} else
  await run(
    steps.filter(([name]) => only === undefined || name === only),
    extra,
  );
