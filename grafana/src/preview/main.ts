// Draws a dashboard as SVG from what its queries return, in the manner of Grafana's dark theme.
// It knows the panels of the overview only, and says on the picture what it is.

import { readFileSync, writeFileSync } from 'node:fs';

import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import type * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';

import { graph, stat, table, text, type Box, type Named } from './draw';
import { theme } from './format';
import { ask, type Period } from './prometheus';

const [source, server, target, minutes = '15'] = process.argv.slice(2);
if (!source || !server || !target) throw new Error('usage: main.js DASHBOARD.json PROMETHEUS-URL PICTURE.svg [MINUTES]');

const cell = { w: 60, h: 38 };
const gap = 8;
const head = 74;
const foot = 34;

const to = Math.floor(Date.now() / 1000);
const period: Period = { from: to - Number(minutes) * 60, to, step: 15 };

/** The reader's choices; the comparison is nearer than the default so that a short demo fills it. */
const choices: Record<string, string> = {
  job: '.+',
  instance: 'exo',
  yesterday: '5m',
  baseline: '5m',
  __range: `${minutes}m`,
  __rate_interval: '1m',
  __interval: '15s',
};

function expand(expr: string): string {
  return expr.replaceAll(/\$(\w+)/g, (whole, name: string) => choices[name] ?? whole);
}

async function fetchPanel(panel: dashboard.Panel): Promise<Named[]> {
  const answers = (panel.targets as prometheus.Dataquery[]).map(async (query) => {
    const found = await ask(server!, expand(query.expr ?? ''), period, query.instant ?? false);
    return found.map((sample) => ({
      ...sample,
      refId: query.refId ?? '',
      name: (query.legendFormat ?? '').replaceAll(/{{(\w+)}}/g, (_, label: string) => sample.labels[label] ?? ''),
    }));
  });
  return (await Promise.all(answers)).flat();
}

async function draw(panel: dashboard.Panel | dashboard.RowPanel): Promise<string> {
  const { x, y, w, h } = panel.gridPos!;
  const box: Box = { x: x * cell.w + gap, y: head + y * cell.h, w: w * cell.w - gap, h: h * cell.h - gap };
  if (panel.type === 'row') return text(box.x + 4, box.y + 21, `⌄ ${panel.title}`, { size: 15, bold: true });
  const series = await fetchPanel(panel as dashboard.Panel);
  switch (panel.type) {
    case 'stat':
      return stat(panel as dashboard.Panel, box, series, period);
    case 'timeseries':
      return graph(panel as dashboard.Panel, box, series, period);
    case 'table':
      return table(panel as dashboard.Panel, box, series);
    default:
      throw new Error(`panel ${panel.title}: kind ${panel.type} cannot be drawn`);
  }
}

async function main(): Promise<void> {
  const simulated = await ask(server!, expand('min(min_over_time(exobench_simulated{job=~"$job", instance=~"$instance"}[$__range]))'), period, true);
  if (simulated[0]?.points[0]?.[1] !== 1) throw new Error(`${server}: the last ${minutes} minutes are not those of a demo`);
  const model = JSON.parse(readFileSync(source!, 'utf8')) as dashboard.Dashboard;
  const panels = await Promise.all(model.panels!.map(draw));
  const width = 24 * cell.w + gap;
  const bottom = Math.max(...model.panels!.map(({ gridPos }) => gridPos!.y + gridPos!.h));
  const height = head + bottom * cell.h + foot;
  const shownChoices = [
    `Node: ${choices['instance']}`,
    `Compare with (ago): ${choices['yesterday']}`,
    `Baseline over: ${choices['baseline']}`,
    `last ${minutes} minutes`,
  ].join(' · ');
  const note = "SIMULATED figures of exo-bench-exporter -demo, drawn from this dashboard's queries; not a screenshot of Grafana";
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter, Helvetica, Arial, sans-serif">`,
    `<rect width="100%" height="100%" fill="${theme.canvas}"/>`,
    text(gap + 4, 30, model.title ?? '', { size: 20, bold: true }),
    text(gap + 4, 56, shownChoices, { fill: theme.faint }),
    ...panels,
    text(width / 2, height - 14, note, { anchor: 'middle', fill: '#FF9830', bold: true }),
    '</svg>',
  ];
  writeFileSync(target!, `${svg.join('\n')}\n`);
}

void main();
