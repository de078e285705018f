import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as recordings from "../../src/recordings/index.js";
import { fc } from "../support/property.js";
import { type Reading, readDamaged, saysMore, tells } from "./damage.mjs";
import { print } from "./print.js";

const folder = new URL("fixtures/texts/", import.meta.url);
const texts = readdirSync(folder)
  .filter((file) => file.endsWith(".txt"))
  .map((file) => readFileSync(new URL(file, folder), "latin1"));
const igb = print(recordings.loadTrace("igb"), "cat trace", 30_000).split("\n").slice(-3000);

/** A reading of a text that is not refused; what streams and what lies in memory must agree. */
function read(text: string, piece: number): Reading {
  const found = readDamaged(recordings, text, piece);
  if (found.refused !== undefined) throw new Error(found.refused);
  expect(found.disagree).toEqual([]);
  return found;
}

/** Where a line is cut, what is taken out, and what is put in. */
const damage = fc.tuple(
  fc.nat(1_000_000),
  fc.nat(150),
  fc.oneof(fc.constant(0), fc.constant(200), fc.nat(9)),
  fc.oneof(
    fc.string({ maxLength: 4 }),
    fc.constantFrom(
      "0x",
      "map: ",
      "IOMMU: ",
      "9".repeat(400),
      "\u001b[31m",
      "\0",
      " [001] 5.0: unmap: IOMMU: iova=0x1000 size=4096",
      "\n",
    ),
  ),
);

function damaged(lines: readonly string[], damages: readonly [number, number, number, string][]): string {
  const changed = [...lines];
  for (const [where, at, remove, insert] of damages) {
    const i = where % changed.length;
    const line = changed[i].slice(0, at) + insert + changed[i].slice(at + remove);
    // A line of which nothing is left that tells an event is like one that was never written: no reader can miss it.
    if (tells.test(line)) changed[i] = line;
  }
  return changed.join("\n");
}

test("a damaged recording is read or refused by name, never with other numbers and not a word", () => {
  const whole = read(igb.join("\n"), 1 << 20);
  fc.assert(
    fc.property(
      fc.array(damage, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 100, max: 50_000 }),
      (damages, piece) => {
        const found = read(damaged(igb, damages), piece);
        expect(found.numbers === whole.numbers || saysMore(found, whole)).toBe(true);
      },
    ),
    // The same damage each time: a line cut to a stub without any sign of an event is still taken for something else.
    { numRuns: 8, seed: 20_261_127 },
  );
});

test("a driver's event that is cut after its name, or within its device, is one that could not be read", () => {
  const head = "  lab-7   [001] d.s2. 10.0000";
  const whole = [
    `${head}01: dma_map_page: 0000:05:00.0 dir=FROM_DEVICE dma_addr=fffff000 size=4096 phys_addr=120000000 attrs=`,
    `${head}02: dma_unmap_page: 0000:05:00.0 dir=FROM_DEVICE dma_addr=fffff000 size=4096 attrs=`,
  ];
  for (const end of ["dma_unmap", "dma_unmap_page", "dma_unmap_page:", "dma_unmap_page: 0000:0", "dma:dma_unmap_pa"]) {
    const { account, live } = read(`${whole[0]}\n${head}02: ${end}`, 1000).info;
    expect([end, account.notes.length, live]).toEqual([end, 1, 1]);
  }
  // A stack's function and an event that asks for nothing are none.
  const { account } = read(
    `${whole[0]}\n => dma_map_sg\n${head}02: dma_map_sg_err: 0000:05:00.0 dir=NONE\n${whole[1]}`,
    1000,
  ).info;
  expect([account.unreadable, account.notes]).toEqual([0, []]);
});

