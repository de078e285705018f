import { phases, playScenario, type SystemConfig, simpleSystem, stepsToPhase } from "../../kvm/index.js";
import { type Figure, heatmapFigure } from "../../plot/index.js";
import { columnTicks, rowTicks } from "./labels.js";

/** Short names of the longer actions, by their first two words, for the axis. */
const shortNames: Readonly<Record<string, string>> = {
  "KVM creates": "KVM creates the guest",
  "VM entry": "VM entry begins",
  "the guest": "the guest writes 1",
  "KVM handles": "KVM handles the write",
  "guest A": "the guest exits",
  "MACHINE CHECK": "MACHINE CHECK",
};

/**
 * A picture of one run, step by step: which CR4.MCE the host means, which is in force on the CPU, which the guest reads, and where the
 * machine check lands.
 * @param config the system; one CPU and one guest are drawn
 * @param guestMce what the guest writes to CR4.MCE before the run
 * @param phase the phase in which the machine check lands
 */
export function machineCheckTimeline(config: Partial<SystemConfig>, guestMce: 0 | 1, phase?: string): Figure {
  const at = phases.indexOf((phase ?? "guest") as (typeof phases)[number]);
  if (at < 0) throw new Error(`There is no phase "${phase}"; there are ${phases.join(", ")}.`);
  const system: SystemConfig = { ...simpleSystem, ...config };
  const played = playScenario(system, [...stepsToPhase(at, guestMce), "CPU 0: MACHINE CHECK"]);
  const end = played.at(-1)?.state;
  const rows = ["the host means", "in force on the CPU", "the guest reads"];
  const values = played.map(({ state }) => {
    const [cpu] = state.cpus;
    const [guest] = state.vcpus;
    const inGuest =
      cpu.phase === "entry: guest loaded" || cpu.phase === "guest" || cpu.phase === "exit: guest still loaded";
    return [cpu.meant, inGuest ? guest.hardware : cpu.live, guest.created ? guest.reads : null];
  });
  const labels = played.map(({ action, state }, i) => {
    const words = action.replace(/^CPU 0: /, "");
    return `${i} ${shortNames[words.split(" ").slice(0, 2).join(" ")] ?? (words === "goes on" ? state.cpus[0].phase : words)}`;
  });
  const fate = end?.death ? `the host dies: ${end.death}` : "the host's handler runs, and the host lives";
  return heatmapFigure({
    title: `Rule "${system.rule}", guest CR4.MCE = ${guestMce}${phase === undefined ? "" : `, in “${phase}”`}: ${end?.death ? "the host dies" : "the host lives"}`,
    caption: `Each column is a step, from left to right. A machine check lands in the last: ${fate}. What counts is the middle row in the column before it.`,
    x: { title: "step", unit: "" },
    y: { title: "", unit: "" },
    z: { title: "CR4.MCE", unit: "" },
    hover: rows.map((who, r) =>
      values.map((column) => {
        const bit = column[r];
        return `${who}: ${bit === null ? "nothing yet" : `CR4.MCE = ${bit} (${bit === 1 ? "set" : "clear"})`}`;
      }),
    ),
    verdicts: true,
    xValues: labels,
    yValues: rows,
    zValues: rows.map((_, r) => values.map((column) => (column[r] === null ? null : 1 - column[r]))),
    text: rows.map((_, r) => values.map((column) => (column[r] === null ? "" : String(column[r])))),
    layout: {
      yaxis: { ...rowTicks(rows, 12), title: { text: "" } },
      xaxis: { ...columnTicks(labels), title: { text: "step" } },
      height: 320,
    },
  });
}
