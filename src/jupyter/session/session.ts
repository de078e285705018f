/**
 * A Jupyter session: requests in, replies and outputs out, over any transport.
 *
 * Each request is answered between a `busy` and an `idle`, with itself as the parent. Cells run one after another; everything else is
 * answered at once, also while a cell runs (and then the front end is told again that the kernel is busy with the cell).
 */
import { randomUUID } from "node:crypto";
import {
  type CellRunner,
  type CommMessage,
  type ErrorContent,
  type Origin,
  type Outcome,
  type RunnerListener,
  typescriptVersion,
} from "../../cells/index.js";
import { History } from "./history.js";
import { languageInfo } from "./language.js";
import type { Incoming, JsonObject, Outgoing, Transport } from "./message.js";
import { codePointOffset, unitOffset } from "./positions.js";

/** The version of the protocol spoken here. */
const protocolVersion = "5.4";

/** What the session needs to know about the world. */
export interface SessionOptions {
  transport: Transport;
  /** Makes what runs the cells of this session. */
  createRunner(listener: RunnerListener): CellRunner;
  /** The version of this kernel, for kernel_info. */
  version: string;
  /** Called when the front end has asked the kernel to end; `restart` says that a new one will follow. */
  onShutdown(restart: boolean): void;
  /**
   * The front end drops what comes for a cell that has ended: where nobody watches, a late error then fails the cell that runs.
   */
  dropsLate?: boolean;
  /** Takes lines for the operator of the kernel. */
  log(line: string): void;
}

/** A request whose fields are not what the protocol says. */
class RequestError extends Error {}

const text = (content: JsonObject, key: string): string => {
  const value = content[key];
  if (typeof value !== "string")
    throw new RequestError(`${key} must be a string; it is ${JSON.stringify(value) ?? "missing"}`);
  return value;
};
const flag = (content: JsonObject, key: string, otherwise: boolean): boolean =>
  typeof content[key] === "boolean" ? content[key] : otherwise;
const object = (value: unknown): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

/** The fields of the replies that front ends read without looking at the status. */
function emptyFields(type: string, content: JsonObject): JsonObject {
  const cursor = typeof content["cursor_pos"] === "number" ? content["cursor_pos"] : 0;
  if (type === "complete_request") return { matches: [], cursor_start: cursor, cursor_end: cursor, metadata: {} };
  if (type === "inspect_request") return { found: false, data: {}, metadata: {} };
  if (type === "history_request") return { history: [] };
  if (type === "comm_info_request") return { comms: {} };
  return {};
}

/** Parents of outputs that may still come; older ones are shown under the latest cell. */
const originLimit = 5000;

/** A kernel's session. */
export class Session {
  private readonly runner: CellRunner;
  private readonly id = randomUUID();
  private readonly history = new History();
  private readonly origins = new Map<Origin, Incoming>();
  private originCount = 0;
  private executionCount = 0;
  private queue: Incoming[] = [];
  private running: { request: Incoming; origin: Origin; silent: boolean; late?: ErrorContent } | undefined;
  /** The names of the cells that outputs may still belong to. */
  private readonly names = new Map<Origin, string>();
  private readonly questions = new Map<string, { id: number; session: string; origin: Origin }>();
  private readonly comms = new Map<string, string>();
  private closing = false;

  constructor(private readonly options: SessionOptions) {
    this.runner = options.createRunner({
      output: (message) => this.output(message),
      input: (question) => this.ask(question),
      replaced: () => this.closeComms(),
      log: (line) => options.log(line),
    });
    options.transport.start({
      request: (message) => this.request(message),
      subscribed: (topic) => this.welcome(topic),
    });
    // Front ends that have subscribed by now are greeted first: they take the greeting for the first message.
    setImmediate(() => void this.publish("status", { execution_state: "starting" }, {}));
  }

  /** Interrupts the running cell and aborts what waits behind it. */
  interrupt(): Promise<void> {
    return this.runner.interrupt();
  }

