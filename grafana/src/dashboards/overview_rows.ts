// The overview below its first screenful.
import { modelLink, panelLink } from './common';
import { graphPanel, helper, hour, timelinePanel } from './graphs';
import { none, nothing, stateWords, unit, words } from './panels';
import { evidencePanel } from './evidence';
import { machinesPanel } from './machines';
import { overview as q } from './queries_overview';
import { labelsPanel, tablePanel } from './tables';
import { changesPanel, verdictState } from './verdicts';

const half = { width: 12, height: 8 };
const across = { width: 24, height: 7 };

const severityWords = {
  '1': { text: 'info', color: 'blue' },
  '2': { text: 'warning', color: 'orange' },
  '3': { text: 'critical', color: 'red' },
};

/** Shows a word in the place of what a link needs. */
function linkWord(text: string) {
  return [{ type: 'regex', options: { pattern: '.+', result: { text, index: 0 } } }] as never;
}

/** What fires now: since when, what it means, and where to look. */
export function alerts() {
  return labelsPanel(
    {
      title: 'Firing alerts',
      description:
        'What fires for this node, the worst first: how bad, since when it is in doubt, of which model, what it means, what to do (the runbook) and ' +
        'where it shows (the panel). Off by: how far from usual, where it is a figure that is. ' +
        'Metrics: ALERTS and ALERTS_FOR_STATE, written by Prometheus, exobench:alert:info of the rules, ' +
        'exobench_speed_alarm_change_ratio and exobench_node_speed_change_ratio. The message in Alertmanager has all numbers.',
      unit: unit.none,
      noValue: nothing.exporter,
      width: 16,
      height: 6,
    },
    [q.alertList, q.alertSizes, q.alertRanks],
    {
      'Value #C': { title: 'Level', width: 80, mappings: words(severityWords) },
      severity: { title: 'severity', hidden: true },
      // The lines that say that there is no alert, or no rule, have no age.
      'Value #A': {
        title: 'For',
        width: 80,
        unit: unit.seconds,
        decimals: 0,
        mappings: words({ '0': { text: none, color: 'text' }, '-1': { text: none, color: 'text' } }),
      },
      model: { title: 'Model', width: 110 },
      'Value #B': { title: 'Off by', width: 65, unit: unit.ratio, decimals: 1 },
      summary: { title: 'Meaning' },
      anchor: {
        title: 'What to do',
        width: 95,
        mappings: linkWord('runbook'),
        link: { title: 'Runbook', url: '${exporter}/runbook#${__value.raw}' },
      },
      panel: {
        title: 'Where',
        width: 65,
        mappings: linkWord('panel'),
        link: { title: 'Panel', url: `${panelLink('${__data.fields.dashboard}', '${__value.raw}')}&var-model=\${__data.fields["Model"]}` },
      },
      alertname: { title: 'Alert', width: 210 },
      dashboard: { title: 'dashboard', hidden: true },
    },
    [{ by: 'Level', descending: true }, { by: 'For' }],
    220,
  );
}

export function history() {
  return [
    timelinePanel(
      {
        ...across,
        title: 'Models, up and down',
        description:
          'State of each model in the course of time. Metrics: exobench_model_up, exobench_exo_up, exobench_model_info. A gap is a ' +
          'time in which nothing was scraped.',
        unit: unit.none,
        noValue: nothing.exporter,
      },
      [{ expr: q.state, legend: '{{model}}' }],
      words(stateWords),
    ),
    timelinePanel(
      {
        ...across,
        title: 'Decode speed, as judged',
        description:
          'What the exporter said of each model in the course of time, worst first where several hold; the table below says since ' +
          'when. Metrics: exobench_speed_alarm, exobench_speed_alarm_shared, exobench_judge_learning.',
        unit: unit.none,
        noValue: nothing.turn,
      },
      [{ expr: q.verdictOverTime, legend: '{{model}}' }],
      words(verdictState),
    ),
    timelinePanel(
      {
        ...across,
        title: 'Alerts, what fired and when',
        description: 'Every alert that fired for this node in the period, by severity. Metric: ALERTS.',
        unit: unit.none,
        noValue: 'No alert fired in this period, or Prometheus has no rules that could: see above',
      },
      [{ expr: q.alertHistory, legend: '{{alertname}} {{model}}' }],
      words(severityWords),
    ),
    // The last of its row: it has room for the changes of all models, and is nearly empty while there are none.
    changesPanel({ ...across, height: 15 }),
  ];
}

