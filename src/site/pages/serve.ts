/** A folder served to this machine alone. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { realPlace } from "../../files/index.js";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".ipynb": "application/x-ipynb+json",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".gif": "image/gif",
  ".webp": "image/webp",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".pdf": "application/pdf",
};

/** A site that is being served. */
export interface SiteServer {
  /** The address of its first page. */
  url: string;
  /** Ends the server and every open connection. */
  close(): Promise<void>;
}

/**
 * Serves a folder on this machine's loopback address.
 * @param folder what to serve
 * @param port 0 for any that is free
 * @throws Error where the port is taken
 */
export async function serveSite(folder: string, port = 0): Promise<SiteServer> {
  const server = createServer((request, response) => {
    const file = isLocal(request.headers.host) ? fileOf(folder, request.url ?? "/") : undefined;
    if (file === undefined || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("There is no such page.\n");
      return;
    }
    response.writeHead(200, {
      "content-type": types[extname(file)] ?? "application/octet-stream",
      "content-length": statSync(file).size,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      // What is no page of its own (a picture, a notebook) runs nothing when it is opened by itself.
      ...(/^\.(?:html|pdf)$/.test(extname(file))
        ? {}
        : { "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox" }),
    });
    if (request.method === "HEAD") response.end();
    else
      createReadStream(file)
        .on("error", () => response.destroy())
        .pipe(response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Whether a request was made to this machine by its own name: a page elsewhere whose name is made to lead here asks by its own. */
function isLocal(host: string | undefined): boolean {
  return /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(host ?? "");
}

/** The file behind an address, if it lies in the folder, links followed. */
function fileOf(folder: string, address: string): string | undefined {
  try {
    const asked = `.${decodeURIComponent(new URL(address, "http://localhost").pathname)}`;
    const path = realPlace(folder, asked);
    if (path === undefined) return undefined;
    const file = statSync(join(folder, path)).isDirectory() ? realPlace(folder, `./${path}/index.html`) : path;
    return file !== undefined && statSync(join(folder, file)).isFile() ? join(folder, file) : undefined;
  } catch {
    return undefined;
  }
}
