/** Messages of the Jupyter protocol 5.4, as the session sees them: already authenticated and parsed, whatever they travelled over. */

/** A message's header. */
export interface Header {
  msg_id: string;
  session: string;
  username: string;
  date: string;
  msg_type: string;
  version: string;
}

/** A JSON object. */
export type JsonObject = Record<string, unknown>;

/** The channels on which requests arrive. */
export type RequestChannel = "shell" | "control" | "stdin";

/** A message that has arrived. */
export interface Incoming {
  channel: RequestChannel;
  /** Who sent it, for the transport alone; the answer goes there. */
  peer: unknown;
  header: Header;
  parent: JsonObject;
  metadata: JsonObject;
  content: JsonObject;
  buffers: Uint8Array[];
}

/** A message to send: an answer to `peer`, or (on iopub) to everyone. */
export interface Outgoing {
  header: Header;
  parent: JsonObject;
  metadata: JsonObject;
  content: JsonObject;
  buffers: Uint8Array[];
}

/** What carries messages between a session and its front ends. */
export interface Transport {
  /** Sends to every front end. A returned promise resolves when there is room for more. */
  publish(topic: string, message: Outgoing): void | Promise<void>;
  /** Answers one front end. */
  send(channel: RequestChannel, peer: unknown, message: Outgoing): void;
  /** Starts to hand over requests. `subscribed` is called for each subscription to iopub, with its topic. */
  start(listener: { request(message: Incoming): void; subscribed(topic: string): void }): void;
  close(): void | Promise<void>;
}
