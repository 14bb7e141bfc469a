import {
  added,
  alertInfo,
  chosen,
  configured,
  decodeRate,
  ended,
  failed,
  firing,
  histograms,
  last,
  live,
  liveOrState,
  median,
  metric,
  noFailures,
  orTooShort,
  over,
  perToken,
  quantile,
  request,
  rss,
  samples,
  scraped,
  state,
  states,
  success,
  total,
  turnTTFT,
  type Histogram,
} from './queries';
import { alertSizes, changes, decodeAgainstNormal, judged, verdictOfRunning, verdictOverTime } from './queries_judge';
import { evidenceByModel } from './queries_model';

/** The latest cycle against the median of a window that ended $yesterday ago. */
const againstYesterday = `${live(decodeRate)} / avg by (model) (quantile_over_time(0.5, ${metric(decodeRate)}[$yesterday:$__interval] offset $yesterday)) - 1`;

/** What is judged here. */
const decode = 'quantity="decode"';

/** Models in one state; `expr` is compared with a number. */
function count(comparison: string): string {
  return `count((${state()})${comparison})`;
}

/** Models that there are, or were within the period where nothing is scraped: those nobody can ask. */
const known = `count(group by (model) (last_over_time(${metric('exobench_model_info')}[$__range])))`;
const modelsNow = `count(group by (model) (${metric('exobench_model_info')}))`;

/** Requests of single prompts that kept within all three objectives. */
const withinAll = [
  `${metric(request.ttft)} <= $objective_ttft`,
  `and ${metric(request.decode)} >= $objective_rate`,
  `and ${metric(request.decode)} * $objective_itl >= 1`,
].join(' ');

/** Requests with figures, and those that failed: of the others nobody can say. */
const rated = `(sum by (model) (count_over_time(${metric(request.ttft)}[${chosen}])) or 0 * ${total(added.requests, 'model', '', chosen)})`;
const judgedAndFailed = `(${rated} + (${ended(failed, 'model', '', chosen)}))`;

/**
 * Share of the requests with figures or failures that kept within all objectives. Of those with figures it is counted in steps
 * of the records, and so are they all, so that it is right where a record lasts for more than one step.
 */
function shareWithinAll(): string {
  const counted = (what: string) => `sum by (model) (count_over_time((${what})[${chosen}:15s]))`;
  const all = counted(metric(request.ttft));
  const ofFigures = `(${counted(withinAll)} or 0 * ${all}) / ${all}`;
  return `${ofFigures} * ${rated} / ${judgedAndFailed} or 0 * (${judgedAndFailed} > 0)`;
}

const goodput = shareWithinAll();

/** Share of a histogram's samples up to a bound. */
function within(h: Histogram, bound: string): string {
  return `histogram_fraction(0, ${bound}, ${over(h, 'model', '', chosen)})`;
}

/** What fires, under the labels that its line in the list shows: for how long, in seconds. `more` are matchers of alerts. */
function alertAges(more = ''): string {
  return [
    { of: 'model!=""', about: 'model' },
    { of: 'model=""', about: 'node' },
  ]
    .map(({ of, about }) => {
      const labels = 'alertname, severity, model';
      const since = `ALERTS_FOR_STATE{alertname=~"ExoBench.+", instance=~"$instance|"}`;
      const age = `max by (${labels}) (time() - ${since} and ignoring (alertstate) ${firing(more === '' ? of : `${of}, ${more}`)})`;
      return `${age} * on (alertname) group_left (summary, dashboard, panel, anchor) ${alertInfo}{about="${about}"}`;
    })
    .join(' or ');
}

const severities = ['info', 'warning', 'critical'];

export const overview = {
  state: state(),
  modelsDown: `${count(` == ${states.down}`)} or 0 * ${count(` != ${states.unreachable}`)}`,
  unreachable: `${count(` == ${states.unreachable}`)} or 0 * ${modelsNow} or ${known}`,
  alerts: [
    `count by (severity) (${firing()})`,
    `or label_replace(0 * count(${alertInfo}) unless on () ${firing()}, "severity", "alerts", "", "")`,
    `or label_replace(-absent(${alertInfo}) unless on () ${firing()}, "severity", "rules", "", "")`,
  ].join(' '),
  success: scraped(success('', chosen)),

  decodeOrState: liveOrState(decodeRate),
  decodeMedian: configured(median(decodeRate, '', '', chosen)),
  againstYesterday,
  verdict: verdictOfRunning(decode),
  againstBaseline: `${judged('speed_last_cycle_change_ratio', 'model', decode)} and on (model) (${state()}) == ${states.up}`,
  ttft: configured(quantile('p50', histograms.ttft, 'model', '', chosen)),
  ttft95: configured(quantile('p95', histograms.ttft, 'model', '', chosen)),
  interToken: configured(quantile('p50', histograms.interToken, 'model', '', chosen)),
  interToken99: configured(quantile('p99', histograms.interToken, 'model', '', chosen)),
  samples: configured(samples(histograms.ttft, 'model', '', chosen)),
  rss: live(rss),
  joules: orTooShort(live(perToken), `(${state()}) == ${states.up}`),
  modelSuccess: configured(success('model', chosen)),
  goodput: configured(goodput),

  // Over time
  change: {
    cycles: decodeAgainstNormal(),
    noise: `-2 * ${judged('speed_noise_ratio', 'model', decode)}`,
    node: `max(${metric('exobench_node_speed_change_ratio', decode)} != 0)`,
  },
  verdictOverTime: verdictOverTime('model', decode),
  changes,
  turnDecode: last(decodeRate),
  turnTTFT: last(turnTTFT),
  turnInterToken: `histogram_quantile(0.5, ${over(histograms.interToken, 'model', '', '$__interval')})`,
  turnInterToken99: `histogram_quantile(0.99, ${over(histograms.interToken, 'model', '', '$__interval')})`,
  turnRSS: last(rss),
  failures: [
    `sum by (model, outcome) (sum_over_time(${metric(added.requests, failed)}[$__interval]))`,
    `or label_replace(label_replace(${noFailures()}, "model", "otherwise", "", ""), "outcome", "none", "", "")`,
  ].join(' '),

  // Objectives
  within: {
    ttft: configured(within(histograms.ttft, '$objective_ttft')),
    interToken: configured(within(histograms.interToken, '$objective_itl')),
    rate: configured(within(histograms.perToken, '1 / $objective_rate')),
    judged: configured(judgedAndFailed),
    failed: configured(ended(failed, 'model', '', chosen)),
  },

  // Alerts
  alertList: [
    alertAges(),
    `label_replace(0 * count(${alertInfo}) unless on () ${firing()}, "summary", "No alert fires", "", "")`,
    `label_replace(-absent(${alertInfo}) unless on () ${firing()}, "summary", "No alert rules are loaded", "", "")`,
  ].join(' or '),
  /** How far from usual what an alert speaks of is, under the labels of its line in the list. */
  alertSizes: `0 * (${alertAges()}) + on (alertname, model) group_left () (${alertSizes})`,
  /** How bad it is, by which the list is sorted: the place in `severities`, under the labels of its line in the list. */
  alertRanks: severities.map((severity, i) => `${i + 1} + 0 * (${alertAges(`severity="${severity}"`)})`).join(' or '),
  alertHistory: severities
    .map((severity, i) => `max by (alertname, model) (${i + 1} * ${firing(`severity="${severity}"`)})`)
    .reverse()
    .join(' or '),

  // What runs
  evidence: evidenceByModel,
  info: `group by (model, exo_model, developer, parameters, architecture) (${metric('exobench_model_info')})`,
};
