// Heatmaps and state timelines are no components of @grafana/ui: they are drawn here from the same fields, so that
// their texts, colours and ranges are Grafana's and their pixels are not.

import {
  FieldType,
  getActiveThreshold,
  getDisplayProcessor,
  getFieldDisplayName,
  getValueFormat,
  type DataFrame,
  type Field,
} from '@grafana/data';
import React from 'react';

import type { View } from './view';

const left = 60;
const bottom = 24;

/** A time of the day or, in a period of more than two of them, a day of the month. */
function clock(ms: number, period: number): string {
  const text = new Date(ms).toISOString();
  return period > 2 * 86_400_000 ? text.slice(5, 10) : text.slice(11, 16);
}

function Times({ view, width, height }: { view: View; width: number; height: number }): React.ReactElement {
  const [from, to] = [view.timeRange.from.valueOf(), view.timeRange.to.valueOf()];
  const count = Math.max(2, Math.floor(width / 110));
  return (
    <>
      {Array.from({ length: count }, (_, i) => from + ((i + 0.5) * (to - from)) / count).map((t) => (
        <text
          key={t}
          x={left + ((t - from) / (to - from)) * (width - left)}
          y={height - 6}
          fontSize={12}
          fill={view.theme.colors.text.primary}
          textAnchor="middle"
        >
          {clock(t, to - from)}
        </text>
      ))}
    </>
  );
}

/** Cells of a heatmap: time and bounds, and how many samples. */
function cells(data: DataFrame[]): { t: number; low: number; high: number; count: number }[] {
  return data
    .filter(({ meta }) => (meta as any)?.type === 'heatmap-cells')
    .flatMap((frame) => {
      const [t, low, high, count] = ['xMax', 'yMin', 'yMax', 'count'].map(
        (name) => frame.fields.find((f) => f.name === name)!.values as any,
      );
      return [...t].map((_: number, i: number) => ({ t: t[i], low: low[i], high: high[i], count: count[i] }));
    });
}

export function heatmapTicks(view: View): { min: number; max: number; ticks: string[] } | undefined {
  const all = cells(view.data).filter(({ low, high }) => low > 0 && high > 0);
  if (all.length === 0) return undefined;
  const { yAxis = {} } = view.panel.options ?? {};
  const min = Number(yAxis.min ?? Math.min(...all.map(({ low }) => low)));
  const max = Number(yAxis.max ?? Math.max(...all.map(({ high }) => high)));
  const format = getValueFormat(yAxis.unit ?? view.panel.fieldConfig?.defaults?.unit ?? 'short');
  const first = Math.ceil(Math.log2(min));
  const last = Math.floor(Math.log2(max));
  const every = Math.max(1, Math.ceil((last - first + 1) / 8));
  const ticks: string[] = [];
  for (let power = first; power <= last; power += every) {
    const { text, suffix = '' } = format(2 ** power, yAxis.decimals);
    ticks.push(text + suffix);
  }
  return { min, max, ticks };
}

export function Heatmap({ view, width, height }: { view: View; width: number; height: number }): React.ReactElement {
  const all = cells(view.data).filter(({ low, high }) => low > 0 && high > 0);
  const { min, max } = heatmapTicks(view)!;
  const [from, to] = [view.timeRange.from.valueOf(), view.timeRange.to.valueOf()];
  const plot = height - bottom;
  const x = (t: number) => left + ((t - from) / (to - from)) * (width - left);
  const y = (v: number) => plot * (1 - (Math.log2(v) - Math.log2(min)) / (Math.log2(max) - Math.log2(min)));
  const step = view.data[0]!.fields[0]!.config.interval ?? 60000;
  const most = Math.max(...all.map(({ count }) => count));
  const format = getValueFormat(view.panel.options?.yAxis?.unit ?? 's');
  const first = Math.ceil(Math.log2(min));
  const last = Math.floor(Math.log2(max));
  const every = Math.max(1, Math.ceil((last - first + 1) / 8));
  const powers = Array.from({ length: Math.max(0, Math.floor((last - first) / every) + 1) }, (_, i) => first + i * every);
  return (
    <svg width={width} height={height}>
      {all
        .filter(({ low, high, t }) => high > min && low < max && t > from)
        .map(({ t, low, high, count }, i) => (
          <rect
            key={i}
            x={x(t - step)}
            y={y(Math.min(high, max))}
            width={Math.max(1.5, x(t) - x(t - step))}
            height={Math.max(1, y(Math.max(low, min)) - y(Math.min(high, max)))}
            fill={`hsl(${280 - 220 * Math.sqrt(count / most)}, 80%, ${40 + 30 * Math.sqrt(count / most)}%)`}
          />
        ))}
      {powers.map((power) => {
        const { text, suffix = '' } = format(2 ** power, view.panel.options?.yAxis?.decimals);
        return (
          <text key={power} x={left - 6} y={y(2 ** power) + 4} fontSize={12} fill={view.theme.colors.text.primary} textAnchor="end">
            {text + suffix}
          </text>
        );
      })}
      <Times view={view} width={width} height={height} />
    </svg>
  );
}

