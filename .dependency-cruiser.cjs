/** Imports go one way, as the rooms' lists say, and through a room's door. The lists are in src/rooms.cjs. */

const { rooms, core } = require("./src/rooms.cjs");
const names = Object.keys(rooms);

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    ...names.map((room) => ({
      name: `what-${room}-may-import`,
      severity: "error",
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${names.filter((other) => other !== room && !rooms[room].includes(other)).join("|")})/` },
    })),
    ...names.map((room) => ({
      name: `through-the-door-of-${room}`,
      severity: "error",
      from: { pathNot: `^src/${room}/` },
      to: { path: `^src/${room}/`, pathNot: `^src/${room}/index\\.ts$` },
    })),
    {
      name: "core-is-pure",
      comment: "the core runs in a worker and in a browser: no Node API",
      severity: "error",
      from: { path: `^src/(${core.join("|")})/`, pathNot: "/node/|/generate\\.mjs$" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "the-heart-of-cells-is-host-neutral",
      comment: "names, compilation and what a value shows: a browser's host uses them as well",
      severity: "error",
      from: { path: "^src/cells/heart/" },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "the-heart-of-cells-knows-no-host",
      severity: "error",
      from: { path: "^src/cells/heart/" },
      to: { path: "^src/", pathNot: "^src/cells/heart/" },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: { doNotFollow: { path: "node_modules" }, tsPreCompilationDeps: true, tsConfig: { fileName: "tsconfig.json" }, enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["types", "import", "default"] } },
};
