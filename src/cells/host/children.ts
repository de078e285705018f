/** The processes that user code has started, as the operating system lists them. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Ids of processes with their process groups. */
function processes(): [id: number, group: number][] {
  if (process.platform !== "linux")
    return execFileSync("ps", ["-eo", "pid=,pgid="], { encoding: "utf8", timeout: 2000 })
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found: [number, number][] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      // The second field, the command in brackets, may contain anything; the group is the third after it.
      found.push([Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2])]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/**
 * Ids of the other processes of this process's group, which it leads: also those whose parent has ended, such as the command of a shell.
 * Empty where the system does not tell.
 */
export function groupMembers(): number[] {
  try {
    return processes()
      .filter(([id, group]) => group === process.pid && id !== process.pid)
      .map(([id]) => id);
  } catch {
    return [];
  }
}

/** Interrupts (or, where that did not help, kills) the processes that user code has started. */
export function interruptChildren(kill: boolean): void {
  for (const id of groupMembers()) {
    try {
      process.kill(id, kill ? "SIGKILL" : "SIGINT");
    } catch {
      // It has ended meanwhile.
    }
  }
}

/**
 * Kills a process and what it has started, where it leads a process group of its own. A process that user code has started in a group of its own
 * (`detached: true`) is meant to outlive it, and does.
 */
export function killGroup(leader: number): void {
  for (const id of [-leader, leader]) {
    try {
      process.kill(id, "SIGKILL");
    } catch {
      // It has ended already, or the system knows no groups.
    }
  }
}
