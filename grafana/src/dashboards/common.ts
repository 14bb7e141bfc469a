import * as cog from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';

import { panelId } from './ids';
import { datasource, noData, unit, unknown, words } from './panels';
import { annotations, status } from './queries';
import { statPanel } from './stats';

const tag = 'exo-bench';

/** The dashboards' fixed uids. */
export const uid = {
  overview: 'exobench-overview',
  model: 'exobench-model',
  compare: 'exobench-compare',
  node: 'exobench-node',
} as const;

/** Query string that takes the reader's choices and period along to another dashboard. */
const along = '${datasource:queryparam}&${job:queryparam}&${instance:queryparam}&${__url_time_range}';

/** Address of one panel of a dashboard, by itself. */
export function panelLink(dashboard: string, panel: string): string {
  return `/d/${dashboard}?viewPanel=${panel}&${along}`;
}

/** Link from a row that names a model to that model's dashboard. */
export const modelLink = {
  title: 'Details of this model',
  url: `/d/${uid.model}?var-model=\${__value.raw}&${along}`,
};

function datasourceVariable(): dashboard.DatasourceVariableBuilder {
  return new dashboard.DatasourceVariableBuilder('datasource')
    .label('Data source')
    .type('prometheus')
    .current({ selected: true, text: 'exo bench', value: 'exobench-prometheus' });
}

/** A variable whose values are those of a label. */
export function labelVariable(name: string, label: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .query(query)
    .definition(query)
    .datasource(datasource)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalAsc);
}

/** A variable that holds a duration or a number; readers may type others than the ones offered. The first is the default. */
export function choiceVariable(name: string, label: string, description: string, values: string[]): dashboard.CustomVariableBuilder {
  const first = values[0]!;
  return new dashboard.CustomVariableBuilder(name)
    .label(label)
    .description(description)
    .values(values.join(','))
    .options(values.map((value) => ({ selected: value === first, text: value, value })))
    .current({ selected: true, text: first, value: first });
}

/** The window over which figures are summed up that stand beside those of the last turn. */
export function windowVariable(): dashboard.CustomVariableBuilder {
  return choiceVariable('window', 'Window', 'Medians, percentiles and shares are of this window, which ends now (of graphs: at each point)', ['6h', '1h', '24h', '7d']);
}

/** What the reader holds to be good enough. */
export function objectiveVariables(): dashboard.CustomVariableBuilder[] {
  return [
    choiceVariable('objective_ttft', 'Goals: TTFT ≤ s', 'Longest time to first token, in seconds', ['2', '0.2', '0.5', '1', '5', '10']),
    choiceVariable('objective_itl', 'gap ≤ s', 'Longest gap between tokens, in seconds', ['0.1', '0.02', '0.05', '0.2', '0.5']),
    choiceVariable('objective_rate', 'tok/s ≥', 'Least decode rate, in tokens per second', ['10', '5', '20', '50', '100']),
  ];
}

interface Mark {
  name: string;
  color: string;
  expr: string;
  title: string;
  text: string;
  /** Labels that a mark is tagged with. */
  tags?: string;
  /** A switch of its own beside the variables; without one it is always there. */
  optional?: boolean;
  /** Shortest distance of two marks. */
  step: string;
}

/** Of what is simulated: neither that of an alarm nor that of a warning. */
const simulatedColor = '#8F3BB8';

const marks: Mark[] = [
  {
    name: 'Simulated',
    color: simulatedColor,
    expr: annotations.simulated,
    title: 'SIMULATED',
    text: 'Figures of this period come from the built-in simulator.',
    step: '60s',
  },
  {
    name: 'Alerts',
    color: '#F2495C',
    expr: annotations.alerts,
    title: '{{alertname}} begins',
    text: '{{model}}',
    tags: 'severity',
    step: '60s',
    optional: true,
  },
  {
    name: 'exo came or went',
    color: '#B877D9',
    expr: annotations.exo,
    title: 'exo came or went',
    text: 'exobench_exo_up changed: exo was stopped, started or restarted.',
    step: '60s',
  },
  {
    name: 'exo dialect',
    color: '#B877D9',
    expr: annotations.dialect,
    title: 'exo speaks {{dialect}}',
    text: 'First seen here.',
    step: '60s',
  },
  {
    name: 'Answers',
    color: '#FADE2A',
    expr: annotations.answers,
    title: '{{model}} answers otherwise',
    text: 'It gave the same answers until here: another file of the model, another quantization or other numerics.',
    step: '60s',
  },
  {
    name: 'Workload',
    color: '#5794F2',
    expr: annotations.workload,
    title: 'Workload {{version}}',
    text: 'First seen here: {{sha256}}. Figures before it are of another workload.',
    step: '60s',
  },
  {
    name: 'Configuration',
    color: '#8E8E8E',
    expr: annotations.reload,
    title: 'Configuration reloaded',
    text: 'The exporter took a changed configuration.',
    step: '60s',
  },
];

