// Hostile notebooks and bibliographies, built into sites and looked at by a browser: no script runs, nothing is written outside the folder,
// nothing of a planted secret gets out, and what is refused leaves nothing behind.
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildSite, launchChromium, parseNotebook, serveSite } from "../../dist/site/index.js";
import {
  hostileBibliography,
  hostileGlossary,
  hostileNotebook,
  hostileReadme,
  hostileSvg,
} from "./grammar/hostile.mjs";
import { Random } from "./random.mjs";

export const defaultCount = 5000;
const perSite = 25;
const secret = "TOKEN-3f9a1c77e25b48d0";

/** The secret as it is, and as it might get out. */
const secretForms = [
  secret,
  Buffer.from(secret).toString("base64").slice(0, 24),
  Buffer.from(secret).toString("hex"),
  encodeURIComponent(secret),
].map((form) => Buffer.from(form));

export async function soak({ count, seed, say = () => {}, look = true }) {
  const faults = [];
  const totals = { notebooks: 0, refused: 0, pages: 0, drawings: 0, sites: 0, kept: 0 };
  const watcher = look ? await startWatching(faults) : undefined;
  try {
    for (let done = 0; done < count; done += perSite) {
      const number = seed + totals.sites;
      await oneSite(number, Math.min(perSite, count - done), totals, faults, watcher);
      totals.sites++;
      if (totals.sites % 20 === 0)
        say(`${done + perSite} notebooks, ${totals.pages} pages looked at, ${faults.length} faults`);
    }
  } finally {
    await watcher?.close();
  }
  const { notebooks, refused, pages, drawings, sites } = totals;
  return {
    report: `${notebooks} notebooks in ${sites} sites (seeds ${seed} to ${seed + sites - 1}): ${refused} refused, ${notebooks - refused} built; ${pages} pages and ${drawings} drawings looked at without their content security policy; ${faults.length} faults`,
    faults,
  };
}

/** A project with a secret beside and inside it, and links that lead there. */
function plant(top, random, count) {
  const root = join(top, "project");
  const put = (file, content) => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), content);
  };
  put(".env", secret);
  put("results/private.md", secret);
  put("data/key.pem", secret);
  writeFileSync(join(top, "secret.txt"), secret);
  writeFileSync(join(top, "secret.md"), secret);
  put("package.json", '{"version":"1"}');
  put("README.md", hostileReadme(random));
  put("data/references.bib", hostileBibliography(random));
  put("notebooks/glossary.md", hostileGlossary(random));
  put("notebooks/drawing.svg", hostileSvg(random));
  put("notebooks/beside.md", "# Beside\n");
  symlinkSync("../.env", join(root, "notebooks", "link.md"));
  symlinkSync("../../secret.md", join(root, "notebooks", "link.png"));
  symlinkSync("../..", join(root, "notebooks", "away"));
  const names = [];
  for (let i = 0; i < count; i++) {
    const name = random.chance(0.01)
      ? random.pick(['x"><img src=x onerror=hit(1)>', "a#b", ".hidden", "a%2e", "-rf", "a\nb"]) + i
      : `n-${i}`;
    names.push(`notebooks/${name}.ipynb`);
    put(`notebooks/${name}.ipynb`, JSON.stringify(hostileNotebook(random, i)));
  }
  return { root, names };
}

async function oneSite(seed, count, totals, faults, watcher) {
  const random = new Random(seed);
  const fault = (message) => faults.push(`seed ${seed}: ${message}`);
  const top = mkdtempSync(join(tmpdir(), "soak-site-"));
  try {
    const { root, names } = plant(top, random, count);
    const out = join(top, "out");
    totals.notebooks += names.length;
    const left = new Set(names);
    let built;
    for (let tries = 0; built === undefined && tries < 4 * count; tries++) {
      const before = snapshot(top);
      try {
        built = await buildSite({ root, out });
      } catch (error) {
        if (!["SiteError", "NotebookError"].includes(error.name)) {
          fault(`an error that is no sentence: ${error.stack}`);
          return;
        }
        if (existsSync(out)) fault(`refused, but something was written: ${error.message.slice(0, 200)}`);
        // A notebook that cannot be read stops the build by itself; the others like it are found at once.
        const named = [...left].filter((name) => error.message.includes(`${name}: `) || !isNotebook(join(root, name)));
        // What is refused in the README, the glossary or the bibliography: the rest is looked at without them.
        for (const file of ["README.md", "notebooks/glossary.md", "data/references.bib", "notebooks/beside.md"])
          if (error.message.includes(`${file}: `)) writeFileSync(join(root, file), "# Empty\n");
        for (const name of named) {
          left.delete(name);
          rmSync(join(root, name));
          totals.refused++;
        }
        if (left.size === 0) return;
        continue;
      }
      compare(before, snapshot(top), fault);
    }
    if (built === undefined) return fault("it is refused without naming a notebook");
    for (const [file, bytes] of contents(out)) {
      // What a notebook says itself it may say: the secret is in none of them.
      if (secretForms.some((form) => bytes.includes(form))) fault(`the secret is in ${file}`);
    }
    if (watcher) await watcher.site(out, built.pages, fault, totals);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}

function isNotebook(path) {
  try {
    return parseNotebook(readFileSync(path, "utf8"), path) !== undefined;
  } catch {
    return false;
  }
}

/** Everything below a folder outside of out/: files by what they hold, links by where they lead. */
function snapshot(top) {
  const found = new Map();
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (path === join(top, "out")) continue;
      if (entry.isDirectory()) walk(path);
      else if (lstatSync(path).isSymbolicLink()) found.set(path, `-> ${readlinkSync(path)}`);
      else found.set(path, createHash("sha1").update(readFileSync(path)).digest("hex"));
    }
  };
  walk(top);
  return found;
}

