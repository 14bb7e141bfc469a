import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { build, durationVariable, modelLink, uid } from './common';
import { modelOverrides } from './models';
import { graphPanel, nothing, statPanel, tablePanel, unit, words, type Step } from './panels';
import { overview as q, status } from './queries';

/**
 * Losses that stand out from noise: decode rates on fixed machines repeat within a standard
 * deviation of 1.5 %, so 3 % is two of them and 5 % more than three.
 */
const loss: Step[] = [
  { color: 'red', from: null },
  { color: 'orange', from: -0.05 },
  { color: 'text', from: -0.03 },
  { color: 'blue', from: 0.05 },
];

const success: Step[] = [
  { color: 'red', from: null },
  { color: 'orange', from: 0.9 },
  { color: 'green', from: 1 },
];

const upOrDown = words({ '0': { text: 'DOWN', color: 'red' }, '1': { text: 'up', color: 'green' } });

export function overview(): dashboard.Dashboard {
  return build({
    uid: uid.overview,
    title: 'exo bench: overview',
    description: 'Is everything all right, and how fast is each of the five models? For the wall.',
    from: 'now-6h',
    variables: [
      durationVariable('yesterday', 'Compare with (ago)', 'How long ago the period ended that the latest cycle is compared with', ['1d', '2d', '7d', '14d']),
      durationVariable('baseline', 'Baseline over', 'Length of the period whose median is the baseline; it ends where the comparison does', ['7d', '14d', '30d']),
    ],
    rows: [
      {
        panels: [
          statPanel(
            {
              title: 'exo',
              description: 'Whether the node answered when last asked, and which API it speaks. Metrics: exobench_exo_up, exobench_exo_info.',
              unit: unit.none,
              noValue: nothing.exporter,
              width: 4,
              height: 4,
            },
            [{ expr: status.exo, legend: '{{dialect}}' }],
            { filled: true, text: common.BigValueTextMode.ValueAndName, mappings: upOrDown },
          ),
          statPanel(
            {
              title: 'Models down',
              description:
                'Models whose last turn gave no figures. Metric: exobench_model_up; 1 when the last turn was ok or partial. ' +
                'The table below says which, the model dashboard why.',
              unit: unit.down,
              noValue: nothing.exporter,
              width: 5,
              height: 4,
            },
            [{ expr: status.modelsDown, legend: 'models' }],
            {
              filled: true,
              mappings: words({ '0': { text: 'all up', color: 'green' } }),
              steps: [
                { color: 'green', from: null },
                { color: 'red', from: 1 },
              ],
            },
          ),
          statPanel(
            {
              title: 'Alerts firing',
              description: 'Alerts of this project that fire for this node. Metric: ALERTS, written by Prometheus. The list is at the bottom.',
              unit: unit.count,
              noValue: nothing.alerts,
              width: 5,
              height: 4,
            },
            [{ expr: status.alerts, legend: 'alerts' }],
            {
              filled: true,
              mappings: words({ '0': { text: 'none', color: 'green' } }),
              steps: [
                { color: 'green', from: null },
                { color: 'red', from: 1 },
              ],
            },
          ),
          statPanel(
            {
              title: 'Newest result',
              description:
                'Age of the newest successful request, in cycle intervals: below 1 all is well, above 2 a whole cycle brought nothing. ' +
                'Metrics: exobench_last_success_timestamp_seconds, exobench_cycle_interval_seconds.',
              unit: unit.intervals,
              noValue: nothing.turn,
              width: 5,
              height: 4,
            },
            [{ expr: status.age, legend: 'age' }],
            {
              filled: true,
              decimals: 1,
              steps: [
                { color: 'green', from: null },
                { color: 'orange', from: 1.5 },
                { color: 'red', from: 2 },
              ],
            },
          ),
          statPanel(
            {
              title: 'Requests that succeeded',
              description: 'Share of all requests of the period that were ok; cancelled ones do not count. Metric: exobench_requests_total.',
              unit: unit.ratio,
              noValue: nothing.samples,
              width: 5,
              height: 4,
            },
            [{ expr: status.success, legend: 'ok' }],
            { filled: true, decimals: 1, steps: success },
          ),
          statPanel(
            {
              title: 'Decode tokens per second',
              description:
                'Output speed of each model, over its last turn: tokens after the first, divided by the time they took. ' +
                'Metric: exobench_model_output_tokens_per_second. A tile without a figure is a model whose last turn failed.',
              unit: unit.tokensPerSecond,
              noValue: nothing.turn,
              width: 24,
              height: 5,
            },
            [{ expr: q.decode, legend: '{{model}}' }],
            { sparkline: true, decimals: 1, text: common.BigValueTextMode.ValueAndName, overrides: modelOverrides() },
          ),
          tablePanel(
            {
              title: 'Models',
              description:
                'The models side by side. Decode: the last turn. Against yesterday and baseline: that figure against the median of an earlier ' +
                'period, chosen above; losses beyond 3 % (two standard deviations of the noise) turn orange, beyond 5 % red. ' +
                'TTFT over the period shown: the median of the turns\' medians, and p95 of n requests, from 20 on. RSS peak: of exo\'s processes in the last turn; ' +
                'exo\'s own figure stands beside it, because on Apple silicon RSS may hold all, part or none of the weights. The two are never to be added.',
              unit: unit.none,
              noValue: nothing.turn,
              width: 24,
              height: 8,
            },
            [
              { title: 'State', expr: q.up, unit: unit.none, mappings: upOrDown, width: 80 },
              { title: 'Decode', expr: q.decode, unit: unit.tokensPerSecond, decimals: 1 },
              { title: 'Against yesterday', expr: q.againstYesterday, unit: unit.ratio, decimals: 1, steps: loss },
              { title: 'Against baseline', expr: q.againstBaseline, unit: unit.ratio, decimals: 1, steps: loss },
              { title: 'TTFT median', expr: q.ttft, unit: unit.seconds, decimals: 2 },
              { title: 'TTFT p95', expr: q.ttft95, unit: unit.seconds, decimals: 2 },
              { title: 'n', expr: q.samples, unit: unit.count, decimals: 0, width: 80 },
              { title: 'RSS peak', expr: q.rss, unit: unit.bytes, decimals: 1 },
              { title: 'exo\'s peak', expr: q.reported, unit: unit.bytes, decimals: 1 },
              { title: 'Succeeded', expr: q.success, unit: unit.ratio, decimals: 1, steps: success },
            ],
            { row: 'model', rowTitle: 'Model', link: modelLink },
          ),
        ],
      },
      {
        title: 'Over time',
        panels: [
          graphPanel(
            {
              title: 'Decode throughput',
              description:
                'Output speed by model, one value a cycle, on a scale of doublings. Metric: exobench_model_output_tokens_per_second. ' +
                'Level lines are normal: a machine repeats itself within 1.5 %. A gap is a turn without figures, never an old value.',
              unit: unit.tokensPerSecond,
              noValue: nothing.turn,
              width: 12,
              height: 9,
            },
            [{ expr: q.decode, legend: '{{model}}' }],
            { steps: true, doubling: true },
          ),
          graphPanel(
            {
              title: 'Decode throughput, change within the period',
              description:
                'Each model against its own median over the period, so that a loss shows alike whether the model is fast or slow. ' +
                'Metric: exobench_model_output_tokens_per_second. The dashed line is a loss of 5 %, more than three standard deviations of the noise.',
              unit: unit.ratio,
              noValue: nothing.turn,
              width: 12,
              height: 9,
            },
            [{ expr: q.change, legend: '{{model}}' }],
            {
              steps: true,
              decimals: 0,
              least: -0.1,
              most: 0.1,
              mark: [
                { color: 'text', from: null },
                { color: 'red', from: -0.05 },
              ],
            },
          ),
          graphPanel(
            {
              title: 'Time to first token',
              description:
                'Median over the prompts of each turn. Metric: exobench_model_time_to_first_token_seconds. ' +
                'exo plans every 100 ms, so differences below 0.1 s mean nothing for the fast models.',
              unit: unit.seconds,
              noValue: nothing.turn,
              width: 8,
              height: 8,
            },
            [{ expr: q.turnTTFT, legend: '{{model}}' }],
            { steps: true, least: 0 },
          ),
          graphPanel(
            {
              title: 'Memory peak while a model is measured',
              description:
                'Largest resident memory of exo\'s process tree during each model\'s last turn. Metric: exobench_model_resident_memory_peak_bytes. ' +
                'A rise over days with the same model is a leak. On Apple silicon it may hold all, part or none of the weights: see the model dashboard.',
              unit: unit.bytes,
              noValue: nothing.processes,
              width: 8,
              height: 8,
            },
            [{ expr: q.rss, legend: '{{model}}' }],
            { steps: true, least: 0 },
          ),
          graphPanel(
            {
              title: 'Failed requests',
              description:
                'Requests that were not ok, by model and outcome. Metric: exobench_requests_total. ' +
                'Failures never enter the latency figures. An empty graph at zero is what it should look like.',
              unit: unit.count,
              noValue: nothing.samples,
              width: 8,
              height: 8,
            },
            [{ expr: q.failures, legend: '{{model}} {{outcome}}' }],
            { bars: true, decimals: 0, least: 0 },
          ),
        ],
      },
      {
        title: 'Alerts',
        panels: [
          tablePanel(
            {
              title: 'Firing alerts',
              description: 'What fires for this node, with the model it is about. Metric: ALERTS. What to do about each is in prometheus/RUNBOOK.md of the repository.',
              unit: unit.none,
              noValue: nothing.alerts,
              width: 24,
              height: 5,
            },
            [{ title: 'Count', expr: status.alertList, unit: unit.count, decimals: 0, width: 90 }],
            { row: 'alertname', rowTitle: 'Alert' },
          ),
        ],
      },
    ],
  });
}
