// JupyterLab's renderer for plotly figures (those of live controls included), and click-to-sort for the lab's tables.
//
// This is a prebuilt JupyterLab extension written by hand: JupyterLab loads this script, calls `init` with the modules that it shares
// (only Lumino's Widget is needed) and then asks for the module that package.json names. No builder is involved.
(() => {
  const mimeType = "application/vnd.plotly.v1+json";
  const base = document.currentScript.src.replace(/[^/]*$/, "");
  let shared = {};

  // ---- plotly.js, loaded when the first figure is drawn -------------------------------------------------------------

  let loading;
  /** plotly.js of the lab's pinned version; it puts itself on the window under the name that its wrapper uses. */
  function plotly() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${base}plotly.js`;
      script.onload = () => resolve(window.moduleName ?? window.Plotly);
      script.onerror = () => {
        loading = undefined;
        script.remove();
        reject(new Error("plotly.js could not be loaded from this JupyterLab. Run `npm start` again."));
      };
      document.head.append(script);
    });
    return loading;
  }

  let fitting;
  /** The house's way to fit a figure to a width: the compiled src/plot/fit.ts. Where it cannot be loaded, figures stay as they are. */
  function fit() {
    fitting ??= import(`${base}fit.js`).then(
      ({ fitted }) => fitted,
      () => (figure) => figure,
    );
    return fitting;
  }

  const ruler = document.createElement("canvas").getContext("2d");
  /** The width of a text of a figure in pixels. */
  function measured(text, size) {
    ruler.font = `${size}px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif`;
    return ruler.measureText(text).width;
  }

  /** Nothing of a figure's toolbar sends it anywhere, whatever the notebook says that it should hold. */
  const toolbar = {
    responsive: false,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "toggleSpikelines"],
  };

  // ---- Following JupyterLab's theme ---------------------------------------------------------------------------------

  const css = (name, fallback) => getComputedStyle(document.body).getPropertyValue(name).trim() || fallback;

  /** The colours of the theme that JupyterLab shows, as defaults: what a figure sets itself stays as it is. */
  function themeLayout() {
    const dark = document.body.dataset.jpThemeLight === "false";
    const text = css("--jp-ui-font-color1", dark ? "#ffffff" : "#212121");
    const soft = dark ? "rgba(255,255,255,0.16)" : "rgba(0,0,0,0.12)";
    const line = dark ? "rgba(255,255,255,0.55)" : "rgba(0,0,0,0.45)";
    const paper = css("--jp-layout-color0", dark ? "#111111" : "#ffffff");
    const axis = { gridcolor: soft, linecolor: line, tickcolor: line, zerolinecolor: line };
    return {
      font: { color: text },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      xaxis: axis,
      yaxis: axis,
      polar: { bgcolor: "rgba(0,0,0,0)" },
      scene: { xaxis: axis, yaxis: axis, zaxis: axis },
      legend: { bgcolor: "rgba(0,0,0,0)" },
      hoverlabel: { bgcolor: paper, bordercolor: line, font: { color: text } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: line, activecolor: text },
    };
  }

  /** Defaults under which others lie: plain objects are merged, everything else in `over` wins. */
  function merge(under, over) {
    if (over === undefined) return under;
    const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
    if (!plain(under) || !plain(over)) return over;
    const result = { ...under };
    for (const key of Object.keys(over)) result[key] = merge(under[key], over[key]);
    return result;
  }

  // ---- Figures of live controls that come by another way -------------------------------------------------------------
  //
  // A page that is loaded again does not know which of its outputs a figure's updates are for. The kernel then sends the figure through a
  // hidden output widget as well, as a mirror with the name of the figure: whoever shows the figure by that name takes it over.

  /** Renderers of figures with a name, and the latest figure that a mirror brought. */
  const named = new Map();
  const mirrors = new Map();

  function takeOver(name) {
    const latest = mirrors.get(name);
    if (latest?.figure === undefined) return;
    for (const renderer of named.get(name) ?? []) {
      renderer.figure = latest.figure;
      renderer.alt = latest.alt;
      renderer.draw();
    }
  }

  const drawn = new Set();
  new MutationObserver(() => {
    for (const widget of drawn) widget.draw();
  }).observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });

  // ---- What to see in a figure ----------------------------------------------------------------------------------------

  /**
   * A figure's caption: it stands beside the data, or behind the title in the words for readers who cannot see the figure
   * ("Figure: TITLE. CAPTION"). Other figures than the house's have none.
   */
  function captionOf(figure, alt) {
    if (typeof figure.caption === "string") return figure.caption;
    const given = figure.layout?.title?.text ?? figure.layout?.title;
    if (typeof alt !== "string" || !alt.startsWith("Figure: ") || typeof given !== "string") return "";
    const title = given.replace(/<br\s*\/?>/g, " ");
    const told = alt.slice("Figure: ".length);
    return told.startsWith(title) ? told.slice(title.length).replace(/^\.?\s*/, "") : "";
  }

  // ---- Numbers of figures ---------------------------------------------------------------------------------------------
  //
  // Figures are counted as on the site: all of the notebook's, also those that are folded away or far from the screen. So the number comes
  // from the notebook's model and not from what is drawn.

  const isFigure = (data) => mimeType in data || Object.keys(data).some((type) => type.startsWith("image/"));
  const isStoredCaption = (output) => output.metadata?.["iommu-lab"]?.caption === true;
  const isMirror = (output) => output.metadata?.["iommu-lab"]?.mirror === true;

  /** The output area and the notebook that a renderer stands in, as far as it stands in one. */
  function surroundings(renderer) {
    let area;
    let widget = renderer.parent;
    for (; widget; widget = widget.parent) {
      if (!area && widget.model?.get && widget.widgets) area = widget;
      if (widget.model?.cells) break;
    }
    return { area, notebook: widget ?? undefined };
  }

  const outputsOf = (model) => Array.from({ length: model?.length ?? 0 }, (_, i) => model.get(i));

  /** The number of a renderer's figure in its notebook; undefined outside of one. */
  function numberOf(renderer) {
    const { area, notebook } = surroundings(renderer);
    if (!area || !notebook) return undefined;
    const index = area.widgets.findIndex((widget) => widget.contains(renderer));
    let number = 0;
    for (const { outputs } of notebook.model.cells) {
      for (const [i, output] of outputsOf(outputs).entries()) {
        if (isFigure(output.data) && !isMirror(output)) number++;
        if (outputs === area.model && i === index) return number;
      }
    }
    return undefined;
  }

  /** A caption that was stored for other programs is not shown a second time. */
  function hideStoredCaption(renderer) {
    const { area } = surroundings(renderer);
    if (!area?.model) return;
    for (const [i, output] of outputsOf(area.model).entries())
      if (isStoredCaption(output)) area.widgets[i]?.addClass("iommu-lab-stored-caption");
  }

  // ---- No jumps when a cell runs again --------------------------------------------------------------------------------

  const running = (cell) => cell.querySelector(".jp-InputPrompt")?.textContent.includes("*") === true;

  /** How high output areas are with everything in them: an area that is cleared loses its outputs one by one. */
  const heights = new WeakMap();
  const areas = new ResizeObserver((entries) => {
    for (const { target } of entries) heights.set(target, target.getBoundingClientRect().height);
  });

  /**
   * Keeps the height of a cell's outputs from the moment when a figure in it goes until the cell has run and all its figures are drawn, or
   * has run for a while without one. By a class of its own: JupyterLab sets the area's min-height itself when it clears it, and takes that
   * away 50 ms later, whoever had set it.
   */
  function keepHeight(area, cell) {
    if (!area || !cell || area.classList.contains("iommu-lab-kept")) return;
    const height = Math.max(heights.get(area) ?? 0, area.getBoundingClientRect().height);
    area.style.setProperty("--iommu-lab-kept", `${height}px`);
    area.classList.add("iommu-lab-kept");
    let quiet = 0;
    const timer = setInterval(() => {
      quiet = running(cell) ? 0 : quiet + 100;
      const figures = [...area.querySelectorAll(".iommu-lab-plot")];
      const drawn = figures.every((node) => node.querySelector("svg.main-svg") !== null);
      const enough = figures.length === 0 ? 1500 : drawn ? 300 : 10_000;
      if (area.isConnected && quiet < enough) return;
      clearInterval(timer);
      area.classList.remove("iommu-lab-kept");
    }, 100);
  }

  // ---- The renderer -------------------------------------------------------------------------------------------------

  /** One figure in an output area. JupyterLab makes one for each output and disposes of it when the cell runs again. */
  const rendererClass = (Widget) =>
    class PlotlyRenderer extends Widget {
      constructor() {
        super();
        this.addClass("iommu-lab-plot");
        this.node.style.overflow = "hidden";
        this.canvas = document.createElement("div");
        this.caption = document.createElement("p");
        this.caption.className = "iommu-lab-caption";
        this.node.append(this.canvas, this.caption);
        this.observer = new ResizeObserver(() => this.resize());
      }

      async renderModel(model) {
        const first = this.figure === undefined;
        this.figure = model.data[mimeType];
        this.alt = model.data["text/plain"];
        const { figure: name, mirror } = model.metadata["iommu-lab"] ?? {};
        this.name = typeof name === "string" ? name : undefined;
        if (this.name !== undefined && mirror === true) {
          this.removeClass("iommu-lab-plot");
          mirrors.set(this.name, this);
          takeOver(this.name);
          return;
        }
        if (this.name !== undefined) {
          if (!named.has(this.name)) named.set(this.name, new Set());
          named.get(this.name).add(this);
          // As it was stored with the notebook; what the mirror has is newer.
          const mirrored = mirrors.get(this.name);
          if (first && mirrored) [this.figure, this.alt] = [mirrored.figure, mirrored.alt];
        }
        await this.draw();
      }

      /** Draws the figure in the theme's colours, one drawing after another: two at a time would get in each other's way. */
      draw() {
        const after = this.drawing?.catch(() => undefined) ?? Promise.resolve();
        this.drawing = after.then(() => this.unlessDisposed(() => this.drawNow()));
        return this.drawing;
      }

      /** What plotly throws when its node is taken away in the middle of its work is no error. */
      async unlessDisposed(work) {
        try {
          await work();
        } catch (error) {
          if (!this.isDisposed) throw error;
        }
      }

      /** A redraw keeps the reader's zoom. */
      async drawNow() {
        const figure = this.figure;
        if (!figure || typeof figure !== "object" || !Array.isArray(figure.data)) {
          this.canvas.textContent = "This output is not a plotly figure: it has no list named data.";
          return;
        }
        const [lib, fitted] = await Promise.all([plotly(), fit()]);
        // Disposed of, or given another figure, while plotly.js was being loaded.
        if (this.isDisposed || figure !== this.figure) return;
        // plotly writes into what it is given, and the notebook's model must stay as it was stored.
        const { config = {}, ...given } = structuredClone({ ...figure });
        this.width = this.node.clientWidth;
        // A figure without the house's style keeps its own layout.
        const house = given.layout?.template !== undefined && this.width > 0;
        const { data, layout = {} } = house ? fitted(given, this.width, measured) : given;
        const template = merge(layout.template ?? {}, { layout: merge(layout.template?.layout ?? {}, themeLayout()) });
        const { width: _width, ...rest } = layout;
        drawn.add(this);
        await lib.react(
          this.canvas,
          data,
          { uirevision: "keep", ...rest, template, autosize: true },
          { ...config, ...toolbar },
        );
        if (this.isDisposed) {
          lib.purge(this.canvas);
          return;
        }
        this.node.setAttribute("role", "figure");
        if (typeof this.alt === "string") this.node.setAttribute("aria-label", this.alt);
        this.words = captionOf(figure, this.alt);
        hideStoredCaption(this);
        for (const renderer of drawn) renderer.number();
        this.observer.observe(this.node);
        const area = this.node.closest(".jp-OutputArea");
        if (area) areas.observe(area);
        this.lib = lib;
      }

      /** Writes the caption with the figure's number, which changes when a figure above comes or goes. */
      number() {
        const { words = "" } = this;
        const number = words === "" ? undefined : numberOf(this);
        const label = number === undefined ? "" : `Figure ${number}. `;
        const text = label + words;
        if (this.caption.textContent === text) return;
        const strong = document.createElement("b");
        strong.textContent = label;
        this.caption.replaceChildren(...(label === "" ? [] : [strong]), words);
      }

      /** Fits the figure to the output area, once a frame at most. */
      resize() {
        const width = this.node.clientWidth;
        if (!this.lib || this.frame || width === 0 || width === this.width) return;
        this.frame = requestAnimationFrame(() => {
          this.frame = undefined;
          if (this.isDisposed || !this.node.isConnected || this.node.clientWidth === 0) return;
          // Fitted again where its texts may break in other places; a few pixels only stretch it.
          if (this.width === undefined || Math.abs(this.node.clientWidth - this.width) > 24) this.draw();
          else this.unlessDisposed(() => this.lib.Plots.resize(this.canvas));
        });
      }

      onAfterShow() {
        this.resize();
      }

      onResize() {
        this.resize();
      }

      /** Before it goes, its output area gets the height that it has: until the cell has run again, nothing below it moves. */
      onBeforeDetach(message) {
        super.onBeforeDetach(message);
        keepHeight(this.node.closest(".jp-OutputArea"), this.node.closest(".jp-CodeCell"));
      }

      dispose() {
        if (this.isDisposed) return;
        drawn.delete(this);
        named.get(this.name)?.delete(this);
        if (mirrors.get(this.name) === this) mirrors.delete(this.name);
        this.observer.disconnect();
        if (this.frame) cancelAnimationFrame(this.frame);
        if (this.lib) this.lib.purge(this.canvas);
        this.figure = undefined;
        super.dispose();
      }
    };

  async function mimeExtension() {
    const versions = Object.values(shared["@lumino/widgets"] ?? {});
    if (versions.length === 0) throw new Error("iommu-lab: this JupyterLab does not share @lumino/widgets");
    const { Widget } = (await versions[0].get())();
    const Renderer = rendererClass(Widget);
    return {
      // JupyterLab looks for the plugin under `default` only in a module that says so.
      __esModule: true,
      default: {
        id: "iommu-lab-renderer:plotly",
        description: "Draws plotly figures with the lab's own plotly.js.",
        rendererFactory: { safe: true, mimeTypes: [mimeType], createRenderer: () => new Renderer() },
        rank: 0,
        dataType: "json",
      },
    };
  }

  // ---- Controls whose kernel is gone ---------------------------------------------------------------------------------

  // A notebook that was saved in JupyterLab keeps the place of its controls, but not the controls: they live with the kernel.
  const orphan = /^Error displaying widget: model not found$/;
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (!target.classList?.contains("jupyter-widgets") || !orphan.test(target.textContent)) continue;
      target.textContent = "The controls of this figure belong to a kernel that has ended. Run the cell to have them again.";
      target.classList.add("iommu-lab-orphan");
    }
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ["class"] });

  // ---- Results that answer a question stay folded ---------------------------------------------------------------------

  // JupyterLab writes the beginning of a folded output in its place: the answer itself. Here it says only that there is one.
  function coverPlaceholders() {
    for (const place of document.querySelectorAll(".jp-OutputPlaceholder .jp-Placeholder-contentContainer:not(.iommu-lab-reveal)")) {
      place.classList.add("iommu-lab-reveal");
      place.setAttribute("role", "button");
      place.setAttribute("aria-label", "Reveal the result");
      place.tabIndex = 0;
      place.parentElement.title = "Reveal the result";
      place.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        place.click();
      });
    }
  }
  new MutationObserver(coverPlaceholders).observe(document.body, { subtree: true, childList: true });

  // ---- Which cell runs ------------------------------------------------------------------------------------------------

  /** "Cell 7 of 19 · 12 s" for a notebook that runs, else nothing; cells are counted as `iommu-lab execute` counts them. */
  function runningText(notebook, since) {
    const code = [...notebook.model.cells].filter((cell) => cell.type === "code" && cell.sharedModel.source.trim() !== "");
    const at = code.findIndex((cell) => cell.executionState === "running");
    if (at < 0) return { cell: -1, text: "" };
    const seconds = Math.floor((performance.now() - since) / 1000);
    const time = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    return { cell: at, text: `Cell ${at + 1} of ${code.length} runs \u00b7 ${time}` };
  }

  /** Says in a notebook's toolbar which of its cells runs, and for how long. */
  function watch(panel, Widget) {
    const note = new Widget();
    note.addClass("iommu-lab-running");
    note.node.setAttribute("role", "status");
    panel.toolbar.insertBefore?.("kernelName", "iommu-lab-running", note) || panel.toolbar.addItem("iommu-lab-running", note);
    let last = -1;
    let since = 0;
    const timer = setInterval(() => {
      if (panel.isDisposed) return clearInterval(timer);
      if (!panel.content?.model) return;
      let now = runningText(panel.content, since);
      if (now.cell !== last) {
        last = now.cell;
        since = performance.now();
        now = runningText(panel.content, since);
      }
      if (note.node.textContent !== now.text) note.node.textContent = now.text;
    }, 250);
  }

  async function notebookExtension() {
    const sharedModule = async (name) => {
      const versions = Object.values(shared[name] ?? {});
      if (versions.length === 0) throw new Error(`iommu-lab: this JupyterLab does not share ${name}`);
      return (await versions[0].get())();
    };
    const [{ Widget }, { INotebookTracker }] = await Promise.all([
      sharedModule("@lumino/widgets"),
      sharedModule("@jupyterlab/notebook"),
    ]);
    return {
      __esModule: true,
      default: {
        id: "iommu-lab-renderer:running",
        description: "Says which cell of a notebook runs.",
        autoStart: true,
        requires: [INotebookTracker],
        activate(_app, tracker) {
          tracker.forEach((panel) => watch(panel, Widget));
          tracker.widgetAdded.connect((_, panel) => watch(panel, Widget));
        },
      },
    };
  }

  // ---- Tables that sort by a click on a column's header -------------------------------------------------------------

  const tables = "table[data-iommu-lab-table], table.iommu-lab-table";

  /** A cell's value to sort by: its number where it shows one (1,234.5 or 1.2e-3 or −4), its text otherwise; gaps go last. */
  function sortKey(cell) {
    const text = (cell?.dataset.value ?? cell?.textContent ?? "").trim();
    if (text === "" || text === "null" || text === "undefined" || text === "NaN") return null;
    const number = Number(text.replace(/[\s,_\u00a0\u202f]/g, "").replace(/^\u2212/, "-").replace(/n$/, ""));
    return Number.isNaN(number) ? text : number;
  }

  const collator = new Intl.Collator(undefined, { numeric: true });

  function compare(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * collator.compare(String(a), String(b));
  }

  /** Sorts a table by a header cell's column: ascending, descending, then as it was. */
  function sortBy(header) {
    const body = header.closest("table").tBodies[0];
    if (!body) return;
    const rows = [...body.rows];
    for (const [i, row] of rows.entries()) row.iommuLabOrder ??= i;
    const next = { none: "ascending", ascending: "descending", descending: "none" };
    const direction = next[header.getAttribute("aria-sort") ?? "none"];
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    const column = header.cellIndex;
    if (direction === "none") rows.sort((a, b) => a.iommuLabOrder - b.iommuLabOrder);
    else {
      header.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const keyed = rows.map((row) => [sortKey(row.cells[column]), row]);
      keyed.sort(([a, x], [b, y]) => compare(a, b, sign) || x.iommuLabOrder - y.iommuLabOrder);
      rows.splice(0, rows.length, ...keyed.map(([, row]) => row));
    }
    body.append(...rows);
  }

  const headerOf = (event) => event.target.closest?.("thead th")?.closest(tables) && event.target.closest("thead th");
  document.addEventListener("click", (event) => {
    const header = headerOf(event);
    if (header && getSelection().isCollapsed) sortBy(header);
  });
  document.addEventListener("keydown", (event) => {
    const header = event.key === "Enter" || event.key === " " ? headerOf(event) : undefined;
    if (!header) return;
    event.preventDefault();
    event.stopPropagation();
    sortBy(header);
  });

  // In a menu of controls the arrows choose; JupyterLab would take them and go to another cell.
  document.addEventListener("focusin", ({ target }) => {
    if (target.matches?.(".jp-OutputArea select")) target.dataset.lmSuppressShortcuts = "true";
  });

  const style = document.createElement("style");
  const heads = tables.replaceAll(/(\w\S*)(,|$)/g, "$1 thead th$2");
  style.textContent = `
    ${heads} { cursor: pointer; }
    th[aria-sort="ascending"]::after { content: " \\25B2"; font-size: 0.7em; }
    th[aria-sort="descending"]::after { content: " \\25BC"; font-size: 0.7em; }
    .iommu-lab-orphan { color: var(--jp-ui-font-color2); font-style: italic; }
    .iommu-lab-plot { min-height: 60px; }
    .iommu-lab-kept { min-height: var(--iommu-lab-kept) !important; }
    .iommu-lab-caption { margin: 0 12px 12px; max-width: 46em; color: var(--jp-ui-font-color1); line-height: 1.4; }
    .iommu-lab-caption:empty { display: none; }
    .iommu-lab-caption b { font-weight: 600; }
    .jp-OutputArea-child.iommu-lab-stored-caption { display: none; }
    .jp-OutputArea-child:has(progress[max="1"][value="1"]) { display: none; }
    .iommu-lab-reveal .jp-PlaceholderText, .iommu-lab-reveal .jp-MoreHorizIcon { display: none; }
    .iommu-lab-reveal::before { content: "\\25B8 \\00A0 Reveal the result"; color: var(--jp-content-link-color); }
    .iommu-lab-reveal:hover::before { text-decoration: underline; }
    .iommu-lab-running { padding: 0 8px; align-self: center; font-size: var(--jp-ui-font-size1); color: var(--jp-ui-font-color1);
      font-variant-numeric: tabular-nums; white-space: nowrap; }
    .iommu-lab-plot .js-plotly-plot .modebar-container:focus-within .modebar--hover { opacity: 1; }
    /* Some 75 letters a line: a letter is a little less than half an em wide. */
    .jp-RenderedMarkdown { max-width: 38em; }
    .jp-RenderedMarkdown details { margin-bottom: 1em; }
    .jp-RenderedMarkdown details > summary { cursor: pointer; color: var(--jp-content-link-color); }
    .jp-RenderedMarkdown:has(table) { max-width: none; }
    .jp-RenderedMarkdown:has(table) > :not(table) { max-width: 38em; }
    .jp-OutputArea-output.iommu-lab-plot { padding: 0; }
  `;
  document.head.append(style);

  window._JUPYTERLAB ??= {};
  window._JUPYTERLAB["iommu-lab-renderer"] = {
    init(modules) {
      shared = modules;
    },
    async get(name) {
      const module = await (name === "./extension" ? notebookExtension() : mimeExtension());
      return () => module;
    },
  };
})();
