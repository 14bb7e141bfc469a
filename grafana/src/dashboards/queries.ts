// The text of every query. Layout and looks are elsewhere.
//
// Windows are Grafana's ($__rate_interval and $__interval for graphs, $__range for one figure over
// the visible period) or variables that the reader sets; nothing here names a duration.
//
// Two things keep a month cheap. What requests add is read from the records of
// prometheus/rules/dashboards.yml, which have a sample a cycle and not one a scrape. Medians of
// gauges look at the period in steps of $__interval, as a graph of it would.

/** Matchers of the chosen node, for every metric of the exporter. */
const node = 'job=~"$job", instance=~"$instance"';

/** Selects a metric of the chosen node; `more` are further matchers. */
export function metric(name: string, more = ''): string {
  return `${name}{${more === '' ? node : `${node}, ${more}`}}`;
}

const ofModel = 'model=~"$model"';
const ofReference = 'model=~"$reference"';

/** A histogram of the contract, the records of what was added to it, and what people call it. */
export interface Histogram {
  readonly metric: string;
  /** By prompt, scrape by scrape. */
  readonly added: string;
  /** Over all prompts of a model, minute by minute. */
  readonly addedToModel: string;
  readonly title: string;
}

function histogram(quantity: string, title: string): Histogram {
  return { metric: `exobench_${quantity}`, added: `exobench:${quantity}:added`, addedToModel: `exobench:model_${quantity}:added`, title };
}

export const histograms = {
  ttft: histogram('time_to_first_token_seconds', 'Time to first token'),
  interToken: histogram('inter_token_latency_seconds', 'Inter-token latency'),
  perToken: histogram('time_per_output_token_seconds', 'Time per output token'),
  request: histogram('request_duration_seconds', 'Request duration'),
} satisfies Record<string, Histogram>;

/**
 * The quantiles that are shown, with the number of samples below which each says nothing: fewer
 * than 1/(1-q) of them leave none beyond the quantile, and two make a median.
 */
export const quantiles = [
  { q: 0.5, name: 'p50', least: 2 },
  { q: 0.9, name: 'p90', least: 10 },
  { q: 0.95, name: 'p95', least: 20 },
  { q: 0.99, name: 'p99', least: 100 },
] as const;

type QuantileName = (typeof quantiles)[number]['name'];

/** The records of what was added to counters. */
const added = {
  requests: 'exobench:requests:added',
  promptTokens: 'exobench:prompt_tokens:added',
  outputTokens: 'exobench:output_tokens:added',
  decodeTokens: 'exobench:decode_tokens:added',
  decodeSeconds: 'exobench:decode_seconds:added',
  energy: 'exobench:energy_joules:added',
} as const;

/** What was added over the visible period, summed by labels; `record` is one of additions. */
export function total(record: string, by: string, more = ''): string {
  return `sum by (${by}) (sum_over_time(${metric(record, more)}[$__range]))`;
}

/** Increase over the visible period of a counter that has no record, in steps, summed by labels. */
function increase(counter: string, by: string, more = ''): string {
  return `sum by (${by}) (increase(${metric(counter, more)}[$__range:$__interval]))`;
}

/** A histogram over the visible period, summed by labels. */
function overRange(histogram: Histogram, by: string, more: string): string {
  return total(by.includes('prompt') ? histogram.added : histogram.addedToModel, by, more);
}

/** Samples of a histogram over the visible period. */
export function samples(histogram: Histogram, by: string, more = ''): string {
  return `histogram_count(${overRange(histogram, by, more)})`;
}

/** A quantile over the visible period, absent where the samples are too few to carry it. */
export function quantile(name: QuantileName, histogram: Histogram, by: string, more = ''): string {
  const { q, least } = quantiles.find((candidate) => candidate.name === name)!;
  return `histogram_quantile(${q}, ${overRange(histogram, by, more)}) and (${samples(histogram, by, more)} >= ${least})`;
}

/** Median of a gauge over the visible period, by model. */
function median(gauge: string, more = '', offset = ''): string {
  return `avg by (model) (quantile_over_time(0.5, ${metric(gauge, more)}[$__range:$__interval]${offset}))`;
}

const decodeRate = 'exobench_model_output_tokens_per_second';
const turnTTFT = 'exobench_model_time_to_first_token_seconds';
const rss = 'exobench_model_resident_memory_peak_bytes';
const reported = 'exobench_model_reported_peak_memory_bytes';

/** The last value of a gauge by model, or by whatever else is asked for. */
export function last(gauge: string, by = 'model', more = ''): string {
  return `avg by (${by}) (${metric(gauge, more)})`;
}

/** The alerts of the rules that fire for the chosen node, or for none in particular. */
export const firing = 'ALERTS{alertname=~"ExoBench.+", alertstate="firing", instance=~"$instance|"}';

const completed = 'outcome!="canceled"';
const failed = 'outcome!~"ok|canceled"';

