import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { build, labelVariable, uid } from './common';
import { graphPanel, heatmapPanel, nothing, statPanel, tablePanel, unit, words } from './panels';
import { histograms, model as q, type Histogram } from './queries';

const turn = { width: 4, height: 4, noValue: nothing.turn };

function latency(histogram: Histogram, how: string) {
  return heatmapPanel(
    {
      title: histogram.title,
      description:
        `Every sample of the period: the brighter, the more. Metric: ${histogram.metric}, as a native histogram, whose cells are ` +
        `at most 10 % high whatever the scale. ${how}`,
      unit: unit.seconds,
      noValue: nothing.native,
      width: 8,
      height: 9,
    },
    q.heatmap(histogram),
  );
}

/** Client beside server for one of the two rates, and the gap between them. */
function rates(name: string, client: string, server: string, metrics: string, gap: string, gapMeaning: string) {
  return [
    graphPanel(
      {
        title: `${name} rate, client and server`,
        description: `Average over the prompts of what the client measured and what exo says of itself. Metrics: ${metrics}.`,
        unit: unit.tokensPerSecond,
        noValue: nothing.turn,
        width: 8,
        height: 8,
      },
      [
        { expr: client, legend: 'client' },
        { expr: server, legend: 'server' },
      ],
      { steps: true, least: 0 },
    ),
    graphPanel(
      {
        title: `${name} gap`,
        description: `Client's rate over server's, less one, averaged over the prompts. Metrics: ${metrics}. ${gapMeaning}`,
        unit: unit.ratio,
        noValue: nothing.server,
        width: 4,
        height: 8,
      },
      [{ expr: gap, legend: 'client against server' }],
      { steps: true },
    ),
  ];
}

