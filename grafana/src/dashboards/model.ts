import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

import { answerPanels } from './answers';
import { build, labelVariable, uid, windowVariable } from './common';
import { evidencePanel } from './evidence';
import { graphPanel, heatmapPanel, helper, hour, roleColors, sampleCount, timelinePanel, type HeatmapOptions } from './graphs';
import { named, noData, none, nothing, stateTiles, stateWords, unit, unknown, words, type About, type Series } from './panels';
import { histograms, least, type Histogram } from './queries';
import { model as q } from './queries_model';
import { statPanel } from './stats';
import { tablePanel } from './tables';
import { band, verdictCell, verdictState } from './verdicts';
import { whyPanels } from './why';

const tile = { width: 3, height: 3, noValue: noData };
const third = { width: 8, height: 8 };

function heat(histogram: Histogram, how: string, options: HeatmapOptions = {}) {
  return heatmapPanel(
    {
      ...third,
      title: histogram.title,
      description:
        `Every sample of the period: the brighter, the more. Metric: ${histogram.metric}, as a native histogram, whose cells are ` +
        `at most 10 % high whatever the scale. ${how}`,
      unit: unit.seconds,
      noValue: nothing.samples,
    },
    q.heatmap(histogram),
    options,
  );
}

/** Percentiles over time, each point of the samples of the window before it, and how many those are. */
function course(histogram: Histogram, of: string) {
  const { quantiles, samples } = q.course(histogram);
  return graphPanel(
    {
      ...third,
      title: `${histogram.title}, p50 to p99`,
      description:
        `p50, p95 and p99 of the window chosen above, which ends at each point, and n, the number of samples (${of}). p95 is left out below 20 of them, ` +
        `p99 below 100. Metric: ${histogram.metric}.`,
      unit: unit.seconds,
      noValue: nothing.samples,
    },
    [...quantiles.map(({ name, expr }) => ({ expr, legend: name })), { expr: samples, legend: 'n' }],
    { join: hour, overrides: [sampleCount('n')] },
  );
}

function tiles() {
  return [
    statPanel(
      {
        ...tile,
        title: 'State',
        description:
          'up: the last turn gave figures, and exo answers now. DOWN: it gave none. unreachable: exo does not answer. waiting: no ' +
          'turn has ended yet. ' +
          'Metrics: exobench_model_up, exobench_exo_up, exobench_model_info.',
        unit: unit.none,
      },
      [{ expr: q.state, legend: '{{model}}' }],
      { filled: true, text: common.BigValueTextMode.Value, mappings: words(stateWords, unknown) },
    ),
    statPanel(
      {
        ...tile,
        title: 'Age',
        description: 'How long ago the newest successful request was. Metric: exobench_last_success_timestamp_seconds.',
        unit: unit.seconds,
      },
      [{ expr: q.lastSuccess, legend: 'newest success' }],
      { ...named, decimals: 0 },
    ),
    statPanel(
      {
        ...tile,
        width: 5,
        title: 'Decode',
        description:
          'Output speed over the last turn, while the model is up, beside the median of the turns of the window chosen above. Metric: ' +
          'exobench_model_output_tokens_per_second.',
        unit: unit.tokensPerSecond,
        noValue: none,
      },
      [{ expr: q.decode, legend: '{{model}}' }, { expr: q.decodeMedian, legend: 'median, $window' }],
      { ...named, decimals: 1, mappings: words(stateTiles) },
    ),
    statPanel(
      {
        ...tile,
        title: 'TTFT',
        description: 'Median over the prompts of the last turn, while the model is up. Metric: exobench_model_time_to_first_token_seconds.',
        unit: unit.seconds,
        noValue: none,
      },
      [{ expr: q.ttft, legend: 'last turn' }],
      named,
    ),
    statPanel(
      {
        ...tile,
        title: 'ITL',
        description: 'Inter-token latency: half of the gaps between tokens were shorter. Metric: exobench_inter_token_latency_seconds.',
        unit: unit.seconds,
        noValue: none,
      },
      [{ expr: q.interToken, legend: 'p50, $window' }],
      named,
    ),
    statPanel(
      {
        ...tile,
        title: 'RSS',
        description:
          'Peak: largest resident memory of exo\'s process tree in the last turn, while the model is up. Metric: ' +
          'exobench_model_resident_memory_peak_bytes; absent where exo\'s processes are not visible.',
        unit: unit.bytes,
        noValue: none,
      },
      [{ expr: q.rss, legend: 'peak, last turn' }],
      { ...named, decimals: 1 },
    ),
    statPanel(
      {
        ...tile,
        width: 4,
        title: 'Speed',
        description:
          'What the exporter finds of the decode rate, the worst first, while the model is up. It learns for 24 cycles and a day. "as all are": ' +
          'slower, as all models are; "some prompts": those are slower; "at times": slower again and again; "drifting": slower little by little; ' +
          '"unstable": slower, as it was before for a while; "not judged": the exporter\'s log says why. ' +
          'Metrics: exobench_speed_alarm, exobench_speed_alarm_shared, exobench_judge_learning, exobench_judge_history_cycles.',
        unit: unit.none,
        noValue: none,
      },
      [{ expr: q.verdict, legend: '{{model}}' }],
      { mappings: words(verdictCell), text: common.BigValueTextMode.Value },
    ),
  ];
}

