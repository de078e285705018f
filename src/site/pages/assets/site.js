// What the pages do when scripts run: theme, code shown or hidden, plots in the place of their pictures, the glossary's words, search.
// Everything can be read without it. Nothing is loaded from elsewhere, and nothing by fetch, so that pages open from a folder too.
(() => {
  const root = document.documentElement;
  const base = root.dataset.base ?? "";
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  const remember = (name, value) => {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch {
      // It holds for this page only.
    }
  };

  const loading = new Map();
  /** Loads a script of the site once. */
  function script(address) {
    if (!loading.has(address)) {
      const loaded = new Promise((resolve, reject) => {
        const node = document.createElement("script");
        node.src = address;
        node.onload = resolve;
        node.onerror = () => {
          loading.delete(address);
          reject(new Error(`${address} could not be loaded`));
        };
        document.head.append(node);
      });
      loading.set(address, loaded);
    }
    return loading.get(address);
  }

  // ---- Theme ------------------------------------------------------------------------------------------------------------

  const darkSystem = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : darkSystem.matches);
  const themeButton = $("#toggle-theme");

  function themeChanged() {
    themeButton.setAttribute("aria-pressed", String(isDark()));
    for (const canvas of drawn) draw(canvas);
  }
  themeButton.hidden = false;
  themeButton.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    root.dataset.theme = theme;
    // Back at what the system says, the page follows the system again.
    const same = (theme === "dark") === darkSystem.matches;
    if (same) delete root.dataset.theme;
    remember("iommu-lab-theme", same ? null : theme);
    themeChanged();
  });
  darkSystem.addEventListener("change", themeChanged);

  // ---- Code shown or hidden -----------------------------------------------------------------------------------------------

  const sources = all("details.source");
  const codeButton = $("#toggle-code");
  if (sources.length > 0) {
    const show = (shown) => {
      codeButton.setAttribute("aria-pressed", String(shown));
      for (const source of sources) source.open = shown;
    };
    codeButton.hidden = false;
    codeButton.addEventListener("click", () => {
      const shown = codeButton.getAttribute("aria-pressed") !== "true";
      delete root.dataset.code;
      show(shown);
      remember("iommu-lab-code", shown ? null : "hidden");
    });
    if (root.dataset.code === "hidden") {
      show(false);
      delete root.dataset.code;
    }
  }

  for (const source of sources) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText($("code", source).textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed here";
      }
      setTimeout(() => {
        button.textContent = "Copy";
      }, 1500);
    });
    source.append(button);
  }

  // ---- Menus: open beside the text on a wide page, folded above it on a narrow one ---------------------------------------

  for (const [selector, query] of [
    ["nav.pages > details", "(min-width: 80rem)"],
    ["nav.contents > details", "(min-width: 62rem)"],
  ]) {
    const menu = $(selector);
    if (!menu) continue;
    const wide = matchMedia(query);
    const adapt = () => {
      menu.open = wide.matches;
    };
    wide.addEventListener("change", adapt);
    adapt();
    menu.addEventListener("click", (event) => {
      if (!wide.matches && event.target.closest("a")) menu.open = false;
    });
  }

  // The heading that is being read, in the table of contents.
  const entries = new Map(all("nav.contents a").map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  if (entries.size > 0 && "IntersectionObserver" in window) {
    const seen = new IntersectionObserver(
      (changes) => {
        for (const { target, isIntersecting } of changes) {
          if (!isIntersecting) continue;
          for (const link of entries.values()) link.removeAttribute("aria-current");
          entries.get(target.id)?.setAttribute("aria-current", "true");
        }
      },
      { rootMargin: "0px 0px -75% 0px" },
    );
    for (const id of entries.keys()) {
      const heading = document.getElementById(id);
      if (heading) seen.observe(heading);
    }
  }

  // ---- Plots ------------------------------------------------------------------------------------------------------------

  const plots = new Map();
  const drawn = new Set();
  let themes = {};

  let fitToWidth;

  const ruler = document.createElement("canvas").getContext("2d");
  /** The width of a text of a figure in pixels. */
  function measured(text, size) {
    ruler.font = `${size}px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif`;
    return ruler.measureText(text).width;
  }

  /** The figure as plotly takes it: in the page's colours, fitted to the room there is. */
  function fitted({ data, layout, house }, width) {
    const given = structuredClone({ data, layout });
    const copy = house ? fitToWidth(given, width, measured) : given;
    const theme = isDark() ? "dark" : "light";
    copy.layout.template = house ? themes[theme] : undefined;
    // A map whose words need more room than a phone has scrolls in its box.
    copy.layout.width = copy.layout.meta?.wide;
    copy.layout.autosize = true;
    if (!house) copy.layout.paper_bgcolor ??= "#fff";
    // A finger that moves over a plot moves the page.
    if (matchMedia("(pointer: coarse)").matches) copy.layout.dragmode = false;
    return copy;
  }

  /** Nothing of a figure's toolbar sends it anywhere. */
  const toolbar = {
    responsive: false,
    displaylogo: false,
    scrollZoom: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "toggleSpikelines"],
  };

  /** Draws a plot over its picture; the picture stays where something goes wrong, and for print. */
  async function draw(canvas) {
    const { plot: address, name } = canvas.dataset;
    const shared = ["plotly", "house", "fit"].map((file) => script(`${base}assets/${file}.js`));
    await Promise.all([...shared, script(address)]);
    const lib = window.Plotly ?? window.moduleName;
    let live = $(".live", canvas);
    if (!live) {
      live = document.createElement("div");
      live.className = "live";
      canvas.append(live);
      new ResizeObserver(() => {
        const width = Math.round(live.clientWidth);
        if (width === 0 || width === live.drawnWidth || !live.drawnWidth) return;
        // Fitted again where its texts may break in other places; a few pixels only stretch it.
        if (Math.abs(width - live.drawnWidth) > 24) draw(canvas);
        else lib.Plots.resize(live);
      }).observe(live);
    }
    live.drawnWidth = Math.round(live.clientWidth);
    const { data, layout } = fitted(plots.get(name), live.clientWidth);
    const wide = layout.width > live.clientWidth;
    live.classList.toggle("wide", wide);
    if (wide) live.tabIndex = 0;
    else live.removeAttribute("tabindex");
    if (layout.height) canvas.style.setProperty("--plot-height", `${Math.round(layout.height)}px`);
    await lib.react(live, data, layout, {
      ...toolbar,
      displayModeBar: live.clientWidth < 560 ? false : "hover",
    });
    live.setAttribute("role", "group");
    live.setAttribute("aria-label", `Interactive plot: ${$("img", canvas)?.alt ?? ""}`);
    drawn.add(canvas);
    canvas.classList.add("drawn");
  }

  function drawLater(canvas) {
    draw(canvas).catch((error) => console.warn(`This plot stays a picture: ${error.message}`));
  }

  window.iommuLab = {
    plot(name, figure) {
      plots.set(name, figure);
    },
    house(templates) {
      themes = templates;
    },
    fit(figure) {
      fitToWidth = figure;
    },
    search(options, index) {
      finder = window.MiniSearch.loadJSON(index, options);
    },
  };

  const near = new IntersectionObserver(
    (changes) => {
      for (const { target, isIntersecting } of changes) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        drawLater(target);
      }
    },
    { rootMargin: "600px 0px" },
  );
  // The pictures first: the plots may take their time.
  const start = () => {
    // On paper the pictures stay.
    if (matchMedia("print").matches) return;
    for (const canvas of all(".canvas[data-plot]")) near.observe(canvas);
  };
  if (document.readyState === "complete") start();
  else addEventListener("load", start);

  // ---- The glossary's words -------------------------------------------------------------------------------------------

  const bubble = document.createElement("div");
  bubble.id = "bubble";
  bubble.setAttribute("aria-hidden", "true");
  bubble.hidden = true;
  document.body.append(bubble);

  function explain(link) {
    const meaning = document.getElementById(link.getAttribute("aria-describedby"));
    if (!meaning) return;
    bubble.textContent = meaning.textContent;
    bubble.hidden = false;
    const place = link.getClientRects()[0];
    const left = Math.max(8, Math.min(place.left, root.clientWidth - bubble.offsetWidth - 8));
    const below = place.bottom + 8 + bubble.offsetHeight < innerHeight;
    bubble.style.left = `${left + scrollX}px`;
    bubble.style.top = `${(below ? place.bottom + 8 : place.top - bubble.offsetHeight - 8) + scrollY}px`;
  }
  const hush = () => {
    bubble.hidden = true;
  };
  for (const link of all("a.term[aria-describedby]")) {
    link.addEventListener("mouseenter", () => explain(link));
    link.addEventListener("focus", () => explain(link));
    link.addEventListener("mouseleave", hush);
    link.addEventListener("blur", hush);
  }
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") hush();
  });

  // ---- Search -----------------------------------------------------------------------------------------------------------

  let finder;
  const dialog = document.createElement("dialog");
  dialog.className = "search";
  dialog.setAttribute("aria-label", "Search all pages");
  dialog.innerHTML = `<form method="dialog"><label for="search-field">Search all pages</label>
<input id="search-field" type="search" autocomplete="off" spellcheck="false" role="combobox" aria-expanded="false" aria-controls="search-results" aria-autocomplete="list">
<button type="submit">Close</button></form><p class="found" role="status"></p><ul id="search-results" role="listbox" aria-label="Results"></ul>`;
  document.body.append(dialog);
  const field = $("#search-field", dialog);
  const results = $("#search-results", dialog);
  const found = $(".found", dialog);

  async function openSearch() {
    if (!dialog.open) dialog.showModal();
    field.select();
    try {
      await script(`${base}assets/minisearch.js`);
      await script(`${base}assets/search-index.js`);
    } catch {
      found.textContent = "The index could not be loaded.";
      return;
    }
    search();
  }

  const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

  /** The words around the first hit. */
  function excerpt(text, terms) {
    const low = text.toLowerCase();
    const at = Math.max(
      0,
      Math.min(...terms.map((term) => low.indexOf(term)).filter((i) => i >= 0), text.length) % text.length || 0,
    );
    const from = at < 60 ? 0 : text.indexOf(" ", at - 50) + 1;
    const to = text.length <= from + 160 ? text.length : text.lastIndexOf(" ", from + 160);
    const part = text.slice(from, to);
    const marks = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const html = escaped(part).replace(new RegExp(`(${marks.map(escaped).join("|")})`, "gi"), "<mark>$1</mark>");
    return `${from > 0 ? "… " : ""}${html}${to < text.length ? " …" : ""}`;
  }

  function search() {
    if (!finder) return;
    const words = field.value.trim();
    const hits =
      words === ""
        ? []
        : finder.search(words, { prefix: true, fuzzy: 0.15, boost: { title: 3, page: 2 }, combineWith: "AND" });
    results.innerHTML = hits
      .slice(0, 20)
      .map(
        ({ title, page, url, text, terms }, i) =>
          `<li role="presentation"><a role="option" id="hit-${i}" aria-selected="false" tabindex="-1" href="${escaped(base + url)}"><b>${escaped(title)}</b>${title === page ? "" : ` <span>${escaped(page)}</span>`}<br><small>${text ? excerpt(text, terms) : ""}</small></a></li>`,
      )
      .join("");
    field.setAttribute("aria-expanded", String(hits.length > 0));
    found.textContent =
      words === ""
        ? ""
        : hits.length === 0
          ? "Nothing was found."
          : `${hits.length} ${hits.length === 1 ? "section" : "sections"}`;
    select(0);
  }

  let selected = 0;
  function select(index) {
    const options = all("a", results);
    selected = Math.max(0, Math.min(options.length - 1, index));
    for (const [i, option] of options.entries()) option.setAttribute("aria-selected", String(i === selected));
    if (options[selected]) {
      field.setAttribute("aria-activedescendant", `hit-${selected}`);
      options[selected].scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  }

  field.addEventListener("input", search);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") select(selected + 1);
    else if (event.key === "ArrowUp") select(selected - 1);
    else if (event.key === "Enter") {
      const link = all("a", results)[selected];
      if (link) {
        dialog.close();
        link.click();
      }
    } else if (event.key === "Escape") dialog.close();
    else return;
    event.preventDefault();
  });
  results.addEventListener("click", (event) => {
    if (event.target.closest("a")) dialog.close();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  const searchButton = $("#open-search");
  searchButton.hidden = false;
  searchButton.addEventListener("click", openSearch);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && !dialog.open) {
      event.preventDefault();
      openSearch();
    }
  });

  // ---- Print: answers are part of what is printed -----------------------------------------------------------------------

  const folded = "details.fold";
  addEventListener("beforeprint", () => {
    for (const picture of all("article img")) picture.loading = "eager";
    for (const details of all(folded)) {
      details.wasOpen = details.open;
      details.open = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const details of all(folded)) details.open = details.wasOpen ?? details.open;
  });

  // A link into something folded opens it.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target?.closest("article details");
    if (details && !details.open) {
      details.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();
})();
