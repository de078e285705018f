/** The house style: fonts, themes, margins. One place, so that a notebook, a picture and a page look alike. */
import { palette } from "./palette.js";

/** The page that a figure stands on: a light one, a dark one, or one that is not known (then colours are chosen to be readable on both). */
export type Theme = "light" | "dark" | "neutral";

interface ThemeColours {
  text: string;
  grid: string;
  line: string;
  paper: string;
}

const themes: Record<Theme, ThemeColours> = {
  light: { text: "#212529", grid: "rgba(0,0,0,0.12)", line: "rgba(0,0,0,0.45)", paper: "#ffffff" },
  dark: { text: "#e9ecef", grid: "rgba(255,255,255,0.16)", line: "rgba(255,255,255,0.55)", paper: "#111111" },
  neutral: { text: "#787878", grid: "rgba(128,128,128,0.25)", line: "rgba(128,128,128,0.6)", paper: "rgba(0,0,0,0)" },
};

const clear = "rgba(0,0,0,0)";

/**
 * Plotly's template of the house style: the defaults under what a figure sets itself.
 * @param theme the page that the figure stands on
 */
export function houseTemplate(theme: Theme = "neutral"): Record<string, unknown> {
  const { text, grid, line, paper } = themes[theme];
  const axis = {
    automargin: true,
    zeroline: false,
    gridcolor: grid,
    linecolor: line,
    tickcolor: line,
    ticks: "outside",
    ticklen: 4,
    title: { standoff: 10 },
    // Thousands apart; letters (M, G) from a million on.
    separatethousands: true,
    exponentformat: "SI",
    minexponent: 6,
  };
  return {
    layout: {
      colorway: [...palette],
      font: { family: "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif", size: 13, color: text },
      paper_bgcolor: clear,
      plot_bgcolor: clear,
      title: { x: 0, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top" },
      xaxis: axis,
      yaxis: axis,
      legend: { bgcolor: clear },
      modebar: { bgcolor: clear, color: line, activecolor: text },
      hovermode: "closest",
      hoverlabel: {
        align: "left",
        ...(theme === "neutral" ? {} : { bgcolor: paper, bordercolor: line, font: { color: text } }),
      },
    },
    data: { heatmap: [{ colorbar: { outlinewidth: 0, thickness: 16, ticks: "outside", tickcolor: line } }] },
  };
}

/** The opaque background of a theme: for pictures that are seen without a page behind them. */
export function paperColour(theme: Theme): string {
  return themes[theme].paper;
}

/**
 * Breaks a text into lines at spaces, for plotly's labels.
 * @param text the text; breaks in it (`<br>`) stay
 * @param characters the longest line, in characters; a longer word stays whole
 */
export function wrap(text: string, characters: number): string {
  return text
    .split("<br>")
    .flatMap((part) => {
      const lines: string[] = [];
      for (const word of part.split(" ")) {
        const last = lines.at(-1);
        if (last !== undefined && last.length + 1 + word.length <= characters)
          lines[lines.length - 1] = `${last} ${word}`;
        else lines.push(word);
      }
      return lines;
    })
    .join("<br>");
}

const titleWidth = 56;
const titleLine = 20;
const legendLine = 22;
/** The width of a legend: a plot area as narrow as it is in a notebook beside an open file browser, in characters of the legend's font. */
export const legendWidth = 76;
/** What the sample of a line takes in the legend beside its name, in characters. */
const sampleWidth = 7;

/** How many rows a horizontal legend takes in a notebook; plotly gives every entry the width of the widest. */
function legendRows(names: readonly string[], width: number): number {
  const widest = Math.max(...names.map((name) => name.length)) + sampleWidth;
  const columns = Math.max(1, Math.floor(width / widest));
  return Math.ceil(names.length / columns);
}

/**
 * Title, legend and margins that make room for each other: the title on top, the legend's rows below it, then the data.
 * @param title the figure's title
 * @param names the names in the legend; fewer than two need none
 * @param width the legend's width in characters
 */
export function frame(
  title: string,
  names: readonly string[],
  width = legendWidth,
): Record<string, unknown> & { margin: { t: number; r: number; b: number; l: number } } {
  const text = wrap(title, titleWidth);
  const lines = text.split("<br>").length;
  const above = 26 + titleLine * lines;
  // plotly centres a title of several lines around its first one.
  const shared = {
    title: { text, font: { size: 15 }, pad: { l: 12, t: 14 + (titleLine / 2) * (lines - 1) } },
    height: 420,
  };
  if (names.length < 2) return { ...shared, showlegend: false, margin: { t: above, r: 16, b: 56, l: 64 } };
  const rows = legendRows(names, width);
  if (rows > 4) {
    // Too many for rows above the data: a column beside it.
    return {
      ...shared,
      showlegend: true,
      legend: { x: 1.02, xanchor: "left", y: 1, yanchor: "top" },
      margin: { t: above, r: 16, b: 56, l: 64 },
    };
  }
  return {
    ...shared,
    height: 420 + legendLine * (rows - 1),
    showlegend: true,
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1.01, yanchor: "bottom" },
    margin: { t: above + legendLine * rows + 4, r: 16, b: 56, l: 64 },
  };
}
