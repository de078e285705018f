import { asLines, joined, parseNotebook } from "./notebook.js";
import { rewritten, sourcesIn } from "./source-text.js";

/** Rewrites a cell's imports from rooms that were divided or renamed to those that hold the names today. */

/** For each old door: the doors that its names moved to. */
const moved: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  writeup: {
    site: [
      "ApiReference",
      "ApiReferenceError",
      "BuiltSite",
      "CellError",
      "CellOutput",
      "CellProgress",
      "CellTiming",
      "ChromiumError",
      "CodeCell",
      "Drawing",
      "Drift",
      "Notebook",
      "NotebookCell",
      "NotebookError",
      "NotebookRun",
      "OutputCollector",
      "Picture",
      "PictureOptions",
      "PlotlyFigure",
      "ReproduceOptions",
      "ReproducedNotebook",
      "RunNotebookOptions",
      "SiteError",
      "SiteOptions",
      "SiteServer",
      "SiteSources",
      "asLines",
      "buildSite",
      "compareNotebooks",
      "driftText",
      "joined",
      "launchChromium",
      "makeSite",
      "notebookHash",
      "notebookText",
      "parseNotebook",
      "progressFiles",
      "reproduceNotebooks",
      "runNotebook",
      "serveSite",
      "startDrawing",
      "withCellIds",
      "writeApiReference",
    ],
  },
  workload: {
    host: [
      "AssumedField",
      "BootMap",
      "DriverProfile",
      "DriverProfileName",
      "Flows",
      "HostResult",
      "HostRun",
      "NicSetup",
      "TcpRr",
      "TcpRrOptions",
      "WorkloadAssumption",
      "assumedFields",
      "driverProfile",
      "driverProfiles",
      "hostRunDefaults",
      "nicBootMaps",
      "publishedStackCycles",
      "simulateHost",
      "workloadAssumptions",
    ],
    recordings: [
      "Context",
      "Direction",
      "Envelope",
      "Holding",
      "ImportOptions",
      "Imported",
      "Interval",
      "IntervalCounter",
      "Kind",
      "Lifetimes",
      "LiveMap",
      "MapRequest",
      "Occupancy",
      "Op",
      "OpRange",
      "PageRange",
      "Trace",
      "TraceAbout",
      "TraceBuilder",
      "TraceDescription",
      "TraceDevice",
      "TraceError",
      "TraceHeader",
      "TraceOp",
      "TracePhase",
      "busiestDevice",
      "decodeTrace",
      "describeTrace",
      "distinctAddresses",
      "encodeTrace",
      "envelope",
      "holdings",
      "importTrace",
      "lifetimes",
      "liveMaps",
      "loadTrace",
      "mergeAbutting",
      "occupancy",
      "phaseRange",
      "rankQuantile",
      "readdress",
      "requestsOf",
      "traceNames",
      "traceOp",
    ],
    streams: [
      "LittleRow",
      "StreamConfig",
      "StreamDevice",
      "StreamFault",
      "StreamHost",
      "StreamResult",
      "StreamTranslation",
      "runDmaStream",
      "runDmaStreamReadably",
    ],
  },
  kernel: {
    cells: [
      "Choice",
      "ChoiceList",
      "Comm",
      "Comms",
      "Control",
      "ControlMakers",
      "ControlOptions",
      "ControlSpec",
      "ControlValues",
      "Display",
      "DrawRun",
      "Lab",
      "ListControl",
      "MimeBundle",
      "Progress",
      "RangeControl",
      "ShowControls",
      "ToggleControl",
      "displayKey",
      "widgetViewType",
    ],
    jupyter: [
      "ExecuteOptions",
      "ExecuteReply",
      "Execution",
      "Kernel",
      "KernelMessage",
      "KernelOptions",
      "runKernel",
      "startInProcessKernel",
    ],
  },
  experiments: {
    study: [
      "ElementaryEffect",
      "FigureUse",
      "LedgerEntry",
      "Probe",
      "Space",
      "SpacePoint",
      "Trajectory",
      "answeringInputs",
      "effectsFigure",
      "figureUses",
      "grid",
      "latinHypercube",
      "ledger",
      "ledgerCounts",
      "marginFigure",
      "mergeAnswers",
      "morrisDesign",
      "morrisEffects",
      "probes",
      "threadContext",
      "threadTable",
      "verdictFigure",
      "withFields",
    ],
  },
  vtd: {
    iommu: [
      "Invalidation",
      "InvalidationQueue",
      "KeyIndex",
      "MAX_ADDRESS_MASK",
      "Replacement",
      "TranslationCache",
      "TranslationCacheConfig",
      "TranslationCounters",
      "TranslationUnit",
      "TranslationUnitConfig",
      "WalkMemory",
      "WalkMemoryConfig",
      "WalkResult",
      "invalidationOf",
      "translationCache",
      "walkMemory",
    ],
    pagetables: [
      "OneToOneTable",
      "PAGE_BYTES",
      "PTES_PER_TABLE",
      "PTE_BYTES",
      "PTE_LARGE",
      "PTE_READ",
      "PTE_SNOOP",
      "PTE_WRITE",
      "PageBytes",
      "PageTableError",
      "PageTableOptions",
      "Permission",
      "Pte",
      "Region",
      "SecondLevelPageTable",
      "TableMemory",
      "faultReason",
      "oneToOne",
      "pageBytes",
      "silentMemory",
      "walkEntries",
    ],
  },
  dma: {
    iommu: ["InvalidationUnit", "IommuTiming"],
  },
  // Renamed where they stood.
  iova: { iova: ["TraceError"] },
};

