/** Imports go one way, down the floor plan (src/README.md), and through a room's door. */
const floors = ["cli", "lab", "writeup", "kernel", "sweep", "experiments", "plot", "workload", "dma", "iova", "vtd", "kvm", "machine", "explore", "engine", "facts"];
const core = ["experiments", "plot", "workload", "dma", "iova", "vtd", "kvm", "machine", "explore", "engine", "facts"];

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } } },
    ...floors.slice(1).map((floor, i) => ({
      name: `only-down-from-${floor}`,
      severity: "error",
      from: { path: `^src/${floor}/` },
      to: { path: `^src/(${floors.slice(0, i + 1).join("|")})/` },
    })),
    ...floors.map((floor) => ({
      name: `through-the-door-of-${floor}`,
      severity: "error",
      from: { pathNot: `^src/${floor}/` },
      to: { path: `^src/${floor}/`, pathNot: `^src/${floor}/index\\.ts$` },
    })),
    {
      name: "core-is-pure",
      comment: "the core runs in a worker and in a browser: no Node API",
      severity: "error",
      from: { path: `^src/(${core.join("|")})/`, pathNot: "/node/|/generate\\.mjs$" },
      to: { dependencyTypes: ["core"] },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: { doNotFollow: { path: "node_modules" }, tsPreCompilationDeps: true, tsConfig: { fileName: "tsconfig.json" }, enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "default"] } },
};
