// Turns answers of Prometheus into data frames as Grafana's data source does.

import { FieldType, type DataFrame, type Field } from '@grafana/data';

import type { Series } from './prometheus';

export interface Answer {
  refId: string;
  expr: string;
  format: 'time_series' | 'table' | 'heatmap';
  legendFormat?: string;
  instant: boolean;
  series: Series[];
  /** Seconds between the points of a range. */
  step: number;
}

const field = (name: string, type: FieldType, values: unknown[], more: Partial<Field> = {}): Field =>
  ({ name, type, values, config: {}, ...more }) as Field;

/** The name of a series: by the legend's format, or as Prometheus writes it. */
export function legend({ metric }: Series, format: string | undefined, expr: string): string {
  if (format && format !== '__auto') return format.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label: string) => metric[label] ?? '');
  const { __name__ = '', ...labels } = metric;
  const pairs = Object.entries(labels).map(([k, v]) => `${k}="${v}"`);
  return pairs.length > 0 ? `${__name__}{${pairs.join(', ')}}` : __name__ || expr;
}

/** Times without a point become null, so that a line breaks there. */
function spread({ points }: Series, step: number, from: number, to: number): [number, number | null][] {
  const at = new Map(points);
  const all: [number, number | null][] = [];
  for (let t = from; t <= to + 1e-6; t += step) all.push([t, at.get(t) ?? null]);
  return all;
}

function timeSeries(answer: Answer): DataFrame[] {
  const times = answer.series.flatMap(({ points }) => points.map(([t]) => t));
  const from = Math.min(...times);
  const to = Math.max(...times);
  return answer.series
    .filter(({ points }) => points.length > 0)
    .map((one) => {
      const points = answer.instant ? one.points : spread(one, answer.step, from, to);
      const name = legend(one, answer.legendFormat, answer.expr);
      return {
        refId: answer.refId,
        name,
        length: points.length,
        meta: { custom: { resultType: answer.instant ? 'vector' : 'matrix' } },
        fields: [
          field(
            'Time',
            FieldType.time,
            points.map(([t]) => t * 1000),
            { config: { interval: answer.step * 1000 } },
          ),
          field(
            'Value',
            FieldType.number,
            points.map(([, v]) => v),
            { labels: one.metric, config: { displayNameFromDS: name } },
          ),
        ],
      } as DataFrame;
    });
}

function table(answer: Answer, valueName: string): DataFrame {
  const names = [...new Set(answer.series.flatMap(({ metric }) => Object.keys(metric).sort()))];
  const rows = answer.series.flatMap(({ metric, points }) => points.map(([t, v]) => ({ metric, t, v })));
  return {
    refId: answer.refId,
    length: rows.length,
    meta: { preferredVisualisationType: 'table' },
    fields: [
      field(
        'Time',
        FieldType.time,
        rows.map(({ t }) => t * 1000),
      ),
      ...names.map((name) =>
        field(
          name,
          FieldType.string,
          rows.map(({ metric }) => metric[name] ?? ''),
          { config: { filterable: true } },
        ),
      ),
      field(
        valueName,
        FieldType.number,
        rows.map(({ v }) => v),
      ),
    ],
  } as DataFrame;
}

/** One cell a bucket, as Grafana's back end makes them of native histograms. */
function heatmapCells(answer: Answer): DataFrame[] {
  const cells = answer.series.flatMap(({ histograms }) =>
    histograms.flatMap(([t, buckets]) => buckets.map(([low, high, count]) => ({ t: t * 1000, low, high, count }))),
  );
  if (cells.length === 0) return [];
  return [
    {
      refId: answer.refId,
      length: cells.length,
      meta: { type: 'heatmap-cells' },
      fields: [
        field(
          'xMax',
          FieldType.time,
          cells.map(({ t }) => t),
          { config: { interval: answer.step * 1000 } },
        ),
        field(
          'yMin',
          FieldType.number,
          cells.map(({ low }) => low),
        ),
        field(
          'yMax',
          FieldType.number,
          cells.map(({ high }) => high),
        ),
        field(
          'count',
          FieldType.number,
          cells.map(({ count }) => count),
        ),
      ],
    } as unknown as DataFrame,
  ];
}

export function frames(answers: Answer[]): DataFrame[] {
  // A table without rows has its columns of times and values all the same.
  const tables = answers.filter(({ format }) => format === 'table');
  const refIds = new Set(tables.map(({ refId }) => refId));
  const made: DataFrame[] = [];
  for (const answer of answers) {
    const native = !answer.instant && answer.series.some(({ histograms }) => histograms.length > 0);
    if (native) made.push(...heatmapCells(answer));
    else if (answer.format === 'table') made.push(table(answer, refIds.size > 1 ? `Value #${answer.refId}` : 'Value'));
    else made.push(...timeSeries(answer));
  }
  return made;
}