/** Share of requests that were ok: 0, and not nothing, where none was. */
function success(by: string): string {
  const all = total(added.requests, by, completed);
  return `(${total(added.requests, by, 'outcome="ok"')} or 0 * ${all}) / ${all}`;
}

/** Requests that failed over the visible period: 0 where all were ok. */
function failures(by: string, more: string): string {
  return `${total(added.requests, by, `${more}, ${failed}`)} or 0 * ${total(added.requests, by, more)}`;
}

/** 0 all along where any request was recorded in the visible period: an empty graph is no good news. */
function noFailures(more = ''): string {
  return `0 * sum(count_over_time(${metric(added.requests, more)}[$__range] @ end()))`;
}

export const status = {
  simulated: `max(max_over_time(${metric('exobench_simulated')}[$__range]))`,
  exo: [
    `${metric('exobench_exo_up')} * on (job, instance) group_left (dialect) ${metric('exobench_exo_info')}`,
    `or on (job, instance) ${metric('exobench_exo_up')}`,
  ].join(' '),
  modelsDown: `count(${metric('exobench_model_up')}) - sum(${metric('exobench_model_up')})`,
  alerts: `count(${firing}) or vector(0)`,
  alertList: `count by (alertname, severity, model) (${firing})`,
  age: `(time() - max(${metric('exobench_last_success_timestamp_seconds')})) / max(${metric('exobench_cycle_interval_seconds')})`,
  success: success(''),
};

/** The latest cycle against the median of a window that ended $yesterday ago. */
function against(window: string): string {
  return `${last(decodeRate)} / avg by (model) (quantile_over_time(0.5, ${metric(decodeRate)}[${window}:$__interval] offset $yesterday)) - 1`;
}

export const overview = {
  up: last('exobench_model_up'),
  decode: last(decodeRate),
  againstYesterday: against('$yesterday'),
  againstBaseline: against('$baseline'),
  ttft: median(turnTTFT),
  ttft95: quantile('p95', histograms.ttft, 'model'),
  samples: samples(histograms.ttft, 'model'),
  rss: last(rss),
  reported: last(reported),
  success: success('model'),
  turnTTFT: last(turnTTFT),
  change: `${last(decodeRate)} / avg by (model) (quantile_over_time(0.5, ${metric(decodeRate)}[$__range:$__interval] @ end())) - 1`,
  failures: [
    `sum by (model, outcome) (sum_over_time(${metric(added.requests, failed)}[$__interval]))`,
    `or label_replace(label_replace(${noFailures()}, "model", "otherwise", "", ""), "outcome", "none", "", "")`,
  ].join(' '),
};

/** One quantile of every histogram of the chosen model, told apart by the label quantity. */
function everyHistogram(expr: (histogram: Histogram) => string): string {
  return Object.values(histograms)
    .map((h) => `label_replace(${expr(h)}, "quantity", "${h.title}", "", "")`)
    .join(' or ');
}

/** Tokens of each prompt of the chosen model, averaged over the good requests of the period. */
function length(record: string): string {
  return `${total(record, 'prompt', ofModel)} / ${total(added.requests, 'prompt', `${ofModel}, outcome="ok"`)}`;
}