const dashed = [{ id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 6] } }, { id: 'custom.lineWidth', value: 1 }];

/** What is, what is normal and how much that scatters, and what was found: of one quantity, in its own unit. */
function judgedPanel(about: Pick<About, 'title' | 'description' | 'noValue'>, ofTime: boolean, c: typeof q.speed, first: Series[]) {
  const baseline = { matcher: { id: 'byName', options: 'normal' }, properties: dashed };
  // Of a time slower is more.
  const [top, bottom] = ofTime ? [c.slow, c.fast] : [c.fast, c.slow];
  const [most, least] = ofTime ? [c.low, c.high] : [c.high, c.low];
  return graphPanel(
    {
      ...third,
      ...about,
      unit: ofTime ? unit.seconds : unit.tokensPerSecond,
    },
    [
      ...first,
      { expr: c.baseline, legend: 'normal' },
      { expr: top, legend: 'noise' },
      { expr: bottom, legend: 'noise, other end' },
      { expr: c.change, legend: 'found' },
      { expr: most, legend: '95 %' },
      { expr: least, legend: '95 %, other end' },
    ],
    {
      steps: true,
      colors: { learning: '#8E8E8E', normal: '#73BF69', found: '#F2495C' },
      overrides: [baseline, ...band('noise', 'noise, other end', '#73BF69'), ...band('95 %', '95 %, other end', '#F2495C')],
    },
  );
}

const unjudged = 'Learning: nothing is judged before 24 cycles and a day of history';

/** What is, against what is normal, and what the exporter makes of it. */
function againstBaseline() {
  const how =
    'Each cycle, as the geometric mean of the prompts; what is normal, with a band of twice the noise; and, while a change holds, its size ' +
    'with the bounds of its interval. ';
  const metrics =
    'exobench_speed_last_cycle_change_ratio, exobench_speed_baseline, exobench_speed_noise_ratio, exobench_speed_change_ratio, ' +
    'exobench_speed_change_low_ratio, exobench_speed_change_high_ratio';
  return [
    judgedPanel(
      {
        title: 'Speed against its baseline',
        description:
          `${how}In grey, before there is a baseline (24 cycles and a day), what the tile has. Metrics: ${metrics}, ` +
          'exobench_model_output_tokens_per_second.',
        noValue: nothing.turn,
      },
      false,
      q.speed,
      [{ expr: q.speed.now, legend: 'decode' }, { expr: q.speedUnlearned, legend: 'learning' }],
    ),
    judgedPanel(
      {
        title: 'First token against its baseline',
        description:
          `${how}Where exo itself says how long the prompt took, the wait for exo's next planning, of up to 0.15 s, is left out, so that it ` +
          `is shorter than what the tile has. Metrics: ${metrics}.`,
        noValue: unjudged,
      },
      true,
      q.firstToken,
      [{ expr: q.firstToken.now, legend: 'first token' }],
    ),
    graphPanel(
      {
        ...third,
        title: 'Evidence of a change',
        description:
          'Evidence that the model has become slower as a whole: decode, prefill, and ttft (time to first token). At 1 begins an ' +
          'alarm. What concerns some prompts or some cycles alone has evidence of its own. Metric: exobench_speed_change_evidence.',
        unit: unit.times,
        noValue: unjudged,
      },
      [{ expr: q.evidenceOverTime, legend: '{{quantity}}' }],
      {
        steps: true, least: 0, most: 1.2, mark: [{ color: 'text', from: null }, { color: 'red', from: 1 }],
        colors: { decode: '#5794F2', prefill: '#FF9830', ttft: '#B877D9' },
      },
    ),
    tablePanel(
      {
        title: 'What the judge says',
        description:
          'Of the rates and of the time to the first token (ttft, whose changes are of its inverse): the worst that holds, since ' +
          'when, how large it is with an interval of 95 %, the evidence (1 is the threshold), how many prompts where it is about some, ' +
          'the last cycle against normal, what is normal, by how much cycles scatter, and of how many cycles that is known. Metrics: ' +
          'exobench_speed_alarm, exobench_speed_alarm_since_timestamp_seconds, exobench_speed_change_ratio, ' +
          'exobench_speed_change_low_ratio, exobench_speed_change_high_ratio, exobench_speed_change_evidence, ' +
          'exobench_speed_alarm_prompts, exobench_speed_last_cycle_change_ratio, exobench_speed_baseline, exobench_speed_noise_ratio, ' +
          'exobench_judge_history_cycles.',
        unit: unit.none,
        noValue: nothing.verdicts,
        width: 24,
        height: 5,
      },
      [
        { title: 'It is', expr: q.judged.verdict, unit: unit.none, mappings: words(verdictCell), width: 110 },
        { title: 'Since, ago', expr: q.judged.since, unit: unit.seconds, decimals: 1, width: 90 },
        { title: 'Change', expr: q.judged.change, unit: unit.ratio, decimals: 1 },
        { title: 'From', expr: q.judged.low, unit: unit.ratio, decimals: 1 },
        { title: 'To', expr: q.judged.high, unit: unit.ratio, decimals: 1 },
        { title: 'Evidence', expr: q.judged.evidence, unit: unit.times, decimals: 2, width: 80 },
        { title: 'Prompts', expr: q.judged.prompts, unit: unit.count, decimals: 0, width: 76 },
        { title: 'Last cycle', expr: q.judged.lastCycle, unit: unit.ratio, decimals: 1, width: 87 },
        { title: 'Normal rate', expr: q.judged.rate, unit: unit.tokensPerSecond, decimals: 1, width: 98 },
        { title: 'Normal time', expr: q.judged.time, unit: unit.seconds, width: 101 },
        { title: 'Noise', expr: q.judged.noise, unit: unit.ratio, decimals: 1 },
        { title: 'Cycles', expr: q.judged.cycles, unit: unit.count, decimals: 0 },
      ],
      { row: 'quantity', rowTitle: 'Of', rowWidth: 76, minWidth: 68 },
    ),
  ];
}

