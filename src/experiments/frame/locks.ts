/** The lock that stands for a run in one row. */

/** Below this share of the cores' time a lock is not worth naming. */
const worthNaming = 0.001;

/**
 * The lock that cores wait for most, and the share of their time that they do: "none" and 0 where no lock takes a thousandth.
 * @param cycles of all cores together
 */
export function mostWaitedFor(
  locks: Iterable<{ name: string; waittimeTotal: number }>,
  cycles: number,
): { lock: string; lockShare: number } {
  let lock = "none";
  let lockShare = 0;
  for (const { name, waittimeTotal } of locks) {
    const share = waittimeTotal / cycles;
    if (share > lockShare && share >= worthNaming) [lock, lockShare] = [name, share];
  }
  return { lock, lockShare };
}
