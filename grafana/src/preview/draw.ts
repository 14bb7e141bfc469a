// Draws the kinds of panel that the overview has, as SVG.

import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { color, number, properties, show, theme, type Properties } from './format';
import type { Period, Sample } from './prometheus';

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** A series with its legend filled in. */
export interface Named extends Sample {
  name: string;
  refId: string;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

interface TextStyle {
  size?: number;
  fill?: string;
  anchor?: 'start' | 'middle' | 'end';
  bold?: boolean;
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 13, fill = theme.text, anchor = 'start', bold = false } = style;
  const weight = bold ? ' font-weight="600"' : '';
  return `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" text-anchor="${anchor}"${weight}>${escape(content)}</text>`;
}

function rect({ x, y, w, h }: Box, fill: string, stroke = 'none'): string {
  return `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="3" fill="${fill}" stroke="${stroke}"/>`;
}

export function frame(box: Box, title: string): string {
  return rect(box, theme.panel, theme.border) + text(box.x + 10, box.y + 20, title, { bold: true });
}

function look(own: Properties): { stroke: string; dash: string } {
  const fixed = own.get('color') as { fixedColor?: string } | undefined;
  const line = own.get('custom.lineStyle') as { dash?: number[] } | undefined;
  return { stroke: fixed?.fixedColor ?? theme.faint, dash: line?.dash ? ` stroke-dasharray="${line.dash.join(' ')}"` : '' };
}

/** The values along an axis. */
interface Axis {
  ticks: number[];
  /** Where a value stands between the first tick and the last, 0 to 1. */
  position: (value: number) => number;
}

function linearAxis(least: number, most: number, unit: string): Axis {
  const span = most - least;
  if (span === 0) return { ticks: [least, least + 1], position: (v) => v - least };
  const base = unit === 'bytes' ? 2 ** Math.floor(Math.log2(span) - 1) : 10 ** Math.floor(Math.log10(span));
  const tick = [0.2, 0.5, 1, 2, 5].map((f) => f * base).find((t) => span / t <= 5)!;
  const first = Math.floor(least / tick + 1e-9);
  const last = Math.max(first + 1, Math.ceil(most / tick - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * tick);
  return { ticks, position: (v) => (v - first * tick) / ((last - first) * tick) };
}

/** An axis on which doublings are equally far apart. */
function doublingAxis(least: number, most: number): Axis {
  const first = Math.floor(Math.log2(least));
  const last = Math.max(first + 1, Math.ceil(Math.log2(most)));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => 2 ** (first + i));
  return { ticks, position: (v) => (Math.log2(v) - first) / (last - first) };
}

/** Scales of a graph: time to x, value to y. */
function scales(box: Box, period: Period, axis: Pick<Axis, 'position'>) {
  return {
    x: (t: number) => box.x + ((t - period.from) / (period.to - period.from)) * box.w,
    y: (v: number) => box.y + box.h * (1 - axis.position(v)),
  };
}

/** Path that holds each value until the next and breaks where values are missing. */
function stepPath(points: [number, number][], period: Period, x: (t: number) => number, y: (v: number) => number): string {
  let path = '';
  points.forEach(([t, v], i) => {
    const previous = points[i - 1];
    const connected = previous && t - previous[0] <= period.step * 1.5;
    path += connected ? `H${x(t).toFixed(1)}V${y(v).toFixed(1)}` : `M${x(t).toFixed(1)} ${y(v).toFixed(1)}`;
  });
  return path;
}

export function stat(panel: dashboard.Panel, box: Box, series: Named[], period: Period): string {
  const options = panel.options as { colorMode: string; textMode: string; graphMode: string };
  const width = box.w / Math.max(1, series.length);
  let out = frame(box, '');
  series.forEach((s, i) => {
    const own = properties(panel, s.name);
    const shown = show(own, s.points.at(-1)![1]);
    const tile = { x: box.x + i * width, y: box.y, w: width, h: box.h };
    const filled = options.colorMode === 'background';
    if (filled) out += rect(tile, shown.color ?? theme.panel);
    const { stroke } = look(own);
    if (options.graphMode === 'area') {
      const area = { x: tile.x, y: tile.y + tile.h * 0.55, w: tile.w, h: tile.h * 0.45 };
      const highest = Math.max(...s.points.map(([, v]) => v)) * 1.3;
      const { x, y } = scales(area, period, { position: (v) => v / highest });
      const path = stepPath(s.points, period, x, y);
      out += `<path d="${path}V${area.y + area.h}H${x(s.points[0]![0])}Z" fill="${stroke}" fill-opacity="0.2"/><path d="${path}" fill="none" stroke="${stroke}" stroke-width="1.5"/>`;
    }
    const middle = tile.x + tile.w / 2;
    const withName = options.textMode === 'value_and_name';
    const size = Math.min(30, (tile.w - 20) / (shown.text.length * 0.55), tile.h * 0.34);
    if (withName) out += text(middle, tile.y + 42, s.name, { anchor: 'middle', fill: filled ? '#fff' : theme.text });
    const fill = filled ? '#fff' : (own.get('color') ? stroke : (shown.color ?? theme.text));
    out += text(middle, tile.y + (withName ? 72 : tile.h / 2 + 16), shown.text, { anchor: 'middle', size, fill, bold: true });
  });
  const title = options.colorMode === 'background' ? '#fff' : theme.text;
  return out + text(box.x + 10, box.y + 20, panel.title ?? '', { bold: true, fill: title });
}

