import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { MemoryWatch, treeOf } from "../../src/cli/memory.js";

test("a process's tree holds its descendants of every generation, and nobody else", () => {
  const all = [
    { pid: 1, parent: 0, bytes: 1 },
    { pid: 5, parent: 4, bytes: 5 },
    { pid: 4, parent: 3, bytes: 4 },
    { pid: 3, parent: 1, bytes: 3 },
    { pid: 9, parent: 1, bytes: 9 },
  ];
  expect(treeOf(3, all).map(({ pid }) => pid)).toEqual([3, 4, 5]);
});

test("the watch counts what a child process holds", async () => {
  const child = spawn(process.execPath, [
    "-e",
    "const held = Buffer.alloc(300e6, 1); console.log(held.length); process.stdin.resume()",
  ]);
  try {
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const watch = new MemoryWatch(50);
    const { bytes, processes } = await watch.stop();
    expect(processes).toBeGreaterThanOrEqual(2);
    expect(bytes).toBeGreaterThan(300e6 + process.memoryUsage().rss * 0.5);
  } finally {
    child.kill();
  }
});
