import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { foreignBytes, importTrace, isTraceFile } from "../../src/recordings/index.js";

interface Expected {
  file: string;
  maps?: number;
  unmaps?: number;
  devices?: number;
  live?: number;
  spanNs?: number;
  warn?: string;
  refuse?: string;
}

const folder = new URL("fixtures/texts/", import.meta.url);
const cases = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")) as Expected[];
const packed = /\.(gz|xz)$/;

function textOf(file: string): string {
  const bytes = readFileSync(new URL(file, folder));
  const foreign = foreignBytes(bytes);
  if (foreign) throw new Error(foreign);
  return bytes.toString("utf8");
}

describe("texts as people have them", () => {
  test("every text has its right values", () => {
    expect(cases.map(({ file }) => file).sort()).toEqual(
      readdirSync(folder)
        .filter((file) => /\.(txt|gz|xz|data|dat)$/.test(file))
        .sort(),
    );
  });

  test.each(cases.filter(({ file, refuse }) => refuse === undefined && !packed.test(file)))("$file", (expected) => {
    const { trace, warnings } = importTrace(textOf(expected.file), { file: expected.file });
    const { lostUnmaps, partialUnmaps } = trace.account;
    const { maps, unmaps, devices, live } = expected;
    expect({
      maps: trace.maps,
      unmaps: trace.length - trace.maps - lostUnmaps + partialUnmaps,
      devices: trace.devices.length,
      live: 2 * trace.maps - trace.length,
    }).toEqual({ maps, unmaps, devices, live });
    if (expected.spanNs) expect(trace.timeNs[trace.length - 1]).toBe(expected.spanNs);
    expect(warnings.join("\n")).toContain(expected.warn ?? "");
  });

  test.each(cases.filter(({ refuse }) => refuse !== undefined))("$file is refused: $refuse", ({ file, refuse }) => {
    expect(() => importTrace(textOf(file), { file })).toThrow(refuse);
  });
});

// Siblings of the texts above: the same request in the other forms that a tool or a version prints.

const time = (n: number) => `10.00000${n}`;
const iommu = (what: "map" | "unmap") =>
  what === "map"
    ? "IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x0000000120000000 size=4096"
    : "IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096";
const twice = (line: (what: "map" | "unmap", at: string) => string) =>
  `${line("map", time(1))}\n${line("unmap", time(2))}\n`;

