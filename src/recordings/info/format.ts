import type { Spread, TraceInfo } from "./summary.js";

/** A recording's summary as text, for a terminal. */
export function formatInfo(info: TraceInfo): string {
  const lines: string[] = [];
  const row = (name: string, value: string): void => {
    lines.push(`${name.padEnd(26)} ${value}`);
  };
  row("recording", [info.name, info.kernel === "unknown" ? "" : info.kernel].filter(Boolean).join(", "));
  row("duration", `${duration(info.spanNs)}, ${number(info.mapsPerSecond)} maps a second`);
  const fewer =
    info.openDoubtful > 0 ? ` (${number(info.openDoubtful)} of these may be parts of others: as many fewer maps)` : "";
  row(
    "requests",
    `${number(info.maps)} maps, ${number(info.unmaps)} unmaps, ${number(info.live)} live at the end${fewer}`,
  );
  row("devices", devicesOf(info));
  row(
    "pages a request",
    `${spread(info.sizes)}; ${percent(info.sizes.shareAbove32)} above 32 pages (in no per-CPU cache)`,
  );
  row(
    "mapped at a time",
    `at most ${number(info.liveSet.peakRequests)} requests, ${number(info.liveSet.peakPages)} pages`,
  );
  if (info.lifetimesNs.count > 0) row("lifetime", spread(info.lifetimesNs, duration));
  if (info.lifetimesNs.count > 0)
    row(
      "CPUs",
      `${info.cpus.byCpu.length}; ${percent(info.cpus.unmappedWhereMapped)} of the unmaps run where the map ran`,
    );
  if (info.cpus.byCpu.length > 1)
    for (const { cpu, maps, unmaps } of busiest(info))
      row(`  CPU ${cpu}`, `${number(maps)} maps, ${number(unmaps)} unmaps`);
  if (info.reuse.count > 0)
    row(
      "address reused after",
      `${spread(info.reuse)} maps${info.reuse.followed < 1 ? ` (${percent(info.reuse.followed)} of the addresses followed)` : ""}`,
    );
  if (info.ratePhases.length > 1)
    for (const { fromNs, toNs, mapsPerSecond } of info.ratePhases)
      row("phase by rate", `${duration(fromNs)} to ${duration(toNs)}: ${number(mapsPerSecond)} maps a second`);
  for (const { name, timeNs } of info.phases.length > 1 ? info.phases : [])
    row("phase by marker", `${name}, from ${duration(timeNs)}`);
  for (const warning of info.warnings) lines.push(`! ${warning}`);
  return `${lines.join("\n")}\n`;
}

function devicesOf({ perDevice, devices }: TraceInfo): string {
  if (!Array.isArray(perDevice)) return `${number(devices)}; ${perDevice.withheld}`;
  const shown = perDevice
    .slice(0, 16)
    .map(
      ({ device, driver, maps }) =>
        `${printable(device)}${driver ? ` (${printable(driver)})` : ""}: ${number(maps)} maps`,
    );
  return `${number(devices)}: ${shown.join(", ")}${devices > 16 ? " …" : ""}`;
}

const busiest = ({ cpus }: TraceInfo) =>
  [...cpus.byCpu]
    .sort((a, b) => b.maps + b.unmaps - a.maps - a.unmaps)
    .slice(0, 8)
    .sort((a, b) => a.cpu - b.cpu);

const spread = (of: Spread, unit: (value: number) => string = number): string =>
  `p50 ${unit(of.p50)}, p90 ${unit(of.p90)}, p99 ${unit(of.p99)}, most ${unit(of.max)}`;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function number(value: number): string {
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

function duration(ns: number): string {
  const size = Math.abs(ns);
  if (size >= 1e12) return `${number(ns / 1e9)} s`;
  if (size >= 1e9) return `${(ns / 1e9).toPrecision(4)} s`;
  if (size >= 1e6) return `${(ns / 1e6).toPrecision(3)} ms`;
  if (size >= 1e3) return `${(ns / 1e3).toPrecision(3)} µs`;
  return `${Math.round(ns)} ns`;
}

/** Names come from the recording: nothing that a terminal would obey. */
function printable(text: string): string {
  return [...text].map((letter) => (letter < " " || (letter >= "\x7f" && letter <= "\x9f") ? "?" : letter)).join("");
}
