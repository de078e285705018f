import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { kernelsIn } from "../../src/cli/jupyter-paths.js";
import { readSmall } from "../../src/files/index.js";
import { readConnection } from "../../src/jupyter/wire/connection.js";
import { lockFolder } from "../../src/sweep/index.js";

const folder = mkdtempSync(join(tmpdir(), "readers-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Why a file may read whole files by itself: never a path that a user, or a folder of results, gives. */
const own: Readonly<Record<string, string>> = {
  "cells/host/children.ts": "/proc of this machine",
  "cells/host/doors.ts": "this package",
  "cells/host/executor-helper.ts": "/proc of this process",
  "cells/host/language.ts": "the compiler's library",
  "cells/host/loading.ts": "package.json of packages that a cell imports, which are code that is run",
  "cells/host/snapshot-bundle.ts": "the compiler",
  "cells/host/snapshot-start.ts": "this package, as it is on the disk now",
  "cells/host/snapshot.ts": "this package",
  "cli/memory.ts": "/proc of this machine",
  "cli/reproduce.ts": "this package",
  "cli/sweep/run.ts": "the ensemble that it has just written",
  "facts/generate.mjs": "data/ of this package, at build time",
  "lab/environment.ts": "this package, and the Python environment it made",
  "lab/files.ts": "files that the set-up writes",
  "lab/jupyter.ts": "the log of the server that it started",
  "lab/lock.mjs": "/proc, and the lock of the set-up",
  "lab/prepare.ts": "an installed package",
  "lab/setup.mjs": "this package",
  "recorder/record/system.ts": "the kernel's tracefs",
  "recordings/generate.mjs": "data/ of this package, at build time",
  "site/api-reference.ts": "pages that it has just written",
  "site/chromium.ts": "an installed package",
  "site/pages/assets.ts": "installed packages",
  "site/picture.ts": "an installed package",
  "sweep/code.ts": "this package",
};

test("whoever reads a user's file reads it through src/files, which waits for no pipe and takes no more than a limit", () => {
  const src = new URL("../../src/", import.meta.url).pathname;
  const found = readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|mjs|cjs)$/.test(name) && !name.endsWith("generated.ts") && !name.startsWith("files/"))
    .filter((name) => /\breadFileSync\(/.test(readFileSync(join(src, name), "utf8")));
  // The other way, too: who does not read any more leaves the list.
  expect(found.toSorted()).toEqual(Object.keys(own).toSorted());
});

test.runIf(existsSync("/dev/zero"))(
  "a pipe that nobody writes to and a device without end are a sentence at once",
  () => {
    const pipe = join(folder, ".lock");
    execFileSync("mkfifo", [pipe]);
    for (const file of [pipe, "/dev/zero", folder]) {
      expect(() => readSmall(file)).toThrow(/expected a file; it is something else/);
      expect(() => readConnection(file)).toThrow(/connection file cannot be read\. .*expected a file/);
    }
    expect(() => lockFolder(folder)).toThrow(/choose another folder/);
    const kernels = mkdtempSync(join(folder, "kernels-"));
    execFileSync("mkdir", [join(kernels, "odd")]);
    execFileSync("mkfifo", [join(kernels, "odd", "kernel.json")]);
    expect(kernelsIn(kernels)).toMatchObject([{ name: "odd", problem: expect.stringContaining("expected a file") }]);
  },
);

test("a small file is taken up to its limit, and what is not there has the system's name for it", () => {
  const file = join(folder, "small");
  writeFileSync(file, "12345");
  expect(readSmall(file, 5)).toBe("12345");
  expect(() => readSmall(file, 4)).toThrow(/is larger than/);
  expect(() => readSmall(join(folder, "none"))).toThrow(expect.objectContaining({ code: "ENOENT" }));
});
