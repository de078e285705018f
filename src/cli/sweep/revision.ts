import { git } from "../git.js";

/** What results follow from; draws that were kept are a result themselves. */
const sources = ["src", "data", "package-lock.json", ":!data/ensembles", ":!data/predictions"];

/**
 * The revision that an ensemble names: the last commit that changed code or data. Points that were computed under an earlier one with other
 * code are not among those collected, so it stands for all of them.
 * @returns with "+changes" where something of it is not committed; "not a checkout" where there is no git
 */
export function revision(): string {
  const commit = git("log", "-1", "--format=%h", "--abbrev=12", "--", ...sources);
  if (!commit) return "not a checkout";
  return git("status", "--porcelain", "--", ...sources) === "" ? commit : `${commit}+changes`;
}
