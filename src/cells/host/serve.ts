/** Answers the supervisor's questions about TypeScript, one at a time. Never runs user code. */
import { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { frame, readFrames } from "./frames.js";
import type { Language } from "./language.js";
import type { LanguageReply, LanguageRequest } from "./protocol.js";

/** Answers over the socket that the supervisor has given to this process, until that closes. */
export function serve(language: Language): void {
  // Each cell leaves a checker behind. V8 would let the heap grow to twice and more of what lives in it before it looks.
  setFlagsFromString("--heap-growing-percent=50");
  const socket = new Socket({ fd: 3, readable: true, writable: true });
  const send = (reply: LanguageReply) => socket.write(frame(reply));
  // End of file: the supervisor is gone.
  socket.on("end", () => process.exit(0));
  socket.on("error", () => process.exit(0));
  process.on("SIGINT", () => {});

  let asked = false;
  readFrames(socket, (request: LanguageRequest) => {
    asked = true;
    try {
      send({ type: "reply", id: request.id, value: answer(language, request) });
    } catch (error) {
      send({ type: "failed", id: request.id, message: (error as Error).stack ?? String(error) });
    }
  });
  // The first compilation binds and checks the libraries: done in advance, unless a cell is waiting already.
  setTimeout(() => {
    if (!asked) language.compile("1 + 1");
    send({ type: "ready" });
  }, 10);
}

function answer(language: Language, request: LanguageRequest): unknown {
  switch (request.type) {
    case "compile":
      return language.compile(request.code);
    case "complete":
      return language.complete(request.code, request.position);
    case "inspect":
      return language.inspect(request.code, request.position);
    case "isComplete":
      return language.isComplete(request.code);
    case "commit":
      return language.commit(request.declarations, request.assigned);
    case "restore":
      return language.restore(request.all);
    case "forget":
      return language.forget();
  }
}
