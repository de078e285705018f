// Recordings whose lines were damaged: cut, written over, joined, with bytes put in. Each is read or refused by name, in bounded time, never with other
// numbers and not a word; what streams and what lies in memory agree.
import { readdirSync, readFileSync } from "node:fs";
import {
  aboutOf,
  loadTrace,
  RecordingSummary,
  TextReader,
  TraceCollector,
  TraceError,
} from "../../dist/recordings/index.js";
import { Random } from "./random.mjs";

/** Damaged lines. */
export const defaultCount = 1_000_000;

const fixtures = new URL("../recordings/fixtures/texts/", import.meta.url);
const linesOfText = 400;
const mostSeconds = 20;
const hex = (pfn) => `0x${pfn.toString(16).padStart(13, "0")}000`;

/** The events of a recording of the laboratory, as the kernel's text and as our bpftrace script print them. */
function printed(name) {
  const t = loadTrace(name);
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
/** What is left of a line tells of an event; a line of which nothing does is like one that was never written. */
const tells = /iova=|(?:un)?map: |IOMMU:|dma_(?:un)?map/;

function damagedLine(line, other, random) {
  const at = random.below(line.length + 1);
  const ways = [
    () => line.slice(0, at),
    () => line.slice(at),
    () => line.slice(0, at) + other,
    () => line.slice(0, at) + line.slice(at + 1 + random.below(9)),
    () => line.slice(0, at) + String.fromCharCode(random.below(300)) + line.slice(at + 1),
    () => line.slice(0, at) + inserts[random.below(inserts.length)] + line.slice(at),
    () => line.slice(0, at) + inserts[random.below(inserts.length)] + line.slice(at + random.below(30)),
    () => line + line,
  ];
  return ways[random.below(ways.length)]();
}

/** What a text comes to: the numbers and the account, or the sentence that refuses it. */
function read(text, piece) {
  const summary = new RecordingSummary();
  const collector = new TraceCollector();
  const both = {
    step(step) {
      summary.step(step);
      collector.step(step);
    },
    end(end) {
      summary.end(end);
      collector.end(end);
    },
  };
  const reader = new TextReader({ file: "x", mostUnreadable: 1 }, both);
  try {
    for (let i = 0; i < text.length; i += piece) reader.pushText(text.slice(i, i + piece));
    reader.end();
  } catch (error) {
    if (error instanceof TraceError && error.message.startsWith("x: ")) return { refused: error.message };
    throw error;
  }
  const info = summary.info({ name: "x", kernel: "", mode: "" });
  const trace = collector.build(aboutOf("x", "x"));
  const differ = trace.maps !== info.maps || 2 * trace.maps - trace.length !== info.live;
  return { numbers: [info.maps, info.unmaps, info.live, info.devices].join(), account: info.account, differ };
}

const said = [
  "unreadable",
  "lost",
  "lostUnmaps",
  "unmatchedUnmaps",
  "partialUnmaps",
  "emptyUnmaps",
  "guessed",
  "joined",
  "openJoined",
  "openDoubtful",
];
const says = (account, more) =>
  said.some((name) => account[name] !== more[name]) || account.notes.length > more.notes.length;

export function soak({ count, seed, say }) {
  const random = new Random(seed);
  const sources = [...printed("igb"), ...printed("vmxnet3"), ...texts()];
  const faults = [];
  let [damaged, rounds, refused, unchanged] = [0, 0, 0, 0];
  let slowest = 0;
  for (let next = 100_000; damaged < count; rounds++) {
    const source = sources[rounds % 2 === 0 ? random.below(4) : random.below(sources.length)];
    const from = random.below(Math.max(1, source.length - linesOfText));
    const lines = source.slice(from, from + linesOfText);
    const whole = read(lines.join("\n"), 1 << 20);
    const changed = [...lines];
    const many = [1, 1, 2, 5, 50, lines.length, lines.length][random.below(7)];
    for (let k = 0; k < many; k++) {
      const i = many === lines.length ? k : random.below(lines.length);
      const line = damagedLine(changed[i], lines[random.below(lines.length)], random);
      damaged++;
      if (tells.test(line) || whole.refused !== undefined) changed[i] = line;
    }
    const began = performance.now();
    let found;
    const fault = (what) => faults.push(`seed ${seed}, recording ${rounds}, ${many} damages: ${what}`);
    try {
      found = read(changed.join("\n"), 1 + random.below(50_000));
    } catch (error) {
      fault(error.stack);
      continue;
    }
    const seconds = (performance.now() - began) / 1000;
    slowest = Math.max(slowest, seconds);
    if (seconds > mostSeconds) fault(`took ${Math.round(seconds)} s`);
    if (found.refused !== undefined) refused++;
    else if (found.differ) fault("what streams and what lies in memory do not agree");
    else if (whole.refused === undefined && found.numbers === whole.numbers) unchanged++;
    else if (whole.refused === undefined && !says(found.account, whole.account)) {
      const line = changed.findIndex((text, i) => text !== lines[i]);
      fault(
        `${found.numbers} for ${whole.numbers} (maps, unmaps, live, devices), and nothing is said; ${JSON.stringify(lines[line])} became ${JSON.stringify(changed[line])}`,
      );
    }
    if (damaged < next) continue;
    say(`${damaged.toLocaleString("en")} damaged lines`);
    next += 100_000;
  }
  return {
    report: `${damaged.toLocaleString("en")} damaged lines in ${rounds.toLocaleString("en")} recordings: ${refused.toLocaleString("en")} refused by name, ${unchanged.toLocaleString("en")} with the same numbers, the others say what was amiss; the slowest took ${slowest.toFixed(1)} s`,
    faults,
  };
}
