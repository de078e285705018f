import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  kernelSpec,
  type PythonEnvironment,
  prepareLab,
  projectRoot,
  startJupyterLab,
  writeKernelSpec,
} from "../../src/lab/index.js";
import { fakeProgram, scratchFolder } from "./fakes.js";

const scratch = scratchFolder();
let count = 0;

/** An environment whose Python is a shell script; what it does stands for JupyterLab. */
function environment(script: string): PythonEnvironment {
  const folder = join(scratch, `venv-${count++}`);
  const python = fakeProgram(join(folder, "bin"), "python", script);
  return { folder, python, version: "3.12.1", env: { PATH: "/bin:/usr/bin" }, installed: false };
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "it succeeded",
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe("the kernel's specification", () => {
  test("starts this project's kernel with this Node, by absolute paths that exist", () => {
    const [node, script, ...rest] = kernelSpec().argv;
    expect(node).toBe(process.execPath);
    expect(existsSync(script)).toBe(true);
    expect(rest).toEqual(["kernel", "run", "{connection_file}"]);
  });

  test("is written with its icons", () => {
    const folder = writeKernelSpec(join(scratch, "kernels"));
    expect(readdirSync(folder).sort()).toEqual(["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"]);
    expect(JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"))).toEqual(kernelSpec());
  });
});

describe("furnishing an environment", () => {
  test("brings renderer, plotly.js, settings without news and updates, and mends what was changed", () => {
    const made = environment("exit 0");
    const { renderer, plotlyVersion } = prepareLab(made);
    const pinned = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")).dependencies[
      "plotly.js-dist-min"
    ];
    expect(plotlyVersion).toBe(pinned);
    expect(readFileSync(join(renderer, "static", "plotly.js"), "utf8").slice(0, 60)).toContain(plotlyVersion);
    const overrides = join(made.folder, "share", "jupyter", "lab", "settings", "overrides.json");
    expect(readFileSync(overrides, "utf8")).toContain('"fetchNews": "false"');
    writeFileSync(overrides, "{}");
    writeFileSync(join(renderer, "static", "plotly.js"), "");
    prepareLab(made);
    expect(readFileSync(overrides, "utf8")).toContain('"fetchNews": "false"');
    expect(readFileSync(join(renderer, "static", "plotly.js"), "utf8").length).toBeGreaterThan(1e6);
  });
});

describe("starting JupyterLab", () => {
  test("refuses a port that is in use, and says how to go on", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    expect(await failure(startJupyterLab(environment("exit 0"), { port }))).toBe(
      `LabError: Port ${port} is in use by another program (perhaps by a lab that is still open). Choose another with --port, or leave --port out to take a free one.`,
    );
    other.close();
  });

  test("says why when it ends instead of starting", async () => {
    const made = environment('echo "[I] fine" >&2; echo "OSError: [Errno 28] No space left on device" >&2; exit 1');
    expect(await failure(startJupyterLab(made))).toMatch(
      /^LabError: JupyterLab ended instead of starting; .*jupyterlab-\d+\.log says why: OSError: \[Errno 28\] No space left on device$/,
    );
  });

  test("gives up on one that stays silent, and ends it", async () => {
    const made = environment(`echo $$ > ${join(scratch, "silent")}; exec /bin/sleep 60`);
    expect(await failure(startJupyterLab(made, { patienceMs: 500 }))).toMatch(
      /^LabError: JupyterLab did not answer at http:\/\/127\.0\.0\.1:\d+\//,
    );
    expect(() => process.kill(Number(readFileSync(join(scratch, "silent"), "utf8")), 0)).toThrow();
  });

  test("listens on this machine only, with a token that no process list shows", async () => {
    const made = environment(
      `echo "$*" > ${join(scratch, "arguments")}; echo "$JUPYTER_TOKEN" > ${join(scratch, "token")}; exit 1`,
    );
    await failure(startJupyterLab(made, { report: () => {} }));
    const words = readFileSync(join(scratch, "arguments"), "utf8");
    for (const word of [
      "--ServerApp.ip=127.0.0.1",
      "--LabApp.extension_manager=readonly",
      "--LabApp.news_url=None",
      "NeverCheckForUpdate",
    ]) {
      expect(words).toContain(word);
    }
    const token = readFileSync(join(scratch, "token"), "utf8").trim();
    expect(token).toMatch(/^[0-9a-f]{48}$/);
    expect(words).not.toContain(token);
    expect(words.includes("--allow-root")).toBe(process.getuid?.() === 0);
  });
});

describe("the command", () => {
  const lab = (...args: string[]) =>
    spawnSync(process.execPath, [join(projectRoot, "src", "cli", "iommu-lab.mjs"), "lab", ...args], {
      encoding: "utf8",
    });

  test("refuses a port that is none, and shows what it accepts", () => {
    const { status, stderr } = lab("--port", "99999");
    expect(status).toBe(2);
    expect(stderr).toContain("A port is a whole number from 1 to 65535.");
    expect(lab("--help").stdout).toMatch(/--no-browser[\s\S]*--port <number>[\s\S]*--check/);
  });
});

test("the lock files hold checksums for every package and name no registry", () => {
  for (const name of ["requirements.lock", "installer.lock"]) {
    const text = readFileSync(join(projectRoot, "src", "lab", name), "utf8");
    const packages = text.split(/\n(?=[a-z0-9])/i).filter((entry) => /^[a-z0-9]/i.test(entry));
    expect(packages.length).toBeGreaterThan(0);
    for (const entry of packages) expect(entry, name).toMatch(/==[^\n]*\\\n {4}--hash=sha256:[0-9a-f]{64}/);
    expect(text).not.toMatch(/https?:|index-url|find-links/);
  }
});
