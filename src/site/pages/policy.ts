/** The second line of defence: even if something got past the escaping, a browser would not run or load it. */

/**
 * What a page may load and run: the site's own scripts, styles, fonts and pictures, and pictures that lie in the page itself. Formulas and
 * plots lay themselves out by style attributes, so those may stand in the page. A page that is opened from a folder has no server's
 * name for 'self' to mean, and browsers differ in what they take it for; `file:` allows nothing to a page that came from a server.
 */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self' file:",
  "style-src 'self' file: 'unsafe-inline'",
  "img-src 'self' file: data:",
  "font-src 'self' file:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