export function overTime() {
  return [
    graphPanel(
      {
        ...half,
        title: 'Decode throughput',
        description:
          'Output speed by model, one value a cycle, on a scale of doublings. Metric: exobench_model_output_tokens_per_second. ' +
          'Level lines are normal: a machine repeats itself within 1.5 %. A gap is a turn without figures, never an old value.',
        unit: unit.tokensPerSecond,
        noValue: nothing.turn,
      },
      [{ expr: q.turnDecode, legend: '{{model}}' }],
      { steps: true, doubling: true },
    ),
    graphPanel(
      {
        ...half,
        title: 'Time to first token',
        description:
          'Median over the prompts of each turn. Metric: exobench_model_time_to_first_token_seconds. ' +
          'exo plans every 100 ms, so differences below 0.1 s mean nothing for the fast models.',
        unit: unit.seconds,
        noValue: nothing.turn,
      },
      [{ expr: q.turnTTFT, legend: '{{model}}' }],
      { steps: true, least: 0 },
    ),
    graphPanel(
      {
        ...half,
        title: 'Inter-token latency, median',
        description: 'Half of the gaps between tokens were shorter, turn by turn. Metric: exobench_inter_token_latency_seconds.',
        unit: unit.seconds,
        noValue: nothing.samples,
      },
      [{ expr: q.turnInterToken, legend: '{{model}}' }],
      { join: hour, least: 0 },
    ),
    graphPanel(
      {
        ...half,
        title: 'Inter-token latency, p99',
        description:
          'One gap in a hundred was longer, turn by turn: what a reader sees as stutter. Metric: ' +
          'exobench_inter_token_latency_seconds, of some 1,300 gaps a turn.',
        unit: unit.seconds,
        noValue: nothing.samples,
      },
      [{ expr: q.turnInterToken99, legend: '{{model}}' }],
      { join: hour, least: 0 },
    ),
    graphPanel(
      {
        ...half,
        title: 'Memory peak in a turn',
        description:
          'Largest resident memory of exo\'s process tree during each model\'s last turn. Metric: ' +
          'exobench_model_resident_memory_peak_bytes. ' +
          'A rise over days with the same model is a leak. On Apple silicon it may hold all, part or none of the weights: see the ' +
          'model dashboard.',
        unit: unit.bytes,
        noValue: nothing.processes,
      },
      [{ expr: q.turnRSS, legend: '{{model}}' }],
      { steps: true, least: 0 },
    ),
    graphPanel(
      {
        ...half,
        title: 'Failed requests',
        description:
          'Requests that were not ok, by model and outcome. Metric: exobench_requests_total. ' +
          'Failures never enter the latency figures. An empty graph at zero is what it should look like.',
        unit: unit.count,
        noValue: nothing.samples,
      },
      [{ expr: q.failures, legend: '{{model}} {{outcome}}' }],
      { bars: true, least: 0, most: 1, overrides: [helper('otherwise none')] },
    ),
  ];
}

export function objectives() {
  return [
    tablePanel(
      {
        ...across,
        title: 'Objectives met, last $window',
        description:
          'Share of what kept within each objective chosen above: of requests by time to first token ($objective_ttft s) and by ' +
          'decode rate ' +
          '($objective_rate tok/s), of single gaps by inter-token latency ($objective_itl s). All three: requests within all of ' +
          'them, their mean gap standing for ' +
          'inter-token latency, of n that have figures or failed; requests that failed met none. Metrics: ' +
          'exobench_time_to_first_token_seconds, ' +
          'exobench_time_per_output_token_seconds, exobench_inter_token_latency_seconds, exobench_requests_total.',
        unit: unit.ratio,
        noValue: nothing.judged,
      },
      [
        { title: 'TTFT', heading: 'TTFT ≤ $objective_ttft s', expr: q.within.ttft, unit: unit.ratio, decimals: 1, width: 105 },
        { title: 'Gaps', heading: 'Gaps ≤ $objective_itl s', expr: q.within.interToken, unit: unit.ratio, decimals: 1, width: 115 },
        { title: 'Decode', heading: 'Decode ≥ $objective_rate tok/s', expr: q.within.rate, unit: unit.ratio, decimals: 1, width: 160 },
        { title: 'All three', expr: q.goodput, unit: unit.ratio, decimals: 1 },
        { title: 'n', expr: q.within.judged, unit: unit.count, decimals: 0 },
        { title: 'Of these failed', expr: q.within.failed, unit: unit.count, decimals: 0 },
      ],
      { row: 'model', rowTitle: 'Model', rowWidth: 120, link: modelLink, minWidth: 120 },
    ),
  ];
}

export function whatRuns() {
  return [
    labelsPanel(
      {
        ...across,
        title: 'What runs',
        description:
          'Which model is measured under each name: the id that the node is asked for, who made it, and how large it is. Metric: ' +
          'exobench_model_info.',
        unit: unit.none,
        noValue: nothing.models,
      },
      q.info,
      {
        model: { title: 'Model', width: 120, link: modelLink },
        parameters: { title: 'Parameters', width: 95 },
        developer: { title: 'Developer', width: 110 },
        exo_model: { title: 'Asked for as', width: 400 },
        architecture: { title: 'Architecture' },
      },
      'Model',
      300,
    ),
    machinesPanel(across),
    evidencePanel(across, q.evidence, { row: 'model', rowTitle: 'Model', rowWidth: 120, link: modelLink }),
  ];
}
