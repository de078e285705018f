/** How to cite the project: what CITATION.cff says, as a sentence. */

import { parse } from "yaml";
import { z } from "zod";
import { type Markup, markup, none } from "./html.js";

const Person = z.looseObject({
  "family-names": z.string().optional(),
  "given-names": z.string().optional(),
  name: z.string().optional(),
});
const File = z.looseObject({
  title: z.string(),
  authors: z.array(Person).min(1),
  version: z.coerce.string().optional(),
  "date-released": z.coerce.string().optional(),
  url: z.string().optional(),
  "repository-code": z.string().optional(),
  doi: z.string().optional(),
});

const longest = 20_000;

/**
 * The sentence to cite, as HTML; empty for an empty file.
 * @param text the content of CITATION.cff
 * @param fault told of what is wrong with it
 */
export function citationHtml(text: string, fault: (message: string) => void): Markup {
  if (text.trim() === "") return none;
  if (text.length > longest) {
    fault(`it is longer than ${longest} characters.`);
    return none;
  }
  let content: unknown;
  try {
    // One name for another can make gigabytes of a kilobyte; nobody needs it to be cited.
    content = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    fault(`it cannot be read as YAML (${(error as Error).message.split("\n")[0]}).`);
    return none;
  }
  const read = File.safeParse(content);
  if (!read.success) {
    const { path, message } = read.error.issues[0];
    fault(`${path.join(".") || "the file"}: ${message}.`);
    return none;
  }
  const { title, authors, version, doi } = read.data;
  const names = authors.map((author) =>
    [author["family-names"] ?? author.name, author["given-names"]].filter(Boolean).join(", "),
  );
  const year = /^\d{4}/.exec(read.data["date-released"] ?? "")?.[0];
  const address = doi ? `https://doi.org/${doi}` : (read.data.url ?? read.data["repository-code"]);
  const link = address && /^https?:\/\//.test(address) ? markup` <a href="${address}">${address}</a>` : "";
  const dated = year ? ` (${year})` : "";
  return markup`${names.join("; ")}${dated}: <i>${title}</i>${version ? `, version ${version}` : ""}.${link}`;
}