/** The speed once more, above what may explain it. */
function speedAgain() {
  return judgedPanel(
    {
      title: 'Speed under these conditions',
      description: 'As in the panel Speed against its baseline. Metrics: exobench_speed_last_cycle_change_ratio, exobench_speed_baseline.',
      noValue: nothing.turn,
    },
    false,
    q.speed,
    [{ expr: q.speed.now, legend: 'decode' }, { expr: q.speedUnlearned, legend: 'learning' }],
  );
}

/** The drift of weeks, which the judge sees in a day at a time. */
function drift() {
  return graphPanel(
    {
      width: 24, height: 6,
      title: 'Speed against weeks before',
      description:
        'Median decode rate of the last day against that of the same day one and four weeks before: negative is slower. ' +
        'Metric: exobench_model_output_tokens_per_second.',
      unit: unit.ratio,
      noValue: 'There is no day of a week before to compare with',
    },
    [
      { expr: q.drift.week, legend: 'in one week' },
      { expr: q.drift.month, legend: 'in four weeks' },
    ],
    { join: 3 * hour, interval: '1h', least: -0.02, most: 0.02 },
  );
}

/** A cell of a percentile is empty where the samples are too few, and for no other reason: without samples there is no row. */
function percentiles() {
  const column = (name: 'p50' | 'p90' | 'p95' | 'p99') => ({ title: name, expr: q.quantile(name), unit: unit.seconds, noValue: `n < ${least(name)}` });
  return tablePanel(
    {
      title: 'Percentiles',
      description:
        'Over the whole period, from n samples. A percentile is left out where the samples cannot carry it: p90 below 10, p95 below ' +
        '20, p99 below 100. ' +
        'Metrics: exobench_time_to_first_token_seconds, exobench_inter_token_latency_seconds, exobench_time_per_output_token_seconds, ' +
        'exobench_request_duration_seconds. Inter-token latency has a sample for every token, the others one for every request.',
      unit: unit.seconds,
      noValue: nothing.samples,
      width: 24,
      height: 6,
    },
    [column('p50'), column('p90'), column('p95'), column('p99'), { title: 'n', expr: q.samples, unit: unit.none, decimals: 0 }],
    { row: 'quantity', rowTitle: 'Quantity', rowWidth: 200 },
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
        ...third,
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
      { steps: true, least: -0.02, most: 0.02 },
    ),
  ];
}

