// What the exporter itself says of speeds: what is normal, what has changed, since when, and how sure that is.
import { decodeRate, last, metric } from './queries';

/** Cycles of history without which nothing is judged; it takes a day as well. */
export const leastCycles = 24;

/** What the queries of verdicts answer with; while too little is known of what is normal, -1 and one less for every cycle that is known. */
export const verdicts = {
  unjudged: -100, normal: 0, gain: 1, unstable: 2, shared: 3, partial: 4, intermittent: 5, drift: 6, drop: 7, collapse: 8,
} as const;

/** Kinds of alarms, worst first, as the exporter calls them; `shared` is a drop or drift that all models of the node have. */
const worstFirst = ['collapse', 'drop', 'drift', 'intermittent', 'partial', 'shared', 'unstable', 'gain'] as const;

function and(...matchers: string[]): string {
  return matchers.filter((matcher) => matcher !== '').join(', ');
}

/** A figure of the judge, by model or by quantity. */
export function judged(figure: string, by: string, more: string): string {
  return last(`exobench_${figure}`, by, more);
}

/**
 * The worst that holds, by model or by quantity. What all models share stands below what a model has of its own: it takes the
 * place of the alarm that it explains.
 */
function verdict(by: 'model' | 'quantity', more: string): string {
  const shared = (kind: string) => metric('exobench_speed_alarm_shared', and(more, `kind=~"${kind}"`));
  const alarms = worstFirst.map((kind) => {
    if (kind === 'shared') return `${verdicts.shared} * ${shared('drop|drift')}`;
    const own = `${verdicts[kind]} * ${metric('exobench_speed_alarm', and(more, `kind="${kind}"`))}`;
    return ['drop', 'drift'].includes(kind) ? `${own} unless ${shared(kind)} == 1` : own;
  });
  const cycles = `clamp_max(${metric('exobench_judge_history_cycles', more)}, ${leastCycles})`;
  const learning = `-1 - ${cycles} and ${metric('exobench_judge_learning', more)} == 1`;
  return `max by (${by}) (${alarms.join(' or ')}) or max by (${by}) (${learning})`;
}

/** Models that are up on a node that answers. */
function up(ofModel: string): string {
  return `${metric('exobench_model_up', ofModel)} == 1 and on (job, instance) ${metric('exobench_exo_up')} == 1`;
}

/** The worst that holds of models that are up: of others nothing is normal. By quantity it is of one model. */
export function whileUp(by: 'model' | 'quantity', more: string, ofModel = ''): string {
  return `(${verdict(by, more)}) and on (${by === 'model' ? by : ''}) (${up(ofModel)})`;
}

/** The same by model, of which one of which nothing is said at all is not judged. */
export function verdictOfRunning(more: string, ofModel = ''): string {
  return `${whileUp('model', more, ofModel)} or ${verdicts.unjudged} * max by (model) (${up(ofModel)})`;
}

/** The same for a graph of states, in which learning is one, and a time in which a model was not up is a gap. */
export function verdictOverTime(by: 'model' | 'quantity', more: string, ofModel = ''): string {
  return `clamp_min(${whileUp(by, more, ofModel)}, -1)`;
}

/**
 * What was found and what is normal of one quantity of models, in its own unit: of a time the ratios are of its inverse. A turn of
 * which the gauge has no figure is a gap.
 */
export function course(of: string, gauge: string, isTime: boolean) {
  const baseline = judged('speed_baseline', 'model', of);
  const at = (ratio: string) => `${baseline} ${isTime ? '/' : '*'} (1 + ${ratio})`;
  const noise = (width: number) => at(`${width} * ${judged('speed_noise_ratio', 'model', of)}`);
  const found = (figure: string) => at(`(${judged(figure, 'model', of)} and ${judged('speed_change_ratio', 'model', of)} != 0)`);
  return {
    baseline,
    now: `${at(judged('speed_last_cycle_change_ratio', 'model', of))} and ${gauge}`,
    slow: noise(-2),
    fast: noise(2),
    change: found('speed_change_ratio'),
    low: found('speed_change_low_ratio'),
    high: found('speed_change_high_ratio'),
  };
}

