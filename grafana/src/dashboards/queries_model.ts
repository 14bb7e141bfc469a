import {
  added,
  chosen,
  configured,
  decodeRate,
  ended,
  failed,
  footprint,
  footprintPeak,
  gpuMemory,
  grown,
  histograms,
  increase,
  last,
  live,
  liveOrState,
  median,
  metric,
  noFailures,
  ofModel,
  ok,
  perToken,
  quantile,
  quantiles,
  reported,
  rss,
  samples,
  state,
  total,
  turnTTFT,
  type Histogram,
  type QuantileName,
} from './queries';
import { course, judged, verdictOfRunning, verdictOverTime, whileUp } from './queries_judge';

/** One figure of every histogram of the chosen model, told apart by the label quantity. */
function everyHistogram(expr: (histogram: Histogram) => string): string {
  return Object.values(histograms)
    .map((h) => `label_replace(${expr(h)}, "quantity", "${h.title}", "", "")`)
    .join(' or ');
}

/** Tokens of each prompt of the chosen model, averaged over the good requests of the period. */
function length(record: string): string {
  return `${total(record, 'prompt', ofModel)} / ${total(added.requests, 'prompt', `${ofModel}, ${ok}`)}`;
}

/** The chosen model, and what is judged of it. */
function and(quantity: 'decode' | 'ttft'): string {
  return `${ofModel}, quantity="${quantity}"`;
}

/** The median decode rate of a day, looked at every half hour, against that of the same day so long before. */
function dayAgainst(before: string): string {
  const day = (offset: string) => `avg by (model) (quantile_over_time(0.5, ${metric(decodeRate, ofModel)}[1d:30m]${offset}))`;
  return `${day('')} / ${day(` offset ${before}`)} - 1`;
}

/** Requests of the period that say less than others, or nothing, by what was the matter. */
function evidence(more: string, by: string) {
  return {
    requests: total(added.requests, by, more),
    contended: increase('exobench_contended_requests_total', by, more),
    starved: increase('exobench_starved_requests_total', by, more),
    buffered: ended('outcome="buffered"', by, more),
    cached: increase('exobench_cached_prompt_tokens_total', by, more),
    disagree: increase('exobench_rate_disagreements_total', by, more),
    mismatches: increase('exobench_token_count_mismatches_total', by, more),
    coalesced: increase('exobench_coalesced_events_total', by, more),
    tokensPerEvent: `max by (${by}) (${metric('exobench_tokens_per_event', more)})`,
  };
}

type Evidence = ReturnType<typeof evidence>;

export const evidenceByModel = Object.fromEntries(
  Object.entries(evidence('', 'model')).map(([what, expr]) => [what, configured(expr)]),
) as Evidence;