const forms: Record<string, string> = {
  "nine flags": twice((w, t) => `  x-1  [001] d..s2.N12 ${t}: ${w}: ${iommu(w)}`),
  "eight flags": twice((w, t) => `  x-1  [001] d.Bs2.N1 ${t}: ${w}: ${iommu(w)}`),
  "a TGID of five digits": twice((w, t) => `  kworker/u8:1-99999   (12345) [011] d.s2. ${t}: ${w}: ${iommu(w)}`),
  "latency format with a delay mark": twice(
    (w, t) => `  <idle>-0       0d.h3.  ${t.slice(-1)}00us!: ${w}: ${iommu(w)}`,
  ),
  "latency format with two digits of CPU": twice(
    (w, t) => `  rcu_sche-14     12..s1. ${t.slice(-1)}000us : ${w}: ${iommu(w)}`,
  ),
  "trace-cmd report -l": twice((w, t) => `    bash-123     1d.s2  ${t}: ${w}:                  ${iommu(w)}`),
  "verbose latency format": twice(
    (w, t) =>
      `    bash  4251 1 16 00000100 00000001 [0000018b3${t.slice(-1)}] 0.00${t.slice(-1)}ms (+0.001ms): ${w}: ${iommu(w)}`,
  ),
  "trace-cmd with a time difference": twice((w, t) => `  x-1  [001] ${t}: (+10) ${w}:     ${iommu(w)}`),
  "perf script with pid/tid": twice((w, t) => `x   55/56   [001]    ${t}:     iommu:${w}: ${iommu(w)}`),
  "perf script with a period": twice((w, t) => `x    55 [001]    ${t}:          1 iommu:${w}: ${iommu(w)}`),
  "perf script in ns": twice((w, t) => `x    55 [001]    ${t}123:       iommu:${w}: ${iommu(w)}`),
  "a stack trace after each event": twice(
    (w, t) =>
      `  x-1  [001] d.s2. ${t}: ${w}: ${iommu(w)}\n  x-1  [001] d.s2. ${t}: <stack trace>\n => iommu_map\n => __iommu_dma_map`,
  ),
  "quoted twice in a mail": twice((w, t) => `> >   x-1  [001] d.s2. ${t}: ${w}: ${iommu(w)}\r`),
  "lines that end with a carriage return alone": twice(
    (w, t) => `  x-1  [001] d.s2. ${t}: ${w}: ${iommu(w)}`,
  ).replaceAll("\n", "\r"),
  "a dump after an oops": twice(
    (w, t) => `[   33.1]     <...>-2847    1d..5 ${t.slice(-1)}547482us : ${w}: ${iommu(w)}`,
  ),
  "from a kernel log": twice((w, t) => `Nov 27 12:00:01 host kernel:   x-1  [001] d.s2. ${t}: ${w}: ${iommu(w)}`),
  "from a page's source": twice((w, t) => `   &lt;...&gt;-1  [4095] d.s2. ${t}: ${w}: ${iommu(w)}`),
  "grep with file and number": twice((w, t) => `trace.txt:12:  x-1  [001] d.s2. ${t}: ${w}: ${iommu(w)}`),
  "the option fields": twice((w, t) =>
    w === "map"
      ? `  x-1  [001] d.s2. ${t}: map: iova=0xfffff000 (4294963200) paddr=0x120000000 (4831838208) size=0x1000 (4096)`
      : `  x-1  [001] d.s2. ${t}: unmap: iova=0xfffff000 (4294963200) size=0x1000 (4096) unmapped_size=0x1000 (4096)`,
  ),
  "our bpftrace script": `Attaching 2 probes...\n# iommu-lab bpftrace 1\nmap 10000001000 1 0000:05:00.0 0xfffff000 0x120000000 4096\nunmap 10000101000 1 0000:05:00.0 0xfffff000 4096 4096\n`,
  dma_map_phys:
    "  x-1 [001] ..... 10.1: dma_map_phys: 0000:05:00.0 dir=TO_DEVICE dma_addr=fffff800 size=2048 phys_addr=120000800 attrs=\n  x-1 [001] ..... 10.2: dma_unmap_phys: 0000:05:00.0 dir=TO_DEVICE dma_addr=fffff800 size=2048 attrs=\n",
  "dma_alloc before 6.13":
    "  x-1 [001] ..... 10.1: dma_alloc: 0000:05:00.0 dma_addr=fffff000 size=4096 virt_addr=00000000deadbeef flags=GFP_KERNEL attrs=\n  x-1 [001] ..... 10.2: dma_free: 0000:05:00.0 dma_addr=fffff000 size=4096 virt_addr=00000000deadbeef attrs=\n",
  dma_alloc_sgt:
    "  x-1 [001] ..... 10.1: dma_alloc_sgt: 0000:05:00.0 dir=BIDIRECTIONAL dma_addr=ffff0000 size=65536 phys_addrs={0x1,0x2} flags=GFP_KERNEL attrs=\n  x-1 [001] ..... 10.2: dma_free_sgt: 0000:05:00.0 dir=BIDIRECTIONAL dma_addr=ffff0000 size=65536 phys_addrs={0x1,0x2}\n",
  "a scatter list, unmapped by its physical addresses":
    "  x-1 [001] ..... 10.1: dma_map_sg: nvme0 dir=TO_DEVICE dma_addrs={0xfffe0000,0xfffe4000} sizes={0x4000,0x2000} phys_addrs={0x120000000,0x130000000} attrs=\n  x-1 [001] ..... 10.2: dma_unmap_sg: nvme0 dir=TO_DEVICE phys_addrs={0x120000000,0x130000000} attrs=\n",
};