/** The mark is written in both forms that Grafana has had for annotations from Prometheus. */
function annotation(mark: Mark): dashboard.AnnotationQueryBuilder {
  return new dashboard.AnnotationQueryBuilder()
    .name(mark.name)
    .datasource(datasource)
    .enable(true)
    .hide(!mark.optional)
    .iconColor(mark.color)
    .expr(mark.expr)
    .step(mark.step)
    .titleFormat(mark.title)
    .textFormat(mark.text)
    .tagKeys(mark.tags ?? '')
    .target(new prometheus.DataqueryBuilder().refId('Anno').expr(mark.expr).interval(mark.step).legendFormat(mark.title));
}

/**
 * Tells at the top of every dashboard, in one line (a title would take the room of another), whether a machine was
 * measured, and what of the panels cannot be filled.
 */
function banner(): cog.Builder<dashboard.Panel> {
  return statPanel(
    {
      title: '',
      description:
        'Says whether a real node was measured or the built-in simulator answered, at any time in the period shown. ' +
        'Metric: exobench_simulated. Graphs are shaded where they are simulated. Beside it: which rules Prometheus has not loaded.',
      unit: unit.none,
      noValue: noData,
      width: 24,
      height: 1,
    },
    [
      { expr: status.simulated, legend: 'source' },
      { expr: status.noDashboardRules, legend: 'records' },
      { expr: status.noAlertRules, legend: 'alerts' },
    ],
    {
      filled: true,
      size: 14,
      text: common.BigValueTextMode.Value,
      mappings: words(
        {
          '0': { text: 'measured on a real node', color: '#2F3B32' },
          '1': { text: 'SIMULATED: nothing here was measured', color: simulatedColor },
          '2': { text: 'rules/dashboards.yml not loaded: no counts and percentiles', color: 'dark-orange' },
          '3': { text: 'rules/exobench.yml not loaded: nothing can alert', color: 'dark-orange' },
        },
        { ...unknown, text: 'Nothing was scraped in this period' },
      ),
    },
  );
}

/** A row of panels under a heading; without a heading the panels stand at the top. */
export interface Row {
  title?: string;
  /** Opened by the reader: for what is looked at when something is the matter. */
  collapsed?: boolean;
  panels: cog.Builder<dashboard.Panel>[];
}

export interface Layout {
  uid: string;
  title: string;
  description: string;
  from: string;
  variables?: cog.Builder<dashboard.VariableModel>[];
  rows: Row[];
}

/** Puts panels beside one another from a height on, in as many lines as they need; it returns the height below them. */
function place(panels: dashboard.Panel[], top: number): number {
  let x = 0;
  let y = top;
  let tallest = 0;
  for (const panel of panels) {
    const { w, h } = panel.gridPos!;
    if (x + w > 24) {
      [x, y, tallest] = [0, y + tallest, 0];
    }
    panel.gridPos = { x, y, w, h };
    x += w;
    tallest = Math.max(tallest, h);
  }
  return y + tallest;
}

/** The panels and headings of a dashboard, each at its place. */
function lay(rows: Row[]): (dashboard.Panel | dashboard.RowPanel)[] {
  const all: (dashboard.Panel | dashboard.RowPanel)[] = [];
  let y = 0;
  for (const row of rows) {
    const panels = row.panels.map((panel) => panel.build());
    panels.forEach((panel) => {
      panel.id = panelId(panel.title ?? '');
    });
    if (row.title) {
      const heading = new dashboard.RowBuilder(row.title).collapsed(row.collapsed ?? false).build();
      heading.id = panelId(`row ${row.title}`);
      heading.gridPos = { x: 0, y, w: 24, h: 1 };
      heading.panels = row.collapsed ? panels : [];
      all.push(heading);
      y += 1;
    }
    const below = place(panels, y);
    if (row.collapsed) continue;
    all.push(...panels);
    y = below;
  }
  return all;
}

