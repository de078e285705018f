/** The finished site, looked at as a reader's browser does: does every address lead somewhere? */
import { browsed, eachElement, parsedPage } from "./html.js";
import type { Fault, Files } from "./model.js";

/** A page and its own pictures and plots, without what all pages share. */
export const heaviestPage = 2_000_000;

interface Seen {
  ids: Set<string>;
  links: { href: string; what: string }[];
  /** What is loaded with the page, by address inside the site. */
  parts: Set<string>;
}

/**
 * Checks the pages of a site: links, anchors, pictures and scripts; ids that are used twice; addresses elsewhere that a page would load;
 * and each page's weight.
 * @param files the site's files by address
 * @param exists whether a file that is not among them lies in the site's folder
 * @returns a sentence for each fault
 */
export function checkSite(files: Files, exists: (url: string) => boolean = () => false): Fault[] {
  const faults: Fault[] = [];
  const pages = new Map<string, Seen>();
  for (const [url, content] of files) {
    if (!url.endsWith(".html") || typeof content !== "string") continue;
    pages.set(
      url,
      look(content, (message) => faults.push({ page: url, message })),
    );
  }
  for (const [url, { links, parts }] of pages) {
    const fault = (message: string) => faults.push({ page: url, message });
    for (const { href, what } of links) {
      const [path, hash] = split(url, href);
      if (path === undefined) fault(`${what} is no address.`);
      else if (!files.has(path) && !exists(path)) fault(`${what} leads to ${path}, which is not in the site.`);
      else if (hash !== "" && pages.has(path) && !pages.get(path)!.ids.has(hash))
        fault(`${what} leads to "${hash}" on ${path}, and nothing there has that name.`);
    }
    let weight = Buffer.byteLength(files.get(url)!);
    for (const part of parts) {
      const [path] = split(url, part);
      const content = path === undefined ? undefined : files.get(path);
      if (path === undefined) fault(`it loads ${part}, which is no address.`);
      else if (content === undefined && !exists(path)) fault(`it loads ${path}, which is not in the site.`);
      else if (content !== undefined && !path.startsWith("assets/")) weight += Buffer.byteLength(content);
    }
    if (weight > heaviestPage)
      fault(`it weighs ${(weight / 1e6).toFixed(1)} MB with its pictures and plots; expected at most 2 MB.`);
  }
  return faults;
}

const outside = (address: string): boolean => /^(?:[a-z][a-z+.-]*:|\/\/)/i.test(browsed(address));

function look(html: string, fault: (message: string) => void): Seen {
  const seen: Seen = { ids: new Set(), links: [], parts: new Set() };
  const load = (address: string, tag: string) => {
    if (address.startsWith("data:")) return;
    if (outside(address) || address === "")
      fault(`a ${tag} would load "${address}"; expected an address inside the site.`);
    else seen.parts.add(address);
  };
  eachElement(parsedPage(html), (node) => {
    const { id, href, src, dataPlot, ariaDescribedBy } = node.properties;
    if (id !== undefined) {
      if (seen.ids.has(String(id))) fault(`the name "${id}" is used twice.`);
      seen.ids.add(String(id));
    }
    if (src !== undefined) load(String(src), node.tagName);
    if (dataPlot !== undefined) load(String(dataPlot), "plot");
    if (node.tagName === "link" && href !== undefined) load(String(href), "link");
    if (node.tagName === "a" && href !== undefined && !outside(String(href)))
      seen.links.push({ href: String(href), what: `a link (${String(href)})` });
    if (Array.isArray(ariaDescribedBy))
      for (const name of ariaDescribedBy) seen.links.push({ href: `#${name}`, what: "a description" });
    return undefined;
  });
  return seen;
}

/** An address on a page as an address inside the site, undefined where it is none, and what stands behind its `#`. */
function split(page: string, href: string): [path: string | undefined, hash: string] {
  try {
    const { pathname, hash, host } = new URL(href, `file:///${page}`);
    if (host !== "") return [undefined, ""];
    return [decodeURIComponent(pathname.slice(1)), decodeURIComponent(hash.slice(1))];
  } catch {
    return [undefined, ""];
  }
}
