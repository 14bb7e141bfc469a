import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { build, choiceVariable, labelVariable, modelLink, uid } from './common';
import { boundLine, graphPanel } from './graphs';
import { nothing, tooShort, unit, words, type Step } from './panels';
import { compare as q } from './queries_compare';
import { barPanel } from './stats';
import { matrixPanel, tablePanel } from './tables';

/** Changes beyond 3 %: twice the standard deviation that decode rates have on a fixed machine. */
const faster: Step[] = [
  { color: 'text', from: null },
  { color: 'orange', from: -1 },
  { color: 'text', from: -0.03 },
  { color: 'blue', from: 0.03 },
];

/** The same for quantities of which less is better. */
const slower: Step[] = [
  { color: 'text', from: null },
  { color: 'blue', from: -1 },
  { color: 'text', from: -0.03 },
  { color: 'orange', from: 0.03 },
];

export function compare(): dashboard.Dashboard {
  return build({
    uid: uid.compare,
    title: 'exo bench: compare',
    description: 'The models against one another on the same prompts, and this period against another.',
    from: 'now-24h',
    variables: [
      labelVariable('reference', 'Reference', 'label_values(exobench_model_up{job=~"$job", instance=~"$instance"}, model)').current({
        selected: true,
        text: 'llama-3.1-8b',
        value: 'llama-3.1-8b',
      }),
      choiceVariable(
        'offset',
        'Other period',
        'How long before the period shown the other one lies. For before and after an event: show the time since the event and put ' +
        'its length here',
        ['1d', '2d', '7d', '14d', '30d'],
      ),
    ],
    rows: [
      {
        title: 'Model against model, medians over the period',
        panels: [
          barPanel(
            {
              title: 'Decode speed, $reference = 1',
              description: 'Longer is faster. Median of exobench_model_output_tokens_per_second over the reference model\'s.',
              unit: unit.times,
              noValue: nothing.turn,
              width: 6,
              height: 8,
            },
            { expr: q.decodeRelative, legend: '{{model}}' },
          ),
          barPanel(
            {
              title: 'Time to first token, $reference = 1',
              description: 'Shorter is faster. Median of exobench_model_time_to_first_token_seconds over the reference model\'s.',
              unit: unit.times,
              noValue: nothing.turn,
              width: 6,
              height: 8,
            },
            { expr: q.ttftRelative, legend: '{{model}}' },
          ),
          barPanel(
            {
              title: 'Speed for memory',
              description:
                'Longer is better: decode tokens per second for each 10⁹ bytes, from exobench_model_output_tokens_per_second. The ' +
                'memory is the footprint\'s peak, with what is on NVIDIA GPUs; where no footprint is known, RSS peak or exo\'s own peak, ' +
                'whichever is larger, because on Apple silicon RSS may hold all, part or none of the weights.',
              unit: unit.perGigabyte,
              noValue: nothing.turn,
              width: 6,
              height: 8,
            },
            { expr: q.perGigabyte, legend: '{{model}}' },
          ),
          barPanel(
            {
              title: 'Memory bandwidth used',
              description:
                'Share of the memory\'s peak bandwidth that decoding uses, which reads all weights for every token: what is missing ' +
                'to 100 % is the distance to what the machine could do. Median of exobench_model_memory_bandwidth_utilization_ratio. It is known ' +
                'where exobench_model_weights_bytes and the bandwidth are: of a chip of Apple\'s, or by EXOBENCH_MEMORY_BANDWIDTH.',
              unit: unit.ratio,
              noValue: nothing.bandwidth,
              width: 6,
              height: 8,
            },
            { expr: q.bandwidth, legend: '{{model}}' },
          ),
          tablePanel(
            {
              title: 'Side by side',
              description:
                'Medians over the period. Metrics: exobench_model_output_tokens_per_second, exobench_model_time_to_first_token_seconds, ' +
                'exobench_inter_token_latency_seconds, exobench_request_duration_seconds, exobench_model_footprint_bytes, ' +
                'exobench_model_resident_memory_peak_bytes, exobench_model_reported_peak_memory_bytes (exo\'s own peak, 7.37 % more than was ' +
                'allocated, never to be added to the others), exobench_model_memory_bandwidth_utilization_ratio, and ' +
                'exobench_energy_joules_total over exobench_energy_output_tokens_total: of the requests of which the ' +
                'energy is known. "too short" where it is of none although exo shows power: none took long enough for two readings. ' +
                'tok/s per GB as in Speed for memory.',
              unit: unit.none,
              noValue: nothing.samples,
              width: 24,
              height: 8,
            },
            [
              { title: 'Decode', expr: q.decode, unit: unit.tokensPerSecond, decimals: 1 },
              { title: 'Decode, relative', expr: q.decodeRelative, unit: unit.times, decimals: 2, width: 128 },
              { title: 'TTFT', expr: q.ttft, unit: unit.seconds, decimals: 2 },
              { title: 'TTFT, relative', expr: q.ttftRelative, unit: unit.times, decimals: 2, width: 110 },
              { title: 'ITL p50', expr: q.interToken, unit: unit.seconds, width: 90 },
              { title: 'Request p50', expr: q.request, unit: unit.seconds },
              { title: 'Footprint', expr: q.footprint, unit: unit.bytes, decimals: 1, width: 100 },
              { title: 'RSS peak', expr: q.rss, unit: unit.bytes, decimals: 1, width: 100 },
              { title: 'exo peak', expr: q.reported, unit: unit.bytes, decimals: 1, width: 100 },
              { title: 'tok/s per GB', expr: q.perGigabyte, unit: unit.none, decimals: 1, width: 100 },
              { title: 'J per token', expr: q.joules, unit: unit.joulesPerToken, decimals: 2, mappings: words(tooShort) },
              { title: 'MBU', expr: q.bandwidth, unit: unit.ratio, decimals: 0, width: 70 },
            ],
            { row: 'model', rowTitle: 'Model', link: modelLink, sort: 'Decode', descending: true, minWidth: 110 },
          ),
        ],
      },
      {
        title: 'By prompt',
        panels: [
          matrixPanel(
            {
              title: 'Decode by kind of prompt',
              description:
                'Tokens per second over all requests of a kind, weighted by their length: exobench_decode_tokens_total over ' +
                'exobench_decode_seconds_total. ' +
                'The kind is what a prompt\'s id begins with. Differences between kinds come from length, not from the words.',
              unit: unit.tokensPerSecond,
              noValue: nothing.samples,
              width: 12,
              height: 12,
            },
            q.kindDecode,
            'kind',
            'model',
            1,
          ),
          matrixPanel(
            {
              title: 'Decode by prompt',
              description:
                'Median over the requests of what each added to exobench_decode_tokens_total over what it added to ' +
                'exobench_decode_seconds_total. Long prompts decode more slowly, the more so the larger a model\'s KV cache.',
              unit: unit.tokensPerSecond,
              noValue: nothing.samples,
              width: 12,
              height: 12,
            },
            q.promptDecode,
            'prompt',
            'model',
            1,
          ),
          matrixPanel(
            {
              title: 'Time to first token by prompt',
              description:
                'Median over the requests of exobench_time_to_first_token_seconds. It grows with the length of the prompt: this is ' +
                'where prefill shows.',
              unit: unit.seconds,
              noValue: nothing.samples,
              width: 12,
              height: 12,
            },
            q.promptTTFT,
            'prompt',
            'model',
            2,
          ),
          matrixPanel(
            {
              title: 'Time by prompt, $reference = 1',
              description:
                'Mean time that a request of a prompt took, over the reference model\'s: exobench_request_duration_seconds. Below 1 ' +
                'is faster. Fair as long as both answered at equal length.',
              unit: unit.times,
              noValue: nothing.samples,
              width: 12,
              height: 12,
            },
            q.promptRelative,
            'prompt',
            'model',
            2,
          ),
        ],
      },
      {
        title: 'This period against another',
        panels: [
          tablePanel(
            {
              title: 'This period and the one $offset before',
              description:
                'Medians of both, and the change. Metrics: exobench_model_output_tokens_per_second, ' +
                'exobench_model_time_to_first_token_seconds, ' +
                'exobench_model_resident_memory_peak_bytes. Changes beyond 3 % (two standard deviations of the noise) are coloured: ' +
                'orange for worse, blue for better. ' +
                'Void where a mark says that the workload changed in between.',
              unit: unit.none,
              noValue: nothing.samples,
              width: 24,
              height: 8,
            },
            [
              { title: 'Decode', expr: q.decode, unit: unit.tokensPerSecond, decimals: 1 },
              { title: 'Decode then', expr: q.other.decode.then, unit: unit.tokensPerSecond, decimals: 1 },
              { title: 'Decode change', expr: q.other.decode.change, unit: unit.ratio, decimals: 1, steps: faster },
              { title: 'TTFT', expr: q.ttft, unit: unit.seconds, decimals: 2 },
              { title: 'TTFT then', expr: q.other.ttft.then, unit: unit.seconds, decimals: 2 },
              { title: 'TTFT change', expr: q.other.ttft.change, unit: unit.ratio, decimals: 1, steps: slower },
              { title: 'RSS peak', expr: q.rss, unit: unit.bytes, decimals: 1 },
              { title: 'RSS peak then', expr: q.other.rss.then, unit: unit.bytes, decimals: 1 },
              { title: 'RSS change', expr: q.other.rss.change, unit: unit.ratio, decimals: 1, steps: slower },
            ],
            { row: 'model', rowTitle: 'Model', link: modelLink, minWidth: 115 },
          ),
          graphPanel(
            {
              title: 'Decode, now and $offset before',
              description:
                'The period shown as lines, the other one as dots in the same colours, laid over it, on a scale of doublings. ' +
                'Metric: exobench_model_output_tokens_per_second.',
              unit: unit.tokensPerSecond,
              noValue: nothing.turn,
              width: 24,
              height: 10,
            },
            [
              { expr: q.decodeNow, legend: '{{model}}' },
              { expr: q.decodeThen, legend: '{{model}} $offset before' },
            ],
            { steps: true, doubling: true, overrides: [boundLine('/ before$/')] },
          ),
        ],
      },
    ],
  });
}