  /** Ends the session and its processes. */
  close(): void {
    if (this.closing) return;
    this.closing = true;
    this.runner.close();
  }

  private message(
    type: string,
    content: JsonObject,
    parent: JsonObject,
    rest?: { metadata?: JsonObject; buffers?: Uint8Array[] },
  ): Outgoing {
    return {
      header: {
        msg_id: randomUUID(),
        session: this.id,
        username: "kernel",
        date: new Date().toISOString(),
        msg_type: type,
        version: protocolVersion,
      },
      parent,
      metadata: rest?.metadata ?? {},
      content,
      buffers: rest?.buffers ?? [],
    };
  }

  private publish(
    type: string,
    content: JsonObject,
    parent: JsonObject,
    rest?: { metadata?: JsonObject; buffers?: Uint8Array[] },
  ): void | Promise<void> {
    return this.options.transport.publish(type, this.message(type, content, parent, rest));
  }

  private welcome(topic: string): void {
    void this.options.transport.publish(topic, this.message("iopub_welcome", { subscription: topic }, {}));
  }

  private reply(request: Incoming, type: string, content: JsonObject): void {
    this.options.transport.send(request.channel, request.peer, this.message(type, content, { ...request.header }));
  }

  private status(request: Incoming, state: "busy" | "idle"): void {
    void this.publish("status", { execution_state: state }, { ...request.header });
    // A side request that is done leaves the kernel as busy as the cell that is running.
    if (state === "idle" && this.running && this.running.request !== request)
      void this.publish("status", { execution_state: "busy" }, { ...this.running.request.header });
  }

  /** Takes up any message; nothing that it contains can make this throw. */
  private request(message: Incoming): void {
    if (this.closing) return;
    if (message.channel === "stdin") {
      this.answer(message);
      return;
    }
    if (message.header.msg_type === "execute_request" && message.channel === "shell") {
      this.queue.push(message);
      void this.next();
      return;
    }
    void this.side(message);
  }

  /** Answers everything but cells. */
  private async side(message: Incoming): Promise<void> {
    const type = message.header.msg_type;
    const handler = Object.hasOwn(this.handlers, type) ? this.handlers[type] : undefined;
    if (!handler) {
      this.options.log(`ignored a message of type ${JSON.stringify(type.slice(0, 60))}`);
      return;
    }
    try {
      this.status(message, "busy");
      await handler(message);
    } catch (error) {
      const why = String((error as Error).message)
        .split("\n")[0]
        .slice(0, 1000);
      this.options.log(`${type}: ${why}`);
      if (type.endsWith("_request"))
        this.attempt(() =>
          this.reply(message, type.replace(/_request$/, "_reply"), {
            status: "error",
            ename: error instanceof RequestError ? "RequestError" : "KernelError",
            evalue: why,
            traceback: [],
            // Front ends that look for an answer's fields in an error find none, not nothing.
            ...emptyFields(type, message.content),
          }),
        );
    } finally {
      this.attempt(() => this.status(message, "idle"));
    }
  }

