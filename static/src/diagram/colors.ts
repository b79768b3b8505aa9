/** The colours of diagrams: those of our pages, in the names of Mermaid's theme "base"; text has 4.5:1 on everything that it stands on. */

interface Inks {
  paper: string;
  ink: string;
  quiet: string;
  line: string;
  /** Of a node. */
  fill: string;
  edge: string;
  /** Behind groups and every other row. */
  calm: string;
  note: string;
  noteEdge: string;
  bad: string;
  /** Fields that text stands on, told apart by their hue. */
  fields: readonly string[];
  /** The same hues for lines, with `label` on them. */
  lines: readonly string[];
  label: string;
}

const LIGHT: Inks = {
  paper: "#ffffff",
  ink: "#1f2623",
  quiet: "#5b6661",
  line: "#b9c2bc",
  fill: "#e8f1ed",
  edge: "#2f6f5e",
  calm: "#f4f6f2",
  note: "#fdf3d3",
  noteEdge: "#c9a94a",
  bad: "#f6cdc8",
  fields: ["#cfe3da", "#f6dfb6", "#d3def3", "#f6d3cd", "#e4d7f0", "#cde8ec", "#ece3c6", "#dde6c8"],
  lines: ["#2f6f5e", "#8f5f00", "#3a62a8", "#ad3b30", "#7550a0", "#1f727d", "#77632a", "#52682a"],
  label: "#ffffff",
};

const DARK: Inks = {
  paper: "#1e2421",
  ink: "#e3e8e4",
  quiet: "#a9b4ae",
  line: "#56615b",
  fill: "#263731",
  edge: "#7cc3ac",
  calm: "#222a26",
  note: "#40391f",
  noteEdge: "#9b8440",
  bad: "#6a2f2a",
  fields: ["#2d4a40", "#57451d", "#2d4165", "#66322c", "#493860", "#1e4d54", "#4c4530", "#3d4a28"],
  lines: ["#7cc3ac", "#e2b65a", "#94b4ee", "#ff9d92", "#c4a6ec", "#7cccd8", "#d3bf87", "#b4cf82"],
  label: "#10201a",
};

/** Values for `themeVariables`. */
export function colors(dark: boolean): Record<string, unknown> {
  const inks = dark ? DARK : LIGHT;
  const parts = [nodes, sequence, plan, pie, branches, charts, scales].map((part) => part(inks));
  return Object.assign({ darkMode: dark, background: inks.paper, dropShadow: "none" }, ...parts);
}

function nodes({ ink, quiet, line, fill, edge, calm, note, noteEdge, paper }: Inks): Record<string, unknown> {
  return {
    ...{ primaryColor: fill, primaryTextColor: ink, primaryBorderColor: edge },
    ...{ secondaryColor: calm, secondaryTextColor: ink, secondaryBorderColor: line },
    ...{ tertiaryColor: calm, tertiaryTextColor: ink, tertiaryBorderColor: line },
    ...{ lineColor: quiet, textColor: ink, titleColor: ink, arrowheadColor: quiet },
    ...{ mainBkg: fill, nodeBorder: edge, clusterBkg: calm, clusterBorder: line, edgeLabelBackground: paper, defaultLinkColor: quiet },
    ...{ noteBkgColor: note, noteTextColor: ink, noteBorderColor: noteEdge, classText: ink, compositeBackground: calm, altBackground: calm },
    ...{ rowOdd: paper, rowEven: calm, attributeBackgroundColorOdd: paper, attributeBackgroundColorEven: calm, labelBackgroundColor: paper },
    ...{ transitionLabelColor: ink, stateLabelColor: ink, errorBkgColor: calm, errorTextColor: ink, relationColor: quiet, relationLabelColor: ink },
    ...{ relationLabelBackground: paper, requirementBackground: fill, requirementBorderColor: edge, requirementTextColor: ink },
    ...{ archEdgeColor: quiet, archEdgeArrowColor: quiet, archGroupBorderColor: quiet, personBkg: fill, personBorder: edge },
  };
}

