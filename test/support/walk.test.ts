import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lockContention } from "../../src/experiments/index.js";
import { basisOf } from "../../src/facts/index.js";
import { Machine } from "../../src/machine/index.js";
import { published } from "./facts.js";

const src = new URL("../../src/", import.meta.url);
const stopsOf = (): { file: string; name: string }[] => {
  const text = readFileSync(new URL("README.md", src), "utf8");
  const walk = text.slice(text.indexOf("## From a notebook cell to a charged cache line"));
  return [...walk.matchAll(/`([\w/-]+\.ts)`\s+`(\w+)`/g)].map(([, file, name]) => ({ file, name }));
};

/** The calls that lie open when a core writes to a node of the tree, while it frees a range in a flush: from the outermost to the innermost. */
function openCalls(): string[] {
  const { stackTraceLimit } = Error;
  const { write } = Machine.prototype;
  let calls: string[] | undefined;
  Error.stackTraceLimit = 100;
  Machine.prototype.write = function (...asked) {
    if (!calls) {
      const stack = new Error().stack ?? "";
      if (stack.includes("flush_unmaps") && stack.includes("RangeTree.erase"))
        calls = [...stack.matchAll(/^ +at (?:async )?(?:new )?([\w.]+)/gm)].map(([, call]) => call).reverse();
    }
    return write.apply(this, asked);
  };
  try {
    const basis = basisOf(published);
    const config = lockContention.parse({ cores: [16], variants: ["deferred"], replications: 1 });
    const [point] = lockContention.points(config, basis);
    lockContention.simulate({ ...point, run: { ...point.run, agedTurns: 0, warmup: 0, transactions: 300 } }, basis);
  } finally {
    Machine.prototype.write = write;
    Error.stackTraceLimit = stackTraceLimit;
  }
  return calls ?? [];
}

test("the stops are passed in that order: it is the order of the calls that lie open at the charged line", () => {
  const calls = openCalls();
  const open = ["simulatePoint", "hostRun", "run", "poll", "intel_unmap", "flush_unmaps", "__free_iova", "erase"];
  const names = calls.map((call) => call.slice(call.lastIndexOf(".") + 1));
  // Object.simulatePoint, Simulation.run, TcpRr.poll …: each once more, inside of the one before.
  let at = -1;
  for (const name of open) {
    const next = names.indexOf(name, at + 1);
    expect(next, `${name} inside of ${names[at]}: ${calls.join(" ")}`).toBeGreaterThan(at);
    at = next;
  }
  const inside = calls.slice(at + 1);
  expect(inside.at(-2)).toBe("ChargedMemory.write");
  const told = stopsOf()
    .map(({ name }) => name)
    .filter((name) => open.includes(name));
  expect([...new Set(told)]).toEqual(open);
});

test("every stop on the way from a cell to a cache line is where src/README.md says", () => {
  const stops = stopsOf();
  expect(stops.length).toBeGreaterThan(15);
  for (const { file, name } of stops)
    expect(readFileSync(new URL(file, src), "utf8"), `${name} in ${file}`).toMatch(
      new RegExp(
        `^\\s*(export )?((private|override|async|abstract) )*(class |interface |function |\\*)?${name}\\b`,
        "m",
      ),
    );
});