function jobVariable(): dashboard.QueryVariableBuilder {
  return labelVariable('job', 'Job', 'label_values(exobench_simulated, job)')
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] })
    .hide(dashboard.VariableHide.HideVariable);
}

/** Where the exporter is for the reader's browser. It is set on the dashboard of the node, and the links take it along. */
function exporterVariable(shown: boolean): dashboard.TextBoxVariableBuilder {
  const address = 'http://localhost:9955';
  return new dashboard.TextBoxVariableBuilder('exporter')
    .label('Exporter')
    .description('Address of the exporter as your browser reaches it: the runbook is there')
    .defaultValue(address)
    .current({ selected: true, text: address, value: address })
    .hide(shown ? dashboard.VariableHide.DontHide : dashboard.VariableHide.HideVariable);
}

function links(): dashboard.DashboardLinkBuilder[] {
  return [
    new dashboard.DashboardLinkBuilder('exo bench')
      .type(dashboard.DashboardLinkType.Dashboards)
      .tags([tag])
      .asDropdown(true)
      .includeVars(true)
      .keepTime(true),
    new dashboard.DashboardLinkBuilder('Runbook')
      .type(dashboard.DashboardLinkType.Link)
      .url('${exporter}/runbook')
      .tooltip('What to do about each alert')
      .icon('doc')
      .targetBlank(true),
  ];
}

/** Builds a dashboard: what all of them share, then the rows. */
export function build(layout: Layout): dashboard.Dashboard {
  const ofNode = layout.uid === uid.node;
  // Memory agents of a cluster run no cycles: they have something to show on the node dashboard only.
  const nodes = ofNode ? 'exobench_simulated' : 'exobench_cycle_interval_seconds';
  const builder = new dashboard.DashboardBuilder(layout.title)
    .uid(layout.uid)
    .description(layout.description)
    .tags([tag])
    .timezone('browser')
    .readonly()
    .refresh('30s')
    .time({ from: layout.from, to: 'now' })
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .withVariable(datasourceVariable())
    .withVariable(jobVariable())
    .withVariable(labelVariable('instance', 'Node', `label_values(${nodes}{job=~"$job"}, instance)`));
  links().forEach((link) => builder.link(link));
  layout.variables?.forEach((variable) => builder.withVariable(variable));
  builder.withVariable(exporterVariable(ofNode));
  marks.forEach((mark) => builder.annotation(annotation(mark)));
  const built = builder.build();
  built.panels = lay([{ panels: [banner()] }, ...layout.rows]);
  finish(built);
  return built;
}

/** What only Prometheus answers: it keeps native histograms as such, where VictoriaMetrics makes vmrange buckets of them. */
const ofPrometheusAlone = new RegExp(
  'histogram_(quantile|fraction|count|sum|avg)|time_to_first_token_seconds:request|request_duration_seconds_sum:added|' +
    '(time_to_first_token|inter_token_latency|time_per_output_token|request_duration)_seconds:added',
);
const needsNative = 'Needs native histograms, as Prometheus has them.';

/** Sets what the SDK does not know of, or has otherwise. */
function finish(built: dashboard.Dashboard): void {
  const panels = (built.panels ?? []).flatMap((panel) => ('panels' in panel ? [panel, ...(panel.panels ?? [])] : [panel]));
  const ids = new Map<number, string>();
  for (const panel of panels) {
    const other = ids.get(panel.id!);
    if (other !== undefined) throw new Error(`panels "${other}" and "${panel.title}" have the same id: give one another title`);
    ids.set(panel.id!, panel.title ?? '');
    // Grafana before 10.3 shows a heatmap's tooltip on this word alone; newer ones go by the mode.
    if (panel.type === 'heatmap') panel.options.tooltip.show = true;
    if (!('targets' in panel)) continue;
    const queries = (panel.targets ?? []) as { expr?: string }[];
    if (queries.some(({ expr }) => expr && ofPrometheusAlone.test(expr))) panel.description = `${panel.description} ${needsNative}`;
  }
  // By default the SDK tucks links and annotations away in a menu that only new Grafanas have.
  [...(built.links ?? []), ...(built.annotations?.list ?? [])].forEach((item) => {
    delete item.placement;
  });
}
