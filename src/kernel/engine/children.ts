/** The child processes that user code has started, as the operating system lists them. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Ids of processes with the ids of their parents. */
function processes(): [id: number, parent: number][] {
  if (process.platform !== "linux")
    return execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8", timeout: 2000 })
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found: [number, number][] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      // The second field, the command in brackets, may contain anything; the parent is the second after it.
      found.push([Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Ids of the direct children of this process. Empty where the system does not tell. */
export function childProcesses(): number[] {
  try {
    return processes()
      .filter(([, parent]) => parent === process.pid)
      .map(([id]) => id);
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
