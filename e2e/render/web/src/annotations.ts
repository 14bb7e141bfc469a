// What happened, as Grafana marks it on graphs: lines, and shades between two of them.

import type { GrafanaTheme2 } from '@grafana/data';

import { builtIn } from './ask';
import { legend } from './frames';
import type { Prometheus } from './prometheus';
import { inQuery, type Values } from './variables';

/** A time in which something was so, or the moment at which it was; in milliseconds. */
export interface Event {
  /** Of the annotation. */
  name: string;
  title: string;
  color: string;
  from: number;
  to: number;
}

/** Times that lie no further apart than a step are one event, as Grafana's data source has it. */
function events(times: number[], step: number): { from: number; to: number }[] {
  const all: { from: number; to: number }[] = [];
  for (const time of times) {
    const last = all.at(-1);
    if (last && last.to + step >= time) last.to = time;
    else all.push({ from: time, to: time });
  }
  return all;
}

/** Asks what the annotations of a dashboard ask, with no more points than the window has pixels. */
export async function annotate(dashboard: any, width: number, chosen: Values, prometheus: Prometheus): Promise<Event[]> {
  const all: Event[] = [];
  for (const { enable, name, iconColor, target } of dashboard.annotations?.list ?? []) {
    if (!enable || !target?.expr) continue;
    const { values, step } = builtIn(prometheus, width, target.interval);
    const expr = inQuery(target.expr, { ...chosen, ...values });
    for (const one of await prometheus.range(expr, step)) {
      const times = one.points.filter(([, value]) => value > 0).map(([t]) => t * 1000);
      all.push(
        ...events(times, step * 1000).map((event) => ({ ...event, name, color: iconColor, title: legend(one, target.legendFormat, expr) })),
      );
    }
  }
  return all;
}

/** Draws events on a graph. */
export function draw(u: any, all: Event[], theme: GrafanaTheme2): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.lineWidth = 2;
  ctx.setLineDash([5, 5]);
  for (const { from, to, color } of all) {
    const [left, right] = [from, to].map((time) => u.valToPos(time, 'x', true));
    ctx.strokeStyle = theme.visualization.getColorByName(color);
    for (const x of to > from ? [left, right] : [left]) {
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    if (to <= from) continue;
    ctx.globalAlpha = 0.1;
    ctx.fillStyle = ctx.strokeStyle;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    ctx.globalAlpha = 1;
  }
  ctx.restore();
}

export interface Marks {
  /** Of the annotation. */
  name: string;
  color: string;
  /** Lines that it draws on a graph, the ends of shades among them. */
  lines: number;
  /** Share of the graph's width that it shades, once for each of its shades that lie over one another. */
  shaded: number;
}

/** What the annotations draw on every graph. */
export function marks(all: Event[], period: { from: number; to: number }): Marks[] {
  const [from, to] = [period.from * 1000, period.to * 1000];
  return [...new Set(all.map(({ name }) => name))].map((name) => {
    const own = all.filter((event) => event.name === name);
    const seen = (event: Event) => Math.max(0, Math.min(event.to, to) - Math.max(event.from, from));
    return {
      name,
      color: own[0]!.color,
      lines: own.flatMap((event) => (event.to > event.from ? [event.from, event.to] : [event.from])).length,
      shaded: own.reduce((sum, event) => sum + seen(event), 0) / (to - from),
    };
  });
}
