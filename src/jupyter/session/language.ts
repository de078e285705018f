import { typescriptVersion } from "../../cells/index.js";

/** What a notebook says of its language (`metadata.language_info`): the kernel's own words, which JupyterLab writes into it on opening. */
export interface LanguageInfo {
  name: string;
  version: string;
  mimetype: string;
  file_extension: string;
  pygments_lexer: string;
  codemirror_mode: Record<string, unknown>;
  nbconvert_exporter: string;
}

/**
 * The kernel's language, as its `kernel_info_reply` and every notebook that it ran say it.
 * @example languageInfo().file_extension // ".ts"
 */
export function languageInfo(): LanguageInfo {
  return {
    name: "typescript",
    version: typescriptVersion(),
    mimetype: "text/typescript",
    file_extension: ".ts",
    pygments_lexer: "typescript",
    codemirror_mode: { name: "javascript", typescript: true, mode: "typescript" },
    nbconvert_exporter: "script",
  };
}
