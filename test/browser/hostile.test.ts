/// <reference lib="dom" />
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildSite, launchChromium, serveSite } from "../../src/site/index.js";
import { code, notebook, plot, project, text } from "../site/project.js";
// @ts-expect-error plain JavaScript, as npm run soak runs it
import { soak as untyped } from "../soak/site.mjs";

const soak = untyped as (options: { count: number; seed: number }) => Promise<{ report: string; faults: string[] }>;
const folder = mkdtempSync(join(tmpdir(), "hostile-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The short version of `npm run soak -- site`.
test("no script of a hostile notebook runs in the reader's browser, even without the pages' policy", async () => {
  const { report, faults } = await soak({ count: 50, seed: 7 });
  console.log(report);
  expect(faults).toEqual([]);
});

test("the pages' policy stops scripts, handlers and what comes from elsewhere, were they there", async () => {
  const root = project(join(folder, "project"), {
    "notebooks/n.ipynb": notebook([text("# T"), code("a", [plot("One", "x")], "fig-one")]),
  });
  const out = join(folder, "out");
  await buildSite({ root, out });
  const server = await serveSite(out);
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on("requestfinished", (request) => asked.push(request.url()));
    await page.goto(`${server.url}n.html`, { waitUntil: "load" });
    await page.waitForSelector(".canvas.drawn", { state: "attached" });
    const ran = await page.evaluate(async () => {
      const scope = globalThis as unknown as { ran: string[] };
      scope.ran = [];
      const evil = document.createElement("div");
      evil.innerHTML = `<img src="http://127.0.0.1:9/a.png" onerror="ran.push('handler')"><a id="js" href="javascript:ran.push('link')">x</a>`;
      document.body.append(evil);
      const script = document.createElement("script");
      script.textContent = "ran.push('inline')";
      document.body.append(script);
      (document.getElementById("js") as HTMLElement).click();
      const fetched = await fetch(location.href).then(
        () => "fetched",
        () => "",
      );
      await new Promise((resolve) => setTimeout(resolve, 200));
      return [...scope.ran, fetched].filter((what) => what !== "");
    });
    expect(ran).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(server.url))).toEqual([]);
  } finally {
    await browser.close();
    await server.close();
  }
});