export const model = {
  state: state(ofModel),
  lastSuccess: `time() - max(${metric('exobench_last_success_timestamp_seconds', ofModel)} > 0)`,
  decode: liveOrState(decodeRate, ofModel),
  decodeMedian: median(decodeRate, ofModel, '', chosen),
  ttft: live(turnTTFT, 'model', ofModel),
  interToken: quantile('p50', histograms.interToken, 'model', ofModel, chosen),
  rss: live(rss, 'model', ofModel),
  load: live('exobench_model_load_seconds', 'model', ofModel),
  runs: `group by (exo_model) (${metric('exobench_model_info', ofModel)})`,

  verdict: verdictOfRunning(and('decode'), ofModel),
  judged: {
    verdict: whileUp('quantity', ofModel, ofModel),
    since: `max by (quantity) (time() - ${metric('exobench_speed_alarm_since_timestamp_seconds', ofModel)})`,
    change: `${judged('speed_change_ratio', 'quantity', ofModel)} != 0`,
    low: `${judged('speed_change_low_ratio', 'quantity', ofModel)} and ${judged('speed_change_ratio', 'quantity', ofModel)} != 0`,
    high: `${judged('speed_change_high_ratio', 'quantity', ofModel)} and ${judged('speed_change_ratio', 'quantity', ofModel)} != 0`,
    evidence: judged('speed_change_evidence', 'quantity', ofModel),
    lastCycle: judged('speed_last_cycle_change_ratio', 'quantity', ofModel),
    rate: judged('speed_baseline', 'quantity', `${ofModel}, quantity!="ttft"`),
    time: judged('speed_baseline', 'quantity', and('ttft')),
    noise: judged('speed_noise_ratio', 'quantity', ofModel),
    cycles: judged('judge_history_cycles', 'quantity', ofModel),
    prompts: `max by (quantity) (${metric('exobench_speed_alarm_prompts', ofModel)})`,
  },
  verdictOverTime: verdictOverTime('quantity', ofModel, ofModel),
  evidenceOverTime: `max by (quantity) (${metric('exobench_speed_change_evidence', ofModel)})`,
  speed: course(and('decode'), last(decodeRate, 'model', ofModel), false),
  speedUnlearned: `${last(decodeRate, 'model', ofModel)} unless on (model) ${metric('exobench_speed_baseline', and('decode'))}`,
  firstToken: course(and('ttft'), last(turnTTFT, 'model', ofModel), true),
  drift: { week: dayAgainst('7d'), month: dayAgainst('28d') },

  heatmap: (h: Histogram) => `sum(sum_over_time(${metric(h.added, ofModel)}[$__interval]))`,
  quantile: (name: QuantileName) => everyHistogram((h) => quantile(name, h, '', ofModel)),
  samples: everyHistogram((h) => samples(h, '', ofModel)),
  /** Over time, each point of the samples of the window before it. */
  course: (h: Histogram) => ({
    quantiles: quantiles.filter(({ name }) => name !== 'p90').map(({ name }) => ({ name, expr: quantile(name, h, 'model', ofModel, chosen) })),
    samples: samples(h, 'model', ofModel, chosen),
  }),
  prompt: {
    ok: total(added.requests, 'prompt', `${ofModel}, ${ok}`),
    failed: ended(failed, 'prompt', ofModel),
    decode: live('exobench_output_tokens_per_second', 'prompt', ofModel),
    prefill: live('exobench_prefill_tokens_per_second', 'prompt', ofModel),
    ttft: quantile('p50', histograms.ttft, 'prompt', ofModel),
    request: quantile('p50', histograms.request, 'prompt', ofModel),
    promptTokens: length(added.promptTokens),
    outputTokens: length(added.outputTokens),
  },
  rates: {
    decodeClient: `avg(${metric('exobench_output_tokens_per_second', ofModel)})`,
    decodeServer: `avg(${metric('exobench_server_output_tokens_per_second', ofModel)})`,
    prefillClient: `avg(${metric('exobench_prefill_tokens_per_second', ofModel)})`,
    prefillServer: `avg(${metric('exobench_server_prefill_tokens_per_second', ofModel)})`,
    decodeGap: `avg(${metric('exobench_output_tokens_per_second', ofModel)} / ${metric('exobench_server_output_tokens_per_second', ofModel)}) - 1`,
    prefillGap: `avg(${metric('exobench_prefill_tokens_per_second', ofModel)} / ${metric('exobench_server_prefill_tokens_per_second', ofModel)}) - 1`,
  },
  prefill: ['tokens', 'seconds'].map((what) => `sum(increase(${metric(`exobench_prefill_${what}_total`, ofModel)}[$__range:$__interval]))`).join(' / '),
  failures: [
    `sum by (outcome) (sum_over_time(${metric(added.requests, `${ofModel}, ${failed}`)}[$__interval]))`,
    `or label_replace(${noFailures(ofModel)}, "outcome", "otherwise none", "", "")`,
  ].join(' '),
  turns: increase('exobench_turns_total', 'outcome', ofModel),
  loadOverTime: last('exobench_model_load_seconds', 'model', ofModel),
  evidence: evidence(ofModel, 'model'),
  counted: increase('exobench_token_counts_total', 'source', ofModel),
  answers: {
    correct: last('exobench_canary_correct_ratio', 'model', ofModel),
    sensible: `1 - (${last('exobench_answer_degenerate_ratio', 'model', ofModel)})`,
    usual: (by: 'canary' | 'signs') => last('exobench_answers_usual_ratio', 'model', `${ofModel}, by="${by}"`),
    signs: [
      `sum by (sign) (${grown('exobench_degenerate_answers_total', ofModel)}) > 0`,
      `or label_replace(${noFailures(ofModel)}, "sign", "otherwise none", "", "")`,
    ].join(' '),
    repeats: `max by (prompt) (${metric('exobench_answer_repeats', ofModel)})`,
    changes: increase('exobench_answer_fingerprint_changes_total', 'prompt', ofModel),
  },
  energy: {
    perToken: [
      `max by (source) (last_over_time(${metric('exobench_model_energy_info', ofModel)}[$__interval])`,
      `* on (instance, model) group_left () last_over_time(${metric(perToken, ofModel)}[$__interval]))`,
    ].join(' '),
    atRest: live('exobench_model_idle_power_watts', 'model', ofModel),
  },
  memory: {
    footprint: last(footprint, 'model', ofModel),
    footprintPeak: last(footprintPeak, 'model', ofModel),
    gpu: last(gpuMemory, 'model', ofModel),
    median: last('exobench_model_resident_memory_bytes', 'model', ofModel),
    peak: last(rss, 'model', ofModel),
    proportional: last('exobench_model_proportional_memory_bytes', 'model', ofModel),
    delta: last('exobench_model_resident_memory_delta_bytes', 'model', ofModel),
    unreleased: last('exobench_model_unreleased_memory_bytes', 'model', ofModel),
    reported: last(reported, 'model', ofModel),
    weights: last('exobench_model_weights_bytes', 'model', ofModel),
    now: `sum by (role) (${metric('exobench_exo_resident_memory_bytes')})`,
    proportionalNow: `sum by (role) (${metric('exobench_exo_proportional_memory_bytes')})`,
  },
};
