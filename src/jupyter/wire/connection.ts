/** The connection file: where the front end wants the kernel to listen, and the key that messages are signed with. */
import { type ReadError, readSmall } from "../../files/index.js";

/** What a connection file says. */
export interface Connection {
  transport: "tcp" | "ipc";
  ip: string;
  shell_port: number;
  iopub_port: number;
  stdin_port: number;
  control_port: number;
  hb_port: number;
  key: string;
  signature_scheme: string;
}

/** A problem that the user can do something about: one sentence. */
export class ConnectionError extends Error {
  override name = "UserError";
}

const ports = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"] as const;

/**
 * Reads and checks a connection file.
 * @param options `unsigned`: an empty key is accepted, which leaves the kernel open to everyone on the machine
 * @throws ConnectionError that names the file, the field, and what is accepted
 */
export function readConnection(file: string, options: { unsigned?: boolean } = {}): Connection {
  let text: string;
  try {
    text = readSmall(file);
  } catch (error) {
    const { code, message } = error as ReadError;
    throw new ConnectionError(
      code === "ENOENT"
        ? `There is no connection file at ${file}; Jupyter writes it when it starts the kernel.`
        : `The connection file cannot be read. ${message}`,
    );
  }
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
    if (typeof value !== "object" || value === null) throw new Error("not an object");
  } catch {
    throw new ConnectionError(`The connection file ${file} is not a JSON object.`);
  }
  const wrong = (field: string, accepted: string): never => {
    throw new ConnectionError(
      `The connection file ${file}: ${field} must be ${accepted}; it is ${JSON.stringify(value[field]) ?? "missing"}.`,
    );
  };
  const transport = value["transport"] ?? "tcp";
  if (transport !== "tcp" && transport !== "ipc") return wrong("transport", '"tcp" or "ipc"');
  const ip = value["ip"];
  if (typeof ip !== "string" || ip === "") return wrong("ip", "an address");
  if (transport === "tcp" && !/^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/.test(ip))
    return wrong("ip", "a loopback address such as 127.0.0.1 (this kernel listens on no other)");
  for (const field of ports) {
    const port = value[field];
    if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65535)
      return wrong(field, "a port number from 1 to 65535");
  }
  const key = value["key"] ?? "";
  if (typeof key !== "string") return wrong("key", "a string");
  if (key.trim() === "" && options.unsigned !== true)
    throw new ConnectionError(
      `The connection file ${file}: key is empty, so anyone on this machine could run code in the kernel. Give it a key, or start the kernel with --unsigned.`,
    );
  const scheme = value["signature_scheme"] ?? "hmac-sha256";
  if (typeof scheme !== "string" || !/^hmac-(md5|sha1|sha224|sha256|sha384|sha512)$/.test(scheme))
    return wrong("signature_scheme", '"hmac-sha256" or another hmac- scheme of the SHA family');
  return { ...(value as unknown as Connection), transport, ip, key, signature_scheme: scheme };
}
