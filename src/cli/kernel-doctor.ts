import { spawnSync } from "node:child_process";
import { kernelFolders, kernelsIn } from "./jupyter-paths.js";

/** What was found of one thing that is needed or useful. */
export interface Finding {
  well: boolean;
  /** Whether the kernel itself needs it; the rest is for JupyterLab and for pictures. */
  needed: boolean;
  /** A sentence: what is there, or what is missing and how to get it. */
  text: string;
}

/** Looks at everything that the kernel, JupyterLab and the pictures of plots need. Changes nothing but a cache of the browser. */
export async function diagnose(): Promise<Finding[]> {
  return [
    nodeVersion(process.versions.node),
    await zeroMq(),
    await python(),
    jupyter(),
    await kernelSpecs(),
    await browser(),
  ];
}

/** Node.js 20.19 or newer. */
export function nodeVersion(version: string): Finding {
  const [major, minor] = version.split(".").map(Number);
  const well = major > 20 || (major === 20 && minor >= 19);
  return {
    well,
    needed: true,
    text: well
      ? `Node.js ${version} is new enough.`
      : `Node.js ${version} is too old: install 20.19 or newer from nodejs.org.`,
  };
}

async function zeroMq(): Promise<Finding> {
  try {
    const { version } = await import("zeromq");
    return { well: true, needed: true, text: `ZeroMQ ${version}, over which Jupyter talks to the kernel, loads.` };
  } catch (error) {
    const why = (error as Error).message.split("\n")[0];
    return {
      well: false,
      needed: true,
      text: `ZeroMQ's binary does not load (${why}): run \`npm ci\` on this machine, with this Node.js.`,
    };
  }
}

async function python(): Promise<Finding> {
  const { findPython } = await import("../lab/index.js");
  try {
    const found = findPython();
    return { well: true, needed: false, text: `Python is there for JupyterLab: ${found.version} at ${found.path}.` };
  } catch (error) {
    return {
      well: false,
      needed: false,
      text: `${(error as Error).message} Only JupyterLab needs it; \`iommu-lab execute\` does not.`,
    };
  }
}

function jupyter(): Finding {
  const { status, stdout, error } = spawnSync("jupyter", ["--version"], { encoding: "utf8", timeout: 30_000 });
  if (error || status !== 0) {
    return {
      well: false,
      needed: false,
      text: "No `jupyter` is on the PATH: `npm start` sets up one of the project's own, or install JupyterLab with pip.",
    };
  }
  const lab = /^jupyterlab\s*:\s*(\S+)/m.exec(stdout)?.[1];
  return { well: true, needed: false, text: `A Jupyter is on the PATH${lab ? `, with JupyterLab ${lab}` : ""}.` };
}

async function kernelSpecs(): Promise<Finding> {
  const { projectRoot } = await import("../lab/index.js");
  const ours = kernelFolders(projectRoot)
    .flatMap(kernelsIn)
    .filter((kernel) => kernel.ours);
  const broken = ours.find(({ problem }) => problem !== undefined);
  if (broken) {
    return {
      well: false,
      needed: false,
      text: `The kernel installed in ${broken.folder} cannot start (${broken.problem}): install it again with \`iommu-lab kernel install\`.`,
    };
  }
  if (ours.length === 0) {
    return {
      well: false,
      needed: false,
      text: "The kernel is installed in no Jupyter: `iommu-lab kernel install` does it, and `npm start` does it for the project's own.",
    };
  }
  return {
    well: true,
    needed: false,
    text: `The kernel is installed in ${ours.map(({ folder }) => folder).join(", ")}.`,
  };
}

async function browser(): Promise<Finding> {
  const { launchChromium } = await import("../site/index.js");
  try {
    const chromium = await launchChromium();
    const version = chromium.version();
    await chromium.close();
    return { well: true, needed: false, text: `Chromium ${version} starts, for the static pictures of plots.` };
  } catch (error) {
    return { well: false, needed: false, text: (error as Error).message };
  }
}
