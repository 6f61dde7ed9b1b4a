/** One self-contained HTML page with plots (uPlot, put into the page), light and dark. */
import * as fs from 'node:fs';
import * as path from 'node:path';

export interface Series {
  name: string;
  values: (number | null)[];
}

export interface Chart {
  title: string;
  /** What is plotted against the number of the reading. */
  series: Series[];
}

export interface Page {
  title: string;
  /** Lines of text under the title. */
  notes: string[];
  charts: Chart[];
  /** Finished HTML after the charts, such as tables. */
  appendix?: string;
}

/** Distinct on white and on black (Okabe and Ito's palette, without black and yellow). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6bb1', '#7f7f7f'];

const STYLE = `
:root { color-scheme: light dark; --text: #1b1b1b; --faint: #666; --grid: #ddd; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e8e8e8; --faint: #a0a0a0; --grid: #3a3a3a; --page: #161616; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 960px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.4em; margin-bottom: 0.2em; } h2 { font-size: 1.05em; margin: 1.6em 0 0.2em; }
p { color: var(--faint); margin: 0.2em 0; } .u-legend { text-align: left; color: var(--text); font-size: 13px; }
table { border-collapse: collapse; margin: 1em 0; } th, td { padding: 0.2em 0.8em; border-bottom: 1px solid var(--grid); text-align: right; }
th:first-child, td:first-child { text-align: left; }
`;

const SCRIPT = `
var pages = JSON.parse(document.getElementById('charts').textContent);
var plots = [];
function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
function draw() {
  plots.forEach(function (plot) { plot.destroy(); });
  plots = pages.map(function (chart, index) {
    var host = document.getElementById('chart' + index);
    var axis = { stroke: colour('--faint'), grid: { stroke: colour('--grid'), width: 1 }, ticks: { stroke: colour('--grid'), width: 1 } };
    return new uPlot({
      width: host.clientWidth, height: 240, scales: { x: { time: false } }, axes: [axis, Object.assign({ size: 60 }, axis)],
      series: [{ label: 'reading' }].concat(chart.series.map(function (series) {
        return { label: series.name, stroke: series.colour, width: 1.5, points: { show: false } };
      })),
    }, [chart.x].concat(chart.series.map(function (series) { return series.values; })), host);
  });
}
draw();
addEventListener('resize', draw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
`;

/** Text with the characters that HTML gives meaning to written out. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
}

/** The page's HTML. */
export function plotPage(page: Page): string {
  const library = path.join(path.dirname(require.resolve('uplot')), '..', 'dist');
  const charts = page.charts.map((chart) => ({
    x: Array.from({ length: Math.max(0, ...chart.series.map((s) => s.values.length)) }, (_, i) => i + 1),
    series: chart.series.map((series, i) => ({ ...series, colour: COLOURS[i % COLOURS.length] })),
  }));
  const json = JSON.stringify(charts, (_, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value,
  ).replace(/</g, '\\u003c');
  const body = page.charts.map(
    (chart, i) => `<h2>${escapeHtml(chart.title)}</h2>\n<div id="chart${i}"></div>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title>
<style>${fs.readFileSync(path.join(library, 'uPlot.min.css'), 'utf8')}${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(page.title)}</h1>
${page.notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}
${body.join('\n')}
${page.appendix ?? ''}
<script id="charts" type="application/json">${json}</script>
<script>${fs.readFileSync(path.join(library, 'uPlot.iife.min.js'), 'utf8')}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}