  private readonly handlers: Record<string, (message: Incoming) => void | Promise<void>> = {
    kernel_info_request: (message) =>
      this.reply(message, "kernel_info_reply", {
        status: "ok",
        protocol_version: protocolVersion,
        implementation: "iommu-lab",
        implementation_version: this.options.version,
        language_info: languageInfo(),
        banner: `iommu-lab ${this.options.version}: TypeScript ${typescriptVersion()} on Node.js ${process.version}`,
        help_links: [{ text: "TypeScript", url: "https://www.typescriptlang.org/docs/" }],
        supported_features: [],
        debugger: false,
      }),

    complete_request: async (message) => {
      const code = text(message.content, "code");
      const { start, end, matches } = await this.runner.complete(code, unitOffset(code, message.content["cursor_pos"]));
      this.reply(message, "complete_reply", {
        status: "ok",
        matches: matches.map((match) => match.text),
        cursor_start: codePointOffset(code, start),
        cursor_end: codePointOffset(code, end),
        metadata: {
          _jupyter_types_experimental: matches.map((match) => ({
            text: match.text,
            type: match.kind,
            start: codePointOffset(code, start),
            end: codePointOffset(code, end),
          })),
        },
      });
    },

    inspect_request: async (message) => {
      const code = text(message.content, "code");
      const found = await this.runner.inspect(code, unitOffset(code, message.content["cursor_pos"]));
      this.reply(message, "inspect_reply", {
        status: "ok",
        found: found !== undefined,
        data: found === undefined ? {} : { "text/plain": found },
        metadata: {},
      });
    },

    is_complete_request: async (message) =>
      this.reply(message, "is_complete_reply", { ...(await this.runner.isComplete(text(message.content, "code"))) }),

    history_request: (message) =>
      this.reply(message, "history_reply", { status: "ok", history: this.history.rows(message.content) }),

    comm_info_request: (message) => {
      const wanted = message.content["target_name"];
      const comms = [...this.comms].filter(([, target]) => typeof wanted !== "string" || target === wanted);
      this.reply(message, "comm_info_reply", {
        status: "ok",
        comms: Object.fromEntries(comms.map(([id, target_name]) => [id, { target_name }])),
      });
    },

    comm_open: (message) => this.comm(message, "open"),
    comm_msg: (message) => this.comm(message, "msg"),
    comm_close: (message) => this.comm(message, "close"),

    interrupt_request: (message) => {
      void this.interrupt();
      this.reply(message, "interrupt_reply", { status: "ok" });
    },

    shutdown_request: (message) => {
      const restart = flag(message.content, "restart", false);
      this.reply(message, "shutdown_reply", { status: "ok", restart });
      void this.publish("shutdown_reply", { status: "ok", restart }, { ...message.header });
      this.close();
      this.options.onShutdown(restart);
    },
  };

  private remember(request: Incoming): Origin {
    const origin = ++this.originCount;
    this.origins.set(origin, request);
    if (this.origins.size > originLimit) {
      const oldest = this.origins.keys().next().value as Origin;
      this.origins.delete(oldest);
      this.names.delete(oldest);
    }
    return origin;
  }

  private comm(message: Incoming, kind: CommMessage["kind"]): void {
    const commId = text(message.content, "comm_id");
    if (kind === "open") this.comms.set(commId, text(message.content, "target_name"));
    if (kind === "close") this.comms.delete(commId);
    this.runner.comm(this.remember(message), {
      kind,
      commId,
      ...(kind === "open" ? { targetName: text(message.content, "target_name") } : {}),
      data: message.content["data"] ?? {},
      metadata: message.metadata,
      buffers: message.buffers,
    });
  }

  /** Tells the front ends that nobody is at this end of the comms any more. */
  private closeComms(): void {
    for (const comm_id of this.comms.keys()) void this.publish("comm_close", { comm_id, data: {} }, {});
    this.comms.clear();
  }

  /** Runs the next cell of the queue, unless one is running. */
  private async next(): Promise<void> {
    while (!this.running && !this.closing) {
      const request = this.queue.shift();
      if (!request) return;
      await this.execute(request);
    }
  }

