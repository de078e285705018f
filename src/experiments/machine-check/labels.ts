/**
 * Ticks of a category axis whose labels are too long for one line: broken at spaces and behind hyphens, so that they stand upright on a
 * page of usual width. Where there is no room even so, plotly turns them.
 * @param labels the categories
 * @param characters the longest line
 */
export function uprightTicks(labels: readonly string[], characters: number): Record<string, unknown> {
  const lines = (label: string): string => {
    const pieces = label.match(/[^ -]+-?|-/g) ?? [label];
    const result: string[] = [];
    for (const piece of pieces) {
      const last = result.at(-1);
      const gap = last?.endsWith("-") ? "" : " ";
      if (last !== undefined && last.length + gap.length + piece.length <= characters)
        result[result.length - 1] = `${last}${gap}${piece}`;
      else result.push(piece);
    }
    return result.join("<br>");
  };
  return {
    tickmode: "array",
    tickvals: [...labels],
    ticktext: labels.map(lines),
    tickfont: { size: 11 },
    autotickangles: [0, 60, 90],
    automargin: true,
  };
}
