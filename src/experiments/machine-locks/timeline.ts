import { z } from "zod";
import { Streams } from "../../engine/index.js";
import { Facts } from "../../facts/index.js";
import { lockKinds, Machine, machineConfig, runLockLoad } from "../../machine/index.js";
import { type Figure, figure, palette } from "../../plot/index.js";

const Settings = z.strictObject({
  host: z.string().default("sandy-bridge-ep"),
  cores: z.int().min(2).max(32).default(8),
  sectionCycles: z.int().min(1).default(400),
  thinkCycles: z.int().min(1).default(2000),
  /** How many cycles to draw, from the end of the warm-up on. */
  windowCycles: z.int().min(100).max(100_000).default(3000),
  seed: z.int().min(0).default(1),
});

const kinds = [
  { name: "waits", colour: "rgba(127,127,127,0.35)", width: 0.8 },
  { name: "holds the lock", colour: palette[0], width: 0.8 },
  { name: "fetches the word to read it", colour: palette[1], width: 0.4 },
  { name: "takes the word to write it", colour: palette[4], width: 0.4 },
] as const;

interface Span {
  kind: number;
  cpu: number;
  from: number;
  to: number;
}

/**
 * A picture of what one lock's cache line does: who waits, who holds the lock, and when each CPU gets the line to itself.
 * @param lock kind of lock
 * @param settings cores (taken from the first socket first), lengths in core cycles, seed
 * @throws Error naming the kinds of lock, or zod's error naming the field
 */
export function lockTimeline(
  lock: string,
  settings: z.input<typeof Settings> = {},
  facts: Facts = Facts.published(),
): Figure {
  const kind = lockKinds.find((name) => name === lock);
  if (!kind) throw new Error(`There is no lock "${lock}"; there are ${lockKinds.join(", ")}.`);
  const s = Settings.parse(settings);
  const machine = new Machine(machineConfig(facts, s.host));
  const spans: Span[] = [];
  const state = new Map<number, { name: string; since: number }>();
  const begin = 20 * (s.sectionCycles + s.thinkCycles);
  const end = begin + s.windowCycles;
  const add = (span: Span) => {
    if (span.to > begin && span.from < end)
      spans.push({ ...span, from: Math.max(span.from, begin) - begin, to: Math.min(span.to, end) - begin });
  };
  const close = (cpu: number, at: number) => {
    const last = state.get(cpu);
    if (last && last.name !== "think") add({ kind: last.name === "hold" ? 1 : 0, cpu, from: last.since, to: at });
  };
  runLockLoad(machine, {
    kind,
    cpus: Array.from({ length: s.cores }, (_, cpu) => machine.core(cpu)),
    sectionCycles: s.sectionCycles,
    thinkCycles: s.thinkCycles,
    sections: Math.ceil(end / s.sectionCycles) + s.cores,
    streams: new Streams(s.seed),
    onState: (cpu, name, at) => {
      close(cpu, at);
      state.set(cpu, { name, since: at });
    },
    onWord: (cpu, access, _asked, begun, done) => add({ kind: access === "read" ? 2 : 3, cpu, from: begun, to: done }),
  });
  for (const cpu of state.keys()) close(cpu, end);
  const fetched = spans.filter((span) => span.kind === 2).length;
  return figure({
    title: `The ${kind} lock's line, ${s.cores} cores`,
    caption: `Tall bars: a core waits (grey) or holds the lock. Thin bars: the lock's cache line is on its way to that core, to be read or to be written. In these ${s.windowCycles} cycles the line was fetched for reading ${fetched} times.`,
    data: kinds.map(({ name, colour, width }, k) => {
      const of = spans.filter((span) => span.kind === k);
      return {
        type: "bar",
        orientation: "h",
        name,
        y: of.map((span) => `CPU ${span.cpu}`),
        base: of.map((span) => span.from),
        x: of.map((span) => span.to - span.from),
        width,
        marker: { color: colour, line: { width: 0 } },
        hovertemplate: `%{y} ${name}: %{x} cycles from %{base}<extra></extra>`,
      };
    }),
    layout: {
      barmode: "overlay",
      xaxis: { title: { text: "time (core cycles)" }, range: [0, s.windowCycles], automargin: true },
      yaxis: {
        title: { text: "" },
        categoryorder: "array",
        categoryarray: Array.from({ length: s.cores }, (_, cpu) => `CPU ${s.cores - 1 - cpu}`),
        automargin: true,
      },
      height: 70 + 26 * s.cores,
    },
  });
}
