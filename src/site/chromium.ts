import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { writeWhole } from "../files/index.js";

/** Keeps a browser that has no network from trying to use it. */
const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
  "--no-default-browser-check",
];

/**
 * Of what the package proposes: one process for everything takes the whole browser down with one page; and without the rules of the web a
 * page reads files of this machine.
 */
const leftOut = new Set([
  "--single-process",
  "--no-zygote",
  "--disable-web-security",
  "--allow-running-insecure-content",
  "--disable-site-isolation-trials",
]);

/** No browser can be had: the message is one sentence that says what to do. */
export class ChromiumError extends Error {
  override name = "ChromiumError";
}

/** A package that may be left out (`npm ci --omit=optional`); undefined where it is. */
async function optional<T>(load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** Where system packages and installers put a Chromium or Chrome. */
function systemChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const onPath = (process.env["PATH"] ?? "").split(delimiter).flatMap((folder) => names.map((n) => join(folder, n)));
  const applications = ["Google Chrome", "Chromium"].map((n) => `/Applications/${n}.app/Contents/MacOS/${n}`);
  return [...onPath, ...applications].find((path) => existsSync(path));
}

/**
 * The Chromium that the package @sparticuz/chromium carries (Linux on x64), unpacked once into node_modules/.cache with its fonts and
 * with the libraries a bare machine lacks. The package itself would unpack into the system's temp folder, where two processes that start at
 * once, or another user's file of the same name, get in each other's way.
 */
async function unpackedChromium(packed: { executablePath(): Promise<string> }): Promise<string> {
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const manifest = entry.slice(0, entry.lastIndexOf("/build/")).concat("/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const cache = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "node_modules", ".cache", "iommu-lab");
  const folder = join(cache, `chromium-${version}`);
  if (existsSync(folder)) return folder;
  const staging = `${folder}.${process.pid}`;
  mkdirSync(staging, { recursive: true });
  // The package reads both variables when it unpacks: where to, and whether to unpack the libraries too.
  const before = { TMPDIR: process.env["TMPDIR"], AWS_EXECUTION_ENV: process.env["AWS_EXECUTION_ENV"] };
  try {
    process.env["TMPDIR"] = staging;
    process.env["AWS_EXECUTION_ENV"] = "AWS_Lambda_nodejs22.x";
    await packed.executablePath();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
  try {
    renameSync(staging, folder);
  } catch (error) {
    // Another process was quicker.
    if (!existsSync(folder)) throw error;
    rmSync(staging, { recursive: true, force: true });
  }
  return folder;
}

/**
 * The font configuration of the unpacked Chromium: its own fonts and no others, so that text looks the same everywhere. The one in the package
 * looks in folders of another machine, where nothing is; with it a page has no letters at all, and one that asks for a missing letter ends the browser.
 * @returns the file's path
 */
function fontConfiguration(folder: string): string {
  const file = join(folder, "fonts", "iommu-lab.conf");
  const text = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, "fonts")}</dir>
  <cachedir>${join(folder, "fonts-cache")}</cachedir>
</fontconfig>
`;
  // Written anew where the folder was moved.
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeWhole(file, text);
  return file;
}

/**
 * Starts a headless Chromium: the one that $CHROMIUM names, else the one that comes with the packages, so that pictures come out the same
 * everywhere, else a Chromium or Chrome of the system.
 * @throws ChromiumError saying what to install.
 */
export async function launchChromium(): Promise<Browser> {
  const driver = await optional(() => import("playwright-core"));
  if (driver === undefined) {
    throw new ChromiumError(
      "Pictures need the package playwright-core, which was left out when the packages were installed: `npm ci --include=optional` adds it.",
    );
  }
  const start = (executablePath: string, args: string[], env?: Record<string, string>) =>
    driver.chromium.launch({ executablePath, args: [...args, ...quiet], ...(env ? { env } : {}), handleSIGINT: false });
  const reasons: string[] = [];
  const attempt = async (what: string, run: () => Promise<Browser>): Promise<Browser | undefined> => {
    try {
      return await run();
    } catch (error) {
      const lines = String((error as Error).message).split("\n");
      reasons.push(`${what}: ${lines.find((line) => /error while loading|cannot|No such/i.test(line)) ?? lines[0]}`);
      return undefined;
    }
  };
  const named = process.env["CHROMIUM"];
  if (named) {
    const browser = await attempt(named, () => start(named, ["--no-sandbox"]));
    if (browser) return browser;
  } else if (process.platform === "linux" && process.arch === "x64") {
    const packed = (await optional(() => import("@sparticuz/chromium")))?.default;
    if (packed === undefined) reasons.push("the packaged Chromium was left out when the packages were installed");
    const args = (packed?.args ?? []).filter((argument: string) => !leftOut.has(argument));
    const launched =
      packed &&
      attempt("the packaged Chromium", async () => {
        const folder = await unpackedChromium(packed);
        const env: Record<string, string> = { FONTCONFIG_FILE: fontConfiguration(folder) };
        for (const [name, value] of Object.entries(process.env)) if (value !== undefined) env[name] ??= value;
        const path = join(folder, "chromium");
        return start(path, args, env).catch((error: Error) => {
          if (!/error while loading shared libraries/.test(error.message)) throw error;
          const libraries = [join(folder, "al2023", "lib"), env["LD_LIBRARY_PATH"]].filter(Boolean).join(delimiter);
          return start(path, args, { ...env, LD_LIBRARY_PATH: libraries });
        });
      });
    const browser = await launched;
    if (browser) return browser;
  }
  const system = named ? undefined : systemChromium();
  const browser = system && (await attempt(system, () => start(system, ["--no-sandbox"])));
  if (browser) return browser;
  throw new ChromiumError(
    `No Chromium can be started (${reasons.join("; ") || "none was found"}). Install Chromium or Google Chrome, or name one in the environment variable CHROMIUM.`,
  );
}