function sequence({ ink, quiet, line, fill, edge, calm, label }: Inks): Record<string, unknown> {
  return {
    ...{ actorBkg: fill, actorBorder: edge, actorTextColor: ink, actorLineColor: line, signalColor: quiet, signalTextColor: ink },
    ...{ labelBoxBkgColor: fill, labelBoxBorderColor: edge, labelTextColor: ink, loopTextColor: ink, sequenceNumberColor: label },
    ...{ activationBkgColor: fill, activationBorderColor: edge, rectBkgColor: calm },
  };
}

function plan({ ink, quiet, line, fill, edge, calm, paper, bad, fields, lines }: Inks): Record<string, unknown> {
  return {
    ...{ sectionBkgColor: calm, sectionBkgColor2: calm, altSectionBkgColor: paper, excludeBkgColor: calm },
    ...{ gridColor: line, todayLineColor: lines[3], vertLineColor: lines[2] },
    ...{ taskBkgColor: fill, taskBorderColor: edge, taskTextColor: ink, taskTextDarkColor: ink, taskTextLightColor: ink, taskTextOutsideColor: ink },
    ...{ taskTextClickableColor: ink, activeTaskBkgColor: fields[1], activeTaskBorderColor: lines[1] },
    ...{ doneTaskBkgColor: calm, doneTaskBorderColor: quiet },
    ...{ critBkgColor: bad, critBorderColor: lines[3] },
  };
}

function pie({ ink, paper, fields }: Inks): Record<string, unknown> {
  const slices = numbered("pie", fields, 1);
  const texts = { pieTitleTextColor: ink, pieSectionTextColor: ink, pieLegendTextColor: ink };
  return { ...slices, ...texts, pieStrokeColor: paper, pieOuterStrokeColor: paper, pieOpacity: "1" };
}

function branches({ ink, label, line, calm, lines, note, noteEdge }: Inks): Record<string, unknown> {
  return {
    ...numbered("git", lines),
    ...numbered("gitInv", lines.map(() => label)),
    ...numbered("gitBranchLabel", lines.map(() => label)),
    ...{ commitLabelColor: ink, commitLabelBackground: calm, commitLineColor: line, branchLabelColor: label },
    ...{ tagLabelColor: ink, tagLabelBackground: note, tagLabelBorder: noteEdge },
  };
}

function charts({ ink, quiet, paper, fill, calm, line, edge, lines }: Inks): Record<string, unknown> {
  const across = { xAxisLabelColor: ink, xAxisTitleColor: ink, xAxisTickColor: quiet, xAxisLineColor: quiet };
  const axes = { ...across, yAxisLabelColor: ink, yAxisTitleColor: ink, yAxisTickColor: quiet, yAxisLineColor: quiet };
  return {
    xyChart: { backgroundColor: "transparent", titleColor: ink, ...axes, plotColorPalette: [...lines].join(",") },
    ...{ quadrant1Fill: fill, quadrant2Fill: calm, quadrant3Fill: paper, quadrant4Fill: calm, quadrant1TextFill: ink, quadrant2TextFill: ink },
    ...{ quadrant3TextFill: ink, quadrant4TextFill: ink, quadrantPointFill: edge, quadrantPointTextFill: ink, quadrantXAxisTextFill: ink },
    ...{ quadrantYAxisTextFill: ink, quadrantInternalBorderStrokeFill: line, quadrantExternalBorderStrokeFill: line, quadrantTitleFill: ink },
  };
}

/** Mind maps, time lines, boards and journeys. */
function scales({ ink, fields, lines }: Inks): Record<string, unknown> {
  const twelve = Array.from({ length: 12 }, (_, index) => fields[index % fields.length] ?? ink);
  const edges = twelve.map((_, index) => lines[index % lines.length] ?? ink);
  const texts = twelve.map(() => ink);
  const scale = { ...numbered("cScale", twelve), ...numbered("cScaleInv", edges), ...numbered("cScalePeer", edges) };
  return { scaleLabelColor: ink, ...scale, ...numbered("cScaleLabel", texts), ...numbered("fillType", fields) };
}

function numbered(name: string, values: readonly string[], start = 0): Record<string, string> {
  return Object.fromEntries(values.map((value, index) => [`${name}${index + start}`, value]));
}
