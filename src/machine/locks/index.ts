import type { HostMachine as Machine } from "../memory/host-machine.js";
import { McsLock } from "./mcs.js";
import { QueuedLock } from "./queued.js";
import type { LockOptions, LockSimulation, SpinLock } from "./spin-lock.js";
import { TestAndSetLock } from "./test-and-set.js";
import { TicketLock } from "./ticket.js";

/** The kinds of lock, by name: `queued` is Linux's from v4.2, `ticket` its predecessor; the others explain them. */
export const lockKinds = ["test-and-set", "ticket", "ticket-padded", "mcs", "queued"] as const;
/** A kind of lock. */
export type LockKind = (typeof lockKinds)[number];

/**
 * Makes a lock of a kind.
 * @throws Error naming the kinds
 */
export function makeLock(kind: LockKind, machine: Machine, simulation: LockSimulation, options: LockOptions): SpinLock {
  switch (kind) {
    case "test-and-set":
      return new TestAndSetLock(machine, simulation, options);
    case "ticket":
      return new TicketLock(machine, simulation, options);
    case "ticket-padded":
      return new TicketLock(machine, simulation, options, true);
    case "mcs":
      return new McsLock(machine, simulation, options);
    case "queued":
      return new QueuedLock(machine, simulation, options);
    default:
      throw new Error(`There is no lock "${kind}"; there are ${lockKinds.join(", ")}.`);
  }
}
