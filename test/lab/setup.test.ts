import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeProgram, scratchFolder } from "./fakes.js";

const scratch = scratchFolder();
const project = join(import.meta.dirname, "..", "..");
let count = 0;

/** A small project with the real set-up script, and a PATH on which npm is what the test says. */
function smallProject(npm?: string) {
  const root = join(scratch, `project-${count++}`);
  const bin = `${root}-bin`;
  mkdirSync(join(root, "src", "lab"), { recursive: true });
  mkdirSync(bin);
  for (const name of ["setup.mjs", "lock.mjs", "leash.mjs"])
    cpSync(join(project, "src", "lab", name), join(root, "src", "lab", name));
  // The rooms that turn data into modules: stand-ins that have nothing to do.
  const generators =
    readFileSync(join(project, "src", "lab", "setup.mjs"), "utf8").match(/const generators = \[(.*?)\n\];/s)?.[1] ?? "";
  for (const [, room] of generators.matchAll(/^ {2}\["(\w+)"/gm)) {
    mkdirSync(join(root, "src", room), { recursive: true });
    writeFileSync(join(root, "src", room, "generate.mjs"), "");
    writeFileSync(join(root, "src", room, "generated.ts"), "export {};\n");
  }
  writeFileSync(join(root, "src", "index.ts"), "export const one: number = 1;\n");
  writeFileSync(join(root, "package.json"), '{ "name": "small", "type": "module" }');
  writeFileSync(join(root, "package-lock.json"), '{ "first": true }');
  writeFileSync(join(root, "tsconfig.json"), "{}");
  if (npm !== undefined) fakeProgram(bin, "npm", npm);
  const env = { PATH: bin };
  const setup = (...flags: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, "src", "lab", "setup.mjs"), ...flags], {
      env,
      encoding: "utf8",
    });
    return { status, stderr };
  };
  return { root, bin, env, setup };
}

/** A compiler that does in milliseconds what the set-up relies on: output, build information last, an error with its place. */
const compiler = join(scratch, "typescript");
mkdirSync(join(compiler, "bin"), { recursive: true });
writeFileSync(join(compiler, "package.json"), '{ "name": "typescript", "type": "commonjs" }');
writeFileSync(
  join(compiler, "bin", "tsc"),
  `const fs = require("node:fs");
fs.mkdirSync("dist", { recursive: true });
let wrong = 0;
for (const name of fs.readdirSync("src").filter((name) => name.endsWith(".ts"))) {
  const text = fs.readFileSync("src/" + name, "utf8");
  fs.writeFileSync("dist/" + name.replace(/ts$/, "js"), text.replace(": number", ""));
  if (text.includes('= "1"')) wrong = console.log("src/" + name + "(1,14): error TS2322: Type 'string' is not …") ?? 1;
}
fs.writeFileSync("dist/.tsbuildinfo", "{}");
process.exit(wrong);
`,
);

/** An npm that installs the packages: the compiler. */
const goodNpm = `/bin/mkdir -p node_modules && /bin/cp -R ${compiler} node_modules/typescript`;
const tidy = (root: string) =>
  readdirSync(root).filter((name) => /tmp|lock$/.test(name) && name !== "package-lock.json");