export function graph(panel: dashboard.Panel, box: Box, series: Named[], period: Period): string {
  const unit = panel.fieldConfig?.defaults.unit ?? 'none';
  const plot = { x: box.x + 78, y: box.y + 36, w: box.w - 92, h: box.h - 92 };
  const custom = panel.fieldConfig?.defaults.custom as { axisSoftMin?: number; axisSoftMax?: number; scaleDistribution?: { type: string } };
  const values = series.flatMap((s) => s.points.map(([, v]) => v));
  const least = Math.min(...values, custom.axisSoftMin ?? Infinity);
  const most = Math.max(...values, custom.axisSoftMax ?? -Infinity);
  const axis = custom.scaleDistribution?.type === 'log' ? doublingAxis(least, most) : linearAxis(least, most, unit);
  const { x, y } = scales(plot, period, axis);
  let out = frame(box, panel.title ?? '');
  for (const v of axis.ticks) {
    out += `<path d="M${plot.x} ${y(v)}H${plot.x + plot.w}" stroke="${theme.grid}"/>`;
    out += text(plot.x - 8, y(v) + 4, number(v, unit, unit === 's' ? undefined : 0), { anchor: 'end', size: 11, fill: theme.faint });
  }
  for (let i = 0; i <= 4; i++) {
    const t = period.from + ((period.to - period.from) * i) / 4;
    const label = new Date(t * 1000).toISOString().slice(11, 16);
    out += text(x(t), plot.y + plot.h + 18, label, { anchor: 'middle', size: 11, fill: theme.faint });
  }
  for (const { value, color: name } of panel.fieldConfig?.defaults.thresholds?.steps ?? []) {
    if (value === null) continue;
    out += `<path d="M${plot.x} ${y(value)}H${plot.x + plot.w}" stroke="${color(name)}" stroke-dasharray="6 6" stroke-opacity="0.7"/>`;
  }
  const letters = series.reduce((sum, s) => sum + s.name.length, 0);
  const size = Math.min(12, (box.w - 28 - 32 * series.length) / letters / 0.56);
  let left = box.x + 14;
  for (const s of series) {
    const { stroke, dash } = look(properties(panel, s.name));
    out += `<path d="${stepPath(s.points, period, x, y)}" fill="none" stroke="${stroke}" stroke-width="2"${dash}/>`;
    out += `<path d="M${left} ${box.y + box.h - 14}h18" stroke="${stroke}" stroke-width="3"${dash}/>`;
    out += text(left + 22, box.y + box.h - 10, s.name, { size });
    left += 32 + s.name.length * size * 0.56;
  }
  return out;
}

/** A column of a table, by the query that fills it. */
interface Column {
  title: string;
  cells: Map<string, number>;
}

export function table(panel: dashboard.Panel, box: Box, series: Named[]): string {
  const organize = panel.transformations?.find(({ id }) => id === 'organize')?.options as { renameByName: Record<string, string> };
  const [row, rowTitle] = Object.entries(organize.renameByName)[0]!;
  const columns: Column[] = [];
  for (const [field, title] of Object.entries(organize.renameByName).slice(1)) {
    const cells = new Map(series.filter((s) => field === 'Value' || field.endsWith(`#${s.refId}`)).map((s) => [s.labels[row] ?? '', s.points[0]![1]]));
    if (cells.size > 0) columns.push({ title, cells });
  }
  let out = frame(box, panel.title ?? '');
  if (columns.length === 0) {
    return out + text(box.x + box.w / 2, box.y + box.h / 2 + 8, panel.fieldConfig?.defaults.noValue ?? '', { anchor: 'middle', fill: theme.faint });
  }
  const first = 180;
  const width = (box.w - first - 20) / columns.length;
  const rows = [...new Set(columns.flatMap(({ cells }) => [...cells.keys()]))].sort();
  const pitch = Math.min(38, (box.h - 60) / rows.length);
  out += text(box.x + 14, box.y + 48, rowTitle, { size: 12, fill: theme.faint });
  columns.forEach(({ title }, i) => {
    out += text(box.x + first + (i + 1) * width, box.y + 48, title, { anchor: 'end', size: 12, fill: theme.faint });
  });
  rows.forEach((name, r) => {
    const line = box.y + 60 + (r + 0.65) * pitch;
    out += `<path d="M${box.x + 8} ${box.y + 60 + r * pitch}H${box.x + box.w - 8}" stroke="${theme.grid}"/>`;
    const heading = show(properties(panel, rowTitle), name);
    out += text(box.x + 14, line, heading.text, { fill: heading.color });
    columns.forEach(({ title, cells }, i) => {
      const value = cells.get(name);
      if (value === undefined) return;
      const shown = show(properties(panel, title), value);
      out += text(box.x + first + (i + 1) * width, line, shown.text, { anchor: 'end', fill: shown.color });
    });
  });
  return out;
}
