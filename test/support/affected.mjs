// Which test files a change needs, by what they import: read from the sources, so that nothing has to run to know it.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** So many seconds of tests are run at most: the nearest to the change first. */
const mostSeconds = 40;
/** Tests whose time is not known yet. */
const unknownSeconds = 2;

const git = (...args) => execFileSync("git", args, { encoding: "utf8" }).split("\n").filter(Boolean);

/** The modules that a module of the project imports: compiled ones and rooms by their package's name stand for their sources. */
export function importsOf(file, text) {
  const found = [];
  for (const [, name] of text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*["']([^"']+)["']/g)) {
    const path = name.startsWith("iommu-lab/")
      ? `src/${name.slice(10)}/index.ts`
      : name.startsWith(".")
        ? normalize(join(dirname(file), name)).replace(/^dist\//, "src/")
        : undefined;
    if (path === undefined) continue;
    const source = [path, path.replace(/\.js$/, ".ts"), path.replace(/\.js$/, ".mjs")].find((one) => existsSync(one));
    if (source !== undefined) found.push(source);
  }
  return found;
}

/** How many imports lie between a file and the nearest of some others; undefined where none is reached. */
export function distance(file, goals, imports) {
  const seen = new Set([file]);
  let ring = [file];
  for (let steps = 0; ring.length > 0; steps++) {
    if (ring.some((one) => goals.has(one))) return steps;
    ring = ring.flatMap(imports).filter((one) => !seen.has(one) && seen.add(one));
  }
  return undefined;
}

/** Seconds that each test file took when it ran last here, as vitest remembers them. */
function secondsOf() {
  const path = "node_modules/.vite/vitest/results.json";
  const found = new Map();
  try {
    const folders = readdirSync("node_modules/.vite/vitest", { recursive: true, encoding: "utf8" });
    const files = existsSync(path)
      ? [path]
      : folders.filter((name) => name.endsWith("results.json")).map((name) => `node_modules/.vite/vitest/${name}`);
    for (const file of files)
      for (const [name, { duration }] of JSON.parse(readFileSync(file, "utf8")).results)
        found.set(name.replace(/^.*:/, "").replace(/^\//, ""), duration / 1000);
  } catch {
    // Never run here: every file counts as one of unknown time.
  }
  return found;
}

/** Takes tests, the nearest first, as long as their time allows. */
export function withinTime(tests, seconds, most = mostSeconds) {
  let left = most;
  const taken = [];
  const others = [];
  for (const { file } of [...tests].sort((a, b) => a.steps - b.steps || (a.file < b.file ? -1 : 1))) {
    const needs = seconds.get(file) ?? unknownSeconds;
    if (needs <= left) {
      left -= needs;
      taken.push(file);
    } else others.push(file);
  }
  return { taken, others };
}

/** The files that changed since a revision, the test files that need them, and those of them that take too long. */
export function affected(revision) {
  const [since] = git("merge-base", "HEAD", revision ?? "main");
  const changed = [...git("diff", "--name-only", since), ...git("ls-files", "--others", "--exclude-standard")];
  const sources = [...new Set(changed)].filter((file) => existsSync(file));
  const goals = new Set(sources);
  // Data is compiled into the facts.
  if (sources.some((file) => file.startsWith("data/"))) goals.add("src/facts/generated.ts");
  const read = new Map();
  const imports = (file) => {
    if (!read.has(file)) read.set(file, /\.[mc]?[jt]s$/.test(file) ? importsOf(file, readFileSync(file, "utf8")) : []);
    return read.get(file);
  };
  const all = readdirSync("test", { recursive: true, encoding: "utf8" })
    .map((name) => `test/${name}`)
    .filter((name) => name.endsWith(".test.ts") && !/^test\/(browser|conformance)\//.test(name));
  const room = (file) => file.split("/")[1];
  const rooms = new Set(sources.filter((file) => file.startsWith("src/")).map(room));
  const near = all.flatMap((file) => {
    const steps = distance(file, goals, imports);
    if (steps === undefined) return [];
    // A room's own tests before all others.
    return [{ file, steps: rooms.has(room(file)) ? Math.min(steps, 1) : steps + 1 }];
  });
  const { taken, others } = withinTime(near, secondsOf());
  return { since: since.slice(0, 8), sources, tests: taken, left: others };
}