describe("the set-up of a fresh clone", () => {
  test("installs, compiles, and has nothing to do the second time", () => {
    const { root, bin, setup } = smallProject(goodNpm);
    expect(setup()).toMatchObject({ status: 0, stderr: expect.stringContaining("Installing the packages") });
    expect(readFileSync(join(root, "dist", "index.js"), "utf8")).toContain("one = 1");
    fakeProgram(bin, "npm", "echo called; exit 1");
    expect(setup()).toEqual({ status: 0, stderr: "" });
    expect(tidy(root)).toEqual([]);
  });

  test("leaves out the compiled libraries of other systems and processors", () => {
    const other = process.platform === "linux" ? "darwin" : "linux";
    const processor = process.arch === "x64" ? "arm64" : "x64";
    const build = "node_modules/zeromq/build";
    const folders = [
      `${process.platform}/${process.arch}/node`,
      `${process.platform}/${processor}/node`,
      `${other}/x64`,
    ];
    const { root, setup } = smallProject(
      `${goodNpm}; ${folders.map((f) => `/bin/mkdir -p ${build}/${f}`).join("; ")}; echo {} > ${build}/manifest.json`,
    );
    expect(setup()).toMatchObject({ status: 0 });
    const left = (...path: string[]) => readdirSync(join(root, build, ...path)).sort();
    expect(left()).toEqual([process.platform, "manifest.json"].sort());
    expect(left(process.platform)).toEqual([process.arch]);
    expect(left(process.platform, process.arch)).toEqual(["node"]);
  });

  test("compiles again after an edit, says where an error is, and says it again until it is mended", () => {
    const { root, setup } = smallProject(goodNpm);
    setup();
    writeFileSync(join(root, "src", "index.ts"), 'export const one: number = "1";\n');
    for (let i = 0; i < 2; i++) {
      const { status, stderr } = setup();
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /src\/index\.ts\(1,14\): error TS2322[\s\S]*Compiling src\/ failed; the messages above name file and line\./,
      );
    }
    writeFileSync(join(root, "src", "index.ts"), "export const one: number = 2;\n");
    expect(setup().status).toBe(0);
    expect(readFileSync(join(root, "dist", "index.js"), "utf8")).toContain("one = 2");
  });

  test("for users, leaves out what only developers need; for developers it comes when it is wanted", () => {
    const { root, setup } = smallProject(`echo "$@" > ${join(scratch, "asked")}; ${goodNpm}`);
    const asked = () => readFileSync(join(scratch, "asked"), "utf8");
    expect(setup("--users").status).toBe(0);
    expect(asked()).toContain("--omit=dev");
    expect(setup("--users")).toEqual({ status: 0, stderr: "" });
    expect(setup()).toMatchObject({ status: 0, stderr: expect.stringContaining("Installing the packages") });
    expect(asked()).not.toContain("--omit=dev");
    expect(setup("--users")).toEqual({ status: 0, stderr: "" });
    expect(tidy(root)).toEqual([]);
  });

  test("takes what somebody's own npm ci --omit=dev has installed, and only that", () => {
    const { root, setup } = smallProject("exit 1");
    const lock = (packages: object) => JSON.stringify({ packages: { "": {}, ...packages } });
    const [needed, wanted, optional] = [
      { version: "1.0.0" },
      { version: "2.0.0", dev: true },
      { version: "3.0.0", optional: true },
    ];
    writeFileSync(
      join(root, "package-lock.json"),
      lock({ "node_modules/typescript": needed, "node_modules/vitest": wanted, "node_modules/chromium": optional }),
    );
    cpSync(compiler, join(root, "node_modules", "typescript"), { recursive: true });
    writeFileSync(join(root, "node_modules", ".package-lock.json"), lock({ "node_modules/typescript": needed }));
    expect(setup("--users").status).toBe(0);
    expect(setup().stderr).toContain("Installing the packages");
    writeFileSync(
      join(root, "node_modules", ".package-lock.json"),
      lock({ "node_modules/typescript": { version: "0.9.0" } }),
    );
    expect(setup("--users").stderr).toContain("Installing the packages");
  });

  test("removes what was compiled from a file that is gone", () => {
    const { root, setup } = smallProject(goodNpm);
    writeFileSync(join(root, "src", "old.ts"), "export const old = 1;\n");
    setup();
    expect(existsSync(join(root, "dist", "old.js"))).toBe(true);
    spawnSync("/bin/rm", [join(root, "src", "old.ts")]);
    writeFileSync(join(root, "src", "index.ts"), "export const one: number = 3;\n");
    setup();
    expect(existsSync(join(root, "dist", "old.js"))).toBe(false);
  });
});

