import { spawn } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "./root.js";

/** What became of a tool that was run to its end. */
export interface Outcome {
  ok: boolean;
  /** The last part of what it printed on both streams, or why it could not start. */
  output: string;
}

const leash = join(projectRoot, "src", "lab", "leash.mjs");

const keptCharacters = 64 * 1024;

/**
 * Runs a tool to its end.
 * @param options.onLine hears each line that it prints
 * @param options.signal ends the tool (and what it started) at once
 * @param options.leashed the tool ends, with what it started, also where this process is killed; costs some 50 ms
 */
export function runTool(
  command: string,
  args: readonly string[],
  options: {
    cwd: string;
    env: NodeJS.ProcessEnv;
    onLine?: (line: string) => void;
    signal?: AbortSignal;
    leashed?: boolean;
  },
): Promise<Outcome> {
  return new Promise((resolve) => {
    // A group of its own, so that Ctrl-C reaches it through us alone and takes its children along.
    const [program, words]: [string, readonly string[]] = options.leashed
      ? [process.execPath, [leash, command, ...args]]
      : [command, args];
    const child = spawn(program, words, {
      cwd: options.cwd,
      env: options.env,
      // The leash ends the tool when this pipe ends.
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    child.stdin.on("error", () => {});
    if (!options.leashed) child.stdin.end();
    let output = "";
    let partial = "";
    const take = (chunk: Buffer) => {
      const text = chunk.toString("utf8");
      output = (output + text).slice(-keptCharacters);
      const lines = (partial + text).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) options.onLine?.(line.trimEnd());
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const stop = () => killGroup(child.pid, "SIGKILL");
    if (options.signal?.aborted) stop();
    options.signal?.addEventListener("abort", stop, { once: true });
    const finish = (outcome: Outcome) => {
      options.signal?.removeEventListener("abort", stop);
      resolve(outcome);
    };
    child.on("error", (error) => finish({ ok: false, output: error.message }));
    child.on("close", (code, signal) => {
      const killed = signal ? `${output}\n${command} was ended by ${signal}` : output;
      finish({ ok: code === 0, output: killed });
    });
  });
}

/** Signals a process and all that it started; no error when it is gone already. */
export function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone.
  }
}
