import { spawnSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { checkPlaces, readText } from "../../src/cli/files.js";
import { main } from "../../src/cli/index.js";

const folder = mkdtempSync(join(tmpdir(), "places-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());
const text = readFileSync(
  fileURLToPath(new URL("../recordings/fixtures/texts/S02-sg-reused-3x.txt", import.meta.url)),
  "utf8",
);
const notebook = JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [] });
const design = fileURLToPath(new URL("../../data/designs/thread-host.json", import.meta.url));
const saved = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

/** What the command says where it refuses. */
async function refused(...argv: string[]): Promise<string> {
  let said = "";
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  vi.spyOn(process.stderr, "write").mockImplementation((words) => {
    said += String(words);
    return true;
  });
  process.exitCode = undefined;
  const code = await main(argv);
  process.exitCode = undefined;
  vi.restoreAllMocks();
  expect(code, said).not.toBe(0);
  return said;
}

test.skipIf(process.platform === "win32")("where too many files are open, the message says what helps", () => {
  const command = `ulimit -n 24; exec "${process.execPath}" src/cli/iommu-lab.mjs experiments`;
  const { status, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^EMFILE: .*raise the limit with `ulimit -n`\)\.\n$/);
});

describe("no command writes over what it reads", () => {
  const own = saved("own.txt", text);
  const config = saved("config.json", "{}");
  const page = saved("page.ipynb", notebook);
  symlinkSync("own.txt", join(folder, "link.txt"));
  linkSync(own, join(folder, "hard.txt"));

  test.each([
    ["trace", "report", own, "-o", own],
    ["trace", "report", own, "-o", join(folder, "link.txt")],
    ["trace", "report", own, "--ipynb", join(folder, "hard.txt")],
    ["trace", "convert", own, "-o", join(folder, ".", "own.txt")],
    ["trace", "convert", own, "--about", config, "-o", config],
    ["run", "machine-locks", "--config", config, "--out", config],
    ["execute", page, "--manifest", page],
    ["reproduce", "--notebooks", join(folder, "out", "notebooks"), "--out", join(folder, "out")],
  ])("%s %s %s %s %s", async (...argv) => {
    mkdirSync(join(folder, "out", "notebooks"), { recursive: true });
    saved(join("out", "notebooks", "a.ipynb"), notebook);
    expect(await refused(...argv)).toMatch(/name (another (file|folder)|two files)\.\n$/);
    expect([own, config, page].map((file) => readFileSync(file, "utf8"))).toEqual([text, "{}", notebook]);
    expect(readdirSync(join(folder, "out"))).toEqual(["notebooks"]);
  });

  test("nor one result over another, there or not there yet", async () => {
    for (const name of ["there", "not-there"]) {
      const file = name === "there" ? saved(name, "") : join(folder, name);
      const other = join(folder, "out", "..", name);
      expect(await refused("trace", "report", own, "-o", file, "--ipynb", other)).toMatch(/--out and --ipynb: both/);
    }
  });

  test("a device may be both", () => {
    expect(() => checkPlaces({ reads: ["/dev/null"], writes: { "--out": "/dev/null" } })).not.toThrow();
  });
});

test("a place where nothing can be written is found before the work", async () => {
  const file = saved("file", "");
  for (const argv of [
    ["trace", "report", "there-is-none", "-o"],
    ["trace", "convert", "there-is-none", "-o"],
    ["run", "machine-locks", "--out"],
    ["execute", saved("unread.ipynb", notebook), "--manifest"],
    ["site", "--out"],
  ])
    expect(await refused(...argv, join(file, "below")), argv.join(" ")).toMatch(/cannot be written/);
});

test("what is no UTF-8 is said, and nothing is written", async () => {
  const file = saved("latin.ipynb", Buffer.from(notebook.replace("{}", '{"title":"caf\xe9"}'), "latin1"));
  expect(() => readText(file)).toThrow(/latin\.ipynb: expected text in UTF-8/);
  expect(await refused("migrate", file)).toMatch(/expected text in UTF-8/);
  expect(await refused("execute", file)).toMatch(/expected text in UTF-8/);
  expect(readText(saved("mark.txt", "\uFEFFtext"))).toBe("text");
});

test.each([
  ["[]", /about\.json: the description: /],
  ['{"abuot":{}}', /about\.json: the description: .*abuot/],
  ['{"about":{"mode":"fast"}}', /about\.json: about\.mode: /],
  ['{"phases":[]}', /about\.json: phases: /],
  ['{"devices":[{"id":1}]}', /about\.json: devices\.0\.id: /],
  ['{"about":{"__proto__":{}}}', /about\.json: expected JSON .*__proto__/],
  [
    '{"phases":[{"name":"a","timeNs":0,"firstOp":2,"description":""},{"name":"b","timeNs":0,"firstOp":1,"description":""}]}',
    /about\.json: phases: "b" begins before/,
  ],
])("a description that is none is refused before the recording is read: %s", async (about, why) => {
  const file = saved("about.json", about);
  expect(await refused("trace", "convert", "there-is-none", "--about", file, "-o", join(folder, "x"))).toMatch(why);
});

test("a sweep's folder has a name of its own, and its draws are a number", async () => {
  // `...json` without its ending would be the folder above.
  for (const name of ["...json", "-a.json", "a b.json"])
    expect(await refused("sweep", "--", saved(name, "{}"))).toMatch(/is no name for a folder; name one with --out/);
  for (const draws of ["nan", "", "0", "-1", "1e3"])
    expect(await refused("sweep", design, `--draws=${draws}`, "--out", join(folder, "draws"))).toContain(
      "--draws: expected a whole number above 0",
    );
});
