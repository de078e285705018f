import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  bpftraceScript,
  loadTrace,
  planRecording,
  type RecordingSystem,
  type RecordOptions,
  record,
  type Tracefs,
} from "../../src/recorder/index.js";

const folder = mkdtempSync(join(tmpdir(), "record-"));
afterAll(() => rmSync(folder, { recursive: true }));

const iommu = ["events/iommu/map/enable", "events/iommu/unmap/enable"];
const dma = [
  "dma_map_phys",
  "dma_unmap_phys",
  "dma_map_sg",
  "dma_unmap_sg",
  "dma_sync_sg_for_cpu",
  "dma_map_sg_err",
].map((event) => `events/dma/${event}/enable`);
const recorded =
  "          lab-77     [001] d.s2.    10.000000: map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000120000000 size=4096\n" +
  "          lab-77     [001] d.s2.    10.000100: unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096\n";

/** A tracefs that behaves like the kernel's as far as a recording sees: making an instance fills it, and only an instance is removed. */
class FakeTracefs implements Tracefs {
  readonly root = "/fake/tracing";
  readonly files = new Map<string, string>();
  readonly log: string[] = [];
  refuse: string | undefined;
  denied = false;

  constructor(
    events: string[],
    private readonly text = recorded,
  ) {
    for (const path of events) this.files.set(path, "0");
    this.files.set("trace_clock", "[local] global counter uptime perf mono mono_raw boot x86-tsc");
    this.files.set("available_filter_functions", "iommu_dma_map_page\niommu_dma_unmap_page [dma_iommu]\nother\n");
  }

  read(path: string): string | undefined {
    return this.files.get(path);
  }

  write(path: string, text: string): void {
    if (this.refuse !== undefined && path.endsWith(this.refuse)) throw new Error("EINVAL: invalid argument, write");
    if (!this.files.has(path)) throw new Error(`ENOENT: no such file, '${path}'`);
    this.files.set(path, text);
    this.log.push(`${path.replace("instances/iommu-lab/", "")}=${text}`);
  }

  list(path: string): string[] {
    const below = [...this.files.keys()].filter((file) => file.startsWith(`${path}/`));
    return [...new Set(below.map((file) => file.slice(path.length + 1).split("/")[0]))];
  }

  makeInstance(path: string): void {
    if (this.denied) throw Object.assign(new Error("EACCES: permission denied, mkdir"), { code: "EACCES" });
    if (this.list(path).length > 0) throw Object.assign(new Error("EEXIST: file already exists"), { code: "EEXIST" });
    const own = [
      "tracing_on",
      "buffer_size_kb",
      "trace_clock",
      "trace_pipe",
      "per_cpu/cpu0/stats",
      "per_cpu/cpu1/stats",
    ];
    const events = [...this.files.keys()].filter((file) => file.startsWith("events/"));
    for (const file of [...own, ...events, ...events.map((event) => event.replace("enable", "filter"))])
      this.files.set(`${path}/${file}`, "");
    this.files.set(`${path}/per_cpu/cpu0/stats`, "entries: 4\noverrun: 3\ncommit overrun: 0\ndropped events: 2\n");
    this.log.push("make");
  }

  removeInstance(path: string): void {
    for (const file of [...this.files.keys()]) if (file.startsWith(`${path}/`)) this.files.delete(file);
    this.log.push("remove");
  }

  pipe(): { read(into: Uint8Array): number; close(): void } {
    let rest = Buffer.from(this.text);
    return {
      read(into) {
        const n = Math.min(100, rest.length);
        into.set(rest.subarray(0, n));
        rest = rest.subarray(n);
        return n;
      },
      close: () => this.log.push("close"),
    };
  }
}

const system = (tracefs: Tracefs | undefined, tools: RecordingSystem["tools"] = []): RecordingSystem => ({
  tracefs,
  kernel: "6.18.0",
  root: true,
  tools,
});
const options = (more: Partial<RecordOptions> = {}): RecordOptions => ({
  seconds: 0.1,
  out: join(folder, "recording.txt"),
  bufferKib: 1024,
  ...more,
});

