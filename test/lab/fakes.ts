import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A folder for one test file, removed after its tests. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Puts a shell script in place of a program. */
export function fakeProgram(folder: string, name: string, script: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** What a stand-in for Python does when it is asked to install. */
export interface FakePython {
  version?: [number, number, number];
  /** Whether it has its modules for virtual environments. */
  venv?: boolean;
  /** Shell lines for `python -m pip install … -r requirements.lock`. */
  pip?: string;
  /** Shell lines for `python -m venv FOLDER`, after the folder is made. */
  onVenv?: string;
}

/** A stand-in for Python that answers what the set-up asks, and fails as told. Needs /bin/sh and the tools in /bin only. */
export function fakePython(folder: string, name: string, fake: FakePython = {}): string {
  const { version = [3, 12, 1], venv = true, pip = "exit 0", onVenv = "" } = fake;
  return fakeProgram(
    folder,
    name,
    `
case "$*" in
  "-c import encodings") exit 0 ;;
  "-c "*) echo '{"path": "'"$0"'", "version": [${version.join(", ")}], "venv": ${venv}}' ;;
  "-m venv "*) /bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python"; ${onVenv} ;;
  "-m pip install"*"--target"*) exit 1 ;;
  "-m pip install"*) ${pip} ;;
esac`,
  );
}