  private async execute(request: Incoming): Promise<void> {
    const { content } = request;
    const origin = this.remember(request);
    const silent = flag(content, "silent", false);
    let toAbort: Incoming[] = [];
    let replied = false;
    // Whatever goes wrong here, the request is answered once and the next cell runs.
    try {
      this.running = { request, origin, silent };
      this.status(request, "busy");
      const code = text(content, "code");
      const store = !silent && flag(content, "store_history", true);
      const count = store ? ++this.executionCount : this.executionCount;
      if (!silent) void this.publish("execute_input", { code, execution_count: count }, { ...request.header });
      const setOutput = store ? this.history.add(count, code) : undefined;
      this.names.set(origin, `cell [${count}]`);
      const own = await this.runner.execute({
        origin,
        name: `cell [${count}]`,
        code,
        allowStdin: flag(content, "allow_stdin", true),
        ...(typeof request.metadata["cellId"] === "string" ? { cellId: request.metadata["cellId"] } : {}),
        ...(store ? { count } : {}),
      });
      this.forgetQuestions(origin);
      const { late } = this.running;
      const outcome: Outcome = own.status === "ok" && late ? { status: "error", ...late } : own;
      if (outcome.status === "error" && flag(content, "stop_on_error", true)) toAbort = await this.behind(request);
      replied = true;
      await this.finishExecution(request, outcome, count, silent, setOutput);
    } catch (error) {
      const why = String((error as Error).message).slice(0, 1000);
      this.options.log(`execute_request: ${why}`);
      if (!replied)
        this.attempt(() =>
          this.reply(request, "execute_reply", {
            status: "error",
            execution_count: this.executionCount,
            ename: error instanceof RequestError ? "RequestError" : "KernelError",
            evalue: why,
            traceback: [],
          }),
        );
    } finally {
      this.attempt(() => this.status(request, "idle"));
      this.running = undefined;
    }
    this.attempt(() => this.abort(toAbort));
  }

