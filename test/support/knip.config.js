// What nothing uses is deleted, or stands here with its reason. `npm test lint` looks twice: with `--production`, where a test is no user of
// anything, and at the whole repository, tests and tools included.
//
// The users are the commands, the workers and helpers that are started by their file's name, and the notebooks. A room's door lists what
// notebooks may import, so that it lists a name is no use; what stands behind the name must have one. What has none and is offered to the
// notebooks of others all the same, or to tests as the plain twin of something fast, is tagged @public where it is defined.

/** The code cells of a notebook as one module. */
function cells(text) {
  const notebook = JSON.parse(text);
  return notebook.cells
    .filter((cell) => cell.cell_type === "code")
    .map((cell) => [cell.source].flat().join(""))
    .join("\n");
}

export default {
  entry: [
    // Started, or copied, by their file's name.
    "src/sweep/{worker,perturb-worker}.ts!",
    "src/cells/host/*-main.ts!",
    "src/cells/host/{executor-helper,snapshot-start}.ts!",
    "src/plot/fit.ts!",
    "src/{facts,recordings}/generate.mjs!",
    "src/lab/{setup,leash,lock}.mjs!",
    "src/lab/labextension/static/*.js!",
    "src/site/pages/assets/*.js!",
    // The declarations that every cell sees: the converter takes the file by its name.
    "src/cells/display/global.ts!",
    "notebooks/**/*.ipynb!",
    "src/rooms.cjs!",
    "test/**/*.test.ts",
    "test/run.mjs",
    // Chosen by their names on the command line.
    "test/bench/engine/*.mjs",
    "test/soak/*.mjs",
    "test/support/slowest-reporter.mjs",
  ],
  project: ["src/**/*.{ts,mjs,cjs,js}!", "notebooks/**/*.ipynb!", "test/**/*.{ts,mjs}"],
  includeEntryExports: true,
  ignoreExportsUsedInFile: true,
  compilers: { ipynb: cells },
  paths: { "iommu-lab/*": ["./src/*/index.ts"] },
  ignore: [
    // Names of older versions.
    "src/deprecated/**",
    // Stand in for packages that a user may leave out.
    "src/site/absent/**",
  ],
  ignoreIssues: {
    "src/**/index.ts": ["exports", "types"],
    // Called inside of a snapshot of V8, by its name.
    "src/cells/host/snapshot-start.ts": ["exports"],
    "test/{soak,bench,support}/**/*.mjs": ["exports"],
  },
  // Found by require.resolve, as files to copy.
  ignoreDependencies: [
    "@fontsource/dejavu-mono",
    "@vscode/markdown-it-katex",
    "plotly.js-dist-min",
    "plotly.js-dist",
    "axe-core",
  ],
  // Programs of the system that a command or a test asks for.
  ignoreBinaries: ["jupyter", "cc", "mkfifo"],
};