/** The last cycle against the baseline; before there is one, the last turn against the median of the visible period. A turn without figures is a gap. */
export function decodeAgainstNormal(): string {
  const median = `avg by (model) (quantile_over_time(0.5, ${metric(decodeRate)}[$__range:$__interval] @ end()))`;
  return `${judged('speed_last_cycle_change_ratio', 'model', 'quantity="decode"')} and ${last(decodeRate)} or ${last(decodeRate)} / ${median} - 1`;
}

/** What is told of all models of the node together is under this name of a model. */
const node = 'all models';

function ofNode(expr: string): string {
  return `label_replace(max by (quantity, kind) (${expr}), "model", "${node}", "", "")`;
}

const nodeAlarm = `${metric('exobench_node_speed_alarm')} == 1`;
const modelSince = metric('exobench_speed_alarm_since_timestamp_seconds');
const nodeSince = metric('exobench_node_speed_alarm_since_timestamp_seconds');
const some = `(${metric('exobench_speed_alarm')} == 1 or ${nodeAlarm})`;

/** A line in the list of changes that there is where nothing has changed. */
function unless(expr: string, text: string): string {
  return `label_replace(${expr} unless on () ${some}, "model", "${text}", "", "")`;
}

/** The kinds of losses as a whole, which the evidence is of: how sure others are it does not say. */
const asAWhole = 'kind=~"drop|drift|collapse"';

/** Every alarm of the node that holds, of some kinds, with the figure that follows. */
const ofNodeIn = (kinds: string) => `0 * (${metric('exobench_node_speed_alarm', kinds)} == 1) + on (job, instance, quantity) group_left ()`;

/** Figures of everything that has changed and holds, by model, quantity and kind. */
export const changes = {
  age: [
    `time() - max by (model, quantity, kind) (${modelSince})`,
    `time() - ${ofNode(nodeSince)}`,
    unless(`-1 * group(${metric('exobench_judge_learning')} == 0)`, 'Nothing has changed'),
    unless(`-1 * group(${metric('exobench_judge_learning')}) unless on () (${metric('exobench_judge_learning')} == 0)`, 'All are still learning'),
  ].join(' or '),
  ratio: [
    `max by (model, quantity, kind) (${metric('exobench_speed_alarm_change_ratio')})`,
    // The node's one figure is of all cycles since then, not of those that are slower again and again.
    ofNode(`${ofNodeIn('kind!="intermittent"')} ${metric('exobench_node_speed_change_ratio')}`),
  ].join(' or '),
  evidence: [
    [
      `max by (model, quantity, kind) (0 * ${metric('exobench_speed_alarm_since_timestamp_seconds', asAWhole)}`,
      `+ on (job, instance, model, quantity) group_left () ${metric('exobench_speed_change_evidence')})`,
    ].join(' '),
    ofNode(`${ofNodeIn(asAWhole)} ${metric('exobench_node_speed_change_evidence')}`),
  ].join(' or '),
  prompts: `max by (model, quantity, kind) (${metric('exobench_speed_alarm_prompts')})`,
  shared: `max by (model, quantity, kind) (${metric('exobench_speed_alarm_shared')})`,
};

/** How far from usual what an alert speaks of is, by its name and model. */
export const alertSizes = [
  ['ExoBenchThroughputDrop', 'min', 'decode', 'drop|partial|intermittent'],
  ['ExoBenchThroughputCollapse', 'min', 'decode', 'collapse'],
  ['ExoBenchThroughputDrift', 'min', 'decode', 'drift'],
  ['ExoBenchThroughputGain', 'max', 'decode', 'gain'],
  ['ExoBenchUnstable', 'min', 'decode', 'unstable'],
  ['ExoBenchLatencyRegression', 'min', 'ttft|prefill', 'collapse|drop|drift|partial|intermittent'],
]
  .map(([alert, worst, quantity, kind]) => {
    const size = `${worst} by (model) (${metric('exobench_speed_alarm_change_ratio', `quantity=~"${quantity}", kind=~"${kind}"`)})`;
    return `label_replace(${size}, "alertname", "${alert}", "", "")`;
  })
  .concat(`label_replace(min(${metric('exobench_node_speed_change_ratio', 'quantity="decode"')}), "alertname", "ExoBenchAllModelsSlow", "", "")`)
  .join(' or ');
