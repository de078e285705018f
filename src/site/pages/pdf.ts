/** The pages as PDF: each for itself, and all in one, by the Chromium that the packages carry. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page as Tab } from "playwright-core";
import { writeWhole } from "../../files/index.js";
import { launchChromium } from "../chromium.js";
import { type Element, eachElement, lines, markup, parsedPage, type Root, written } from "./html.js";
import type { Files } from "./model.js";
import { pagePolicy } from "./policy.js";
import { serveSite } from "./serve.js";

/** Where the PDF of a page lies; pages of source files have none. */
export function pdfOf(url: string): string | undefined {
  return url.startsWith("files/") ? undefined : `pdf/${url.replace(/\.html$/, ".pdf")}`;
}

/** Where the PDF of all pages lies. */
export const wholePdf = "pdf/iommu-lab.pdf";

/**
 * Prints a site that lies in a folder.
 * @param out the folder
 * @param files its contents
 * @param pages addresses, in the order of the whole
 * @throws ChromiumError when no browser can be started
 */
export async function writePdfs(
  out: string,
  files: Files,
  pages: readonly string[],
  onPdf: (done: number, total: number, url: string) => void = () => {},
): Promise<void> {
  const printed = pages.filter((url) => pdfOf(url) !== undefined);
  const server = await serveSite(out);
  const whole = "whole.print.html";
  let browser: Browser | undefined;
  try {
    browser = await launchChromium();
    const context = await browser.newContext({ colorScheme: "light", reducedMotion: "reduce" });
    const tab = await context.newPage();
    writeWhole(join(out, whole), wholePage(files, printed), false);
    for (const [i, url] of [...printed, whole].entries()) {
      const target = join(out, url === whole ? wholePdf : pdfOf(url)!);
      await tab.emulateMedia({ media: "print" });
      await tab.goto(`${server.url}${url}`, { waitUntil: "load" });
      await settle(tab);
      writeWhole(
        target,
        await tab.pdf({
          format: "A4",
          margin: { top: "16mm", bottom: "18mm", left: "17mm", right: "17mm" },
          printBackground: true,
          tagged: true,
          outline: true,
          displayHeaderFooter: true,
          headerTemplate: "<span></span>",
          footerTemplate:
            '<div style="width:100%;font:8px sans-serif;color:#545b63;display:flex;justify-content:space-between;padding:0 17mm"><span class="title"></span><span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>',
        }),
      );
      onPdf(i + 1, printed.length + 1, url);
    }
  } finally {
    rmSync(join(out, whole), { force: true });
    await browser?.close();
    await server.close();
  }
}

/** Waits for the pictures, opens what is folded, and takes away links that lead nowhere from paper. Runs in the page. */
async function settle(tab: Tab): Promise<void> {
  await tab.evaluate(async () => {
    interface Node {
      open: boolean;
      loading: string;
      decode(): Promise<void>;
      getAttribute(name: string): string | null;
      removeAttribute(name: string): void;
    }
    const page = globalThis as unknown as {
      document: { querySelectorAll(selector: string): Iterable<Node>; fonts: { ready: Promise<unknown> } };
    };
    for (const details of page.document.querySelectorAll("article details")) details.open = true;
    for (const link of page.document.querySelectorAll("a[href]"))
      if (!/^(?:#|https?:|mailto:)/.test(link.getAttribute("href")!)) link.removeAttribute("href");
    const pictures = [...page.document.querySelectorAll("main img")];
    for (const picture of pictures) picture.loading = "eager";
    await Promise.all(pictures.map((picture) => picture.decode().catch(() => undefined)));
    await page.document.fonts.ready;
  });
}

/** All pages one after another as one page: names get their page's name in front, links between pages become links inside. */
function wholePage(files: Files, pages: readonly string[]): string {
  const articles = pages.map((url) => {
    const tree = parsedPage(String(files.get(url)));
    const article = first(tree, "article")!;
    const prefix = url.replace(/\.html$/, "").replaceAll("/", "--");
    eachElement(article, (node) => {
      const { id, href, src } = node.properties;
      if (id !== undefined) node.properties["id"] = `${prefix}--${id}`;
      if (Array.isArray(node.properties["ariaDescribedBy"])) delete node.properties["ariaDescribedBy"];
      if (src !== undefined) node.properties["src"] = inside(url, String(src));
      if (node.tagName === "a" && href !== undefined && !/^[a-z]+:/i.test(String(href))) {
        const target = inside(url, String(href));
        const [path, hash] = target.split("#");
        if (pages.includes(path))
          node.properties["href"] = `#${path.replace(/\.html$/, "").replaceAll("/", "--")}${hash ? `--${hash}` : ""}`;
        else delete node.properties["href"];
      }
      return undefined;
    });
    return markup`<article id="${prefix}">${written(article.children)}</article>`;
  });
  return markup`<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="content-security-policy" content="${pagePolicy}"><title>iommu-lab</title>
<link rel="stylesheet" href="assets/site.css"><link rel="stylesheet" href="assets/katex/katex.css"></head>
<body class="page-whole"><div class="frame"><main>${lines(articles)}</main></div></body></html>`.html;
}

function inside(url: string, address: string): string {
  if (address.startsWith("data:")) return address;
  const { pathname, hash } = new URL(address, `file:///${url}`);
  return `${pathname.slice(1)}${hash}`;
}

function first(tree: Root, tagName: string): Element | undefined {
  let found: Element | undefined;
  eachElement(tree, (node) => {
    if (node.tagName === tagName) found ??= node;
    return undefined;
  });
  return found;
}