  /** Does what must not keep the rest from being done. */
  private attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.options.log(`an error in the kernel itself: ${(error as Error).message}`);
    }
  }

  private async finishExecution(
    request: Incoming,
    outcome: Outcome,
    count: number,
    silent: boolean,
    setOutput?: (output: string) => void,
  ): Promise<void> {
    const parent = { ...request.header };
    if (outcome.status === "ok") {
      const plain = outcome.result?.["text/plain"];
      if (typeof plain === "string") setOutput?.(plain);
      if (outcome.result && !silent)
        await this.publish("execute_result", { data: outcome.result, metadata: {}, execution_count: count }, parent);
      this.reply(request, "execute_reply", {
        status: "ok",
        execution_count: count,
        payload: [],
        user_expressions: await this.expressions(object(request.content["user_expressions"])),
      });
      return;
    }
    const error = { ename: outcome.ename, evalue: outcome.evalue, traceback: coloured(outcome) };
    if (!silent && !outcome.shown) await this.publish("error", error, parent);
    this.reply(request, "execute_reply", { status: "error", execution_count: count, ...error, payload: [] });
  }

  /** The protocol's user_expressions: each evaluated after the cell, each with its own error. */
  private async expressions(wanted: JsonObject): Promise<JsonObject> {
    const results: JsonObject = {};
    for (const [name, code] of Object.entries(wanted)) {
      if (typeof code !== "string") continue;
      const outcome = await this.runner.execute({
        origin: this.running?.origin ?? 0,
        name: "expression",
        code,
        allowStdin: false,
      });
      results[name] =
        outcome.status === "ok"
          ? { status: "ok", data: outcome.result ?? { "text/plain": "undefined" }, metadata: {} }
          : { status: "error", ename: outcome.ename, evalue: outcome.evalue, traceback: outcome.traceback };
    }
    return results;
  }

  /** The cells that the same front end has sent behind this one, before it could know that this one failed. */
  private async behind(failed: Incoming): Promise<Incoming[]> {
    // Those that are on their way already arrive within a turn or two; the reply, which ends the wait, has not been sent yet.
    await new Promise((resolve) => setTimeout(resolve, 5));
    return this.queue.filter(({ header }) => header.session === failed.header.session);
  }

  /** Answers `aborted` to cells that will not run. */
  private abort(requests: Incoming[]): void {
    this.queue = this.queue.filter((request) => !requests.includes(request));
    for (const request of requests) {
      this.status(request, "busy");
      this.reply(request, "execute_reply", { status: "aborted", execution_count: this.executionCount });
      this.status(request, "idle");
    }
  }

  private parentOf(origin: Origin): Incoming | undefined {
    return this.origins.get(origin) ?? this.running?.request ?? [...this.origins.values()].at(-1);
  }

  /** Publishes what user code puts out. */
  private output(message: Parameters<RunnerListener["output"]>[0]): void | Promise<void> {
    if (message.type === "commDone") return;
    if (this.running?.silent && message.origin === this.running.origin && message.type !== "comm") return;
    const request = this.parentOf(message.origin);
    const parent = request ? { ...request.header } : {};
    switch (message.type) {
      case "stream":
        return this.publish("stream", { name: message.name, text: message.text }, parent);
      case "display":
        return this.publish(
          message.update ? "update_display_data" : "display_data",
          {
            data: message.data,
            metadata: message.metadata,
            transient: message.displayId === undefined ? {} : { display_id: message.displayId },
          },
          parent,
        );
      case "clear":
        return this.publish("clear_output", { wait: message.wait }, parent);
      case "uncaught": {
        const { ename, evalue, traceback } = message.error;
        this.lateError(message.origin, message.error);
        return this.publish("error", { ename, evalue, traceback: coloured({ ename, evalue, traceback }) }, parent);
      }
      case "comm": {
        const { kind, commId, targetName, data, metadata, buffers } = message.message;
        if (kind === "open") this.comms.set(commId, targetName ?? "");
        if (kind === "close") this.comms.delete(commId);
        return this.publish(
          `comm_${kind}`,
          { comm_id: commId, data, ...(kind === "open" ? { target_name: targetName } : {}) },
          parent,
          { ...(metadata ? { metadata } : {}), ...(buffers ? { buffers } : {}) },
        );
      }
    }
  }

  /**
   * Notes an error of a cell that has ended. Where a notebook is executed with nobody watching, the cell that runs then fails with it: its front
   * end hears of no other cell any more.
   */
  private lateError(origin: Origin, error: ErrorContent): void {
    const { running } = this;
    if (!running || running.origin === origin || running.late) return;
    if (!this.options.dropsLate || flag(running.request.content, "allow_stdin", true)) return;
    const cell = this.names.get(origin) ?? "an earlier cell";
    running.late = { ...error, traceback: [`An error of ${cell}, which had ended:`, ...error.traceback] };
  }

  /** Sends a question of user code to the front end whose cell asks it. */
  private ask({
    origin,
    id,
    prompt,
    password,
  }: {
    origin: Origin;
    id: number;
    prompt: string;
    password: boolean;
  }): void {
    const request = this.parentOf(origin);
    if (!request) {
      this.runner.input(id, null, "There is no front end to ask.");
      return;
    }
    const message = this.message("input_request", { prompt, password }, { ...request.header });
    this.questions.set(message.header.msg_id, { id, session: request.header.session, origin });
    this.options.transport.send("stdin", request.peer, message);
  }

  /** Drops what a cell that has ended still asks: nobody waits for the answer. */
  private forgetQuestions(origin: Origin): void {
    for (const [key, question] of this.questions) if (question.origin === origin) this.questions.delete(key);
  }

  /** Takes an answer. Some front ends name the question as parent, others the cell: then it answers the oldest question of that front end. */
  private answer(message: Incoming): void {
    const value = message.content["value"];
    if (message.header.msg_type !== "input_reply" || typeof value !== "string") {
      this.options.log(`ignored a ${JSON.stringify(message.header.msg_type.slice(0, 60))} on the stdin channel`);
      return;
    }
    const parent = typeof message.parent["msg_id"] === "string" ? message.parent["msg_id"] : "";
    const key = this.questions.has(parent)
      ? parent
      : [...this.questions].find(([, question]) => question.session === message.header.session)?.[0];
    const question = key === undefined ? undefined : this.questions.get(key);
    if (key === undefined || !question) {
      this.options.log("ignored an answer to no question");
      return;
    }
    this.questions.delete(key);
    this.runner.input(question.id, value);
  }
}

/** The traceback with its first line in red, as terminals and notebooks show it. */
function coloured({ ename, evalue, traceback }: ErrorContent): string[] {
  const lines = traceback.length > 0 ? traceback : [`${ename}: ${evalue}`];
  return [`\u001b[31m${lines[0]}\u001b[39m`, ...lines.slice(1)];
}