export const model = {
  up: last('exobench_model_up', 'model', ofModel),
  decode: last(decodeRate, 'model', ofModel),
  ttft: last(turnTTFT, 'model', ofModel),
  rss: last(rss, 'model', ofModel),
  load: last('exobench_model_load_seconds', 'model', ofModel),
  lastSuccess: `time() - max(${metric('exobench_last_success_timestamp_seconds', ofModel)} > 0)`,
  heatmap: (h: Histogram) => `sum(sum_over_time(${metric(h.added, ofModel)}[$__interval]))`,
  quantile: (name: QuantileName) => everyHistogram((h) => quantile(name, h, '', ofModel)),
  samples: everyHistogram((h) => samples(h, '', ofModel)),
  prompt: {
    ok: total(added.requests, 'prompt', `${ofModel}, outcome="ok"`),
    failed: failures('prompt', ofModel),
    decode: last('exobench_output_tokens_per_second', 'prompt', ofModel),
    prefill: last('exobench_prefill_tokens_per_second', 'prompt', ofModel),
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
  failures: [
    `sum by (outcome) (sum_over_time(${metric(added.requests, `${ofModel}, ${failed}`)}[$__interval]))`,
    `or label_replace(${noFailures(ofModel)}, "outcome", "otherwise none", "", "")`,
  ].join(' '),
  turns: increase('exobench_turns_total', 'outcome', ofModel),
  memory: {
    median: last('exobench_model_resident_memory_bytes', 'model', ofModel),
    peak: last(rss, 'model', ofModel),
    delta: last('exobench_model_resident_memory_delta_bytes', 'model', ofModel),
    unreleased: last('exobench_model_unreleased_memory_bytes', 'model', ofModel),
    reported: last(reported, 'model', ofModel),
    now: `sum by (role) (${metric('exobench_exo_resident_memory_bytes')})`,
  },
};

/** `expr` by model, divided by what the reference model has. */
function relative(expr: (more: string) => string): string {
  return `${expr('')} / on () group_left () sum(${expr(ofReference)})`;
}

/** Adds the kind of a prompt, which the standard workload writes before the first dash of its id. */
function byKind(record: string): string {
  return `sum by (kind, model) (label_replace(sum_over_time(${metric(record)}[$__range]), "kind", "$1", "prompt", "([a-z]+)-.*"))`;
}

/** The larger of RSS and what exo reports: whichever of the two the weights are in. */
const footprint = `(${median(rss)} > ${median(reported)}) or ${median(reported)} or ${median(rss)}`;

const joules = `${total(added.energy, 'model')} / ${total(added.outputTokens, 'model')}`;

export const compare = {
  decode: median(decodeRate),
  decodeRelative: relative((more) => median(decodeRate, more)),
  ttft: median(turnTTFT),
  ttftRelative: relative((more) => median(turnTTFT, more)),
  request: quantile('p50', histograms.request, 'model'),
  footprint,
  perGigabyte: `${median(decodeRate)} / ((${footprint}) / 1e9)`,
  joules,
  kindDecode: `${byKind(added.decodeTokens)} / ${byKind(added.decodeSeconds)}`,
  promptDecode: `avg by (prompt, model) (quantile_over_time(0.5, ${metric('exobench:output_tokens_per_second:request')}[$__range]))`,
  promptTTFT: `avg by (prompt, model) (quantile_over_time(0.5, ${metric('exobench:time_to_first_token_seconds:request')}[$__range]))`,
  promptRelative: [
    total('exobench:request_duration_seconds_sum:added', 'prompt, model'),
    `/ on (prompt) group_left () ${total('exobench:request_duration_seconds_sum:added', 'prompt', ofReference)}`,
  ].join(' '),
  otherDecode: median(decodeRate, '', ' offset $offset'),
  decodeChange: `${median(decodeRate)} / ${median(decodeRate, '', ' offset $offset')} - 1`,
  otherTTFT: median(turnTTFT, '', ' offset $offset'),
  ttftChange: `${median(turnTTFT)} / ${median(turnTTFT, '', ' offset $offset')} - 1`,
  otherRSS: median(rss, '', ' offset $offset'),
  rss: median(rss),
  rssChange: `${median(rss)} / ${median(rss, '', ' offset $offset')} - 1`,
  decodeNow: last(decodeRate),
  decodeThen: `avg by (model) (${metric(decodeRate)} offset $offset)`,
};

export const nodeAndExporter = {
  processes: `sum by (role) (${metric('exobench_exo_processes')})`,
  rss: `sum by (role) (${metric('exobench_exo_resident_memory_bytes')})`,
  unreleased: last('exobench_model_unreleased_memory_bytes'),
  memory: `sum by (node, state) (${metric('exobench_node_memory_bytes')})`,
  power: `sum by (node) (${metric('exobench_node_power_watts')})`,
  gpu: `avg by (node) (${metric('exobench_node_gpu_utilization_ratio')})`,
  temperature: `max by (node) (${metric('exobench_node_temperature_celsius')})`,
  duration: metric('exobench_cycle_duration_seconds'),
  interval: metric('exobench_cycle_interval_seconds'),
  running: metric('exobench_cycle_running'),
  cycles: increase('exobench_cycles_total', 'outcome'),
  mismatches: increase('exobench_token_count_mismatches_total', 'model'),
  rtt: metric('exobench_exo_rtt_seconds'),
  scrape: metric('scrape_duration_seconds'),
  series: metric('scrape_samples_scraped'),
  residentMemory: metric('process_resident_memory_bytes'),
  cpu: `rate(${metric('process_cpu_seconds_total')}[$__rate_interval])`,
  goroutines: metric('go_goroutines'),
  scraped: metric('up'),
  reloaded: `time() - ${metric('exobench_config_last_reload_success_timestamp_seconds')}`,
  reloadOK: metric('exobench_config_last_reload_successful'),
  build: metric('exobench_build_info'),
  workload: metric('exobench_workload_info'),
};

export const annotations = {
  simulated: `${metric('exobench_simulated')} == 1`,
  alerts: firing,
  exo: `changes(${metric('exobench_exo_up')}[$__rate_interval]) > 0`,
  dialect: `${metric('exobench_exo_info')} unless ${metric('exobench_exo_info')} offset $__interval`,
  workload: `${metric('exobench_workload_info')} unless ${metric('exobench_workload_info')} offset $__interval`,
  // A start takes a configuration too, and is no reload.
  reload: [
    `changes(${metric('exobench_config_last_reload_success_timestamp_seconds')}[$__rate_interval]) > 0`,
    `unless on (job, instance) changes(${metric('process_start_time_seconds')}[$__rate_interval]) > 0`,
  ].join(' '),
};