describe("a set-up that fails says what to do and leaves nothing behind", () => {
  test.each([
    ["no npm", undefined, /^npm was not found\. It comes with Node\.js .* install it, then run the command again\.$/m],
    [
      "registry out of reach",
      'echo "npm error code EAI_AGAIN" >&2; echo "npm error request failed, reason: getaddrinfo EAI_AGAIN" >&2; exit 1',
      /^The npm registry could not be reached\. Check the network connection .* Nothing half-installed was left behind\.$/m,
    ],
    [
      "disk full",
      '/bin/mkdir -p node_modules/half; echo "npm error code ENOSPC" >&2; exit 228',
      /^The disk ran full while the packages were being installed\. Free about 1 GB in .* Nothing half-installed was left behind\.$/m,
    ],
    [
      "folder not writable",
      'echo "npm error code EACCES" >&2; exit 243',
      /^The folder .* cannot be written to\. Make it writable for this user/m,
    ],
    [
      "a package with the wrong checksum",
      'echo "npm error code EINTEGRITY" >&2; exit 1',
      /does not have the checksum recorded in package-lock\.json/,
    ],
    [
      "anything else",
      'echo "npm error something new" >&2; exit 1',
      /something new\n[\s\S]*Installing the packages failed; npm's messages are above\./,
    ],
  ])("%s", (_, npm, sentence) => {
    const { root, setup } = smallProject(npm);
    const { status, stderr } = setup();
    expect(status).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(existsSync(join(root, "node_modules"))).toBe(false);
    expect(tidy(root)).toEqual([]);
  });

  test("packages that worked before stay when their renewal fails", () => {
    const { root, bin, setup } = smallProject(goodNpm);
    setup();
    writeFileSync(join(root, "package-lock.json"), '{ "second": true }');
    fakeProgram(bin, "npm", "echo npm error ECONNREFUSED >&2; exit 1");
    expect(setup().status).toBe(1);
    expect(existsSync(join(root, "node_modules", "typescript", "package.json"))).toBe(true);
    fakeProgram(bin, "npm", goodNpm);
    expect(setup().status).toBe(0);
    expect(tidy(root)).toEqual([]);
  });

  test("interrupted", async () => {
    const { root, env } = smallProject("/bin/mkdir -p node_modules/half; echo started >&2; /bin/sleep 60");
    const child = spawn(process.execPath, [join(root, "src", "lab", "setup.mjs")], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    await expect.poll(() => stderr, { timeout: 20_000 }).toContain("started");
    child.kill("SIGINT");
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(code).toBe(130);
    expect(stderr).toContain(
      "The set-up was interrupted. Nothing half-installed was left behind; run the command again to go on.",
    );
    expect(existsSync(join(root, "node_modules"))).toBe(false);
    expect(tidy(root)).toEqual([]);
  });
});

test("killed, it takes npm and all that npm started along, and the next one begins afresh", async () => {
  const npm = `/bin/mkdir -p node_modules/half; (while :; do echo x >> ${join(scratch, "written")}; /bin/sleep 0.05; done) & echo started $! $$ >&2; wait`;
  const { root, bin, env, setup } = smallProject(npm);
  const child = spawn(process.execPath, [join(root, "src", "lab", "setup.mjs")], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  await expect.poll(() => stderr, { timeout: 20_000 }).toMatch(/started \d+ \d+/);
  const tools = /started (\d+) (\d+)/.exec(stderr)!.slice(1).map(Number);
  child.kill("SIGKILL");
  await new Promise((resolve) => child.on("exit", resolve));
  const living = (): number[] => tools.filter((pid) => isRunning(pid));
  await expect.poll(living, { timeout: 20_000 }).toEqual([]);
  fakeProgram(bin, "npm", goodNpm);
  expect(setup().status).toBe(0);
  expect(existsSync(join(root, "node_modules", "half"))).toBe(false);
  expect(tidy(root)).toEqual([]);
});

/** Whether a process still runs; one that has ended and waits for its parent to notice does not. */
function isRunning(pid: number): boolean {
  return (
    spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" })
      .stdout.trim()
      .replace(/^Z.*/, "") !== ""
  );
}

describe("the lock of a set-up", () => {
  test("is taken over when its owner is gone", () => {
    const { root, setup } = smallProject(goodNpm);
    mkdirSync(join(root, ".setup-lock"));
    writeFileSync(join(root, ".setup-lock", "owner"), "999999999\n1");
    expect(setup().status).toBe(0);
    expect(tidy(root)).toEqual([]);
  });

  test("is taken over when its owner's number now belongs to another process", () => {
    const { root, setup } = smallProject(goodNpm);
    mkdirSync(join(root, ".setup-lock"));
    writeFileSync(join(root, ".setup-lock", "owner"), `${process.pid}\nlong ago`);
    expect(setup().status).toBe(0);
  });

  test("makes a second set-up wait for the first", async () => {
    const { root, env } = smallProject(`echo x >> ${join(scratch, "installs")}; /bin/sleep 1; ${goodNpm}`);
    const run = () =>
      new Promise<string>((resolve) => {
        const child = spawn(process.execPath, [join(root, "src", "lab", "setup.mjs")], {
          env,
          stdio: ["ignore", "ignore", "pipe"],
        });
        let stderr = "";
        child.stderr.on("data", (chunk) => {
          stderr += chunk;
        });
        child.on("close", (code) => resolve(`${code} ${stderr}`));
      });
    const both = await Promise.all([run(), run()]);
    expect(both.every((text) => text.startsWith("0 "))).toBe(true);
    expect(
      both.filter((text) => text.includes("Another set-up is running in this folder; waiting for it …")),
    ).toHaveLength(1);
    expect(readFileSync(join(scratch, "installs"), "utf8")).toBe("x\n");
  });
});
