// What all panels have in common. The kinds are in stats.ts, graphs.ts and tables.ts.
import * as cog from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as text from '@grafana/grafana-foundation-sdk/text';

import { states } from './queries';

export const datasource: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** Units as Grafana names them. */
export const unit = {
  none: 'none',
  count: 'short',
  seconds: 's',
  minutes: 'm',
  bytes: 'bytes',
  ratio: 'percentunit',
  tokensPerSecond: 'suffix: tok/s',
  tokens: 'suffix: tok',
  times: 'suffix: ×',
  intervals: 'suffix: intervals',
  watts: 'watt',
  celsius: 'celsius',
  joulesPerToken: 'suffix: J/tok',
  perGigabyte: 'suffix: tok/s per GB',
} as const;

/** Options of a tile: small above its figure, of what it is. */
export const named = { text: common.BigValueTextMode.ValueAndName, nameSize: 13 };

/** What stands in the place of a value that there is not, in a cell or on a tile. */
export const none = '–';
export const noData = 'no data';

/** What a graph in which there is nothing at all says: only what is true whatever the reason. */
export const nothing = {
  exporter: 'Nothing of this was scraped in this period',
  models: 'No model is configured, or nothing is scraped now',
  method: 'No result yet under the present configuration, or nothing is scraped now',
  turn: 'No turn gave this figure in this period',
  samples: 'No request is recorded in this period',
  judged: 'No request of a model that is configured now is recorded',
  processes: 'exo\'s processes were not visible in this period: run "exo-bench-exporter check"',
  server: 'The server reported no figures of its own in this period',
  bandwidth: 'The bandwidth of the memory, or the size of the weights, was not known in this period',
  answers: 'The text of no answer was seen in this period',
  repeats: 'Each prompt is another one here, or nothing is scraped',
  verdicts: 'Nothing is judged now, or nothing is scraped',
  machines: 'exo says nothing of its machines now, or nothing is scraped',
  sensors: 'exo reported no such sensor in this period',
  lateness: 'No read of this period was stamped by the kernel as well: Linux does that',
} as const;

/** What every panel must say about itself. */
export interface About {
  title: string;
  /** What it shows, from which metric, and how to read it. */
  description: string;
  unit: string;
  /** In place of a value; of a graph, in place of all. */
  noValue: string;
  width: number;
  height: number;
}

export interface Step {
  color: 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'text';
  /** Lower bound; the first step has none, and its colour is that of no value too. */
  from: number | null;
}

/** A series as it is asked for and named. */
export interface Series {
  expr: string;
  legend: string;
}

export const refIds = 'ABCDEFGHIJKLMNOPQRST';

export function query(expr: string, refId: string): prometheus.DataqueryBuilder {
  return new prometheus.DataqueryBuilder().datasource(datasource).expr(expr).refId(refId);
}

export function thresholds(steps: Step[]): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(steps.map(({ color, from }) => ({ color, value: from })));
}

interface Describable {
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  noValue(text: string): this;
  span(width: number): this;
  height(height: number): this;
  datasource(ref: common.DataSourceRef): this;
  thresholds(config: cog.Builder<dashboard.ThresholdsConfig>): this;
}

export function describe<T extends Describable>(panel: T, about: About): T {
  return panel
    .title(about.title)
    .description(about.description)
    .unit(about.unit)
    .noValue(about.noValue)
    .span(about.width)
    .height(about.height)
    .datasource(datasource)
    .thresholds(thresholds([{ color: 'text', from: null }]));
}

/** A text in Markdown. */
export function textPanel(about: { title: string; width: number; height: number }, content: string): text.PanelBuilder {
  return new text.PanelBuilder().title(about.title).span(about.width).height(about.height).mode(text.TextMode.Markdown).content(content);
}

/** Maps numbers to words in colours; `missing` is for no value. */
export function words(options: Record<string, Word>, missing?: Word): dashboard.ValueMapping[] {
  const mappings: dashboard.ValueMapping[] = [
    {
      type: dashboard.MappingType.ValueToText,
      options: Object.fromEntries(Object.entries(options).map(([value, result], index) => [value, { ...result, index }])),
    },
  ];
  if (missing) {
    mappings.push({
      type: dashboard.MappingType.SpecialValue,
      options: { match: dashboard.SpecialValueMatch.NullAndNan, result: { ...missing, index: Object.keys(options).length } },
    });
  }
  return mappings;
}

export interface Word {
  text: string;
  color: string;
}

/** A tile whose source is silent: grey, whatever it would say otherwise. */
export const unknown: Word = { text: noData, color: '#6E7077' };

export const upOrDown = { '0': { text: 'DOWN', color: 'red' }, '1': { text: 'up', color: 'green' } };

/** Energy of requests that were over before power was read twice. */
export const tooShort = { '-1': { text: 'too short', color: '#8E8E8E' } };

/** In words and colours, the states of a model that the queries tell. */
export const stateWords: Record<string, Word> = {
  [states.up]: { text: 'up', color: 'green' },
  [states.noFigure]: { text: 'no figure', color: 'orange' },
  [states.down]: { text: 'DOWN', color: 'red' },
  [states.unreachable]: { text: 'unreachable', color: 'semi-dark-red' },
  [states.waiting]: { text: 'waiting', color: '#6E7077' },
};

/** The same on tiles beside figures, where up is a figure, and words have the room of one. */
export const stateTiles: Record<string, Word> = Object.fromEntries(
  Object.entries({ ...stateWords, [states.unreachable]: { ...stateWords[states.unreachable]!, text: 'no answer' } }).filter(
    ([state]) => state !== String(states.up),
  ),
);
