/**
 * Messages as frames: identities, delimiter, signature, four JSON parts, buffers. Everything that arrives passes through `decode`, which
 * returns a message that is signed, new and well-formed, or throws a {@link WireError}.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Header, Incoming, JsonObject, Outgoing, RequestChannel } from "../session/message.js";

/** Why a message was dropped. */
export class WireError extends Error {}

const delimiter = Buffer.from("<IDS|MSG>");
/** Frames that a message may have: identities before the delimiter, buffers after the content. */
const identityLimit = 16;
const frameLimit = 1024;
/** The largest header: it is sent back with every output. */
const headerBytes = 1 << 16;
/** Signatures that are remembered, to know a replayed message. */
const signatureLimit = 1 << 16;

/** How deep a message's parts may be nested: deeper, they could not be written as JSON again, or sent on to another process. */
const depthLimit = 500;

/** Whether arrays and objects in a JSON text are nested deeper than the limit. Brackets in strings do not count. */
function isTooDeep(text: Buffer): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++)
    switch (text[i]) {
      case 0x22: // "
        for (i++; i < text.length && text[i] !== 0x22; i++) if (text[i] === 0x5c) i++;
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > depthLimit) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  return false;
}

const object = (frame: Buffer, what: string): JsonObject => {
  if (isTooDeep(frame)) throw new WireError(`its ${what} is nested deeper than ${depthLimit} levels`);
  let value: unknown;
  try {
    value = JSON.parse(frame.toString("utf8"));
  } catch {
    throw new WireError(`its ${what} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new WireError(`its ${what} is not a JSON object`);
  return value as JsonObject;
};

/** Signs, verifies, takes apart and puts together. */
export class Codec {
  private readonly seen = new Set<string>();
  private readonly algorithm: string;

  /**
   * @param key the shared secret; empty: messages are not signed
   * @param scheme such as "hmac-sha256"
   * @throws where the scheme is not known here
   */
  constructor(
    private readonly key: string,
    scheme: string,
  ) {
    this.algorithm = scheme.replace(/^hmac-/, "");
    if (key !== "") this.sign([]);
  }

  private sign(parts: readonly Buffer[]): string {
    if (this.key === "") return "";
    const hmac = createHmac(this.algorithm, this.key);
    for (const part of parts) hmac.update(part);
    return hmac.digest("hex");
  }

  /** A message from its frames; its `peer` is the list of identities. @throws WireError */
  decode(channel: RequestChannel, frames: readonly Buffer[]): Incoming {
    if (frames.length > frameLimit) throw new WireError(`it has ${frames.length} frames`);
    const at = frames.findIndex((frame, i) => i <= identityLimit && frame.equals(delimiter));
    if (at < 0) throw new WireError("it has no delimiter");
    const parts = frames.slice(at + 2, at + 6);
    if (parts.length < 4) throw new WireError(`it has ${parts.length} of the 4 parts`);
    this.verify(frames[at + 1], parts);
    for (const [part, what] of [
      [parts[0], "header"],
      [parts[1], "parent header"],
    ] as const)
      if (part.length > headerBytes) throw new WireError(`its ${what} has ${part.length} bytes`);
    const header = object(parts[0], "header");
    for (const field of ["msg_id", "msg_type", "session"])
      if (typeof header[field] !== "string" || header[field].length > 1000)
        throw new WireError(`its header's ${field} is not a string of at most 1000 characters`);
    return {
      channel,
      peer: frames.slice(0, at),
      header: header as unknown as Header,
      parent: object(parts[1], "parent header"),
      metadata: object(parts[2], "metadata"),
      content: object(parts[3], "content"),
      buffers: frames.slice(at + 6),
    };
  }

  private verify(signature: Buffer, parts: readonly Buffer[]): void {
    if (this.key === "") return;
    const wanted = Buffer.from(this.sign(parts));
    if (signature.length !== wanted.length || !timingSafeEqual(signature, wanted))
      throw new WireError("its signature is wrong");
    const text = wanted.toString("latin1");
    if (this.seen.has(text)) throw new WireError("it is a repetition");
    this.seen.add(text);
    if (this.seen.size > signatureLimit) this.seen.delete(this.seen.values().next().value as string);
  }

  /** The frames of a message for a peer (or, on iopub, under a topic). */
  encode(identities: readonly Buffer[], message: Outgoing): Buffer[] {
    const parts = [message.header, message.parent, message.metadata, message.content].map((part) =>
      Buffer.from(JSON.stringify(part)),
    );
    const buffers = message.buffers.map((b) => Buffer.from(b.buffer, b.byteOffset, b.byteLength));
    return [...identities, delimiter, Buffer.from(this.sign(parts)), ...parts, ...buffers];
  }
}
