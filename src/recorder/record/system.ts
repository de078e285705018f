import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
import { delimiter, join } from "node:path";

/** The kernel's tracing files, with paths relative to their mount: a real tree, or a test's. */
export interface Tracefs {
  /** Where it is mounted. */
  readonly root: string;
  /** A file's content, or undefined where it is not there or may not be read. */
  read(path: string): string | undefined;
  /** @throws where the kernel refuses it */
  write(path: string, text: string): void;
  /** The names in a folder. */
  list(path: string): string[];
  /** Makes an instance of one's own. */
  makeInstance(path: string): void;
  /** Removes it. */
  removeInstance(path: string): void;
  /** Opens a pipe that is read without waiting. */
  pipe(path: string): {
    /** Reads what there is; how many bytes. */
    read(into: Uint8Array): number;
    /** Closes the pipe. */
    close(): void;
  };
}

/** What a plan for a recording depends on. */
export interface RecordingSystem {
  /** undefined where tracefs is not mounted, or may not be seen. */
  tracefs: Tracefs | undefined;
  /** Kernel release, "6.12.0". */
  kernel: string;
  root: boolean;
  /** Programs that are there. */
  tools: readonly ("trace-cmd" | "perf" | "bpftrace")[];
}

const mounts = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/** The machine that this runs on. @param tracefsRoot where tracefs is mounted, where it is not in a usual place */
export function thisSystem(tracefsRoot?: string): RecordingSystem {
  const root = [...(tracefsRoot === undefined ? mounts : [tracefsRoot])].find((path) =>
    existsSync(join(path, "events")),
  );
  return {
    tracefs: root === undefined ? undefined : new MountedTracefs(root),
    kernel: release(),
    root: process.getuid?.() === 0,
    tools: (["trace-cmd", "perf", "bpftrace"] as const).filter(inPath),
  };
}

function inPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}

class MountedTracefs implements Tracefs {
  constructor(readonly root: string) {}

  read(path: string): string | undefined {
    try {
      return readFileSync(join(this.root, path), "utf8");
    } catch {
      return undefined;
    }
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.root, path), text);
  }

  list(path: string): string[] {
    try {
      return readdirSync(join(this.root, path));
    } catch {
      return [];
    }
  }

  makeInstance(path: string): void {
    mkdirSync(join(this.root, path));
  }

  removeInstance(path: string): void {
    rmdirSync(join(this.root, path));
  }

  pipe(path: string): { read(into: Uint8Array): number; close(): void } {
    const file = openSync(join(this.root, path), constants.O_RDONLY | constants.O_NONBLOCK);
    return {
      read(into) {
        try {
          return readSync(file, into);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
          throw error;
        }
      },
      close: () => closeSync(file),
    };
  }
}
