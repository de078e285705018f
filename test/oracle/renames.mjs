// What the rebuilding has renamed since the oracle was recorded, said once.

/** A stored configuration as today's experiment takes it. */
export function newConfig(_experiment, config) {
  return config;
}

/** Columns that rows have had since knobs that were fields of a run became columns where they are set. */
const since = { "lock-contention": ["rxRing", "shuffleCompletions", "peerMicroseconds"] };

/** A row of today with the columns that the recorded rows had. */
export function oldRow(experiment, row) {
  if (experiment === "merged-nodes" && row.part === "region") {
    const { stackMultiple, level, ...rest } = row;
    return { ...rest, level: `${level}|${stackMultiple}` };
  }
  if (experiment === "lock-table") {
    const is = (kind) => (name) => name.startsWith(`${kind}: `);
    const kept = Object.entries(row).filter(([name]) => !is("waits")(name) && !is("holds")(name));
    const listed = (kind) =>
      Object.keys(row)
        .filter(is(kind))
        .map((name) => row[name])
        .join(" ");
    return { ...Object.fromEntries(kept), waits: listed("waits"), holds: listed("holds") };
  }
  // "owner: 10" was "owner10".
  if (experiment === "safety")
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name.replace(/^(owner|other): /, "$1"), value]),
    );
  // The bounce pool was "of 6.18", which has none.
  if (experiment === "today" && row.title === "bounce pool (not in Linux)")
    return { ...row, title: "bounce pool (6.18)" };
  const dropped = since[experiment];
  return dropped === undefined
    ? row
    : Object.fromEntries(Object.entries(row).filter(([name]) => !dropped.includes(name)));
}
