import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

/** The most memory that a process and all its descendants held at once, as far as samples show. */
export interface PeakMemory {
  /** Sum of their resident sets; what several share (Node's own code, say) counts in each, so it is rather too much. */
  bytes: number;
  /** The most processes at once; threads belong to their process. */
  processes: number;
  /** How many samples were taken. */
  samples: number;
}

interface Process {
  pid: number;
  parent: number;
  bytes: number;
}

/** Every process of this machine: from /proc on Linux, from ps elsewhere; none where there is neither. */
async function processes(): Promise<Process[]> {
  if (process.platform === "linux") {
    return readdirSync("/proc").flatMap((name): Process[] => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const text = readFileSync(`/proc/${name}/status`, "utf8");
        const field = (key: string): number => Number(new RegExp(`^${key}:\\s*(\\d+)`, "m").exec(text)?.[1] ?? 0);
        return [{ pid: Number(name), parent: field("PPid"), bytes: field("VmRSS") * 1024 }];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-axo", "pid=,ppid=,rss="]);
    return stdout
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter((fields) => fields.length === 3)
      .map(([pid, parent, kib]) => ({ pid, parent, bytes: kib * 1024 }));
  } catch {
    return [];
  }
}

/** A process and all its descendants among all processes. */
export function treeOf(root: number, all: readonly Process[]): Process[] {
  const children = new Map<number, Process[]>();
  for (const one of all) children.set(one.parent, [...(children.get(one.parent) ?? []), one]);
  const tree = all.filter(({ pid }) => pid === root);
  for (const { pid } of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Watches how much memory this process and its descendants hold, until asked to stop. */
export class MemoryWatch {
  private peak: PeakMemory = { bytes: 0, processes: 0, samples: 0 };
  private readonly timer: NodeJS.Timeout;
  private sampling: Promise<void> = Promise.resolve();

  constructor(everyMs = 250) {
    this.sampling = this.sample();
    this.timer = setInterval(() => {
      this.sampling = this.sampling.then(() => this.sample());
    }, everyMs);
    this.timer.unref();
  }

  /** Ends the watch. Without any sample of the others, the peak is that of this process alone. */
  async stop(): Promise<PeakMemory> {
    clearInterval(this.timer);
    await this.sampling;
    const own = process.resourceUsage().maxRSS * 1024;
    return { ...this.peak, bytes: Math.max(own, this.peak.bytes), processes: Math.max(1, this.peak.processes) };
  }

  private async sample(): Promise<void> {
    const tree = treeOf(process.pid, await processes());
    const bytes = tree.reduce((sum, one) => sum + one.bytes, 0);
    this.peak = {
      bytes: Math.max(bytes, this.peak.bytes),
      processes: Math.max(tree.length, this.peak.processes),
      samples: this.peak.samples + 1,
    };
  }
}
