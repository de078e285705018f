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
    title: { standoff: 10, font: { size: 13 } },
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
    data: {
      heatmap: [
        {
          colorbar: {
            outlinewidth: 0,
            thickness: 16,
            ticks: "outside",
            tickcolor: line,
            title: { font: { size: 13 } },
          },
        },
      ],
    },
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

/** The width that a figure is laid out for where nothing else is known: that of a notebook's column, in pixels. */
export const columnWidth = 704;

/** What every figure begins with: a title on top, a legend in rows below it where there are two names or more, then the data. */
export function frame(title: string, names: readonly string[]): Record<string, unknown> {
  const shared = { title: { text: title }, height: 360, meta: { header: 0 }, margin: { t: 0, r: 16, b: 56, l: 64 } };
  if (names.length < 2) return { ...shared, showlegend: false };
  return {
    ...shared,
    showlegend: true,
    legend: { orientation: "h", traceorder: "normal", x: 0, xanchor: "left", y: 1.01, yanchor: "bottom" },
  };
}
