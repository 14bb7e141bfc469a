// What a panel asks, and what is answered.

import { rangeUtil } from '@grafana/data';

import { legend, type Answer } from './frames';
import type { Prometheus } from './prometheus';
import { inQuery, interpolate, type Values } from './variables';

/** Of the data source: see grafana/provisioning. */
const scrapeInterval = 15;

export interface Asked {
  answers: Answer[];
  /** What Prometheus says against a query. */
  errors: string[];
  /** Names of series that a query along the period has and the same query at its end has not. */
  gone: string[];
}

function seconds(duration: string): number {
  return rangeUtil.intervalToMs(duration.replace(/^>/, '')) / 1000;
}

/** The variables that Grafana itself fills in. */
export function builtIn(prometheus: Prometheus, width: number, minimal: string | undefined): { values: Values; step: number } {
  const { from, to } = prometheus.period;
  const least = minimal ? seconds(minimal) : scrapeInterval;
  const step = Math.max(rangeUtil.roundInterval(((to - from) * 1000) / Math.max(1, Math.floor(width))) / 1000, least);
  const range = Math.round(to - from);
  const values: Values = {
    __interval: [`${step}s`],
    __interval_ms: [String(step * 1000)],
    __rate_interval: [`${Math.max(step + scrapeInterval, 4 * scrapeInterval)}s`],
    __range: [`${range}s`],
    __range_s: [String(range)],
    __range_ms: [String(range * 1000)],
    __from: [String(from * 1000)],
    __to: [String(to * 1000)],
  };
  return { values, step };
}

export async function ask(panel: any, width: number, chosen: Values, prometheus: Prometheus): Promise<Asked> {
  const asked: Asked = { answers: [], errors: [], gone: [] };
  for (const target of panel.targets ?? []) {
    if (target.hide || !target.expr) continue;
    const { values, step } = builtIn(prometheus, width, target.interval || panel.interval);
    const expr = inQuery(target.expr, { ...chosen, ...values });
    const { refId, format = 'time_series' } = target;
    const legendFormat = target.legendFormat && interpolate(target.legendFormat, { ...chosen, ...values });
    const common = { refId, expr, format, legendFormat, step };
    try {
      const instant = target.instant || !target.range;
      const now = await prometheus.instant(expr);
      if (target.range || !instant) {
        const series = await prometheus.range(expr, step);
        asked.answers.push({ ...common, instant: false, series });
        const there = new Set(now.map((one) => legend(one, legendFormat, expr)));
        asked.gone.push(...series.map((one) => legend(one, legendFormat, expr)).filter((name) => !there.has(name)));
      }
      if (target.instant) asked.answers.push({ ...common, instant: true, series: now });
    } catch (error) {
      asked.errors.push(`${refId}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return asked;
}
