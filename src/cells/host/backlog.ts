/** How much a message of user code weighs while it waits to be delivered: what floods is held back by it, whatever it floods with. */
import type { FromExecutor } from "./protocol.js";

/** What any message costs beside its content, in bytes. */
const overhead = 200;

/**
 * About how many bytes a message takes; 0 for what the executor sends on its own account, which never waits. The same number on either side of a
 * copy.
 * @example sizeOf({ type: "stream", origin: 1, name: "stdout", text: "abc" }) // 203
 */
export function sizeOf(message: FromExecutor): number {
  switch (message.type) {
    case "stream":
      return overhead + message.text.length;
    case "display":
      return overhead + weight(message.data) + weight(message.metadata);
    case "comm":
      return overhead + weight(message.message);
    case "uncaught":
      return overhead + weight(message.error.traceback);
    case "clear":
    case "input":
      return overhead;
    default:
      return 0;
  }
}

/** About the size of plain data; without recursion, so that no depth is too deep for it. */
function weight(data: unknown): number {
  let bytes = 0;
  const pending: unknown[] = [data];
  while (pending.length > 0) {
    const value = pending.pop();
    bytes += 8;
    if (typeof value === "string") bytes += value.length;
    else if (ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (Array.isArray(value)) for (const item of value) pending.push(item);
    else if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value)) {
        bytes += key.length;
        pending.push(item);
      }
  }
  return bytes;
}
