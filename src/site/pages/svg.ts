/** Drawings in SVG without anything that could run or load: opened by itself, an SVG is a page like any other. */
import { toHtml } from "hast-util-to-html";
import { type Element, fragment, type Root } from "./html.js";

const shapes = "circle ellipse g line path polygon polyline rect svg switch symbol text textPath tspan use view";
const paints = "clipPath defs desc filter image linearGradient marker mask pattern radialGradient stop style title";
const effects =
  "feBlend feColorMatrix feComponentTransfer feComposite feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feOffset";
const elements = new Set(`${shapes} ${paints} ${effects}`.split(" "));

/** Texts that make a style or an attribute load something, or hide that they do. */
const loads = /url\(\s*(?!["']?#)|@import|@font-face|javascript:|image\(|image-set|src\(|\\|<|&/i;
const ownAnchor = /^#[\w.:-]+$/;
const ownPicture = /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]*$/;
/** No drawing lies deeper. */
const deepest = 200;

/**
 * A drawing as it may be published: shapes, texts and paints stay; scripts, handlers, animations, links, foreign content and whatever would be
 * loaded from elsewhere do not.
 * @param text SVG
 * @returns undefined where the text holds no drawing
 */
export function cleanedSvg(text: string): string | undefined {
  // What stands before the drawing (a document type with its entities, say) is left out.
  const at = text.search(/<svg[\s>]/i);
  const parsed = at < 0 ? undefined : fragment(text.slice(at)).children[0];
  if (parsed?.type !== "element" || parsed.tagName !== "svg") return undefined;
  const drawing = kept(parsed, 0);
  drawing.properties["xmlns"] = "http://www.w3.org/2000/svg";
  const root: Root = { type: "root", children: [drawing] };
  return `${toHtml(root, { space: "svg", closeEmptyElements: true, characterReferences: { useNamedReferences: false } })}\n`;
}

function kept(node: Element, depth: number): Element {
  const children = node.children.flatMap((child): Element["children"] => {
    if (child.type === "text") return node.tagName === "style" && loads.test(child.value) ? [] : [child];
    const stays = child.type === "element" && elements.has(child.tagName) && depth < deepest;
    return stays ? [kept(child, depth + 1)] : [];
  });
  return { type: "element", tagName: node.tagName, properties: harmless(node), children };
}

function harmless({ tagName, properties }: Element): Element["properties"] {
  const result: Element["properties"] = {};
  for (const [name, value] of Object.entries(properties)) {
    if (name === "href" || name === "xLinkHref") {
      const form = tagName === "image" ? ownPicture : ownAnchor;
      if (form.test(String(value))) result["href"] = String(value);
    } else if (/^(?!on|xml)[a-z][\w:-]*$/i.test(name) && !loads.test(String(value))) result[name] = value;
  }
  return result;
}
