#!/usr/bin/env node
// The command's entry: it runs the built command line, and says what to do where nothing is built yet.
import { existsSync } from "node:fs";

const main = new URL("../../dist/cli/index.js", import.meta.url);
if (!existsSync(main)) {
  process.stderr.write("iommu-lab is not built yet. Run `npm run setup` in the project's folder first.\n");
  process.exit(1);
}
const { main: run } = await import(main.href);
process.exitCode = await run(process.argv.slice(2));
