// Recordings whose lines were damaged: cut, written over, joined, with bytes put in. Each is read or refused by name, in bounded time, never with other
// numbers and not a word; what streams and what lies in memory agree.
import { readdirSync, readFileSync } from "node:fs";
import * as recordings from "../../dist/recordings/index.js";
import { readDamaged, saysMore, tells } from "../recordings/damage.mjs";
import { Random } from "./random.mjs";

/** Damaged lines. */
export const defaultCount = 1_000_000;

const fixtures = new URL("../recordings/fixtures/texts/", import.meta.url);
const linesOfText = 400;
const mostSeconds = 20;
const hex = (pfn) => `0x${pfn.toString(16).padStart(13, "0")}000`;

/** The events of a recording of the laboratory, as the kernel's text and as our bpftrace script print them. */
function printed(name) {
  const t = recordings.loadTrace(name);
  const plain = [];
  const driver = [];
  for (let i = 0; i < Math.min(t.length, 40_000); i++) {
    const map = t.op[i] === 0;
    const [what, size, stamp] = [map ? "map" : "unmap", t.pages[i] * 4096, 1e9 + t.timeNs[i]];
    const end = map ? `paddr=${hex(Math.max(0, t.paddrPfn[i]))} size=${size}` : `size=${size} unmapped_size=${size}`;
    const range = `${hex(t.iovaPfn[i])} - ${hex(t.iovaPfn[i] + t.pages[i])}`;
    const seconds = `${Math.floor(stamp / 1e9)}.${String(stamp % 1e9)
      .padStart(9, "0")
      .slice(0, 6)}`;
    plain.push(
      `   lab-77    [${String(t.cpu[i]).padStart(3, "0")}] ..... ${seconds}: ${what}: IOMMU: iova=${range} ${end}`,
    );
    const device = t.devices[t.device[i]].id;
    const fields = map
      ? `phys_addr=${hex(Math.max(0, t.paddrPfn[i]))} dma_addr=${hex(t.iovaPfn[i])} size=${size} dir=TO_DEVICE attrs=`
      : `dma_addr=${hex(t.iovaPfn[i])} size=${size} dir=TO_DEVICE attrs=`;
    driver.push(
      `   lab-77    [${String(t.cpu[i]).padStart(3, "0")}] ..... ${seconds}: dma_${what}_phys: ${device} ${fields}`,
    );
  }
  return [plain, driver];
}

const texts = () =>
  readdirSync(fixtures)
    .filter((file) => file.endsWith(".txt"))
    .map((file) => readFileSync(new URL(file, fixtures), "latin1").split("\n"));

const inserts = [
  "",
  "0x",
  "map: ",
  "IOMMU: ",
  "9".repeat(400),
  "\u001b[31m",
  "\0",
  "\n",
  "\ufffd",
  "-1",
  " size=4096",
  "=",
  "e9",
  "..",
  "  ",
];
/** A damaged line, and what of it is the line's own. */
function damagedLine(line, other, random) {
  const at = random.below(line.length + 1);
  const inserted = (to) => {
    const text = inserts[random.below(inserts.length)];
    return [line.slice(0, at) + text + line.slice(to), line.slice(0, at) + line.slice(to)];
  };
  const whole = (text) => [text, text];
  const ways = [
    () => whole(line.slice(0, at)),
    () => whole(line.slice(at)),
    () => [line.slice(0, at) + other, line.slice(0, at)],
    () => [other + line.slice(at), line.slice(at)],
    () => [`${line} ${other}`, line],
    () => whole(line.slice(0, at) + line.slice(at + 1 + random.below(9))),
    () => whole(line.slice(0, at) + String.fromCharCode(random.below(300)) + line.slice(at + 1)),
    () => inserted(at),
    () => inserted(at + random.below(30)),
    () => whole(line + line),
  ];
  return ways[random.below(ways.length)]();
}

/** A recording has a seed of its own, so that it can be made again alone; the first one's is the run's. */
const seedOf = (seed, recording) =>
  recording === 0 ? seed : (Math.imul(seed, 0x9e3779b1) + Math.imul(recording, 0x85ebca6b)) >>> 0;

export function soak({ count, seed, say }) {
  const sources = [...printed("igb"), ...printed("vmxnet3"), ...texts()];
  const faults = [];
  let [damaged, rounds, refused, unchanged] = [0, 0, 0, 0];
  let slowest = 0;
  for (let next = 100_000; damaged < count; rounds++) {
    const own = seedOf(seed, rounds);
    const random = new Random(own);
    const source = sources[random.chance(0.5) ? random.below(4) : random.below(sources.length)];
    const from = random.below(Math.max(1, source.length - linesOfText));
    const lines = source.slice(from, from + linesOfText);
    const whole = readDamaged(recordings, lines.join("\n"), 1 << 20);
    const changed = [...lines];
    const many = [1, 1, 2, 5, 50, lines.length, lines.length][random.below(7)];
    for (let k = 0; k < many; k++) {
      const i = many === lines.length ? k : random.below(lines.length);
      const [line, left] = damagedLine(changed[i], lines[random.below(lines.length)], random);
      damaged++;
      // A line of which nothing is left that tells of an event is as if it had never been written, and another in its place as if that had been
      // written twice: such a text is a recording of its own numbers.
      if (tells.test(left) || whole.refused !== undefined) changed[i] = line;
    }
    const began = performance.now();
    let found;
    const fault = (what) => faults.push(`--seed ${own} --count 1 (recording ${rounds}, ${many} damages): ${what}`);
    try {
      found = readDamaged(recordings, changed.join("\n"), 1 + random.below(50_000));
    } catch (error) {
      fault(error.stack);
      continue;
    }
    const seconds = (performance.now() - began) / 1000;
    slowest = Math.max(slowest, seconds);
    if (seconds > mostSeconds) fault(`took ${Math.round(seconds)} s`);
    if (found.refused !== undefined) refused++;
    else if (found.disagree.length > 0) fault(`numbers that must be the same: ${found.disagree.join("; ")}`);
    else if (whole.refused === undefined && found.numbers === whole.numbers) unchanged++;
    else if (whole.refused === undefined && !saysMore(found, whole))
      fault(
        `${found.numbers} for ${whole.numbers} (maps, unmaps, live, devices), and nothing is said; ${differences(lines, changed)}`,
      );
    if (damaged < next) continue;
    say(`${damaged.toLocaleString("en")} damaged lines`);
    next += 100_000;
  }
  return {
    report: `${damaged.toLocaleString("en")} damaged lines in ${rounds.toLocaleString("en")} recordings: ${refused.toLocaleString("en")} refused by name, ${unchanged.toLocaleString("en")} with the same numbers, the others say what was amiss; the slowest took ${slowest.toFixed(1)} s`,
    faults,
  };
}

/** The first lines that are not the same. */
function differences(lines, changed) {
  const all = changed.flatMap((text, i) =>
    text === lines[i] ? [] : [`line ${i + 1}: ${JSON.stringify(lines[i])} became ${JSON.stringify(text)}`],
  );
  return `${all.slice(0, 4).join("; ")}${all.length > 4 ? ` and ${all.length - 4} more` : ""}`;
}
