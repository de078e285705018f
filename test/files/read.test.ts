import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { parseJson, ReadError, readBounded, readRegular, realPlace } from "../../src/files/index.js";
import { fc } from "../support/property.js";

const folder = mkdtempSync(join(tmpdir(), "files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe("readBounded", () => {
  test("gives a file's bytes, unpacked where it is a gzip", () => {
    expect(readBounded(file("plain", "text")).toString()).toBe("text");
    expect(readBounded(file("packed.gz", gzipSync("text"))).toString()).toBe("text");
    expect(readBounded(file("empty", "")).length).toBe(0);
  });

  test("takes what is as large as the limit, and no byte more, plain or unpacked", () => {
    expect(readBounded(file("at", "x".repeat(1000)), 1000).length).toBe(1000);
    expect(readBounded(file("at.gz", gzipSync("x".repeat(1000))), 1000).length).toBe(1000);
    expect(() => readBounded(file("over", "x".repeat(1001)), 1000)).toThrow(/over: is larger than/);
    expect(() => readBounded(file("over.gz", gzipSync("x".repeat(1001))), 1000)).toThrow(/over\.gz: unpacks to more/);
  });

  test("a gzip of a kilobyte for every megabyte does not cost its memory", () => {
    const bomb = file("bomb.gz", gzipSync(Buffer.alloc(2 ** 26)));
    const before = process.memoryUsage().arrayBuffers + process.memoryUsage().external;
    expect(() => readBounded(bomb, 2 ** 20)).toThrow(ReadError);
    expect(process.memoryUsage().arrayBuffers + process.memoryUsage().external - before).toBeLessThan(2 ** 24);
  });

  test("what is not there, a folder, and a gzip cut short are a sentence each", () => {
    expect(() => readBounded(join(folder, "none"))).toThrow(/none: there is no such file\.$/);
    expect(() => readBounded(folder)).toThrow(/it is a folder\.$/);
    expect(() => readBounded(file("cut.gz", gzipSync("x".repeat(9999)).subarray(0, 30)))).toThrow(/cannot be unpacked/);
  });
});

test("readRegular takes no symbolic link and no pipe, and does not wait for one", () => {
  symlinkSync(file("target", "x"), join(folder, "link"));
  expect(() => readRegular(join(folder, "link"), "link", 10)).toThrow("link: it is a symbolic link");
  execFileSync("mkfifo", [join(folder, "fifo")]);
  expect(() => readRegular(join(folder, "fifo"), "fifo", 10)).toThrow("fifo: expected a file");
  expect(readRegular(join(folder, "target"), "target", 1).toString()).toBe("x");
});

describe("realPlace", () => {
  mkdirSync(join(folder, "root", "a"), { recursive: true });
  mkdirSync(join(folder, "elsewhere"));
  symlinkSync("../../elsewhere", join(folder, "root", "a", "out"));
  symlinkSync("../a", join(folder, "root", "a", "self"));
  const root = join(folder, "root");

  test.each([
    ["a/x", "a/x"],
    ["a/../a/./x", "a/x"],
    ["a/self/x", "a/x"],
    ["", ""],
    ["..", undefined],
    ["../root2/x", undefined],
    ["a/out", undefined],
    ["a/out/x", undefined],
    ["/etc/passwd", undefined],
    ["a\0b", undefined],
    ["..x", "..x"],
  ])("%j lies at %j", (path, place) => {
    expect(realPlace(root, path)).toBe(place);
  });

  test("whatever the path, what it gives does not climb", () => {
    const part = fc.constantFrom("..", ".", "a", "out", "self", "x", "", "...");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const place = realPlace(root, parts.join("/"));
        return place === undefined || !place.split("/").includes("..");
      }),
    );
  });
});

describe("parseJson", () => {
  test("reads what JSON.parse reads", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const expected = JSON.parse(text);
        fc.pre(!/__proto__|constructor|prototype/.test(text));
        expect(parseJson(text)).toEqual(expected);
      }),
    );
  });

  test.each([
    '{"__proto__": {"x": 1}}',
    '[{"a": {"constructor": 1}}]',
    '{"\\u005f_proto__": 1}',
  ])("refuses the names in %s, and says them", (text) => {
    expect(() => parseJson(text)).toThrow(/the name "(__proto__|constructor)" is not taken/);
  });

  test("takes those words as values, and brackets in strings as no depth", () => {
    expect(parseJson('{"a": "__proto__"}')).toEqual({ a: "__proto__" });
    expect(parseJson(JSON.stringify(`${"[".repeat(500)}\\"`))).toBe(`${"[".repeat(500)}\\"`);
  });

  test("refuses nesting that would end the stack", () => {
    expect(() => parseJson("[".repeat(1e6))).toThrow("more than 200 deep");
    expect(parseJson("[".repeat(200) + "]".repeat(200))).toBeInstanceOf(Array);
  });
});
