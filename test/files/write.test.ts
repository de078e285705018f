import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkFolder, checkWritable, makeFolder, openWhole, StoreError, writeWhole } from "../../src/files/index.js";

const folder = mkdtempSync(join(tmpdir(), "files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
function fresh(): string {
  const place = join(folder, String(count++));
  mkdirSync(place);
  return place;
}

describe("writeWhole", () => {
  test("makes the folders that are missing, and leaves nothing beside the file", () => {
    const place = fresh();
    writeWhole(join(place, "a", "b", "c.txt"), "text");
    writeWhole(join(place, "a", "b", "c.txt"), new Uint8Array([1, 2, 3]));
    expect([...readFileSync(join(place, "a", "b", "c.txt"))]).toEqual([1, 2, 3]);
    expect(readdirSync(join(place, "a", "b"))).toEqual(["c.txt"]);
  });

  test.each([0o600, 0o640, 0o755, 0o444])("keeps the mode %o of a file that is there", (mode) => {
    const file = join(fresh(), "x");
    writeFileSync(file, "old");
    chmodSync(file, mode);
    // A file that may not be written stays as it is, except for root, whom no mode stops.
    if (mode === 0o444 && process.getuid?.() !== 0) expect(() => writeWhole(file, "new")).toThrow(StoreError);
    else {
      writeWhole(file, "new");
      expect(readFileSync(file, "utf8")).toBe("new");
    }
    expect(statSync(file).mode & 0o777).toBe(mode);
  });

  test("keeps symbolic links: what they lead to is written, also where it does not exist yet", () => {
    const place = fresh();
    mkdirSync(join(place, "real"));
    writeFileSync(join(place, "real", "x"), "old");
    symlinkSync("real/x", join(place, "one"));
    symlinkSync("one", join(place, "two"));
    symlinkSync("real/y", join(place, "dangling"));
    writeWhole(join(place, "two"), "new");
    writeWhole(join(place, "dangling"), "there");
    expect(readlinkSync(join(place, "two"))).toBe("one");
    expect(readlinkSync(join(place, "one"))).toBe("real/x");
    expect(readlinkSync(join(place, "dangling"))).toBe("real/y");
    expect(readFileSync(join(place, "real", "x"), "utf8")).toBe("new");
    expect(readFileSync(join(place, "real", "y"), "utf8")).toBe("there");
  });

  test("links in a circle, a folder in the way and a file as a folder are a sentence, and nothing is left", () => {
    const place = fresh();
    symlinkSync("b", join(place, "a"));
    symlinkSync("a", join(place, "b"));
    mkdirSync(join(place, "dir"));
    writeFileSync(join(place, "file"), "");
    for (const [name, why] of [
      ["a", "in a circle"],
      ["dir", "a folder is in the way"],
      ["file/x", "a file"],
      ["n".repeat(300), "too long"],
    ])
      expect(() => writeWhole(join(place, name), "x"), name).toThrow(
        expect.objectContaining({ name: "StoreError", message: expect.stringContaining(why) }),
      );
    expect(readdirSync(place).sort()).toEqual(["a", "b", "dir", "file"]);
  });

  test("does not follow a link that lies where a temporary file might be", () => {
    const place = fresh();
    const victim = join(place, "victim");
    writeFileSync(victim, "mine");
    for (const name of ["out.tmp", `out.${process.pid}.tmp`, ".out.tmp"]) symlinkSync(victim, join(place, name));
    writeWhole(join(place, "out"), "text");
    expect(readFileSync(victim, "utf8")).toBe("mine");
    expect(lstatSync(join(place, "out")).isSymbolicLink()).toBe(false);
  });

  test.runIf(existsSync("/dev/full"))("a full device is a sentence, and a device stays a device", () => {
    expect(() => writeWhole("/dev/full", "x")).toThrow(/^\/dev\/full: cannot be written: the disk is full/);
    writeWhole("/dev/null", "x");
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
    const link = join(fresh(), "link");
    symlinkSync("/dev/full", link);
    expect(() => writeWhole(link, "x")).toThrow("the disk is full");
    expect(readlinkSync(link)).toBe("/dev/full");
  });
});

describe("openWhole", () => {
  test("is seen when it is committed, and not before", () => {
    const file = join(fresh(), "a", "x");
    const whole = openWhole(file);
    whole.write("one,");
    expect(existsSync(file)).toBe(false);
    whole.write(new Uint8Array([0x32]));
    whole.commit();
    whole.discard();
    expect(readFileSync(file, "utf8")).toBe("one,2");
    expect(readdirSync(join(file, ".."))).toEqual(["x"]);
  });

  test("discarded, it leaves what was there, and no folder that it made", () => {
    const place = fresh();
    writeFileSync(join(place, "x"), "old");
    for (const name of ["x", "a/b/y"]) {
      const whole = openWhole(join(place, name));
      whole.write("new");
      whole.discard();
    }
    expect(readFileSync(join(place, "x"), "utf8")).toBe("old");
    expect(readdirSync(place)).toEqual(["x"]);
  });

  test("a folder that comes into its way meanwhile is a sentence, and nothing is left beside it", () => {
    const place = fresh();
    const whole = openWhole(join(place, "x"));
    whole.write("new");
    mkdirSync(join(place, "x", "in"), { recursive: true });
    expect(() => whole.commit()).toThrow(StoreError);
    expect(readdirSync(place)).toEqual(["x"]);
  });
});

describe("makeFolder", () => {
  test("makes what is missing, also where a link leads to nothing yet, and says what it made", () => {
    const place = fresh();
    symlinkSync("real", join(place, "link"));
    expect(makeFolder(join(place, "link", "b"))).toEqual([join(place, "real"), join(place, "real", "b")]);
    expect(makeFolder(join(place, "link", "b"))).toEqual([]);
    expect(statSync(join(place, "real", "b")).isDirectory()).toBe(true);
  });

  test("a file in the way is a sentence", () => {
    const place = fresh();
    writeFileSync(join(place, "file"), "");
    for (const name of ["file", "file/x", "file/x/y"]) expect(() => makeFolder(join(place, name))).toThrow(StoreError);
    expect(readdirSync(place)).toEqual(["file"]);
  });

  // Node's own recursive mkdir never comes back here.
  test.runIf(existsSync("/proc/self"))("where no folder can be made it ends, with a sentence", () => {
    expect(() => makeFolder("/proc/none/of/this")).toThrow(/^\/proc\/none\/of\/this: cannot be written: /);
    expect(() => writeWhole("/proc/none/of/this", "")).toThrow(StoreError);
    expect(() => checkFolder("/proc/none")).toThrow(StoreError);
  });
});

test("what cannot be written is found beforehand, and looking leaves nothing", () => {
  const place = fresh();
  writeFileSync(join(place, "file"), "old");
  for (const name of [".", "file/x"]) expect(() => checkWritable(join(place, name))).toThrow(StoreError);
  expect(() => checkFolder(join(place, "file"))).toThrow(StoreError);
  checkWritable(join(place, "file"));
  checkWritable(join(place, "a", "b"));
  checkFolder(join(place, "c"));
  expect(readdirSync(place)).toEqual(["file"]);
  expect(readFileSync(join(place, "file"), "utf8")).toBe("old");
});
