import { type LockRow, ofKind } from "./rows.js";

/** Simulated over what the published model says. */
export const overModel = (r: LockRow): number => r.throughput / r.ticketModel;

/**
 * What one number of cores comes down to: how far the published model of the ticket lock is off there, and whether the queued lock does
 * as its commit says (the same without waiters, less with an average of 1 to 3, more with more): 100 if it does, 0 if not.
 */
export function quantitiesOf(rows: readonly LockRow[]): Record<string, number> {
  const [ticket] = ofKind(rows, "ticket");
  const [queued] = ofKind(rows, "queued");
  if (!ticket || !queued) return {};
  const { waiters } = ticket;
  const { toTicket } = queued;
  const said = waiters < 0.05 ? near(toTicket, 1, 0.01) : waiters > 3 ? toTicket > 1 : toTicket < 1;
  // Between none and one waiter the commit says nothing.
  const judged = waiters < 0.05 || waiters >= 1;
  return { "over the model": overModel(ticket), ...(judged ? { "as the commit says": said ? 100 : 0 } : {}) };
}

const near = (value: number, wanted: number, by: number): boolean => value > wanted - by && value < wanted + by;
