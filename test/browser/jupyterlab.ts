import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { BrowserContext, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import {
  type PythonEnvironment,
  prepareLab,
  projectRoot,
  type RunningLab,
  startJupyterLab,
} from "../../src/lab/index.js";
import { launchChromium } from "../../src/site/index.js";

/** A stored notebook, as far as the tests read it. */
export interface Notebook {
  cells: {
    cell_type: string;
    source: string | string[];
    execution_count?: number | null;
    outputs?: { output_type: string; ename?: string; evalue?: string; data?: Record<string, unknown> }[];
  }[];
}

export const plotType = "application/vnd.plotly.v1+json";
export const outputs = (notebook: Notebook) => notebook.cells.flatMap((cell) => cell.outputs ?? []);
export const withPlots = (notebook: Notebook) =>
  outputs(notebook).filter((output) => output.data?.[plotType] !== undefined);

/** JupyterLab as the product starts it, on a folder of copies, with a browser before it. */
export class LabInBrowser {
  /** Every host that the browser asked for something. */
  readonly hosts = new Set<string>();
  /** Errors that JupyterLab's page threw, with their stacks. */
  readonly pageErrors: string[] = [];
  /** How often a process of the lab tried to reach the network through the proxy it was given. */
  outward = 0;

  private constructor(
    readonly folder: string,
    private readonly lab: RunningLab,
    private readonly context: BrowserContext,
    private readonly proxy: Server,
  ) {}

  /** @param source a folder whose contents are copied and shown */
  static async start(python: PythonEnvironment, sources: readonly string[]): Promise<LabInBrowser> {
    prepareLab(python);
    // Inside the project, where notebooks live: their cells import its packages.
    mkdirSync(join(projectRoot, "results"), { recursive: true });
    const folder = mkdtempSync(join(projectRoot, "results", "browser-"));
    for (const source of sources) cpSync(source, folder, { recursive: true });
    let self: LabInBrowser | undefined;
    const proxy = createServer((socket) => {
      if (self) self.outward += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const address = proxy.address();
    const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
    const env = { ...python.env, HTTP_PROXY: url, HTTPS_PROXY: url, ALL_PROXY: url, NO_PROXY: "127.0.0.1,localhost" };
    const browser = await launchChromium();
    // One reader's: what it has loaded and compiled for one notebook it has for the next.
    const context = await browser.newContext();
    const lab = await startedAtLast(() => startJupyterLab({ ...python, env }, { folder }));
    self = new LabInBrowser(folder, lab, context, proxy);
    return self;
  }

  /** Whether pages and processes stayed on this machine, and the lab's own code threw no error in a page. */
  expectNothingWrong(): void {
    expect([...this.hosts]).toEqual(["127.0.0.1"]);
    expect(this.outward).toBe(0);
    // JupyterLab's own errors are its own: a busy machine provokes some when outputs are replaced.
    expect(this.pageErrors.filter((stack) => stack.includes("/iommu-lab-renderer/"))).toEqual([]);
  }

  async stop(): Promise<void> {
    await this.context.browser()?.close();
    await this.lab.stop();
    this.proxy.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Closes a notebook's page and ends every kernel, so that none works beside the next notebook's. */
  async close(notebook: NotebookPage): Promise<void> {
    await notebook.close();
    const headers = { authorization: `token ${this.lab.token}` };
    const sessions = (await (await fetch(`${this.lab.server}api/sessions`, { headers })).json()) as { id: string }[];
    for (const { id } of sessions) await fetch(`${this.lab.server}api/sessions/${id}`, { method: "DELETE", headers });
  }

  /** Opens a notebook in a page and a workspace of its own, and waits until its kernel is idle. */
  async open(notebook: string, options: { theme?: "light" | "dark"; height?: number } = {}): Promise<NotebookPage> {
    const page = await this.context.newPage();
    await page.setViewportSize({ width: 1280, height: options.height ?? 900 });
    await page.emulateMedia({ colorScheme: options.theme ?? "light" });
    page.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol !== "data:" && protocol !== "blob:") this.hosts.add(hostname);
    });
    page.on("pageerror", (error) => this.pageErrors.push(error.stack ?? error.message));
    // Generous: other tests run beside this one.
    page.setDefaultTimeout(60_000);
    // The servers of two files of tests share their workspaces' folder.
    const workspace = `w${process.pid}-${Math.floor(performance.now())}`;
    await page.goto(`${this.lab.server}lab/workspaces/${workspace}/tree/${notebook}?token=${this.lab.token}&reset`);
    const opened = new NotebookPage(page, join(this.folder, notebook));
    await opened.idle();
    return opened;
  }
}

/** A server between whose look at a port and whose use of it another may have taken the port: it is started again, a few times. */
async function startedAtLast(start: () => Promise<RunningLab>): Promise<RunningLab> {
  for (let tries = 4; ; tries--) {
    try {
      return await start();
    } catch (error) {
      if (tries === 0) throw error;
    }
  }
}

/** One notebook open in JupyterLab, driven as a person would: by menus, keys and clicks. */
export class NotebookPage {
  constructor(
    readonly page: Page,
    readonly file: string,
  ) {}

  /** The code cells, in order. */
  get cells(): Locator {
    return this.page.locator(".jp-CodeCell");
  }

  /** Waits until the kernel is there and has nothing to do: before it is connected, JupyterLab calls it idle too. */
  async idle(): Promise<void> {
    await this.page
      .locator(".jp-StatusBar-Widget", { hasText: /iommu-lab\) \| Idle/ })
      .first()
      .waitFor({ timeout: 60_000 });
  }

  /** Chooses an entry of the menu bar: menu("Run", "Run All Cells"). */
  async menu(name: string, entry: string): Promise<void> {
    await this.page.locator(".lm-MenuBar-item", { hasText: new RegExp(`^${name}$`) }).click();
    await this.page.locator(".lm-Menu-item", { hasText: entry }).first().click();
  }

  /** Waits until no cell waits for its turn or runs. */
  async settled(timeout = 180_000): Promise<void> {
    await this.page.waitForFunction(
      () => !Array.from(document.querySelectorAll(".jp-InputPrompt")).some((prompt) => prompt.textContent === "[*]:"),
      undefined,
      { timeout, polling: 200 },
    );
    await this.idle();
  }

  /** Runs every cell by the menu, and waits until the last one is done. */
  async runAll(): Promise<void> {
    await this.menu("Run", "Run All Cells");
    await this.page
      .locator(".jp-InputPrompt", { hasText: /\[(\*|\d+)\]/ })
      .first()
      .waitFor();
    await this.settled();
  }

  /** Puts a text into a new cell at the end, with the cursor behind it, and returns the cell. */
  async write(text: string): Promise<Locator> {
    await this.page.locator(".jp-CodeCell .cm-content").last().click();
    await this.page.keyboard.press("Escape");
    await this.page.keyboard.press("b");
    await this.page.keyboard.press("Enter");
    await this.page.keyboard.insertText(text);
    return this.page.locator(".jp-CodeCell.jp-mod-active");
  }

  /** Saves by the menu and reads what was stored. */
  async saved(): Promise<Notebook> {
    const before = statSync(this.file).mtimeMs;
    await this.menu("File", "Save Notebook");
    await this.page.locator(".jp-mod-current.jp-mod-dirty").waitFor({ state: "detached" });
    // A notebook that was not changed is written too; nothing on the page says when.
    for (let i = 0; i < 100 && statSync(this.file).mtimeMs === before; i++) await this.page.waitForTimeout(100);
    for (let tries = 20; ; tries--) {
      try {
        return JSON.parse(readFileSync(this.file, "utf8")) as Notebook;
      } catch (error) {
        // Read in the middle of being written.
        if (tries === 0) throw error;
        await this.page.waitForTimeout(100);
      }
    }
  }

  /** Scrolls through the notebook, so that each plot is drawn, and counts the drawn plots. */
  async drawnPlots(): Promise<number> {
    const plots = this.page.locator(".iommu-lab-plot");
    const count = await plots.count();
    for (let i = 0; i < count; i++) {
      await plots.nth(i).scrollIntoViewIfNeeded();
      await plots.nth(i).locator("svg.main-svg").first().waitFor();
    }
    return count;
  }

  /** Pictures of the whole notebook, screen by screen, in results/screenshots. */
  async screenshot(name: string): Promise<void> {
    const folder = join(projectRoot, "results", "screenshots");
    mkdirSync(folder, { recursive: true });
    await this.page.setViewportSize({ width: 1280, height: 1600 });
    await this.drawnPlots();
    const panel = this.page.locator(".jp-NotebookPanel-notebook .jp-WindowedPanel-outer").first();
    const screens = await panel.evaluate((node) => Math.ceil(node.scrollHeight / node.clientHeight));
    for (let i = 0; i < screens; i++) {
      await panel.evaluate((node, i) => node.scrollTo(0, i * node.clientHeight), i);
      await this.page.waitForTimeout(500);
      await this.page.screenshot({ path: join(folder, `${name}-${i + 1}.png`) });
    }
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
