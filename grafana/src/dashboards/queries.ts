// What the text of the queries is made of. The queries of each dashboard are in queries_*.ts; layout and looks are elsewhere.
//
// Windows are Grafana's ($__rate_interval and $__interval for graphs, $__range for one figure over
// the visible period) or variables that the reader sets; but for the step of the records, nothing here names a duration.
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

export const ofModel = 'model=~"$model"';

export const decodeRate = 'exobench_model_output_tokens_per_second';
export const turnTTFT = 'exobench_model_time_to_first_token_seconds';
export const bandwidthUsed = 'exobench_model_memory_bandwidth_utilization_ratio';
export const perToken = 'exobench_model_energy_per_token_joules';
export const footprint = 'exobench_model_footprint_bytes';
export const footprintPeak = 'exobench_model_footprint_peak_bytes';
export const gpuMemory = 'exobench_model_gpu_memory_bytes';
export const rss = 'exobench_model_resident_memory_peak_bytes';
export const reported = 'exobench_model_reported_peak_memory_bytes';

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

export type QuantileName = (typeof quantiles)[number]['name'];

/** Samples that a quantile needs. */
export function least(name: QuantileName): number {
  return quantiles.find((candidate) => candidate.name === name)!.least;
}

/** The records of what was added to counters. */
export const added = {
  requests: 'exobench:requests:added',
  promptTokens: 'exobench:prompt_tokens:added',
  outputTokens: 'exobench:output_tokens:added',
  decodeTokens: 'exobench:decode_tokens:added',
  decodeSeconds: 'exobench:decode_seconds:added',
  energy: 'exobench:energy_joules:added',
  energyTokens: 'exobench:energy_output_tokens:added',
} as const;

/** The records of single requests. */
export const request = {
  ttft: 'exobench:time_to_first_token_seconds:request',
  decode: 'exobench:output_tokens_per_second:request',
} as const;

/** The visible period; and the window over which the reader wants figures. */
export const period = '$__range';
export const chosen = '$window';

/** What was added over a window, summed by labels; `record` is one of additions. */
export function total(record: string, by: string, more = '', window = period): string {
  return `sum by (${by}) (sum_over_time(${metric(record, more)}[${window}]))`;
}

/** Increase over the visible period of a counter of whole things that has no record, in steps, summed by labels. */
export function increase(counter: string, by: string, more = ''): string {
  return `round(sum by (${by}) (increase(${metric(counter, more)}[$__range:$__interval])))`;
}

/**
 * What a counter without a record has grown by since the point before: exactly, where an increase is extrapolated and leaves out what came
 * between two windows. Of one that was restarted, all that it holds.
 */
export function grown(counter: string, more = ''): string {
  const now = metric(counter, more);
  const before = `${now} offset $__interval`;
  return `${now} - ${before} >= 0 or ${now} < ${before}`;
}

/** A histogram over a window, summed by labels. */
export function over(h: Histogram, by: string, more = '', window = period): string {
  return total(by.includes('prompt') ? h.added : h.addedToModel, by, more, window);
}

/** Samples of a histogram over a window. */
export function samples(h: Histogram, by: string, more = '', window = period): string {
  return `histogram_count(${over(h, by, more, window)})`;
}

/** A quantile over a window, absent where the samples are too few to carry it. */
export function quantile(name: QuantileName, h: Histogram, by: string, more = '', window = period): string {
  const { q, least } = quantiles.find((candidate) => candidate.name === name)!;
  return `histogram_quantile(${q}, ${over(h, by, more, window)}) and (${samples(h, by, more, window)} >= ${least})`;
}

/** Median of a gauge over a window, by model. */
export function median(gauge: string, more = '', offset = '', window = period): string {
  return `avg by (model) (quantile_over_time(0.5, ${metric(gauge, more)}[${window}:$__interval]${offset}))`;
}

/** The last value of a gauge by model, or by whatever else is asked for. */
export function last(gauge: string, by = 'model', more = ''): string {
  return `avg by (${by}) (${metric(gauge, more)})`;
}

/**
 * The last value of a gauge of models that are up at the same moment, on a node that answers. Of the others there is none:
 * what was true when exo went is not true now.
 */
export function live(gauge: string, by = 'model', more = ''): string {
  const up = `${metric('exobench_model_up', more)} == 1 and on (job, instance) ${metric('exobench_exo_up')} == 1`;
  return `avg by (${by}) (${metric(gauge, more)} and on (job, instance, model) ${up})`;
}

/** Keeps of an expression by model what is configured at this moment: nothing is said of a model that was removed, or of a node that is not scraped. */
export function configured(expr: string): string {
  return `(${expr}) and on (model) ${metric('exobench_model_info')}`;
}

/** Keeps an expression without labels while the exporter is scraped. */
export function scraped(expr: string): string {
  return `(${expr}) and on () (${metric('up')} == 1)`;
}

/** What the query `state` answers with. Figures are positive, so that one query can answer with either. */
export const states = { up: 1, noFigure: 0, down: -1, unreachable: -2, waiting: -3 } as const;

/** In which state each configured model is at this moment: one of `states`, but never noFigure. */
export function state(more = ''): string {
  const info = (condition: string) => `max by (model) (${metric('exobench_model_info', more)}${condition})`;
  return [
    `max by (model) (2 * ${metric('exobench_model_up', more)} - 1 and on (job, instance) ${metric('exobench_exo_up')} == 1)`,
    `or ${states.unreachable} * ${info(` and on (job, instance) ${metric('exobench_exo_up')} == 0`)}`,
    `or ${states.waiting} * ${info('')}`,
  ].join(' ');
}