function compare(before, after, fault) {
  for (const [path, what] of after)
    if (before.get(path) !== what) fault(`${path} was written outside of the site's folder`);
  for (const path of before.keys()) if (!after.has(path)) fault(`${path} was removed outside of the site's folder`);
}

function contents(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name))]);
}

/** A browser that lets everything run that a page contains, and writes down what does. */
async function startWatching() {
  const browser = await launchChromium();
  // Without the pages' policy, so that the escaping alone is tried.
  const context = await browser.newContext({ bypassCSP: true, viewport: { width: 1200, height: 2000 } });
  await context.addInitScript(() => {
    globalThis.ran = [];
    globalThis.hit = (what) => void globalThis.ran.push(String(what));
    globalThis.alert = globalThis.hit;
  });
  const page = await context.newPage();
  let current = { fault: () => {}, allowed: "", where: "" };
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(current.allowed) && !/^(?:data:image|blob:|about:)/.test(url))
      current.fault(`${current.where} asks for ${url.slice(0, 200)}`);
  });
  page.on("dialog", (dialog) => {
    current.fault(`${current.where} opens a dialog`);
    dialog.dismiss().catch(() => {});
  });
  return {
    async site(out, pages, fault, totals) {
      const server = await serveSite(out);
      try {
        for (const url of pages) {
          current = { fault, allowed: server.url, where: url };
          await page.goto(server.url + encodeURI(url), { waitUntil: "load" });
          await page.evaluate(() => {
            for (const details of document.querySelectorAll("details")) details.open = true;
          });
          // The first plots are drawn by plotly, whose texts may hold links and markup of a kind.
          if ((await page.locator(".canvas[data-plot]").count()) > 0)
            await page.waitForSelector(".canvas.drawn", { state: "attached", timeout: 5000 }).catch(() => {});
          for (const problem of await page.evaluate(problems)) fault(`${url}: ${problem}`);
          totals.pages++;
        }
        for (const [file] of contents(out).filter(([name]) => name.endsWith(".svg"))) {
          const address = pathToFileURL(file).href;
          current = { fault, allowed: address, where: file };
          await page.goto(address, { waitUntil: "load" });
          for (const problem of await page.evaluate(problems)) fault(`${file}: ${problem}`);
          totals.drawings++;
        }
      } finally {
        await server.close();
      }
    },
    close: () => browser.close(),
  };
}

/** Runs in the page: what ran, and what would run if somebody clicked or waited. */
function problems() {
  const found = globalThis.ran.map((what) => `a script ran: ${what}`);
  for (const node of document.querySelectorAll("*")) {
    if (
      node.localName === "script" &&
      !/^(?:\.\.\/)*(?:assets|figures)\/[\w./ -]+\.js$/.test(node.getAttribute("src") ?? "")
    ) {
      const added =
        /\/(?:assets|figures)\/[\w./ %-]+\.js$/.test(node.src) && new URL(node.src).origin === location.origin;
      if (!added) found.push(`a script element: ${node.outerHTML.slice(0, 120)}`);
    }
    if (
      !node.closest(".live") &&
      /^(?:iframe|object|embed|base|form|meta|link|frame|applet|animate|set|foreignobject)$/i.test(node.localName)
    ) {
      const own =
        (node.localName === "form" && node.closest("dialog.search")) ||
        (/^(?:meta|link)$/.test(node.localName) && node.parentNode === document.head);
      if (!own) found.push(`an element that loads or acts: ${node.outerHTML.slice(0, 120)}`);
    }
    for (const { name, value } of node.attributes) {
      if (/^on/i.test(name)) found.push(`a handler: ${node.outerHTML.slice(0, 120)}`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers leave control characters out of addresses
      const address = value.replace(/[\u0000-\u0020]/g, "");
      if (
        /^(?:href|src|action|formaction|xlink:href|data|poster|background|srcset)$/i.test(name) &&
        /^(?:javascript|vbscript|data:(?!image\/(?:png|jpeg|gif|webp|svg)))/i.test(address)
      )
        found.push(`an address that runs: ${node.outerHTML.slice(0, 120)}`);
    }
  }
  return found;
}
