/** Commands of other kernels and shells, and what does their work here: said where a cell that begins with one does not compile. */

const instead: [pattern: RegExp, sentence: (match: RegExpExecArray) => string][] = [
  [
    /^\s*%%(html|markdown|latex|svg|javascript|js)\b/,
    ([, what]) =>
      `There are no magics such as %%${what} in this kernel: TypeScript shows such content with ${
        what === "html" || what === "svg"
          ? "lab.html(`…`)"
          : what === "markdown" || what === "latex"
            ? "lab.markdown(`…`)"
            : 'lab.bundle({ "application/javascript": "…" })'
      }.`,
  ],
  [
    /^\s*%%?(time|timeit|prun)\b/,
    ([, what]) =>
      `There are no magics such as %${what} in this kernel: measure with console.time("a name") and console.timeEnd("a name"), or with performance.now().`,
  ],
  [
    /^\s*%%?(cd|pwd|ls|env|set_env)\b/,
    ([, what]) =>
      `There are no magics such as %${what} in this kernel: process.chdir(…), process.cwd(), process.env and the module node:fs do its work.`,
  ],
  [
    /^\s*%%?(pip|conda|npm)\b/,
    () =>
      "There are no magics in this kernel: install packages with npm in a terminal, beside the notebook; the next cell finds them.",
  ],
  [
    /^\s*(?:%%?(bash|sh|script|system|sx)\b|!+\s*[a-z][\w./-]*(?:\s+[-./~\w"'$]|$))/,
    () =>
      'This kernel runs no shell commands: use node:child_process, as in import { execSync } from "node:child_process"; console.log(execSync("ls").toString()).',
  ],
  [
    /^\s*%%?([A-Za-z_]\w*)/,
    ([, what]) => `There are no magics such as %${what} in this kernel: a cell is TypeScript and nothing else.`,
  ],
  [
    /^\s*(?:\?{1,2}\s*[\w$.]+|[\w$.[\]]+\s*\?{1,2})\s*$/,
    () =>
      "A question mark asks for no help in this kernel: put the cursor on the name and press Shift-Tab in JupyterLab, or Shift-Tab twice in jupyter console.",
  ],
];

/**
 * What to do instead, for a cell that begins (or, for a question, consists) of such a command.
 * @example foreignCommand("%time 1") // "There are no magics such as %time in this kernel: …"
 */
export function foreignCommand(code: string): string | undefined {
  const text = code.trim();
  for (const [pattern, sentence] of instead) {
    const match = pattern.exec(text);
    if (match) return sentence(match);
  }
  // A command in the midst of a cell: only one that could be nothing else.
  const line = text
    .split("\n")
    .find((l) => /^\s*%{1,2}[A-Za-z_]\w*(\s|$)/.test(l) || /^\s*![a-z]+(\s+[-./\w]|$)/.test(l));
  return line === undefined ? undefined : foreignCommand(line);
}
