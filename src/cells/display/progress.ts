/** How a progress bar looks, wherever it is shown. */
import type { MimeBundle } from "../heart/mime.js";

/** Text as HTML that shows it. */
export const escapeHtml = (text: string): string =>
  text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]!);

/** A bar that is `done` of `total` long. */
export function progressBundle(done: number, total: number, label: string): MimeBundle {
  const share = total === 0 ? 1 : Math.min(1, Math.max(0, done / total));
  const percent = `${Math.floor(share * 100)} %`;
  const name = label === "" ? "" : `${label} `;
  const filled = Math.round(share * 20);
  return {
    "text/html":
      `<div style="display:flex;align-items:center;gap:.6em"><progress max="1" value="${share}" style="width:16em"></progress>` +
      `<span>${percent}</span><span style="opacity:.7">${escapeHtml(label)} ${done} of ${total}</span></div>`,
    "text/plain": `${name}[${"#".repeat(filled)}${".".repeat(20 - filled)}] ${percent} (${done} of ${total})`,
  };
}