function depth() {
  return [
    timelinePanel(
      {
        width: 24, height: 4,
        title: 'Up and down',
        description:
          'State of the model in the course of time. Metrics: exobench_model_up, exobench_exo_up. A gap is a time in which nothing ' +
          'was scraped.',
        unit: unit.none,
        noValue: nothing.exporter,
      },
      [{ expr: q.state, legend: '{{model}}' }],
      words(stateWords),
    ),
    timelinePanel(
      {
        width: 24, height: 4,
        title: 'Speeds, as judged',
        description:
          'What the exporter said in the course of time, the worst where several hold. Metrics: exobench_speed_alarm, ' +
          'exobench_speed_alarm_shared, exobench_judge_learning.',
        unit: unit.none,
        noValue: nothing.turn,
      },
      [{ expr: q.verdictOverTime, legend: '{{quantity}}' }],
      words(verdictState),
    ),
    drift(),
    evidencePanel({ width: 24, height: 4 }, q.evidence, { row: 'model', rowTitle: 'Model' }),
    tablePanel(
      {
        width: 8,
        height: 6,
        title: 'By whose count',
        description:
          'Requests of the period by where their number of tokens came from: usage (the answer\'s), stats (exo\'s generation_stats) ' +
          'or events (counted). ' +
          'Metric: exobench_token_counts_total.',
        unit: unit.count,
        noValue: nothing.samples,
      },
      [{ title: 'Requests', expr: q.counted, unit: unit.count, decimals: 0 }],
      { row: 'source', rowTitle: 'Source', sort: 'Requests', descending: true },
    ),
    statPanel(
      {
        width: 10,
        height: 6,
        title: 'Runs as',
        description: 'The id that the node is asked for. Metric: exobench_model_info.',
        unit: unit.none,
        noValue: noData,
      },
      [{ expr: q.runs, legend: '{{exo_model}}' }],
      { label: 'exo_model', mappings: words({}, unknown), size: 18 },
    ),
    statPanel(
      {
        width: 6,
        height: 6,
        title: 'Prefill over the period',
        description:
          'Uncached prompt tokens per second of time to first token, over all good requests: exobench_prefill_tokens_total over ' +
          'exobench_prefill_seconds_total.',
        unit: unit.tokensPerSecond,
        noValue: none,
      },
      [{ expr: q.prefill, legend: 'prefill' }],
      { decimals: 0 },
    ),
  ];
}

