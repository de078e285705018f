import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import packed from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/** Keeps a browser that has no network from trying to use it. */
const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
  "--no-default-browser-check",
];

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** A Chromium or Chrome on the PATH, or the one that $CHROMIUM names. */
function systemChromium(): string | undefined {
  if (process.env["CHROMIUM"]) return process.env["CHROMIUM"];
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of names) if (existsSync(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** Starts a Chromium: the system's, or the one that the package @sparticuz/chromium carries (Linux on x64 only). */
export async function launchChromium(): Promise<Browser> {
  const system = systemChromium();
  if (system) return chromium.launch({ executablePath: system, args: [...quiet, "--no-sandbox"] });
  // One process for everything, as the package proposes, takes the whole browser down with one page.
  const args = packed.args.filter((argument) => argument !== "--single-process" && argument !== "--no-zygote");
  return chromium.launch({ executablePath: await packed.executablePath(), args: [...args, ...quiet] });
}
