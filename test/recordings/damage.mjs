// What the tests and the soak of damaged recordings share. The recordings' room is given: tests read its source, the soak what was built of it.

/** What is left of a line tells of an event; a line of which nothing does is like one that was never written, and no reader can miss it. */
export const tells = /iova=|(?:un)?map: |IOMMU:|dma_(?:un)?map/;

/**
 * Reads a text in pieces of so many characters.
 * @returns the summary and its sentences; `refused`, the sentence that refuses the text; and `disagree`, numbers of the summary that do not fit
 * each other or the trace in memory
 */
export function readDamaged(recordings, text, piece) {
  const { aboutOf, RecordingSummary, TextReader, TraceCollector, TraceError, warningsOf } = recordings;
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
  const { maps, unmaps, live, devices } = info;
  return {
    info,
    numbers: [maps, unmaps, live, devices].join(),
    said: warningsOf(info.account, devices),
    disagree: disagreeing(info, trace),
  };
}

/** Pairs of numbers that must be the same, where they are not. */
function disagreeing(info, trace) {
  const sum = (rows, of) => rows.reduce((total, row) => total + of(row), 0);
  const { cpus, sizes, perDevice, lifetimesNs, maps, unmaps, live } = info;
  const devices = Array.isArray(perDevice) ? perDevice : [{ maps, unmaps, live }];
  const pairs = {
    "maps, and in memory": [maps, trace.maps],
    "live, and in memory": [live, 2 * trace.maps - trace.length],
    "maps, and by CPU": [maps, sum(cpus.byCpu, (row) => row.maps)],
    "unmaps, and by CPU": [unmaps, sum(cpus.byCpu, (row) => row.unmaps)],
    "maps, and by size": [maps, sizes.count],
    "maps, and by device": [maps, sum(devices, (row) => row.maps)],
    "unmaps, and by device": [unmaps, sum(devices, (row) => row.unmaps)],
    "live, and by device": [live, sum(devices, (row) => row.live)],
    "live, and without an end": [live, lifetimesNs.neverEnded],
  };
  return Object.entries(pairs).flatMap(([what, [one, other]]) => (one === other ? [] : [`${what}: ${one}, ${other}`]));
}

/** Whether a reading tells a person of something that another does not. */
export function saysMore(found, whole) {
  return found.said.some((sentence) => !whole.said.includes(sentence));
}