describe("other forms of one map and its unmap", () => {
  test.each(Object.entries(forms))("%s", (_, text) => {
    const { trace } = importTrace(text, { file: "x" });
    expect([...trace.op]).toEqual([0, 1]);
    expect([...trace.partner]).toEqual([1, 0]);
    expect(trace.timeNs[1]).toBeGreaterThan(0);
    expect(trace.account.unreadable).toBe(0);
  });

  test("what looks alike and is something else is named", () => {
    const refused = (text: string) => () => importTrace(text, { file: "x" });
    expect(refused("     0.000 fio/55 iommu:map(iova: 0xfffff000, paddr: 0x1000, size: 4096)\n")).toThrow(
      /perf trace.*perf script/,
    );
    expect(
      refused("[    1.234567] DMAR: Intel(R) Virtualization\n[    1.234568] iommu: Default domain type: Passthrough\n"),
    ).toThrow(/dmesg/);
    expect(refused("cpus=2\nCPU 0 is empty\nCPU 1 is empty\n")).toThrow(/passthrough/);
    expect(
      refused(
        "  x-1 [001] ..... 10.1: dma_map_page: eth0 dir=TO_DEVICE dma_addr=120000000 size=64 phys_addr=120000000 attrs=\n",
      ),
    ).toThrow(/passthrough/);
    expect(refused(twice((w) => `bash   123 [001] iommu:${w}: ${iommu(w)}`))).toThrow(/no timestamp.*perf script -F/);
    expect(refused(twice((w) => `bash   123 iommu:${w}: ${iommu(w)}`))).toThrow(/no timestamp.*perf script -F/);
    expect(refused(twice((w, t) => `  x-1 [001] ..... ${t.replace(".", ",")}: ${w}: ${iommu(w)}`))).toThrow(
      /decimal comma.*point/,
    );
    expect(refused(` 1)               |  /* map: ${iommu("map")} */\n`)).toThrow(/function_graph.*echo nop/);
    const perfJson = `{\n "linux-perf-json-version": 1,\n "headers": {}`;
    expect(isTraceFile(perfJson)).toBe(false);
    expect(foreignBytes(new TextEncoder().encode(perfJson))).toMatch(/perf data convert.*perf script/);
    const json = `{"type": "attached_probes", "data": {"probes": 2}}\n{"type": "printf", "data": "map 1 0 eth0 0x1000 4096"}\n`;
    expect(isTraceFile(json)).toBe(false);
    expect(foreignBytes(new TextEncoder().encode(json))).toMatch(/bpftrace.*without -f/);
    expect(foreignBytes(new Uint8Array([0xff, 0xfe, 0x23, 0]))).toMatch(/UTF-16.*iconv/);
  });

  test("half a recording, and losses that nobody counted, are told", () => {
    const line = (i: number, what: string) => `  x-1 [001] ..... 10.${String(i).padStart(6, "0")}: ${what}\n`;
    const of = (what: "map" | "unmap", n: number) =>
      Array.from({ length: n }, (_, i) => line(i, `${what}: ${iommu(what)}`)).join("");
    const told = (text: string) => importTrace(text, { file: "x" }).warnings.join(" ");
    expect(told(of("map", 100))).toMatch(/not a single unmap: was the event iommu:unmap/);
    expect(told(of("unmap", 3))).toMatch(/not a single map: was the event iommu:map/);
    expect(told(`${of("map", 1)}CPU:2 [LOST EVENTS]\n${of("unmap", 1)}`)).toMatch(/not said in one place.*may be more/);
    expect(told(`${of("map", 1)}CPU:2 [LOST 7 EVENTS]\n${of("unmap", 1)}`)).toMatch(/^7 events were lost/);
  });
});
