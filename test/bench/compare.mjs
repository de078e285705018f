// `npm run bench -- --compare REV [CASE …]`: two versions of the code, measured in turns on one machine, so that what disturbs one disturbs the
// other. A row each: CPU seconds a point before and after, and the ratio with its interval.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cases, measure } from "./points.mjs";
import { interval, look, ratioOf, remember, repeat } from "./repeat.mjs";

const git = (...args) => execFileSync("git", args, { encoding: "utf8" }).trim();

/** A checkout of a revision, compiled; it shares the packages that are installed here. */
function built(revision) {
  const root = mkdtempSync(join(tmpdir(), "iommu-lab-before-"));
  git("worktree", "add", "--quiet", "--detach", "--force", root, revision);
  symlinkSync(resolve("node_modules"), join(root, "node_modules"));
  // What is compiled from the same source need not be compiled again.
  cpSync("dist", join(root, "dist"), { recursive: true, preserveTimestamps: true });
  execFileSync(process.execPath, ["src/lab/setup.mjs", "--build"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return root;
}

/** Compares a revision with the code as it stands; ends with the number of cases whose interval is not narrow. */
export async function compare(revision, chosen = Object.keys(cases)) {
  const before = git("rev-parse", "--short", `${revision}^{commit}`);
  const dirty = git("status", "--porcelain") === "" ? "" : " with changes";
  const after = `${git("rev-parse", "--short", "HEAD")}${dirty}`;
  const root = built(before);
  let wide = 0;
  try {
    const machine = await look();
    console.log(`${before} (before) and ${after} (after), in turns; CPU seconds a point (${machine.text}).`);
    for (const name of chosen) {
      const { values, enough } = await repeat(
        // Each goes first as often as the other.
        (i) => {
          if (i % 2 === 0) return [measure(root, name), measure(".", name)];
          const now = measure(".", name);
          return [measure(root, name), now];
        },
        (pairs) => ratioOf(pairs).high / ratioOf(pairs).ratio - 1,
      );
      const { ratio, low, high, n } = ratioOf(values);
      const [a, b] = [0, 1].map((k) => interval(values.map((pair) => pair[k])).mean);
      if (!enough) wide++;
      console.log(
        `${name.padEnd(24)} ${a.toFixed(3)} → ${b.toFixed(3)} s  × ${ratio.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}; ${n} pairs)${enough ? "" : "  NOT NARROW"}`,
      );
      remember({
        bench: "compare",
        case: name,
        before,
        after,
        ratio,
        low,
        high,
        n,
        enough,
        busy: machine.busy,
        load: machine.load,
      });
    }
  } finally {
    git("worktree", "remove", "--force", root);
    rmSync(root, { recursive: true, force: true });
  }
  if (wide > 0)
    console.log(`\n${wide} of ${chosen.length} intervals are wider than 3 %: take these ratios as they are.`);
}