export function model(): dashboard.Dashboard {
  return build({
    uid: uid.model,
    title: 'exo bench: model',
    description: 'Everything that is known of one model.',
    from: 'now-6h',
    variables: [labelVariable('model', 'Model', 'label_values(exobench_model_up{job=~"$job", instance=~"$instance"}, model)')],
    rows: [
      {
        panels: [
          statPanel(
            {
              ...turn,
              title: 'Last turn',
              description: 'Whether the last turn gave figures: ok or partial. Metric: exobench_model_up.',
              unit: unit.none,
            },
            [{ expr: q.up, legend: '{{model}}' }],
            {
              filled: true,
              text: common.BigValueTextMode.ValueAndName,
              mappings: words({ '0': { text: 'DOWN', color: 'red' }, '1': { text: 'up', color: 'green' } }),
            },
          ),
          statPanel(
            {
              ...turn,
              title: 'Last success',
              description: 'Age of the newest successful request. Metric: exobench_last_success_timestamp_seconds.',
              unit: unit.seconds,
            },
            [{ expr: q.lastSuccess, legend: 'ago' }],
            { decimals: 0 },
          ),
          statPanel(
            {
              ...turn,
              title: 'Decode',
              description: 'Output speed over the last turn. Metric: exobench_model_output_tokens_per_second.',
              unit: unit.tokensPerSecond,
            },
            [{ expr: q.decode, legend: '{{model}}' }],
            { sparkline: true, decimals: 1 },
          ),
          statPanel(
            {
              ...turn,
              title: 'Time to first token',
              description: 'Median over the prompts of the last turn. Metric: exobench_model_time_to_first_token_seconds.',
              unit: unit.seconds,
            },
            [{ expr: q.ttft, legend: '{{model}}' }],
            { sparkline: true, decimals: 2 },
          ),
          statPanel(
            {
              ...turn,
              title: 'RSS peak',
              description:
                'Largest resident memory of exo\'s process tree in the last turn. Metric: exobench_model_resident_memory_peak_bytes.',
              unit: unit.bytes,
              noValue: nothing.processes,
            },
            [{ expr: q.rss, legend: '{{model}}' }],
            { sparkline: true, decimals: 1 },
          ),
          statPanel(
            {
              ...turn,
              title: 'Load',
              description:
                'Time from asking for the model to its being ready, download excluded. Metric: exobench_model_load_seconds; absent where it was loaded already.',
              unit: unit.seconds,
              noValue: 'Was loaded already, or has not been loaded yet',
            },
            [{ expr: q.load, legend: '{{model}}' }],
            { sparkline: true, decimals: 1 },
          ),
        ],
      },
      {
        title: 'Latency',
        panels: [
          latency(histograms.ttft, 'Bands are prompts of different length; a band that moves is a change.'),
          latency(histograms.interToken, 'One narrow band is steady decoding; a second one above it means stalls.'),
          latency(histograms.request, 'Includes the wait for the first token.'),
          tablePanel(
            {
              title: 'Percentiles',
              description:
                'Over the whole period, from n samples. A percentile is left out where the samples cannot carry it: p90 below 10, p99 below 100. ' +
                'Metrics: exobench_time_to_first_token_seconds, exobench_inter_token_latency_seconds, exobench_time_per_output_token_seconds, ' +
                'exobench_request_duration_seconds. Inter-token latency has a sample for every token, the others one for every request.',
              unit: unit.seconds,
              noValue: nothing.native,
              width: 24,
              height: 6,
            },
            [
              { title: 'p50', expr: q.quantile('p50'), unit: unit.seconds, decimals: 4 },
              { title: 'p90', expr: q.quantile('p90'), unit: unit.seconds, decimals: 4 },
              { title: 'p99', expr: q.quantile('p99'), unit: unit.seconds, decimals: 4 },
              { title: 'n', expr: q.samples, unit: unit.count, decimals: 0 },
            ],
            { row: 'quantity', rowTitle: 'Quantity' },
          ),
        ],
      },
      {
        title: 'Prompts',
        panels: [
          tablePanel(
            {
              title: 'By prompt',
              description:
                'Each prompt of the workload: successes and failures of the period, the rates of its last request, medians over the period, and ' +
                'its length in tokens. Metrics: exobench_requests_total, exobench_output_tokens_per_second, exobench_prefill_tokens_per_second, ' +
                'exobench_time_to_first_token_seconds, exobench_request_duration_seconds, exobench_prompt_tokens_total, exobench_output_tokens_total. ' +
                'A rate is missing where that prompt\'s last request failed.',
              unit: unit.none,
              noValue: nothing.turn,
              width: 24,
              height: 10,
            },
            [
              { title: 'ok', expr: q.prompt.ok, unit: unit.count, decimals: 0 },
              {
                title: 'Failed',
                expr: q.prompt.failed,
                unit: unit.count,
                decimals: 0,
                steps: [
                  { color: 'text', from: null },
                  { color: 'red', from: 0.5 },
                ],
              },
              { title: 'Decode', expr: q.prompt.decode, unit: unit.tokensPerSecond, decimals: 1 },
              { title: 'Prefill', expr: q.prompt.prefill, unit: unit.tokensPerSecond, decimals: 0 },
              { title: 'TTFT p50', expr: q.prompt.ttft, unit: unit.seconds, decimals: 2 },
              { title: 'Duration p50', expr: q.prompt.request, unit: unit.seconds, decimals: 2 },
              { title: 'Prompt length', expr: q.prompt.promptTokens, unit: unit.tokens, decimals: 0 },
              { title: 'Output length', expr: q.prompt.outputTokens, unit: unit.tokens, decimals: 0 },
            ],
            { row: 'prompt', rowTitle: 'Prompt' },
          ),
        ],
      },
      {
        title: 'Client and server',
        panels: [
          ...rates(
            'Decode',
            q.rates.decodeClient,
            q.rates.decodeServer,
            'exobench_output_tokens_per_second, exobench_server_output_tokens_per_second',
            q.rates.decodeGap,
            'The two use one formula: beyond a few per cent the way between them costs time, or tokens come in lumps.',
          ),
          ...rates(
            'Prefill',
            q.rates.prefillClient,
            q.rates.prefillServer,
            'exobench_prefill_tokens_per_second, exobench_server_prefill_tokens_per_second',
            q.rates.prefillGap,
            'The client\'s includes queueing and exo\'s planning tick of up to 100 ms, so it is lower, most of all for short prompts.',
          ),
        ],
      },
      {
        title: 'Failures and loading',
        panels: [
          graphPanel(
            {
              title: 'Failed requests',
              description: 'Requests that were not ok, by outcome. Metric: exobench_requests_total. Zero is what it should look like.',
              unit: unit.count,
              noValue: nothing.samples,
              width: 8,
              height: 8,
            },
            [{ expr: q.failures, legend: '{{outcome}}' }],
            { bars: true, decimals: 0, least: 0 },
          ),
          tablePanel(
            {
              title: 'Turns',
              description:
                'How the turns of the period ended. Metric: exobench_turns_total. partial: some requests failed; unavailable: exo does not know or cannot ' +
                'place the model; skipped: node busy or not enough memory. The log and the exporter\'s status page give the reason.',
              unit: unit.count,
              noValue: nothing.exporter,
              width: 8,
              height: 8,
            },
            [{ title: 'Turns', expr: q.turns, unit: unit.count, decimals: 0 }],
            { row: 'outcome', rowTitle: 'Outcome', sort: 'Turns', descending: true },
          ),
          graphPanel(
            {
              title: 'Load time',
              description: 'From asking for the model to its being ready, download excluded, at each load. Metric: exobench_model_load_seconds.',
              unit: unit.seconds,
              noValue: 'Was loaded already, or has not been loaded yet',
              width: 8,
              height: 8,
            },
            [{ expr: q.load, legend: '{{model}}' }],
            { steps: true, least: 0 },
          ),
        ],
      },
      {
        title: 'Memory',
        panels: [
          graphPanel(
            {
              title: 'Memory of the last turn',
              description:
                'RSS median and peak of exo\'s process tree during the turn; growth over the value before loading; what was not given back after ' +
                'unloading; and what exo reports itself. On Apple silicon RSS may hold all, part or none of the weights; the two are never ' +
                'to be added. Metrics: exobench_model_resident_memory_bytes, …_peak_bytes, …_delta_bytes, exobench_model_unreleased_memory_bytes, ' +
                'exobench_model_reported_peak_memory_bytes.',
              unit: unit.bytes,
              noValue: nothing.processes,
              width: 12,
              height: 9,
            },
            [
              { expr: q.memory.peak, legend: 'RSS peak' },
              { expr: q.memory.median, legend: 'RSS median' },
              { expr: q.memory.delta, legend: 'RSS growth by loading' },
              { expr: q.memory.unreleased, legend: 'not given back' },
              { expr: q.memory.reported, legend: 'exo\'s own peak' },
            ],
            { steps: true, least: 0 },
          ),
          graphPanel(
            {
              title: 'Memory through the turns',
              description:
                'Resident memory of exo\'s main process and of its runners together, as it goes up and down while models come and go: zoom in on one turn. ' +
                'Metric: exobench_exo_resident_memory_bytes. It belongs to whichever model is loaded.',
              unit: unit.bytes,
              noValue: nothing.processes,
              width: 12,
              height: 9,
            },
            [{ expr: q.memory.now, legend: '{{role}}' }],
            { least: 0 },
          ),
        ],
      },
    ],
  });
}
