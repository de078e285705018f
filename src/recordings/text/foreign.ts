/** Files that people have in place of a recording's text, each with the command that helps. */

const starts = (bytes: Uint8Array, ...prefix: number[]): boolean => prefix.every((byte, i) => bytes[i] === byte);
const ascii = (bytes: Uint8Array, from: number, text: string): boolean =>
  [...text].every((letter, i) => bytes[from + i] === letter.charCodeAt(0));

function isPerfJson(bytes: Uint8Array): boolean {
  return /^\s*\{\s*"linux-perf-json-version"/.test(String.fromCharCode(...bytes.subarray(0, 200)));
}

const magics: readonly [(bytes: Uint8Array) => boolean, string][] = [
  [
    (b) => ascii(b, 0, "PERFILE2") || ascii(b, 0, "2ELIFREP") || ascii(b, 0, "PERFFILE"),
    "is a perf.data file; print it with: perf script -F comm,pid,cpu,time,event,trace --ns -i FILE > recording.txt",
  ],
  [
    (b) => starts(b, 0x17, 0x08, 0x44) && ascii(b, 3, "tracing"),
    "is a trace.dat file of trace-cmd; print it with: trace-cmd report -t -i FILE > recording.txt",
  ],
  [
    (b) => starts(b, 0xff, 0xfe) || starts(b, 0xfe, 0xff) || (b[0] !== 0 && b[1] === 0 && b[2] !== 0 && b[3] === 0),
    "is UTF-16 text; turn it into UTF-8 with: iconv -f UTF-16 -t UTF-8 FILE > recording.txt",
  ],
  [
    (b) => ascii(b, 0, '{"type": "') || ascii(b, 0, '{"type":"'),
    "is bpftrace's output as JSON (-f json), which holds each event as text in text; record without -f, with the script of: iommu-lab trace record --dry-run",
  ],
  [
    isPerfJson,
    "is perf's output as JSON (perf data convert); print the recording with: perf script -F comm,pid,cpu,time,event,trace --ns > recording.txt",
  ],
  [(b) => ascii(b, 0, "BZh"), "is bzip2; unpack it with: bunzip2 FILE"],
  [(b) => starts(b, 0x04, 0x22, 0x4d, 0x18), "is lz4; unpack it with: unlz4 FILE"],
  [(b) => ascii(b, 0, "PK\x03\x04"), "is a zip archive; unpack it with: unzip FILE"],
  [(b) => ascii(b, 257, "ustar"), "is a tar archive; unpack it with: tar -xf FILE"],
  [(b) => ascii(b, 0, "\x7fELF"), "is a program; expected a recording"],
  [(b) => ascii(b, 0, "%PDF"), "is a PDF; expected a recording's text"],
  [(b) => ascii(b, 0, "\x1f\x8b"), "is packed twice with gzip; unpack it once with: gunzip FILE"],
  [(b) => starts(b, 0xfd) && ascii(b, 1, "7zXZ"), "is xz; unpack it with: unxz FILE"],
  [(b) => starts(b, 0x28, 0xb5, 0x2f, 0xfd), "is zstd; unpack it with: unzstd FILE"],
];

/** What a file is by its first bytes, and what to do with it; undefined where it may be text. */
export function foreignBytes(head: Uint8Array): string | undefined {
  return magics.find(([is]) => is(head))?.[1];
}

const perfTrace = /(?:^|\s)\d+\.\d+ (?:\([^)]*\): ?)?\S+\/\d+ (?:iommu|dma):\w+\(/;
const dmesg = /^(?:<\d+>)?\[ *\d+\.\d{6}\](?:\[\s*[TC]\d+\])? (?!.*\b(?:un)?map: )/;

/** Says what a text without a single event is, from a few of its lines. */
export function foreignText(lines: readonly string[]): string | undefined {
  if (lines.some((line) => perfTrace.test(line)))
    return "is the output of perf trace, which leaves out the CPU; record with: perf record -e iommu:map,iommu:unmap -a, then print with: perf script -F comm,pid,cpu,time,event,trace --ns";
  const kernelLog = lines.filter((line) => dmesg.test(line)).length;
  if (kernelLog > 0 && kernelLog * 2 >= lines.filter((line) => line.trim() !== "").length)
    return "is a kernel log (dmesg), which holds no requests; record the tracepoints with: iommu-lab trace record";
  const empty = lines.some((line) =>
    /^# tracer: |^# entries-in-buffer|^cpus=\d+|^CPU \d+ is empty|^# captured on/.test(line),
  );
  if (empty)
    return "holds no map and no unmap: the trace is empty. With VT-d before Linux 5.11, and AMD before 5.5, the DMA API does not pass these tracepoints; else the device's domain is most often passthrough (iommu=pt; see /sys/kernel/iommu_groups/*/type), where nothing is mapped; or the events iommu:map and iommu:unmap were not enabled. Boot with iommu.passthrough=0, then: iommu-lab trace record";
  return undefined;
}
