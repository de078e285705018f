// One process at a time may set something up in a folder: a lock that survives crashes of its owner.
// Plain JavaScript without dependencies, since the very first set-up uses it before anything is installed.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

/** When a process was started, so that a process id used a second time is not mistaken for the lock's owner. */
function startTime(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    const { status, stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return status === 0 ? stdout.trim() : "";
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Whether the lock's owner is still there. */
function held(folder) {
  try {
    const [pid, started] = readFileSync(join(folder, "owner"), "utf8").split("\n");
    return alive(Number(pid)) && startTime(Number(pid)) === started;
  } catch {
    // No owner written yet: it is being taken this very moment, or its owner died doing so.
    try {
      return Date.now() - statSync(folder).mtimeMs < 2000;
    } catch {
      return false;
    }
  }
}

/**
 * Takes the lock if it is free.
 * @param {string} folder the lock: a folder that exists while it is held
 * @returns {(() => void) | undefined} releases it; undefined when another process holds it, or has just let it go
 * @throws the system's error when the folder cannot be made
 */
export function tryLock(folder) {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    if (!held(folder)) removeStale(folder);
    return undefined;
  }
  try {
    writeFileSync(join(folder, "owner"), `${process.pid}\n${startTime(process.pid)}`);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return () => rmSync(folder, { recursive: true, force: true });
}

/**
 * Takes the lock, waiting for another process that holds it (and blocking this one meanwhile).
 * @param {string} folder the lock
 * @param {{ onWait?: () => void, waitMs?: number }} [options] onWait is called once, when it has to wait; waitMs bounds the wait
 * @returns {() => void} releases it
 * @throws the system's error when the folder cannot be made; an error with code "ELOCKED" when the wait was in vain
 */
export function takeLock(folder, { onWait = () => {}, waitMs = 600_000 } = {}) {
  const deadline = Date.now() + waitMs;
  for (let tries = 0; ; tries++) {
    const release = tryLock(folder);
    if (release) return release;
    if (Date.now() > deadline) {
      throw Object.assign(new Error(`another process holds ${folder}`), { code: "ELOCKED" });
    }
    // The first time round it may have been a lock without an owner, which is removed by now.
    if (tries === 1) onWait();
    sleep(tries === 0 ? 0 : 100);
  }
}

/** Removes a lock whose owner is gone; a second lock keeps two finders from removing each other's fresh lock. */
function removeStale(folder) {
  const guard = `${folder}.stale.tmp`;
  try {
    mkdirSync(guard);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    if (Date.now() - (statSync(guard, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()) > 10_000) {
      rmSync(guard, { recursive: true, force: true });
    }
    return;
  }
  try {
    if (!held(folder)) {
      const gone = `${folder}.${process.pid}.tmp`;
      renameSync(folder, gone);
      rmSync(gone, { recursive: true, force: true });
    }
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  } finally {
    rmSync(guard, { recursive: true, force: true });
  }
}