/** Names that are others today, as "old door/old name". */
const renamed: Readonly<Record<string, string>> = {
  "workload/Interval": "Extent",
  "workload/IntervalCounter": "ExtentCounter",
  "workload/runDmaStreamReadably": "runDmaStreamReference",
  "iova/TraceError": "ReplayTraceError",
  "experiments/Assumptions": "HostChanges",
  "experiments/Probe": "ClaimRun",
  "experiments/probes": "claimRuns",
  "experiments/FigureUse": "RecordUse",
  "experiments/figureUses": "recordUses",
};

/** A cell's text with today's imports, and what could not be rewritten. */
export interface Migrated {
  text: string;
  /** Imports that a person must change, one sentence each. */
  left: string[];
}

const importOf = /import\s+(type\s+)?(\{[^{}]{0,4000}\}|\*\s+as\s+\w+)\s+from\s+(["'])iommu-lab\/(\w[\w-]*)\3;?/g;

/**
 * Rewrites the imports of one cell. Names that stayed keep their import; a name that has another name today is imported `as` the old one, so
 * that the rest of the cell need not change.
 * @example migrateImports('import { loadTrace, simulateHost } from "iommu-lab/workload";').text
 * // 'import { loadTrace } from "iommu-lab/recordings";\nimport { simulateHost } from "iommu-lab/host";'
 */
export function migrateImports(text: string): Migrated {
  const left: string[] = [];
  const changed = text.replace(
    importOf,
    (whole, typeOnly: string | undefined, clause: string, _quote, door: string) => {
      const doors = Object.hasOwn(moved, door) ? moved[door] : undefined;
      if (!doors) return whole;
      if (!clause.startsWith("{")) {
        const targets = Object.keys(doors).map((name) => `iommu-lab/${name}`);
        if (door === "experiments") return whole;
        if (targets.length === 1) return whole.replace(`iommu-lab/${door}`, targets[0]);
        left.push(`"${whole}": name what is imported; the room was divided into ${targets.join(", ")}.`);
        return whole;
      }
      const byDoor = new Map<string, string[]>();
      for (const item of clause.slice(1, -1).split(",")) {
        const words = item.trim();
        if (words === "") continue;
        const [, kind = "", name, as] = /^(type\s+)?(\w+)(?:\s+as\s+(\w+))?$/.exec(words) ?? [];
        const target = Object.entries(doors).find(([, names]) => names.includes(name))?.[0] ?? door;
        const today = renamed[`${door}/${name}`];
        const imported = today === undefined ? words : `${kind}${today} as ${as ?? name}`;
        byDoor.set(target, [...(byDoor.get(target) ?? []), imported]);
      }
      return [...byDoor]
        .map(([target, names]) => `import ${typeOnly ?? ""}{ ${names.join(", ")} } from "iommu-lab/${target}";`)
        .join("\n");
    },
  );
  return { text: changed, left };
}

/**
 * Rewrites the imports of a notebook's code cells; outputs, ids and everything else stay byte for byte.
 * @param file its name, for messages
 * @throws NotebookError where it is no notebook
 */
export function migrateNotebook(text: string, file: string): { text: string; cells: number; left: string[] } {
  const notebook = parseNotebook(text, file);
  const places = sourcesIn(text);
  const parts: string[] = [];
  let done = 0;
  let cells = 0;
  const left: string[] = [];
  for (const [i, cell] of notebook.cells.entries()) {
    if (cell.cell_type !== "code") continue;
    const source = joined(cell.source);
    const migrated = migrateImports(source);
    left.push(...migrated.left.map((sentence) => `cell ${i + 1}: ${sentence}`));
    if (migrated.text === source) continue;
    cells++;
    const place = places[i];
    if (!place) continue;
    parts.push(text.slice(done, place.from), rewritten(text.slice(place.from, place.to), asLines(migrated.text)));
    done = place.to;
  }
  return { text: parts.join("") + text.slice(done), cells, left };
}