/**
 * The last value of a gauge of each configured model, or its state where there is no such value; in an order that does not
 * depend on the states.
 */
export function liveOrState(gauge: string, more = ''): string {
  const figures = `${live(gauge, 'model', more)} or (${state(more)}) < 0 or 0 * (${state(more)})`;
  return `max by (model) (${metric('exobench_model_info', more)}) * on (model) (${figures})`;
}

/** An expression by model about energy, and -1 of those of `models` of which there is none although exo shows power. */
export function orTooShort(expr: string, models: string): string {
  return `${expr} or -1 * group by (model) ((${models}) and on () (count(${metric('exobench_node_power_watts')}) > 0))`;
}

export const ok = 'outcome="ok"';
export const failed = 'outcome!="ok"';

/** Requests over a window that ended as a matcher of outcomes says: 0, and not nothing, where none of them did. */
export function ended(outcome: string, by: string, more = '', window = period): string {
  const some = total(added.requests, by, more === '' ? outcome : `${more}, ${outcome}`, window);
  return `${some} or 0 * ${total(added.requests, by, more, window)}`;
}

/** Share of requests that were ok. */
export function success(by: string, window = period): string {
  return `(${ended(ok, by, '', window)}) / ${total(added.requests, by, '', window)}`;
}

/** 0 all along where any request was recorded in the visible period: an empty graph is no good news. */
export function noFailures(more = ''): string {
  return `0 * sum(count_over_time(${metric(added.requests, more)}[$__range] @ end()))`;
}

/** Adds the kind of a prompt, which the standard workload writes before the first dash of its id. */
export function byKind(record: string): string {
  return `sum by (kind, model) (label_replace(sum_over_time(${metric(record)}[$__range]), "kind", "$1", "prompt", "([a-z]+)-.*"))`;
}

/** The alerts of the rules that fire for the chosen node, or for none in particular. */
export function firing(more = ''): string {
  return `ALERTS{alertname=~"ExoBench.+", alertstate="firing", instance=~"$instance|"${more === '' ? '' : `, ${more}`}}`;
}

/** A constant for every alert that the loaded rules can raise: what it says, and where to look. */
export const alertInfo = 'exobench:alert:info';

/** A constant while rules/dashboards.yml is loaded. */
const dashboardRules = 'exobench:dashboard_rules:info';

export const status = {
  simulated: `max(max_over_time(${metric('exobench_simulated')}[$__range]))`,
  noDashboardRules: `2 * absent(${dashboardRules})`,
  noAlertRules: `3 * absent(${alertInfo})`,
  scraped: `min(${metric('up')})`,
  /** Of the newest result, in cycle intervals. */
  age: `(time() - max(${metric('exobench_last_success_timestamp_seconds')})) / max(${metric('exobench_cycle_interval_seconds')})`,
  exo: [
    `${metric('exobench_exo_up')} * on (job, instance) group_left (dialect) ${metric('exobench_exo_info')}`,
    `or on (job, instance) ${metric('exobench_exo_up')}`,
  ].join(' '),
};

/** Of a kind, in a period: as many as leave what is drawn to be seen. */
const mostMarks = 8;

/** Keeps marks that are few in the period. More of them are a fence; of alerts and exo the lines of states have all of them. */
function few(marks: string, number: string): string {
  return `(${marks}) and on () ${number} <= ${mostMarks}`;
}

/** Marks the points at which there is a series and was none `before`. */
function begins(series: string, before: string): string {
  const marks = `${series} unless ${before}`;
  return few(marks, `sum(count_over_time((${marks})[$__range:$__interval] @ end()))`);
}

/** Marks where there is a series first: what was there before exo or the exporter went is not new when they come back. */
function first(series: string): string {
  return begins(series, `last_over_time(${series}[$__range:$__interval] offset $__interval)`);
}

/** Changes of a metric around each point. */
function changed(name: string): string {
  return `changes(${metric(name)}[$__rate_interval]) > 0`;
}

/** How often a metric changes in the period. */
function often(name: string): string {
  return `sum(changes(${metric(name)}[$__range] @ end()))`;
}

/** Marks where a metric changes. */
function changes(name: string): string {
  return few(changed(name), often(name));
}

/** The same, but for where another one changes, with which it does each time. */
function changesWithout(name: string, other: string): string {
  return few(`${changed(name)} unless on (job, instance) ${changed(other)}`, `${often(name)} - ${often(other)}`);
}

const alerts = firing('severity!="info"');

export const annotations = {
  simulated: `${metric('exobench_simulated')} == 1`,
  // Where an alert begins: while it lasts is what the history of alerts shows.
  alerts: begins(alerts, `${alerts} offset $__interval`),
  exo: changes('exobench_exo_up'),
  dialect: first(metric('exobench_exo_info')),
  workload: first(metric('exobench_workload_info')),
  answers: few(
    `sum by (model) (increase(${metric('exobench_answer_fingerprint_changes_total')}[$__rate_interval])) > 0`,
    `round(sum(increase(${metric('exobench_answer_fingerprint_changes_total')}[$__range] @ end())))`,
  ),
  // A start takes a configuration too, and is no reload.
  reload: changesWithout('exobench_config_last_reload_success_timestamp_seconds', 'process_start_time_seconds'),
};

/** What each machine is, and all of its memory: 0 where that is not known, which a mapping shows as a dash. */
export const machines = (() => {
  const info = `max by (instance, node, machine, chip, os) (${metric('exobench_node_info')})`;
  const memory = `max by (instance, node) (${metric('exobench_node_memory_bytes', 'state="total"')})`;
  return `max by (node, machine, chip, os) (${info} * on (instance, node) group_left () ${memory} or 0 * ${info})`;
})();