export function model(): dashboard.Dashboard {
  return build({
    uid: uid.model,
    title: 'exo bench: model',
    description: 'Everything that is known of one model.',
    from: 'now-6h',
    variables: [
      labelVariable('model', 'Model', 'label_values(exobench_model_up{job=~"$job", instance=~"$instance"}, model)'),
      windowVariable(),
    ],
    rows: [
      { panels: [...tiles(), ...againstBaseline()] },
      {
        title: 'Latency',
        panels: [
          heat(histograms.ttft, 'Bands are prompts of different length; a band that moves is a change.'),
          // A model of a billion parameters in fast motion takes 0.8 ms a token.
          heat(histograms.interToken, 'One narrow band is steady decoding; a second one above it means stalls. Gaps below half a millisecond lie outside.', { from: 0.0005 }),
          heat(histograms.request, 'Includes the wait for the first token.'),
          percentiles(),
          course(histograms.ttft, 'requests'),
          course(histograms.interToken, 'gaps between tokens'),
          course(histograms.request, 'requests'),
        ],
      },
      {
        title: 'Prompts',
        panels: [
          tablePanel(
            {
              title: 'By prompt',
              description:
                'Each prompt of the workload: successes and failures of the period, the rates of its last request, medians over the ' +
                'period, and ' +
                'its length in tokens. Metrics: exobench_requests_total, exobench_output_tokens_per_second, ' +
                'exobench_prefill_tokens_per_second, ' +
                'exobench_time_to_first_token_seconds, exobench_request_duration_seconds, exobench_prompt_tokens_total, ' +
                'exobench_output_tokens_total. ' +
                'A rate is missing where that prompt\'s last request failed, or the model is not up.',
              unit: unit.none,
              noValue: nothing.samples,
              width: 24,
              height: 12,
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
              { title: 'TTFT p50', expr: q.prompt.ttft, unit: unit.seconds },
              { title: 'Duration p50', expr: q.prompt.request, unit: unit.seconds },
              { title: 'Prompt length', expr: q.prompt.promptTokens, unit: unit.tokens, decimals: 0 },
              { title: 'Output length', expr: q.prompt.outputTokens, unit: unit.tokens, decimals: 0 },
            ],
            { row: 'prompt', rowTitle: 'Prompt', rowWidth: 190 },
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
            { bars: true, least: 0, most: 1, overrides: [helper('otherwise none')] },
          ),
          tablePanel(
            {
              title: 'Turns',
              description:
                'How the turns of the period ended. Metric: exobench_turns_total. partial: some requests failed; unavailable: exo ' +
                'does not know or cannot ' +
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
              description:
                'From asking for the model to its being ready, download excluded, at each load. Metric: exobench_model_load_seconds; ' +
                'absent where it was loaded already.',
              unit: unit.seconds,
              noValue: nothing.turn,
              width: 8,
              height: 8,
            },
            [{ expr: q.loadOverTime, legend: '{{model}}' }],
            { steps: true, least: 0 },
          ),
        ],
      },
      { title: 'Answers', panels: answerPanels() },
      {
        title: 'Memory and energy',
        panels: [
          graphPanel(
            {
              title: 'Memory of the last turn',
              description:
                'Footprint and RSS of exo\'s process tree during the turn. On a Mac look at the footprint, which Activity Monitor ' +
                'shows too and which has the GPU\'s buffers in it: RSS may hold all, part or none of the weights there. On Linux it is ' +
                'PSS, in which a page that processes share counts in parts, and what is swapped out. Growth over the value before ' +
                'loading; what was not given back after unloading; what nvidia-smi says; and what exo reports itself, 7.37 % more than ' +
                'was allocated: never add it to the others. Metrics: exobench_model_footprint_bytes, ' +
                'exobench_model_footprint_peak_bytes, exobench_model_gpu_memory_bytes, ' +
                'exobench_model_resident_memory_bytes, …_peak_bytes, …_delta_bytes, ' +
                'exobench_model_proportional_memory_bytes, exobench_model_unreleased_memory_bytes, ' +
                'exobench_model_reported_peak_memory_bytes, exobench_model_weights_bytes.',
              unit: unit.bytes,
              noValue: nothing.processes,
              width: 12,
              height: 9,
            },
            [
              { expr: q.memory.footprint, legend: 'footprint' },
              { expr: q.memory.footprintPeak, legend: 'footprint peak' },
              { expr: q.memory.peak, legend: 'RSS peak' },
              { expr: q.memory.median, legend: 'RSS median' },
              { expr: q.memory.proportional, legend: 'PSS' },
              { expr: q.memory.delta, legend: 'RSS growth by loading' },
              { expr: q.memory.unreleased, legend: 'not given back' },
              { expr: q.memory.gpu, legend: 'GPU' },
              { expr: q.memory.reported, legend: 'exo\'s own peak' },
              { expr: q.memory.weights, legend: 'weights' },
            ],
            { steps: true, least: 0 },
          ),
          graphPanel(
            {
              title: 'Memory through the turns',
              description:
                'Resident memory of exo\'s main process and of its runners together, as it goes up and down while models come and ' +
                'go: zoom in on one turn. ' +
                'Metrics: exobench_exo_resident_memory_bytes, exobench_exo_proportional_memory_bytes. It belongs to whichever model ' +
                'is loaded.',
              unit: unit.bytes,
              noValue: nothing.processes,
              width: 12,
              height: 9,
            },
            [
              { expr: q.memory.now, legend: '{{role}}' },
              { expr: q.memory.proportionalNow, legend: '{{role}}, PSS' },
            ],
            { least: 0, colors: roleColors },
          ),
          graphPanel(
            {
              title: 'Energy by token',
              description:
                'What an output token took of the machines that hold the model, turn by turn, their rest and the prefill included, and ' +
                'where that is known from: exo\'s answer, or the power that it showed during requests that took long enough for two ' +
                'readings. Metrics: exobench_model_energy_per_token_joules, exobench_model_energy_info.',
              unit: unit.joulesPerToken,
              noValue: 'exo showed no power in this period, or no request took long enough for two readings of it',
              width: 16,
              height: 8,
            },
            [{ expr: q.energy.perToken, legend: 'from {{source}}' }],
            { steps: true, least: 0 },
          ),
          statPanel(
            {
              title: 'Machines at rest',
              description:
                'Power just before the last turn of the machines that hold the model: what they draw anyway, which is part of the ' +
                'energy. Metric: exobench_model_idle_power_watts.',
              unit: unit.watts,
              noValue: none,
              width: 8,
              height: 8,
            },
            [{ expr: q.energy.atRest, legend: '{{model}}' }],
            { decimals: 1, size: 28 },
          ),
        ],
      },
      { title: 'Why: the conditions of the turns', collapsed: true, panels: whyPanels(speedAgain()) },
      { title: 'History, drift and trust', collapsed: true, panels: depth() },
    ],
  });
}
