import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { kernelFolders, kernelsFolder, kernelsIn, userDataFolder } from "../../src/cli/jupyter-paths.js";
import { nodeVersion } from "../../src/cli/kernel-doctor.js";
import { runCommand } from "./run.js";

const folder = mkdtempSync(join(tmpdir(), "kernel-install-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** Runs `iommu-lab kernel …` with a Jupyter data folder of the test's own. */
function run(...argv: string[]) {
  vi.stubEnv("JUPYTER_DATA_DIR", join(folder, "user"));
  vi.stubEnv("JUPYTER_PATH", "");
  return runCommand("kernel", ...argv);
}

describe("where Jupyter looks", () => {
  const system = (platform: NodeJS.Platform, env: Record<string, string> = {}) => ({
    platform,
    env,
    home: "/home/ann",
  });

  test.each([
    ["Linux", system("linux"), "/home/ann/.local/share/jupyter"],
    ["Linux with XDG_DATA_HOME", system("linux", { XDG_DATA_HOME: "/data" }), "/data/jupyter"],
    ["macOS", system("darwin"), "/home/ann/Library/Jupyter"],
    ["JUPYTER_DATA_DIR before all", system("darwin", { JUPYTER_DATA_DIR: "/mine" }), "/mine"],
  ])("the user's folder: %s", (_, where, wanted) => {
    expect(userDataFolder(where)).toBe(wanted);
    expect(kernelsFolder({ kind: "user" }, where)).toBe(join(wanted, "kernels"));
  });

  test("JUPYTER_PATH comes first, then the user's folder, the active environment, the project's and the system's", () => {
    expect(kernelFolders("/lab", system("linux", { JUPYTER_PATH: "/x", VIRTUAL_ENV: "/venv" }))).toEqual([
      "/x/kernels",
      "/home/ann/.local/share/jupyter/kernels",
      "/venv/share/jupyter/kernels",
      "/lab/.venv/share/jupyter/kernels",
      "/usr/local/share/jupyter/kernels",
      "/usr/share/jupyter/kernels",
    ]);
  });
});

describe("install, list, uninstall", () => {
  test("for the user: a specification that points to files that are there, listed, and removed again", async () => {
    expect(await run("install")).toMatchObject({ code: 0, out: expect.stringContaining("Installed in") });
    const place = join(folder, "user", "kernels", "iommu-lab");
    const spec = JSON.parse(readFileSync(join(place, "kernel.json"), "utf8"));
    expect(spec.argv.slice(2)).toEqual(["kernel", "run", "{connection_file}"]);
    expect(spec.argv.slice(0, 2).every((path: string) => existsSync(path))).toBe(true);
    expect(existsSync(join(place, "logo-svg.svg"))).toBe(true);
    expect((await run("list")).out).toContain(`iommu-lab\tTypeScript (iommu-lab)\t${place}\n`);
    expect((await run("install")).code).toBe(0);
    expect((await run("uninstall")).out).toBe(`Removed ${place}.\n`);
    expect(existsSync(place)).toBe(false);
    expect((await run("uninstall")).error).toContain("there is no such kernel to remove");
  });

  test("a kernel's name cannot speak to the terminal", async () => {
    const place = join(folder, "user", "kernels", "odd");
    mkdirSync(place, { recursive: true });
    writeFileSync(
      join(place, "kernel.json"),
      JSON.stringify({ argv: ["x"], display_name: "a\u001b]0;owned\u0007b", language: "x" }),
    );
    const { out } = await run("list");
    rmSync(place, { recursive: true });
    expect(out).toContain("odd\ta·]0;owned·b\t");
    expect(out).not.toContain("\u001b");
  });

  test("into a prefix, and into the active environment", async () => {
    await run("install", "--prefix", join(folder, "venv"));
    expect(existsSync(join(folder, "venv/share/jupyter/kernels/iommu-lab/kernel.json"))).toBe(true);
    vi.stubEnv("VIRTUAL_ENV", join(folder, "active"));
    await run("install", "--sys-prefix");
    expect(existsSync(join(folder, "active/share/jupyter/kernels/iommu-lab/kernel.json"))).toBe(true);
  });

  test("two places, no active environment, and a folder that cannot be written are one sentence each", async () => {
    vi.stubEnv("VIRTUAL_ENV", "");
    vi.stubEnv("CONDA_PREFIX", "");
    expect((await run("install", "--sys-prefix")).error).toMatch(/^--sys-prefix: no Python environment is active\./);
    expect((await run("install", "--user", "--prefix", "x")).error).toBe(
      "--user and --prefix: expected one of them at most.\n",
    );
    writeFileSync(join(folder, "file"), "");
    expect((await run("install", "--prefix", join(folder, "file"))).error).toMatch(
      /cannot be written: .*\. Choose another place/,
    );
  });

  test("a kernel that points nowhere, or cannot be read, is listed with what is wrong", () => {
    const kernels = join(folder, "broken");
    for (const [name, text] of [
      ["gone", '{"argv": ["/no/node", "/no/iommu-lab.mjs"]}'],
      ["bad", "{"],
      ["empty", "{}"],
    ]) {
      mkdirSync(join(kernels, name), { recursive: true });
      writeFileSync(join(kernels, name, "kernel.json"), text);
    }
    const found = Object.fromEntries(kernelsIn(kernels).map((kernel) => [kernel.name, kernel]));
    expect(found["gone"]).toMatchObject({ ours: true, problem: "/no/node is not there any more" });
    expect(found["bad"].problem).toMatch(/expected JSON/);
    expect(found["empty"].problem).toMatch(/argv: expected a list of words/);
    expect(kernelsIn(join(folder, "nowhere"))).toEqual([]);
  });
});

test("the doctor tells an old Node.js from a new one", () => {
  expect(
    [nodeVersion("20.18.3"), nodeVersion("20.19.0"), nodeVersion("18.20.0"), nodeVersion("24.0.0")].map(
      ({ well }) => well,
    ),
  ).toEqual([false, true, false, true]);
});
