// `npm run bench -- --compare REV [CASE …]` or `--compare REV..OTHER`: two versions of the code, measured in turns on one machine, so that what disturbs one disturbs the
// other. A row each: CPU seconds a point before and after, and the ratio with its interval.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cases, measure, shortCases } from "./points.mjs";
import { interval, look, ratioOf, remember, repeat } from "./repeat.mjs";

const git = (...args) => execFileSync("git", args, { encoding: "utf8" }).trim();

/** What a revision says of a file; nothing where it has none. */
const fileOf = (revision, name) => {
  try {
    return git("show", `${revision}:${name}`);
  } catch {
    return "";
  }
};

/**
 * Installs a revision's own packages.
 * @throws Error with npm's last words: it may say nothing of itself (`npm run --silent` is inherited), or be ended from outside
 */
export function installPackages(root, revision, env = process.env) {
  const words = ["ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, signal, error, stdout, stderr } = spawnSync("npm", words, {
    ...{ cwd: root, env, encoding: "utf8", maxBuffer: 64 << 20 },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status === 0) return;
  const how = error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`);
  const last = `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(-12).join("\n");
  throw new Error(
    `the packages of ${revision} could not be installed (npm ci: ${how}).\n${last || "npm said nothing."}`,
  );
}

/** Adds a checkout of a revision, compiled, to `roots`. It shares the packages that are installed here, where it wants the same; else it gets its own. */
function built(revision, roots) {
  const root = mkdtempSync(join(tmpdir(), "iommu-lab-compare-"));
  roots.push(root);
  git("worktree", "add", "--quiet", "--detach", "--force", root, revision);
  if (fileOf(revision, "package-lock.json") === fileOf("HEAD", "package-lock.json"))
    symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  else {
    console.log(`${revision} has other packages: they are installed.`);
    installPackages(root, revision);
  }
  // An old revision may want types that only its tests have: what it gives all the same is measured, and fails by name where it can't.
  const made = spawnSync(process.execPath, ["src/lab/setup.mjs", "--build"], { cwd: root, encoding: "utf8" });
  if (made.status !== 0) {
    const first = `${made.stdout}${made.stderr}`.split("\n").find((line) => line.includes("error")) ?? "";
    console.log(`${revision} compiles with errors, the first of them: ${first}`);
  }
}

/** Where it is none yet, git complains: what went wrong before is what is to be said. */
function removed(root) {
  spawnSync("git", ["worktree", "remove", "--force", root], { stdio: "ignore" });
  rmSync(root, { recursive: true, force: true });
}

/** The two sides of what is asked: "REV" is that revision and the code as it stands, "REV..OTHER" are two revisions. */
function sidesOf(asked) {
  const [first, second] = asked.split("..");
  const short = (revision) => git("rev-parse", "--short", `${revision}^{commit}`);
  if (second) return [first, second].map((revision) => ({ name: short(revision), revision: short(revision) }));
  const dirty = git("status", "--porcelain") === "" ? "" : " with changes";
  return [{ name: short(first), revision: short(first) }, { name: `${short("HEAD")}${dirty}` }];
}

/**
 * Compares a revision with the code as it stands, or with another revision.
 * @param asked "REV" or "REV..OTHER"
 */
export async function compare(asked, chosen = shortCases) {
  const sides = sidesOf(asked);
  const [before, after] = sides.map(({ name }) => name);
  const roots = [];
  let wide = 0;
  const tidy = () => {
    for (const root of roots.splice(0)) if (root !== ".") removed(root);
  };
  process.once("exit", tidy);
  process.once("SIGINT", () => process.exit(130));
  try {
    for (const { revision } of sides) {
      if (revision === undefined) roots.push(".");
      else built(revision, roots);
    }
    const machine = await look();
    console.log(`${before} (before) and ${after} (after), in turns; CPU seconds a point (${machine.text}).`);
    for (const name of chosen) {
      const { values, enough } = await repeat(
        // Each goes first as often as the other.
        (i) => {
          const order = i % 2 === 0 ? [0, 1] : [1, 0];
          const pair = [];
          for (const side of order) pair[side] = measure(roots[side], name).cpu;
          return pair;
        },
        (pairs) => ratioOf(pairs).high / ratioOf(pairs).ratio - 1,
        cases[name].long ? { most: 5 } : {},
      );
      const { ratio, low, high, n } = ratioOf(values);
      const [a, b] = [0, 1].map((k) => interval(values.map((pair) => pair[k])).mean);
      if (!enough) wide++;
      console.log(
        `${name.padEnd(30)} ${a.toFixed(3)} → ${b.toFixed(3)} s  × ${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}; ${n} pairs)${enough ? "" : "  NOT NARROW"}`,
      );
      const { busy, load } = machine;
      remember({ bench: "compare", case: name, before, after, ratio, low, high, n, enough, busy, load });
    }
  } finally {
    tidy();
  }
  if (wide > 0)
    console.log(`\n${wide} of ${chosen.length} intervals are wider than 3 %: take these ratios as they are.`);
}
