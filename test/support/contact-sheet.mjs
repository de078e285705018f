// A contact sheet of every figure: those that the notebooks store and those of the gallery, as they look on a light and on a dark
// page, on a phone and on paper. `npm run contact-sheet` writes results/contact-sheet/; words after it choose notebooks and looks:
// `npm run contact-sheet -- 02 gallery dark phone`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { themed } from "iommu-lab/plot";
import { launchChromium } from "iommu-lab/site";

const root = new URL("../../", import.meta.url);
const plotlyType = "application/vnd.plotly.v1+json";

/** How wide a figure is, on which page: a notebook's column, the widest that a page of 1440 pixels gives, the same in the dark, a phone's screen, a printed page. */
const looks = {
  light: { width: 704, columns: 3, theme: "light", paper: "#ffffff" },
  wide: { width: 1040, columns: 2, theme: "light", paper: "#ffffff" },
  dark: { width: 704, columns: 3, theme: "dark", paper: "#111111" },
  phone: { width: 358, columns: 5, theme: "light", paper: "#ffffff" },
  print: { width: 640, columns: 3, theme: "light", paper: "#ffffff" },
};

/** The tests' gallery as JavaScript that takes the built plots. */
async function gallerySource() {
  const { default: ts } = await import("typescript");
  const source = readFileSync(new URL("test/plot/gallery.ts", root), "utf8");
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const code = outputText.replace("../../src/plot/index.js", new URL("dist/plot/index.js", root).href);
  return `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
}

/** Figures by the name of their sheet: a notebook's number, or "gallery". */
async function sheets() {
  const folder = new URL("notebooks/", root);
  const found = new Map();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".ipynb"))) {
    const { cells } = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    const figures = cells.flatMap(({ id, outputs = [] }) =>
      outputs.flatMap(({ data }) => (data?.[plotlyType] ? [{ name: id, figure: data[plotlyType] }] : [])),
    );
    if (figures.length > 0) found.set(file.slice(0, 2), figures);
  }
  const { gallery } = await import(await gallerySource());
  found.set(
    "gallery",
    Object.entries(gallery).map(([name, make]) => ({ name, figure: make() })),
  );
  return found;
}

/** Runs in the page: draws the figures side by side, each under its name. */
async function drawAll({ figures, width, columns, paper }) {
  document.body.replaceChildren();
  Object.assign(document.body.style, { margin: 0, padding: "8px", background: paper, display: "grid", gap: "12px" });
  document.body.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
  const lib = globalThis.Plotly ?? globalThis.moduleName;
  const ruler = document.createElement("canvas").getContext("2d");
  const measured = (text, size) => {
    ruler.font = `${size}px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif`;
    return ruler.measureText(text).width;
  };
  for (const { name, config, ...given } of figures) {
    // As the pages do it: fitted to the room, with texts measured in the page's font.
    const { data, layout } = globalThis.fitToWidth(given, width, measured);
    const sized = { ...layout, width: layout.meta?.wide };
    const box = document.createElement("div");
    const label = document.createElement("div");
    label.textContent = name;
    label.style.cssText = "font:11px monospace;color:#888";
    const node = document.createElement("div");
    // What is wider than a phone scrolls there; here it shows its beginning.
    node.style.cssText = `width:${width}px;overflow:hidden`;
    box.append(label, node);
    document.body.append(box);
    await lib.newPlot(node, data, sized, { ...config, staticPlot: true });
  }
  return [document.body.scrollWidth, document.body.scrollHeight];
}

const asked = process.argv.slice(2);
const out = new URL("results/contact-sheet/", root);
mkdirSync(out, { recursive: true });
const all = await sheets();
const names = [...all.keys()].filter((name) => !asked.some((word) => all.has(word)) || asked.includes(name));
const shown = Object.keys(looks).filter((name) => !asked.some((word) => word in looks) || asked.includes(name));
const unknown = asked.filter((word) => !all.has(word) && !(word in looks));
if (unknown.length > 0) {
  console.error(`There is no sheet "${unknown[0]}"; there are ${[...all.keys(), ...Object.keys(looks)].join(", ")}.`);
  process.exit(2);
}
const browser = await launchChromium();
try {
  const page = await browser.newPage({ viewport: { width: 2200, height: 900 } });
  await page.setContent("<!doctype html><body></body>");
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve("plotly.js-dist-min") });
  const fit = readFileSync(new URL("dist/plot/fit.js", root), "utf8").replace(/^export /gm, "");
  await page.addScriptTag({ content: `globalThis.fitToWidth = (() => {\n${fit}\nreturn fitted;\n})();` });
  for (const name of names)
    for (const look of shown) {
      const { width, columns, theme, paper } = looks[look];
      const figures = all.get(name).map(({ name, figure }) => ({ name, ...themed(figure, theme) }));
      const [wide, high] = await page.evaluate(drawAll, {
        figures: JSON.parse(JSON.stringify(figures)),
        width,
        columns,
        paper,
      });
      await page.setViewportSize({ width: Math.max(400, wide + 8), height: Math.min(high, 16000) });
      const file = new URL(`${name}-${look}.png`, out);
      writeFileSync(file, await page.screenshot({ fullPage: true }));
      console.log(`results/contact-sheet/${name}-${look}.png: ${figures.length} figures`);
    }
} finally {
  await browser.close();
}
