/** The executor's end of Jupyter's comm channels. */
import { randomUUID } from "node:crypto";
import type { Comm, Comms } from "../display/comms.js";
import type { CommMessage } from "./protocol.js";

const open = Symbol("open");
type OwnComm = Comm & { [open]: boolean };

/** The data as JSON will carry it; what JSON cannot carry fails here, in the cell that sends it. */
const json = (data: unknown): unknown => JSON.parse(JSON.stringify(data ?? {}));

/** The `lab.comm` object, and what takes up messages of the front end. */
export function createComms(send: (message: CommMessage) => void): {
  api: Comms;
  receive(message: CommMessage): void;
} {
  const comms = new Map<string, OwnComm>();
  const targets = new Map<string, (comm: Comm, data: unknown, buffers: Uint8Array[]) => void>();

  const make = (id: string, targetName: string): OwnComm => {
    const comm: OwnComm = {
      id,
      targetName,
      onMessage: undefined,
      onClose: undefined,
      [open]: true,
      send(data, metadata, buffers) {
        if (!comm[open]) throw new Error(`The comm "${targetName}" (${id}) is closed.`);
        send({
          kind: "msg",
          commId: id,
          data: json(data),
          ...(metadata ? { metadata: json(metadata) as Record<string, unknown> } : {}),
          ...(buffers ? { buffers } : {}),
        });
      },
      close(data = {}) {
        if (!comm[open]) return;
        comm[open] = false;
        comms.delete(id);
        send({ kind: "close", commId: id, data: json(data) });
      },
    };
    comms.set(id, comm);
    return comm;
  };

  return {
    api: {
      open(targetName, data = {}, { id = randomUUID(), metadata, buffers } = {}) {
        const comm = make(id, targetName);
        send({
          kind: "open",
          commId: id,
          targetName,
          data: json(data),
          ...(metadata ? { metadata: json(metadata) as Record<string, unknown> } : {}),
          ...(buffers ? { buffers } : {}),
        });
        return comm;
      },
      registerTarget: (targetName, onOpen) => void targets.set(targetName, onOpen),
      unregisterTarget: (targetName) => void targets.delete(targetName),
    },
    receive({ kind, commId, targetName = "", data, buffers = [] }) {
      if (kind === "open") {
        const target = targets.get(targetName);
        // The protocol's answer to an unknown target.
        if (!target) return send({ kind: "close", commId, data: {} });
        return target(make(commId, targetName), data, buffers);
      }
      const comm = comms.get(commId);
      if (!comm) return;
      if (kind === "msg") return comm.onMessage?.(data, buffers);
      comm[open] = false;
      comms.delete(commId);
      comm.onClose?.(data);
    },
  };
}
