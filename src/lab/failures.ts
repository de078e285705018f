/** A failure that a user can act on: one plain sentence or two, shown without a stack. */
export class LabError extends Error {
  override name = "LabError";
}

/** What went wrong, by the words that installers, Python and the operating system use for it. */
const causes: readonly [pattern: RegExp, sentence: (root: string) => string][] = [
  [
    /no space left on device|ENOSPC|os error 28|errno 28|disk quota exceeded|EDQUOT/i,
    (root) =>
      `The disk ran full while the Python packages were being installed. Free about 600 MB in ${root} and in the temporary folder, then run the command again.`,
  ],
  [
    /do not match the hashes|hash mismatch|expected sha256/i,
    () =>
      "A downloaded Python package does not have the checksum recorded in src/lab/requirements.lock, so it was not installed. Run the command again; if it stays so, the package mirror in use alters packages.",
  ],
  [
    /certificate.?verify.?failed|invalid peer certificate|SSLError|self.signed certificate/i,
    () =>
      "The Python package registry answered with a certificate that this machine does not trust. Behind a company proxy, point SSL_CERT_FILE and PIP_CERT to its certificate, then run the command again.",
  ],
  [
    /max retries exceeded|failed to establish a new connection|name resolution|name or service not known|dns error|could not fetch|failed to fetch|error sending request|connection (refused|reset|timed out)|network is unreachable|timed? ?out|proxyerror|no matching distribution found|could not find a version/i,
    () =>
      "The Python package registry could not be reached. Check the network connection (behind a proxy: HTTPS_PROXY, or pip's index-url for a mirror), then run the command again.",
  ],
  [
    /EACCES|EPERM|EROFS|permission denied|read-only file system|operation not permitted/i,
    (root) =>
      `The folder ${root} cannot be written to. Make it writable for this user (or move the project to a folder that is), then run the command again.`,
  ],
];

/**
 * The sentence for a failed installation step.
 * @param output what the tool printed, or the message of the error that was thrown
 * @param root the project's folder
 */
export function explainFailure(output: string, root: string): LabError {
  for (const [pattern, sentence] of causes) {
    if (pattern.test(output)) return new LabError(`${sentence(root)} Nothing half-installed was left behind.`);
  }
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const last = lines.at(-1)?.trim() ?? "no message";
  return new LabError(
    `Installing the Python packages failed: ${last} Nothing half-installed was left behind; run the command again, with --verbose to see every line.`,
  );
}
