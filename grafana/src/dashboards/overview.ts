import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { build, choiceVariable, modelLink, objectiveVariables, uid, windowVariable } from './common';
import { boundLine, graphPanel } from './graphs';
import { modelOverrides } from './models';
import { alerts, history, objectives, overTime, whatRuns } from './overview_rows';
import { named, noData, nothing, stateTiles, stateWords, tooShort, unit, unknown, upOrDown, words, type Step } from './panels';
import { status } from './queries';
import { overview as q } from './queries_overview';
import { statPanel } from './stats';
import { tablePanel } from './tables';
import { verdictCell } from './verdicts';

/**
 * Losses that stand out from noise: decode rates on fixed machines repeat within a standard
 * deviation of 1.5 %, so 3 % is two of them and 5 % more than three. The first step is that of no value.
 */
const loss: Step[] = [
  { color: 'text', from: null },
  { color: 'red', from: -1 },
  { color: 'orange', from: -0.05 },
  { color: 'text', from: -0.03 },
  { color: 'blue', from: 0.05 },
];

/** A request in a hundred may fail before anybody has to look. */
const success: Step[] = [
  { color: 'text', from: null },
  { color: 'red', from: 0 },
  { color: 'orange', from: 0.9 },
  { color: 'green', from: 0.99 },
];

const tile = { width: 3, height: 3, noValue: noData };
const wide = { ...tile, width: 4 };

/** Is anything scraped, does exo answer, are the models up, does anything fire, are the figures new? In the order in which they depend on each other. */
function tiles() {
  const none = (text: string) => words({ '0': { text, color: 'green' } }, unknown);
  return [
    statPanel(
      {
        ...wide,
        title: 'Exporter',
        description:
          'Whether Prometheus reaches the exporter at this moment. Metric: up. Where it does not, nothing else on this page is known.',
        unit: unit.none,
      },
      [{ expr: status.scraped, legend: 'exporter' }],
      { filled: true, mappings: words(upOrDown, { text: 'not scraped', color: 'red' }) },
    ),
    statPanel(
      {
        ...tile,
        title: 'exo',
        description: 'Whether the node answered when last asked, and which API it speaks. Metrics: exobench_exo_up, exobench_exo_info.',
        unit: unit.none,
      },
      [{ expr: status.exo, legend: '{{dialect}}' }],
      { ...named, filled: true, mappings: words(upOrDown, unknown) },
    ),
    statPanel(
      {
        ...tile,
        title: 'Down',
        description:
          'Models that are asked and whose last turn gave no figures. Metrics: exobench_model_up, 1 when the last turn was ok or ' +
          'partial; exobench_exo_up. ' +
          'The table below says which, the model dashboard why.',
        unit: unit.none,
      },
      [{ expr: q.modelsDown, legend: 'models' }],
      { ...named, filled: true, mappings: none('none'), steps: [{ color: 'green', from: null }, { color: 'red', from: 1 }] },
    ),
    statPanel(
      {
        ...wide,
        title: 'Unreachable',
        description:
          'Models that cannot be asked, because exo does not answer or because the exporter is not scraped: of the latter those of ' +
          'the period shown. ' +
          'Metrics: exobench_model_info, exobench_exo_up.',
        unit: unit.none,
      },
      [{ expr: q.unreachable, legend: 'models' }],
      { ...named, filled: true, mappings: none('none'), steps: [{ color: 'green', from: null }, { color: 'red', from: 1 }] },
    ),
    statPanel(
      {
        ...wide,
        title: 'Alerts firing',
        description:
          'Alerts of this project that fire for this node, by severity. Metric: ALERTS, written by Prometheus. The list is below.',
        unit: unit.none,
      },
      [{ expr: q.alerts, legend: '{{severity}}' }],
      {
        ...named,
        filled: true,
        mappings: words({ '0': { text: 'none', color: 'green' }, '-1': { text: 'not loaded', color: 'orange' } }, unknown),
        overrides: Object.entries({ critical: 'red', warning: 'orange', info: 'blue' }).map(([severity, fixedColor]) => ({
          matcher: { id: 'byName', options: severity },
          properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
        })),
      },
    ),
    statPanel(
      {
        ...tile,
        title: 'Age',
        description:
          'Age of the newest successful request, in cycle intervals: below 1 all is well, above 2 a whole cycle brought nothing. ' +
          'Metrics: exobench_last_success_timestamp_seconds, exobench_cycle_interval_seconds.',
        unit: unit.intervals,
      },
      [{ expr: status.age, legend: 'newest result' }],
      {
        ...named,
        filled: true,
        decimals: 1,
        mappings: words({}, unknown),
        steps: [{ color: 'green', from: null }, { color: 'orange', from: 1.5 }, { color: 'red', from: 2 }],
      },
    ),
    statPanel(
      {
        ...tile,
        title: 'ok',
        description: 'Share of all requests of the window that were ok. Metric: exobench_requests_total.',
        unit: unit.ratio,
      },
      [{ expr: q.success, legend: 'requests, $window' }],
      { ...named, filled: true, decimals: 1, mappings: words({}, unknown), steps: success },
    ),
  ];
}

