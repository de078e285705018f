import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { PythonEnvironment } from "./environment.js";
import { keepFile, keepText } from "./files.js";
import { writeKernelSpec } from "./kernelspec.js";
import { addPapermillTranslator } from "./papermill.js";
import { projectRoot } from "./root.js";

/** JupyterLab's defaults in this lab: nothing goes to the network, and what a reader of notebooks needs is near. */
const overrides = {
  "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
  // Light or dark as the reader's system is; View > Theme changes it.
  "@jupyterlab/apputils-extension:themes": { "adaptive-theme": true },
};

/** Parts of JupyterLab that are off: they fetch news, or install packages. */
const pageConfig = {
  disabledExtensions: {
    "@jupyterlab/apputils-extension:announcements": true,
    "@jupyterlab/extensionmanager-extension:plugin": true,
  },
};

/** What {@link prepareLab} put into the environment. */
export interface PreparedLab {
  /** The folder of the kernel's specification. */
  kernel: string;
  /** The folder of the renderer. */
  renderer: string;
  /** The version of plotly.js that draws the figures. */
  plotlyVersion: string;
}

/**
 * Puts the lab's own parts into a Python environment: kernel specification, plot renderer, settings. Writes only what differs, so that
 * it can run at every start and an edit takes effect with the next one.
 */
export function prepareLab(environment: PythonEnvironment): PreparedLab {
  const share = join(environment.folder, "share", "jupyter");
  const kernel = writeKernelSpec(join(share, "kernels"));

  const renderer = join(share, "labextensions", "iommu-lab-renderer");
  const source = join(projectRoot, "src", "lab", "labextension");
  for (const name of ["package.json", "static/renderer.js"]) keepFile(join(source, name), join(renderer, name));
  const plotly = createRequire(import.meta.url).resolve("plotly.js-dist-min/package.json");
  keepFile(join(plotly, "..", "plotly.min.js"), join(renderer, "static", "plotly.js"));
  // The house's way to fit a figure to a width; it imports nothing.
  keepFile(join(projectRoot, "dist", "plot", "fit.js"), join(renderer, "static", "fit.js"));
  const { version } = JSON.parse(readFileSync(plotly, "utf8")) as { version: string };

  // Without this, the project's own package.json (type: module) would make Node read JupyterLab's scripts as modules.
  keepText(join(environment.folder, "package.json"), '{ "type": "commonjs" }\n');
  addPapermillTranslator(environment);
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  keepText(join(share, "lab", "settings", "overrides.json"), json(overrides));
  keepText(join(environment.folder, "etc", "jupyter", "labconfig", "page_config.json"), json(pageConfig));
  return { kernel, renderer, plotlyVersion: version };
}