interface Span {
  from: number;
  to: number;
  text: string;
  color: string;
}

export interface Lane {
  name: string;
  spans: Span[];
}

/**
 * What a state timeline says of a value. Where it merges values and its scheme of colours is that of thresholds, it says the threshold
 * that a number has passed, in that one's colour, whatever the mappings are.
 */
function saying(field: Field, view: View): (value: unknown) => { text: string; suffix?: string; color?: string } {
  const { color, thresholds } = field.config;
  if (view.panel.options?.mergeValues === false || color?.mode !== 'thresholds' || !thresholds?.steps.length) {
    return field.display ?? getDisplayProcessor({ field, theme: view.theme });
  }
  return (value) => {
    const passed = getActiveThreshold(Number(value), thresholds.steps);
    return { text: `${passed.value}+`, color: view.theme.visualization.getColorByName(passed.color) };
  };
}

/** The lanes of a state timeline: what is said of each series, and when. */
export function lanes(view: View): Lane[] {
  const made: Lane[] = [];
  for (const frame of view.data) {
    const time = frame.fields.find((f) => f.type === FieldType.time);
    if (!time) continue;
    const times = [...(time.values as any)] as number[];
    const step = time.config.interval ?? 15000;
    for (const one of frame.fields.filter((f) => f !== time)) {
      const display = saying(one, view);
      const spans: Span[] = [];
      [...(one.values as any)].forEach((value: unknown, i: number) => {
        if (value === null || value === undefined) return;
        const { text, suffix = '', color = '' } = display(value);
        const before = spans.at(-1);
        if (before && before.text === text + suffix && before.to >= times[i]! - 1) before.to = times[i]! + step;
        else spans.push({ from: times[i]!, to: times[i]! + step, text: text + suffix, color });
      });
      made.push({ name: getFieldDisplayName(one, frame, view.data), spans });
    }
  }
  return made;
}

export function Timeline({ view, width, height }: { view: View; width: number; height: number }): React.ReactElement {
  const all = lanes(view);
  const [from, to] = [view.timeRange.from.valueOf(), view.timeRange.to.valueOf()];
  // The names have the room that they need, up to a third.
  const name = Math.min(width / 3, 16 + 7 * Math.max(...all.map((lane) => lane.name.length)));
  const pitch = (height - bottom) / Math.max(1, all.length);
  const x = (t: number) => name + ((Math.min(Math.max(t, from), to) - from) / (to - from)) * (width - name);
  return (
    <svg width={width} height={height}>
      {all.map((lane, i) => (
        <g key={lane.name}>
          <text x={name - 6} y={(i + 0.5) * pitch + 4} fontSize={12} fill={view.theme.colors.text.primary} textAnchor="end">
            {lane.name}
          </text>
          {lane.spans.map((span, j) => (
            <g key={j}>
              <rect
                x={x(span.from)}
                y={(i + 0.1) * pitch}
                width={Math.max(1, x(span.to) - x(span.from))}
                height={pitch * 0.8}
                fill={span.color}
                fillOpacity={0.7}
              />
              {x(span.to) - x(span.from) > 40 && (
                <text x={x(span.from) + 4} y={(i + 0.5) * pitch + 4} fontSize={12} fill="#fff">
                  {span.text}
                </text>
              )}
            </g>
          ))}
        </g>
      ))}
      <Times view={view} width={width} height={height} />
    </svg>
  );
}