describe("the plan", () => {
  test("an older kernel: iommu:map and iommu:unmap, and what that costs is said", () => {
    const plan = planRecording(system(new FakeTracefs(iommu)), options());
    expect(plan.events).toEqual(["iommu:map", "iommu:unmap"]);
    expect(plan.notes.join()).toMatch(/no dma:\* tracepoints/);
    expect(plan.notes.join()).toMatch(/only since Linux 5\.11 with VT-d/);
    expect(plan.writes.map(({ path, text }) => `${path}=${text}`)).toEqual([
      "tracing_on=0",
      "buffer_size_kb=1024",
      "trace_clock=mono",
      "events/iommu/map/enable=1",
      "events/iommu/unmap/enable=1",
      "tracing_on=1",
    ]);
  });

  test("a kernel with dma:*: those that map and unmap, and a filter for one device", () => {
    const plan = planRecording(system(new FakeTracefs([...iommu, ...dma])), options({ device: "0000:05:00.0" }));
    expect(plan.events).toEqual(["dma:dma_map_phys", "dma:dma_map_sg", "dma:dma_unmap_phys", "dma:dma_unmap_sg"]);
    expect(plan.writes).toContainEqual({ path: "events/dma/dma_map_sg/filter", text: 'device == "0000:05:00.0"' });
    expect(plan.notes.join()).toMatch(/two-step/);
    expect(planRecording(system(new FakeTracefs([...iommu, ...dma])), options()).events).toContain("iommu:map");
  });

  test("as shell commands: what is made is removed at the end", () => {
    const { commands } = planRecording(system(new FakeTracefs(iommu)), options({ out: "my file.txt" }));
    expect(commands[0]).toBe("mkdir /fake/tracing/instances/iommu-lab");
    expect(commands).toContain("timeout 0.1 cat /fake/tracing/instances/iommu-lab/trace_pipe > 'my file.txt'");
    expect(commands.at(-1)).toMatch(/^rmdir \/fake\/tracing\/instances\/iommu-lab/);
  });

  test("trace-cmd, perf and bpftrace, where they are there", () => {
    const tools = ["trace-cmd", "perf", "bpftrace"] as const;
    const of = (recorder: (typeof tools)[number]) =>
      planRecording(
        system(new FakeTracefs([...iommu, ...dma]), tools),
        options({ recorder, seconds: 5, out: "x", device: "0000:05:00.0" }),
      );
    expect(of("trace-cmd").commands).toEqual([
      expect.stringMatching(
        /^trace-cmd record -C mono -b 1024 -e dma:dma_map_phys -f 'device == "0000:05:00\.0"' .* sleep 5$/,
      ),
      'trace-cmd report -t -i "$scratch"/trace.dat > "$scratch"/recording.txt',
      'cat "$scratch"/recording.txt > x',
    ]);
    expect(of("perf").commands[1]).toBe(
      'perf script -F comm,pid,cpu,time,event,trace --ns -i "$scratch"/perf.data > "$scratch"/recording.txt',
    );
    expect(of("bpftrace").files[0].text).toMatch(/kprobe:iommu_dma_map_page,\nkprobe:iommu_dma_unmap_page\n/);
    expect(() => planRecording(system(new FakeTracefs(iommu)), options({ recorder: "perf" }))).toThrow(
      /perf is not installed; there are tracefs/,
    );
  });

  test("what is missing is said with what helps", () => {
    expect(() => planRecording(system(undefined), options())).toThrow(/mount -t tracefs/);
    expect(() => planRecording(system(new FakeTracefs(["events/sched/x/enable"])), options())).toThrow(
      /has no events iommu:map/,
    );
    expect(() => planRecording(system(new FakeTracefs(iommu)), options({ device: '"; rm' }))).toThrow(
      /--device: expected a device's name/,
    );
  });
});

