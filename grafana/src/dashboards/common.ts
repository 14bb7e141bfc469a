import * as cog from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';

import { datasource, nothing, statPanel, unit, words } from './panels';
import { annotations, status } from './queries';

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

/** A variable that holds a duration; readers may type others than the ones offered. */
export function durationVariable(name: string, label: string, description: string, values: string[]): dashboard.CustomVariableBuilder {
  const first = values[0]!;
  return new dashboard.CustomVariableBuilder(name)
    .label(label)
    .description(description)
    .values(values.join(','))
    .options(values.map((value) => ({ selected: value === first, text: value, value })))
    .current({ selected: true, text: first, value: first });
}

interface Mark {
  name: string;
  color: string;
  expr: string;
  title: string;
  text: string;
  /** Labels that a mark is tagged with. */
  tags?: string;
  /** Shortest distance of two marks. */
  step: string;
}

const marks: Mark[] = [
  {
    name: 'Simulated',
    color: '#FF9830',
    expr: annotations.simulated,
    title: 'SIMULATED',
    text: 'Figures of this period come from the built-in simulator.',
    step: '60s',
  },
  { name: 'Alerts', color: '#F2495C', expr: annotations.alerts, title: '{{alertname}}', text: '{{model}}', tags: 'severity', step: '60s' },
  {
    name: 'exo came or went',
    color: '#B877D9',
    expr: annotations.exo,
    title: 'exo came or went',
    text: 'exobench_exo_up changed: exo was stopped, started or restarted.',
    step: '60s',
  },
  { name: 'exo dialect', color: '#B877D9', expr: annotations.dialect, title: 'exo speaks {{dialect}}', text: 'First seen here.', step: '60s' },
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
    .iconColor(mark.color)
    .expr(mark.expr)
    .step(mark.step)
    .titleFormat(mark.title)
    .textFormat(mark.text)
    .tagKeys(mark.tags ?? '')
    .target(new prometheus.DataqueryBuilder().refId('Anno').expr(mark.expr).interval(mark.step).legendFormat(mark.title));
}

/** Tells at the top of every dashboard whether a machine was measured. */
function banner(): cog.Builder<dashboard.Panel> {
  return statPanel(
    {
      title: 'Where these figures come from',
      description:
        'Says whether a real node was measured or the built-in simulator answered, at any time in the period shown. ' +
        'Metric: exobench_simulated. Graphs are shaded where they are simulated.',
      unit: unit.none,
      noValue: nothing.exporter,
      width: 24,
      height: 3,
    },
    [{ expr: status.simulated, legend: 'source' }],
    {
      filled: true,
      text: common.BigValueTextMode.Value,
      mappings: words({
        '0': { text: 'measured on a real node', color: 'dark-green' },
        '1': { text: 'SIMULATED: nothing on this page was measured', color: '#E02F44' },
      }),
    },
  );
}

/** A row of panels under a heading; without a heading the panels stand at the top. */
export interface Row {
  title?: string;
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

/** Builds a dashboard: what all of them share, then the rows. Panels without an id get one in reading order. */
export function build(layout: Layout): dashboard.Dashboard {
  // Memory agents of a cluster run no cycles: they have something to show on the node dashboard only.
  const nodes = layout.uid === uid.node ? 'exobench_simulated' : 'exobench_cycle_interval_seconds';
  const builder = new dashboard.DashboardBuilder(layout.title)
    .uid(layout.uid)
    .description(layout.description)
    .tags([tag])
    .timezone('browser')
    .readonly()
    .refresh('30s')
    .time({ from: layout.from, to: 'now' })
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .link(
      new dashboard.DashboardLinkBuilder('exo bench')
        .type(dashboard.DashboardLinkType.Dashboards)
        .tags([tag])
        .includeVars(true)
        .keepTime(true),
    )
    .link(
      new dashboard.DashboardLinkBuilder('Runbook')
        .type(dashboard.DashboardLinkType.Link)
        .url('${exporter}/runbook')
        .tooltip('What to do about each alert')
        .icon('doc')
        .targetBlank(true),
    )
    .withVariable(datasourceVariable())
    .withVariable(
      labelVariable('job', 'Job', 'label_values(exobench_simulated, job)')
        .multi(true)
        .includeAll(true)
        .allValue('.+')
        .current({ selected: true, text: ['All'], value: ['$__all'] }),
    )
    .withVariable(labelVariable('instance', 'Node', `label_values(${nodes}{job=~"$job"}, instance)`));
  layout.variables?.forEach((variable) => builder.withVariable(variable));
  builder.withVariable(
    new dashboard.TextBoxVariableBuilder('exporter')
      .label('Exporter')
      .description('Address of the exporter as your browser reaches it: the runbook is there')
      .defaultValue('http://localhost:9955')
      .current({ selected: true, text: 'http://localhost:9955', value: 'http://localhost:9955' }),
  );
  marks.forEach((mark) => builder.annotation(annotation(mark)));
  builder.withPanel(banner());
  for (const row of layout.rows) {
    if (row.title) builder.withRow(new dashboard.RowBuilder(row.title));
    row.panels.forEach((panel) => builder.withPanel(panel));
  }
  const built = builder.build();
  built.panels?.forEach((panel, i) => {
    panel.id ||= i + 1; // rows come with 0
  });
  built.panels?.forEach((panel) => {
    // Grafana before 10.3 shows a heatmap's tooltip on this word alone; newer ones go by the mode.
    if (panel.type === 'heatmap') panel.options.tooltip.show = true;
  });
  // By default the SDK tucks links and annotations away in a menu that only new Grafanas have.
  [...(built.links ?? []), ...(built.annotations?.list ?? [])].forEach((item) => {
    delete item.placement;
  });
  return built;
}
