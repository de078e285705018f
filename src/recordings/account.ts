/**
 * What a reading of a recording can vouch for: how much was read, what was lost, and what had to be guessed. Counts, but for the names.
 *
 * It stands beside every result: a number per device is worth as much as `guessed` is small.
 */
export interface Account {
  /** Lines of text; 0 where the recording was no text. */
  lines: number;
  /** Map and unmap events that were read. */
  events: number;
  /** Lines that look like such an event and could not be read. */
  unreadable: number;
  /** Events that the kernel or the tool said it lost. */
  lost: number;
  /** Unmaps that must have been lost: their range was mapped anew by the same device. They are put in just before that. */
  lostUnmaps: number;
  /** Unmaps of what no map of the recording mapped (most often: it was mapped before the recording began). */
  unmatchedUnmaps: number;
  /** Unmaps of a part of a request, which leave the rest mapped. */
  partialUnmaps: number;
  /** Unmaps that found nothing mapped (unmapped_size=0). */
  emptyUnmaps: number;
  /** Map events that are a further part of a request (scatter-gather): abutting maps that one unmap ended. */
  joined: number;
  /** Map events, still mapped at the end, that were taken as a further part of a request, as such maps were that the recording saw unmapped. */
  openJoined: number;
  /** Map events, still mapped at the end, that may be a further part of a request and count as one of their own: so many fewer there may be. */
  openDoubtful: number;
  /** Operations whose device had to be chosen among several. */
  guessed: number;
  /** Whether the recording names the devices. */
  named: boolean;
  /** What a person should be told beyond these numbers, each a sentence. */
  notes: string[];
}

/** The account of a reading without a flaw. */
export function cleanAccount(account: Partial<Account> = {}): Account {
  return {
    lines: 0,
    events: 0,
    unreadable: 0,
    lost: 0,
    lostUnmaps: 0,
    unmatchedUnmaps: 0,
    partialUnmaps: 0,
    emptyUnmaps: 0,
    joined: 0,
    openJoined: 0,
    openDoubtful: 0,
    guessed: 0,
    named: true,
    notes: [],
    ...account,
  };
}

/** Share of the operations whose device was a guess, 0 to 1. */
export function guessedShare(account: Account): number {
  return account.events === 0 ? 0 : account.guessed / account.events;
}

/** Results per device are withheld above this share of guesses. */
export const mostGuessed = 0.01;

/**
 * Why results per device cannot be given, or undefined where they can.
 * @example withheld(trace.account) // "31.0 % of the operations could belong to more than one device …"
 */
export function withheld(account: Account): string | undefined {
  const share = guessedShare(account);
  if (share <= mostGuessed) return undefined;
  return `results per device are withheld: ${(100 * share).toFixed(1)} % of the operations could belong to more than one device, and at most ${100 * mostGuessed} % may be a guess. Record the dma:* tracepoints (Linux 6.12 and later), which name the device`;
}

/** The account as sentences: everything a reader must know before using a number; empty for a clean one. */
export function warningsOf(account: Account, devices: number): string[] {
  const { lost, unreadable, lostUnmaps, unmatchedUnmaps, partialUnmaps, emptyUnmaps, guessed, named, notes } = account;
  const { openJoined, openDoubtful } = account;
  const warnings = [...notes];
  if (lost > 0)
    warnings.push(
      `${count(lost, "event")} ${lost === 1 ? "was" : "were"} lost while recording; record again with a larger buffer.`,
    );
  if (unreadable > 0 && !notes.some((note) => note.includes("could not be read")))
    warnings.push(`${count(unreadable, "line")} could not be read and ${are(unreadable)} left out.`);
  if (lostUnmaps > 0)
    warnings.push(
      `${count(lostUnmaps, "unmap")} must have been lost: the range was mapped anew while it was still mapped. ${lostUnmaps === 1 ? "It is" : "They are"} put in just before that.`,
    );
  if (unmatchedUnmaps > 0)
    warnings.push(
      `${count(unmatchedUnmaps, "unmap")} ${unmatchedUnmaps === 1 ? "ends" : "end"} maps made before the recording began${lost + unreadable > 0 ? ", or lost maps" : ""}; ${unmatchedUnmaps === 1 ? "it is" : "they are"} left out.`,
    );
  if (partialUnmaps > 0)
    warnings.push(
      `${count(partialUnmaps, "partial unmap")}: ${partialUnmaps === 1 ? "it ends a part" : "each ends a part"} of a request and leaves the rest mapped.`,
    );
  if (emptyUnmaps > 0)
    warnings.push(
      `${count(emptyUnmaps, "unmap")} found nothing mapped (unmapped_size=0) and ${are(emptyUnmaps)} left out.`,
    );
  if (openJoined > 0)
    warnings.push(
      `${count(openJoined, "map")} still mapped at the end ${openJoined === 1 ? "continues" : "continue"} the one before and ${are(openJoined)} taken as a further part of its request (scatter-gather), as such maps were that the recording saw unmapped.`,
    );
  if (openDoubtful > 0)
    warnings.push(
      `${count(openDoubtful, "map")} still mapped at the end may be a further part of a request (scatter-gather), which only an unmap would tell: there may be so many requests fewer, in all and live.`,
    );
  if (!named)
    warnings.push(
      devices < 2
        ? "The recording does not name devices; all is taken to be of one device."
        : `The recording does not name devices; it holds at least ${whole(devices)} address spaces, and ${whole(guessed)} operations (${(100 * guessedShare(account)).toFixed(1)} %) could belong to more than one of them.`,
    );
  const why = withheld(account);
  if (why !== undefined) warnings.push(`${why[0].toUpperCase()}${why.slice(1)}.`);
  return warnings;
}

const whole = (n: number): string => n.toLocaleString("en");
const count = (n: number, what: string): string => `${whole(n)} ${what}${n === 1 ? "" : "s"}`;
const are = (n: number): string => (n === 1 ? "is" : "are");