describe("a recording", () => {
  test("is made in an instance of its own, counts what was lost, and leaves nothing behind", async () => {
    const tracefs = new FakeTracefs(iommu);
    const before = new Map(tracefs.files);
    const plan = planRecording(system(tracefs), options());
    const result = await record(plan, system(tracefs), { everyMs: 5 });
    expect(result).toMatchObject({ bytes: recorded.length, lost: 5 });
    expect(result.cpuSeconds).toBeGreaterThan(0);
    expect(readFileSync(plan.options.out, "utf8")).toBe(recorded);
    expect((await loadTrace(plan.options.out)).maps).toBe(1);
    expect(tracefs.files).toEqual(before);
    expect(tracefs.log.slice(-5)).toEqual([
      "tracing_on=0",
      "close",
      "events/iommu/map/enable=0",
      "events/iommu/unmap/enable=0",
      "remove",
    ]);
  });

  test("a setting that the kernel refuses is named, and everything is undone", async () => {
    const tracefs = new FakeTracefs(iommu);
    const before = new Map(tracefs.files);
    tracefs.refuse = "events/iommu/map/enable";
    const plan = planRecording(system(tracefs), options());
    await expect(record(plan, system(tracefs))).rejects.toThrow(/iommu\/map\/enable: the kernel refuses "1"/);
    expect(tracefs.files).toEqual(before);
  });

  test("where the kernel gives no pipe, the recording that was there stays", async () => {
    const tracefs = new FakeTracefs(iommu);
    tracefs.pipe = () => {
      throw new Error("EBUSY: resource busy, open trace_pipe");
    };
    const out = join(folder, "kept.txt");
    writeFileSync(out, "old");
    await expect(record(planRecording(system(tracefs), options({ out })), system(tracefs))).rejects.toThrow("EBUSY");
    expect(readFileSync(out, "utf8")).toBe("old");
    expect(readdirSync(folder).filter((name) => name.includes("kept"))).toEqual(["kept.txt"]);
  });

  test("another recorder's files lie in a folder of their own, and nothing else is written or removed", async () => {
    const place = mkdtempSync(join(folder, "others-"));
    for (const name of ["x", "x.dat", "x.data", "x.bt", "recording.txt"]) writeFileSync(join(place, name), name);
    const plan = planRecording(system(new FakeTracefs(iommu), ["bpftrace"]), {
      ...options({ recorder: "bpftrace", out: join(place, "x") }),
    });
    const fails = { ...plan, commands: ['test -s "$scratch"/requests.bt && false > "$scratch"/recording.txt'] };
    await expect(record(fails, system(undefined))).rejects.toThrow("exit code 1");
    expect(readFileSync(join(place, "x"), "utf8")).toBe("x");
    await record({ ...plan, commands: ['echo new > "$scratch"/recording.txt', plan.commands[1]] }, system(undefined));
    expect(readFileSync(join(place, "x"), "utf8")).toBe("new\n");
    expect(readdirSync(place).sort()).toEqual(["recording.txt", "x", "x.bt", "x.dat", "x.data"]);
    expect(readFileSync(join(place, "x.dat"), "utf8")).toBe("x.dat");
  });

  test("an interruption ends it early with what there is", async () => {
    const tracefs = new FakeTracefs(iommu);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 30);
    const { seconds, bytes } = await record(planRecording(system(tracefs), options({ seconds: 50 })), system(tracefs), {
      signal: stop.signal,
      everyMs: 5,
    });
    expect(seconds).toBeLessThan(40);
    expect(bytes).toBe(recorded.length);
  });

  test("without root, and beside another recording, it says what to do", async () => {
    const tracefs = new FakeTracefs(iommu);
    tracefs.denied = true;
    await expect(record(planRecording(system(tracefs), options()), system(tracefs))).rejects.toThrow(
      /needs root.*--dry-run/,
    );
    const busy = new FakeTracefs(iommu);
    busy.makeInstance("instances/iommu-lab");
    await expect(record(planRecording(system(busy), options()), system(busy))).rejects.toThrow(
      /another recording runs.*rmdir/,
    );
  });

  test("nothing recorded is no recording: the text is refused with the likely reason", async () => {
    const tracefs = new FakeTracefs(iommu, "# tracer: nop\n");
    const plan = planRecording(system(tracefs), options({ out: join(folder, "none.txt") }));
    await record(plan, system(tracefs), { everyMs: 5 });
    await expect(loadTrace(plan.options.out)).rejects.toThrow(/passthrough/);
  });
});

test("the bpftrace script probes only functions that the kernel has", () => {
  expect(bpftraceScript("")).not.toMatch(/kprobe/);
  expect(bpftraceScript("iommu_dma_map_phys\niommu_dma_map_phys_x\n")).toMatch(/^kprobe:iommu_dma_map_phys$/m);
  expect(bpftraceScript("iommu_dma_map_sg\n", "0000:01:00.0")).toMatch(
    /tracepoint:iommu:map \/@dev\[tid\] == "0000:01:00\.0"\//,
  );
});