function speeds() {
  return statPanel(
    {
      title: 'Decode, tokens per second, last turn',
      description:
        'Output speed of each model, over its last turn: tokens after the first, divided by the time they took. ' +
        'Metric: exobench_model_output_tokens_per_second. A model that is down, unreachable or waits for its first turn has no speed. ' +
        '"no figure" is a turn of which every request was disturbed.',
      unit: unit.none,
      noValue: noData,
      width: 24,
      height: 3,
    },
    [{ expr: q.decodeOrState, legend: '{{model}}' }],
    {
      decimals: 1,
      ...named,
      mappings: words(stateTiles, unknown),
      overrides: modelOverrides(),
    },
  );
}

function models() {
  return tablePanel(
    {
      title: 'Models',
      description:
        'The models side by side: those that are configured now. Speed: what the exporter finds, the worst first; "learns" while it knows too little (24 cycles and a ' +
        'day); "as all are" where all models of the node are slower. tok/s: decode, the median of the turns of the window chosen above; ' +
        'the last turn stands above the table. Off by: the last cycle against the baseline that it has learnt, noise included. vs: the ' +
        'last turn against the same model some time ago. ' +
        'TTFT and ITL (inter-token latency): medians over the window, each with a higher percentile beside it, of n requests: percentiles ' +
        'that the samples cannot carry are left out (p95 below 20, p99 below 100). ' +
        'Goals: requests within all three objectives above, of those that have figures or failed. RSS: its peak, of exo\'s processes ' +
        'in the last turn. On Apple silicon it may hold all, part or none of the weights: the footprint, and exo\'s own peak, are on the ' +
        'dashboards of the model and compare. J/token: energy by output token of the last turn, ' +
        'exobench_model_energy_per_token_joules; "too short" where exo shows power and no request took long enough for two readings.',
      unit: unit.none,
      noValue: nothing.models,
      width: 24,
      height: 7,
    },
    [
      { title: 'State', expr: q.state, unit: unit.none, mappings: words(stateWords), width: 97 },
      { title: 'Speed', expr: q.verdict, unit: unit.none, mappings: words(verdictCell), width: 110 },
      { title: 'tok/s', heading: 'tok/s $window', expr: q.decodeMedian, unit: unit.none, decimals: 1, width: 78 },
      { title: 'Off by', expr: q.againstBaseline, unit: unit.ratio, decimals: 1 },
      { title: 'vs then', heading: 'vs $yesterday', expr: q.againstYesterday, unit: unit.ratio, decimals: 1, steps: loss },
      { title: 'TTFT', expr: q.ttft, unit: unit.seconds },
      { title: 'p95', expr: q.ttft95, unit: unit.seconds },
      { title: 'ITL', expr: q.interToken, unit: unit.seconds, width: 66 },
      { title: 'p99', expr: q.interToken99, unit: unit.seconds, width: 66 },
      { title: 'n', expr: q.samples, unit: unit.count, decimals: 0, width: 50 },
      { title: 'Goals', expr: q.goodput, unit: unit.ratio, decimals: 0, width: 56 },
      { title: 'RSS', expr: q.rss, unit: unit.bytes, decimals: 1, width: 68 },
      { title: 'J/token', expr: q.joules, unit: unit.none, decimals: 2, width: 74, mappings: words(tooShort) },
      { title: 'ok', expr: q.modelSuccess, unit: unit.ratio, decimals: 1, steps: success },
    ],
    // In a window of 1440 pixels Grafana's own menu leaves 1090 to a table, and a scroll bar takes 15 of those.
    { row: 'model', rowTitle: 'Model', rowWidth: 101, link: modelLink, minWidth: 62 },
  );
}

function whatChanged() {
  return graphPanel(
    {
      title: 'Decode speed against its baseline',
      description:
        'The cycles of each model against the baseline that the exporter has learnt, so that a loss shows alike whether the model is ' +
        'fast or slow. The dotted lines are twice its own noise below normal: a single cycle may lie there, several in a row are a ' +
        'finding, which the table above names. "all models": a change that all of them share. Before there is a baseline (24 cycles ' +
        'and a day) against the model\'s own median of the period. Metrics: exobench_speed_last_cycle_change_ratio, ' +
        'exobench_speed_baseline, exobench_speed_noise_ratio, exobench_node_speed_change_ratio, exobench_model_output_tokens_per_second.',
      unit: unit.ratio,
      noValue: nothing.turn,
      width: 8,
      height: 6,
    },
    [
      { expr: q.change.cycles, legend: '{{model}}' },
      { expr: q.change.noise, legend: '{{model}} noise' },
      { expr: q.change.node, legend: 'all models' },
    ],
    { steps: true, least: -0.015, most: 0.015, legend: common.LegendPlacement.Right, overrides: [boundLine('/ noise$/')] },
  );
}

export function overview(): dashboard.Dashboard {
  return build({
    uid: uid.overview,
    title: 'exo bench: overview',
    description: 'Is everything all right, how fast is each of the five models, and what has changed? For the wall.',
    from: 'now-6h',
    variables: [
      windowVariable(),
      choiceVariable('yesterday', 'Compare with (ago)', 'How long ago the period ended that the latest cycle is compared with', ['1d', '2d', '7d', '14d']),
      ...objectiveVariables(),
    ],
    rows: [
      { panels: [...tiles(), speeds(), models(), whatChanged(), alerts()] },
      { title: 'Up and down, and what fired', collapsed: true, panels: history() },
      { title: 'Over time', collapsed: true, panels: overTime() },
      { title: 'Objectives', collapsed: true, panels: objectives() },
      { title: 'What runs, and how far to trust it', collapsed: true, panels: whatRuns() },
    ],
  });
}
