/** citation-js comes without types; this is what is used of it. */
declare module "@citation-js/core" {
  export class Cite {
    constructor(data: string);
    format(kind: "bibliography", options: { format: "html"; template: "apa"; asEntryArray: true }): unknown;
  }
}
declare module "@citation-js/plugin-bibtex";
declare module "@citation-js/plugin-csl";