test("an event that a cut line was joined to is read, and the cut one is said", () => {
  const unmap = "  lab-7   [001] d.s2. 10.000002: unmap: IOMMU: iova=0xfffff000 size=4096 unmapped_size=4096";
  const map = (device: string): string =>
    `  lab-7   [001] d.s2. 10.000001: dma_map_page: ${device} dir=FROM_DEVICE dma_addr=fffff000 size=4096 phys_addr=120000000 attrs=`;
  const page = "  lab-7   [001] d.s2. 10.000001: map: IOMMU: iova=0xfffff000 paddr=0x120000000 size=4096";
  for (const text of [
    // Cut within its name, within its time, behind its CPU; a header's line that was cut; and two whole events of a driver.
    `  lab-7   [001] d.s2. 10.000000: unmap: IOMM${page}\n${unmap}`,
    `  lab-7   [001] d.s2. 10.00${page}\n${unmap}`,
    `  lab-7   [001] ${page}\n${unmap}`,
    `# tracer: no${page}\n${unmap}`,
    `# tracer: nIOMMU: iova=0xffffe000 paddr=0x110000000 size=4096\n${page}\n${unmap}`,
    `# tracer: n01] d.s2. 10.000001: dma_map_page: 0000:05:00.0 dir=FROM_DEVICE dma_addr\n${page}\n${unmap}`,
    `# tracer: nopiova=0x00000000fe980000 - 0x0000000000 size=524288 unm0x88\n${page}\n${unmap}`,
    `#unmap: IOMMU: iova000f\tffffffff81a iommu_map+0x10 ([kernel.kallsyms])\n${page}\n${unmap}`,
    `${map("0000:05:00.0")}${map("0000:06:00.0")}`,
  ]) {
    const { info } = read(text, 1000);
    expect([text, info.maps, info.account.unreadable]).toEqual([text, 1, 1]);
  }
  // A task's name may look like a CPU.
  expect(read(`${page.replace("lab-7", "md[0] [1]-7")}\n${unmap}`, 1000).said).toHaveLength(1);
});

test("a number of a scatter list that the kernel would not print so is what is left of one that was cut", () => {
  const list = (addresses: string, sizes: string, physical: string): string =>
    `  lab-77   [001] ..... 10.00001: dma_map_sg: 0000:01:00.0 dir=TO_DEVICE dma_addrs={${addresses}} sizes={${sizes}} phys_addrs={${physical}} attrs=`;
  const page = "  lab-7   [001] d.s2. 10.000001: map: IOMMU: iova=0xfffff000 paddr=0x120000000 size=4096";
  const whole = ["0xfffe0000,0xfffe4000", "0x4000,0x2000", "0x120000000,0x130000000"] as const;
  expect(read(`${page}\n${list(...whole)}\n${page}`, 1000).info.account.unreadable).toBe(0);
  for (const [i, cut] of ["0xfffe0000,0x000", "0x4000,0x02000", "0x120000000,0x"].entries()) {
    const [addresses, sizes, physical] = whole.map((numbers, k) => (k === i ? cut : numbers));
    const { account } = read(`${page}\n${list(addresses, sizes, physical)}\n${page}`, 1000).info;
    expect([cut, account.unreadable]).toEqual([cut, 1]);
  }
  // Another number cannot be told from the right one; where the parts do not follow one another, that is said.
  const scattered = list("0x9ffe0000,0xfffe4000", whole[1], whole[2]);
  expect(read(`${page}\n${scattered}\n${page}`, 1000).said.join()).toContain("do not follow one another (line 2)");
  expect(read(`${page}\n${list(...whole)}\n${page}`, 1000).said.join()).not.toContain("follow one another");
});

// A long version is `npm run soak -- recordings`.
test("whatever is done to the texts that people have, they are read or refused by name", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(damage, { maxLength: 8 }),
      fc.integer({ min: 1, max: 300 }),
      (text, damages, piece) => {
        // It throws what is no refusal by name.
        const found = readDamaged(recordings, damaged(text.split("\n"), damages), piece);
        if (found.refused === undefined) expect(found.disagree).toEqual([]);
      },
    ),
    { numRuns: 500, seed: 20_261_127 },
  );
});
