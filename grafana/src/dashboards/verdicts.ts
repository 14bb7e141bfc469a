// In words and colours, what the exporter says of speeds.
import type * as table from '@grafana/grafana-foundation-sdk/table';

import type { Override } from './models';
import { none, nothing, unit, words, type Word } from './panels';
import { changes, leastCycles, verdicts } from './queries_judge';
import { labelsPanel } from './tables';

const neutral = '#8E8E8E';
type Verdict = keyof typeof verdicts;

const short: Record<Verdict, Word> = {
  unjudged: { text: 'not judged', color: neutral },
  normal: { text: 'normal', color: 'green' },
  gain: { text: 'faster', color: 'blue' },
  unstable: { text: 'unstable', color: 'blue' },
  shared: { text: 'as all are', color: 'orange' },
  partial: { text: 'some prompts', color: 'orange' },
  intermittent: { text: 'at times', color: 'orange' },
  drift: { text: 'drifting', color: 'orange' },
  drop: { text: 'slower', color: 'red' },
  collapse: { text: 'collapsed', color: 'red' },
};

function mapping(learning: Record<string, string>): Record<string, Word> {
  const said = Object.entries(verdicts).map(([verdict, value]) => [value, short[verdict as Verdict]]);
  return { ...Object.fromEntries(said), ...Object.fromEntries(Object.entries(learning).map(([value, text]) => [value, { text, color: neutral }])) };
}

/** A text for every number of cycles that is known while it is too small. */
function learning(some: (cycles: number) => string, all: string): Record<string, string> {
  const counts = Array.from({ length: leastCycles }, (_, cycles) => [String(-1 - cycles), some(cycles)]);
  return { ...Object.fromEntries(counts), [String(-1 - leastCycles)]: all };
}

/** For a cell or a tile. */
export const verdictCell = mapping(learning((n) => `learns ${n}/${leastCycles}`, 'learns a day'));
/** For a graph of states. */
export const verdictState = mapping({ '-1': 'learning' });

const kindWords = Object.fromEntries(
  Object.entries(short)
    .filter(([kind]) => !['unjudged', 'normal', 'shared'].includes(kind))
    .map(([kind, { color }]) => [kind, { text: kind, color }]),
);

/** Fills the room between two series and keeps both out of the legend but for the name of the upper one. */
export function band(upper: string, lower: string, color: string): Override[] {
  const thin = [
    { id: 'custom.lineWidth', value: 0 },
    { id: 'color', value: { mode: 'fixed', fixedColor: color } },
  ];
  return [
    {
      matcher: { id: 'byName', options: upper },
      properties: [...thin, { id: 'custom.fillBelowTo', value: lower }, { id: 'custom.fillOpacity', value: 18 }],
    },
    {
      matcher: { id: 'byName', options: lower },
      properties: [...thin, { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } }],
    },
  ];
}

/** Everything that has changed and holds: of models and of the node. */
export function changesPanel(size: { width: number; height: number }): table.PanelBuilder {
  const dash = words({ '-1': { text: none, color: 'text' } });
  return labelsPanel(
    {
      ...size,
      title: 'What has changed and holds',
      description:
        'Every change of speed that the exporter finds and that is not over. Kind: drop (all at once), collapse (two fifths or more), ' +
        'drift (little by little), partial (some prompts), intermittent (some cycles, again and again), unstable (as it was before ' +
        'for a while), gain. By: of what slowed, negative is slower; of ttft the change of its inverse. Evidence of a loss ' +
        'as a whole (drop, collapse, drift): 1 is the threshold. As all: the node explains it. Metrics: exobench_speed_alarm_since_timestamp_seconds, ' +
        'exobench_speed_alarm_change_ratio, exobench_speed_change_evidence, exobench_speed_alarm_prompts, exobench_speed_alarm_shared; of all ' +
        'models together exobench_node_speed_alarm, exobench_node_speed_change_ratio and exobench_node_speed_change_evidence.',
      unit: unit.none,
      noValue: nothing.verdicts,
    },
    [changes.age, changes.ratio, changes.evidence, changes.prompts, changes.shared],
    {
      model: { title: 'Model', width: 160 },
      quantity: { title: 'Of', width: 70 },
      kind: { title: 'Kind', width: 105, mappings: words(kindWords) },
      'Value #A': { title: 'Since, ago', width: 110, unit: unit.seconds, decimals: 1, mappings: dash },
      'Value #B': { title: 'By', unit: unit.ratio, decimals: 1 },
      'Value #C': { title: 'Evidence', unit: unit.times, decimals: 1 },
      'Value #D': { title: 'Prompts', unit: unit.count, decimals: 0 },
      'Value #E': { title: 'As all', mappings: words({ '0': { text: 'no', color: 'text' }, '1': { text: 'yes', color: 'orange' } }) },
    },
    'Since, ago',
    100,
  );
}
