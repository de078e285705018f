/** The child processes that user code has started, as the operating system lists them. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Ids of the direct children of this process. Empty where the system does not tell. */
export function childProcesses(): number[] {
  try {
    if (process.platform === "linux") {
      const ids = new Set<number>();
      for (const thread of readdirSync("/proc/self/task")) {
        const line = readFileSync(`/proc/self/task/${thread}/children`, "utf8");
        for (const id of line.trim().split(/\s+/)) if (id !== "") ids.add(Number(id));
      }
      return [...ids];
    }
    return execFileSync("pgrep", ["-P", String(process.pid)], { encoding: "utf8", timeout: 1000 })
      .trim()
      .split("\n")
      .filter((id) => id !== "")
      .map(Number);
  } catch {
    return [];
  }
}

/** Interrupts (or, where that did not help, kills) the child processes. */
export function interruptChildren(kill: boolean): void {
  for (const id of childProcesses()) {
    try {
      process.kill(id, kill ? "SIGKILL" : "SIGINT");
    } catch {
      // It has ended meanwhile.
    }
  }
}
