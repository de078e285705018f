/** The public reports as requests to the allocator alone: for each the case that shows the fault, and the one that cures it. */
import { Streams } from "../../engine/index.js";

/** A trace, and how many of its maps only set the scene. */
export interface Scene {
  trace: string;
  setUp: number;
}

/** One side of a report. */
export interface ReportCase {
  /** What is done, in a few words. */
  what: string;
  /** The release of Linux whose rules hold. */
  release: string;
  scene(requests: number, seed: number): Scene;
}

/** A public report: a fault and its cure. */
export interface Report {
  title: string;
  /** The records that tell of it. */
  records: readonly string[];
  fault: ReportCase;
  cure: ReportCase;
}

const d32 = 1 << 20;
const low = d32 - 1;
const wide = 68_719_476_735;

/** Collects operations and numbers the maps. */
class Writer {
  private readonly lines: string[];
  private id = 0;
  setUp = 0;

  constructor(...settings: string[]) {
    this.lines = settings.map((setting) => `i ${setting}`);
  }

  map(pages: number, limit: number, cpu = 0): number {
    this.lines.push(`m ${pages} ${limit} ${cpu}`);
    return this.id++;
  }

  unmap(id: number, cpu = 0): void {
    this.lines.push(`u ${id} ${cpu}`);
  }

  /** All maps so far only set the scene. */
  begin(): void {
    this.setUp = this.id;
  }

  get scene(): Scene {
    return { trace: this.lines.join("\n"), setUp: this.setUp };
  }
}

/**
 * A 64-bit device beside one that keeps to 32 bits, with nearly all addresses below 4 GiB in use: whenever the other frees a range there, the
 * remembered failure is forgotten, and the next request of the first searches all of it before it goes above.
 */
function fullBelow4G(requests: number): Scene {
  const ranges = 2048;
  const w = new Writer("cpus 2", `start_pfn ${d32 - ranges * 8 - 64}`);
  for (let i = 0; i < ranges; i++) w.map(8, low);
  let other = w.map(64, low);
  w.begin();
  for (let i = 0; i < requests; i++) {
    w.unmap(other, 1);
    const id = w.map(128, wide);
    other = w.map(64, low, 1);
    w.unmap(id);
  }
  return w.scene;
}

/** Storage requests of one size, 1,024 in flight, completed in random order on the CPUs that did not submit them. */
function storage(pages: number): ReportCase["scene"] {
  return (requests, seed) => {
    const draw = new Streams(seed).stream("completions");
    const w = new Writer("cpus 4");
    const live = Array.from({ length: 1024 }, (_, i) => w.map(pages, low, i % 4));
    w.begin();
    for (let i = 0; i < requests; i++) {
      const at = draw.below(live.length);
      w.unmap(live[at], (i + 1) % 4);
      live[at] = w.map(pages, low, i % 4);
    }
    return w.scene;
  };
}

/** Ranges that no cache takes, of sizes that leave holes, in a space below 4 GiB that is nearly full, for a device that could go above. */
function holes(requests: number, seed: number): Scene {
  const draw = new Streams(seed).stream("holes");
  const sizes = [33, 48, 64, 96, 128];
  const w = new Writer("cpus 2", `start_pfn ${d32 - 65_536}`);
  const size = () => sizes[draw.below(sizes.length)];
  const live = Array.from({ length: 1200 }, () => w.map(size(), wide));
  w.begin();
  for (let i = 0; i < requests; i++) {
    const at = draw.below(live.length);
    w.unmap(live[at]);
    live[at] = w.map(size(), wide);
  }
  return w.scene;
}

/** Bursts that one CPU maps and another unmaps. */
function bursts(requests: number): Scene {
  const burst = 8000;
  const w = new Writer("cpus 2");
  const once = () => {
    const ids = Array.from({ length: burst }, () => w.map(1, low, 0));
    for (const id of ids) w.unmap(id, 1);
  };
  once();
  w.begin();
  for (let done = 0; done < requests; done += burst) once();
  return w.scene;
}

/** A range at the top goes late and alone: the remembered node moves up to it, and the request after next walks over all that is below. */
function lateUnmap(pages: number): ReportCase["scene"] {
  return (requests) => {
    const w = new Writer("cpus 1");
    let late = w.map(pages, low);
    for (let i = 0; i < 2000; i++) w.map(pages, low);
    w.begin();
    for (let i = 0; i < requests; i += 2) {
      w.unmap(late);
      late = w.map(pages, low);
      w.unmap(w.map(pages, low));
    }
    return w.scene;
  };
}

/** The reports in the order in which they are shown. */
export const reports: readonly Report[] = [
  {
    title: "full below 4 GiB",
    records: ["MS29"],
    fault: { what: "32-bit addresses tried first on every request", release: "6.5", scene: fullBelow4G },
    cure: { what: "given up for good where they failed once", release: "6.6", scene: fullBelow4G },
  },
  {
    title: "above the largest cached size",
    records: ["MS13", "MS14", "MF11"],
    fault: { what: "requests of 64 pages", release: "5.15", scene: storage(64) },
    cure: { what: "requests of 32 pages", release: "5.15", scene: storage(32) },
  },
  {
    title: "the retry of 5.11",
    records: ["MS13"],
    fault: { what: "a failed search looks at what it skipped", release: "5.11", scene: holes },
    cure: { what: "the retry taken back", release: "5.10", scene: holes },
  },
  {
    title: "mapped here, unmapped there",
    records: ["MF1", "MF2"],
    fault: { what: "a depot of 32 magazines", release: "6.6", scene: bursts },
    cure: { what: "a depot without bound", release: "6.7", scene: bursts },
  },
  {
    title: "one late unmap",
    records: [],
    fault: { what: "ranges of 64 pages", release: "6.18", scene: lateUnmap(64) },
    cure: { what: "ranges of 32 pages", release: "6.18", scene: lateUnmap(32) },
  },
];
