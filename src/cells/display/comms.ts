/** A channel to code in the front end, such as a widget. */
export interface Comm {
  readonly id: string;
  readonly targetName: string;
  /** Sends data to the other end. */
  send(data: unknown, metadata?: Record<string, unknown>, buffers?: Uint8Array[]): void;
  /** Closes the channel at both ends. */
  close(data?: unknown): void;
  /** Called with each message from the other end; also while a cell waits in an `await`. */
  onMessage: ((data: unknown, buffers: Uint8Array[]) => void) | undefined;
  /** Called when the other end closes the channel. */
  onClose: ((data: unknown) => void) | undefined;
}

/** The channels to the front end. */
export interface Comms {
  /** Opens a channel to a target that the front end knows, such as `"jupyter.widget"`. */
  open(
    targetName: string,
    data?: unknown,
    options?: { id?: string; metadata?: Record<string, unknown>; buffers?: Uint8Array[] },
  ): Comm;
  /** Names a target that the front end may open a channel to. */
  registerTarget(targetName: string, onOpen: (comm: Comm, data: unknown, buffers: Uint8Array[]) => void): void;
  /** Forgets a target. */
  unregisterTarget(targetName: string): void;
}
