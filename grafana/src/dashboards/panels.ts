import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import * as cog from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as text from '@grafana/grafana-foundation-sdk/text';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

import { modelMappings, modelOverrides, type Override } from './models';

export const datasource: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** Units as Grafana names them. */
export const unit = {
  none: 'none',
  count: 'short',
  seconds: 's',
  bytes: 'bytes',
  ratio: 'percentunit',
  tokensPerSecond: 'suffix: tok/s',
  tokens: 'suffix: tok',
  times: 'suffix: ×',
  down: 'suffix: down',
  intervals: 'suffix: intervals',
  watts: 'watt',
  celsius: 'celsius',
  joulesPerToken: 'suffix: J/tok',
  perGigabyte: 'suffix: tok/s per GB',
} as const;

/** What a panel without data tells its reader to do. */
export const nothing = {
  exporter: 'Nothing scraped: see whether the target is up in Prometheus under Status, Targets',
  turn: 'No turn of this node has ended in this period yet',
  samples: 'Too few requests in this period: choose a longer one, and see whether Prometheus has loaded rules/dashboards.yml',
  processes: 'exo\'s processes are not visible: run "exo-bench-exporter check", see the README on memory',
  server: 'This server reports no figures of its own; exo 1.x does',
  sensors: 'exo reports no such sensor on this node',
  native: 'Prometheus needs scrape_native_histograms: true (3.9 or newer) and rules/dashboards.yml',
  alerts: 'No alert fires',
  earlier: 'No data that far back: choose a nearer period',
} as const;

/** What every panel must say about itself. */
export interface About {
  title: string;
  /** What it shows, from which metric, and how to read it. */
  description: string;
  unit: string;
  noValue: string;
  width: number;
  height: number;
}

export interface Step {
  color: 'green' | 'yellow' | 'orange' | 'red' | 'blue' | 'text';
  /** Lower bound; the first step has none. */
  from: number | null;
}

/** A series as it is asked for and named. */
export interface Series {
  expr: string;
  legend: string;
}

/** A column of a table: an instant query and how its values look. */
export interface Column {
  title: string;
  expr: string;
  unit: string;
  decimals?: number;
  steps?: Step[];
  width?: number;
  mappings?: dashboard.ValueMapping[];
}

const refIds = 'ABCDEFGHIJKLMNOP';

function query(expr: string, refId: string): prometheus.DataqueryBuilder {
  return new prometheus.DataqueryBuilder().datasource(datasource).expr(expr).refId(refId);
}

export function thresholds(steps: Step[]): dashboard.ThresholdsConfigBuilder {
  return new dashboard.ThresholdsConfigBuilder()
    .mode(dashboard.ThresholdsMode.Absolute)
    .steps(steps.map(({ color, from }) => ({ color, value: from })));
}

interface Describable {
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  noValue(text: string): this;
  span(width: number): this;
  height(height: number): this;
  datasource(ref: common.DataSourceRef): this;
  thresholds(config: cog.Builder<dashboard.ThresholdsConfig>): this;
}

function describe<T extends Describable>(panel: T, about: About): T {
  return panel
    .title(about.title)
    .description(about.description)
    .unit(about.unit)
    .noValue(about.noValue)
    .span(about.width)
    .height(about.height)
    .datasource(datasource)
    .thresholds(thresholds([{ color: 'text', from: null }]));
}

/** A text in Markdown. Its id is fixed because links lead to it. */
export function textPanel(about: { title: string; id: number; width: number; height: number }, content: string): text.PanelBuilder {
  return new text.PanelBuilder()
    .title(about.title)
    .id(about.id)
    .span(about.width)
    .height(about.height)
    .mode(text.TextMode.Markdown)
    .content(content);
}

export interface StatOptions {
  steps?: Step[];
  mappings?: dashboard.ValueMapping[];
  decimals?: number;
  /** Fills the whole tile with the colour of the value. */
  filled?: boolean;
  /** Draws the course of the visible period behind the value. */
  sparkline?: boolean;
  /** Shows the series' name in place of its value, or beside it. */
  text?: common.BigValueTextMode;
  overrides?: Override[];
}

export function statPanel(about: About, series: Series[], options: StatOptions = {}): stat.PanelBuilder {
  const panel = describe(new stat.PanelBuilder(), about)
    .graphMode(options.sparkline ? common.BigValueGraphMode.Area : common.BigValueGraphMode.None)
    .colorMode(options.filled ? common.BigValueColorMode.Background : common.BigValueColorMode.Value)
    .textMode(options.text ?? common.BigValueTextMode.Auto)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false));
  series.forEach(({ expr, legend }, i) => {
    const target = query(expr, refIds[i]!).legendFormat(legend);
    panel.withTarget(options.sparkline ? target.range() : target.instant());
  });
  if (options.steps) panel.thresholds(thresholds(options.steps));
  if (options.mappings) panel.mappings(options.mappings);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  options.overrides?.forEach((override) => panel.withOverride(override));
  return panel;
}

export interface GraphOptions {
  /** Stacked bars instead of lines: for counts of events. */
  bars?: boolean;
  /** Values hold until the next one, as a gauge written once a cycle does. */
  steps?: boolean;
  /** Doublings are equally far apart: for models whose figures differ by more than that. */
  doubling?: boolean;
  max?: number;
  /** Range that is shown even where the values take up less of it. */
  least?: number;
  most?: number;
  decimals?: number;
  overrides?: Override[];
  /** Line at which the reader should look up. */
  mark?: Step[];
}

/** A graph over time. Series named after a model take that model's look. */
export function graphPanel(about: About, series: Series[], options: GraphOptions = {}): timeseries.PanelBuilder {
  const panel = describe(new timeseries.PanelBuilder(), about)
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassicByName))
    .drawStyle(options.bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .lineInterpolation(options.steps ? common.LineInterpolation.StepAfter : common.LineInterpolation.Linear)
    .lineWidth(options.bars ? 0 : 2)
    .fillOpacity(options.bars ? 80 : 0)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending));
  series.forEach(({ expr, legend }, i) => {
    panel.withTarget(query(expr, refIds[i]!).legendFormat(legend).range());
  });
  // Bars that are a scrape wide cannot be seen.
  if (options.bars) panel.interval('1m').stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'));
  if (options.doubling) {
    panel.scaleDistribution(new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(2));
  }
  if (options.max !== undefined) panel.max(options.max);
  if (options.least !== undefined) panel.axisSoftMin(options.least);
  if (options.most !== undefined) panel.axisSoftMax(options.most);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.mark) {
    panel
      .thresholds(thresholds(options.mark))
      .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed));
  }
  for (const override of [...modelOverrides({ dashes: !options.bars }), ...(options.overrides ?? [])]) {
    panel.withOverride(override);
  }
  return panel;
}

/** One bar a model, over the visible period. */
export function barPanel(about: About, series: Series, steps: Step[] = []): bargauge.PanelBuilder {
  const panel = describe(new bargauge.PanelBuilder(), about)
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .valueMode(common.BarGaugeValueMode.Text)
    .showUnfilled(false)
    .min(0)
    .decimals(2)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false))
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassicByName))
    .withTarget(query(series.expr, 'A').legendFormat(series.legend).instant());
  if (steps.length > 0) panel.thresholds(thresholds(steps));
  modelOverrides().forEach((override) => panel.withOverride(override));
  return panel;
}

/** A native histogram over time. */
export function heatmapPanel(about: About, expr: string): heatmap.PanelBuilder {
  return describe(new heatmap.PanelBuilder(), about)
    .interval('1m')
    .withTarget(query(expr, 'A').legendFormat('{{le}}').format(prometheus.PromQueryFormat.Heatmap).range())
    .calculate(false)
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme('Viridis')
        .fill('dark-orange')
        .scale(heatmap.HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(64),
    )
    .yAxis(new heatmap.YAxisConfigBuilder().unit(about.unit).axisPlacement(common.AxisPlacement.Left))
    .cellGap(0)
    .tooltip(new heatmap.HeatmapTooltipBuilder().mode(common.TooltipDisplayMode.Single).yHistogram(true));
}

export interface TableOptions {
  /** Label that makes a row, and its heading. */
  row: string;
  rowTitle: string;
  /** URL that a row's name links to, and what the link says. */
  link?: { title: string; url: string };
  /** Column to sort by, and whether the largest comes first. */
  sort?: string;
  descending?: boolean;
}

/** A table of instant queries, joined by the label that makes a row. */
export function tablePanel(about: About, columns: Column[], options: TableOptions): table.PanelBuilder {
  const panel = describe(new table.PanelBuilder(), about)
    .cellHeight(common.TableCellHeight.Sm)
    .sortBy([new common.TableSortByFieldStateBuilder().displayName(options.sort ?? options.rowTitle).desc(options.descending ?? false)]);
  const renameByName: Record<string, string> = { [options.row]: options.rowTitle };
  const indexByName: Record<string, number> = { [options.row]: 0 };
  columns.forEach((column, i) => {
    panel.withTarget(query(column.expr, refIds[i]!).format(prometheus.PromQueryFormat.Table).instant());
    // A single query keeps the name Value; merging several adds their letters.
    const field = columns.length === 1 ? 'Value' : `Value #${refIds[i]}`;
    renameByName[field] = column.title;
    indexByName[field] = i + 1;
  });
  panel
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'organize', options: { excludeByName: { Time: true }, indexByName, renameByName } })
    .overrideByName(options.rowTitle, [
      { id: 'custom.width', value: 170 },
      ...(options.row === 'model'
        ? [{ id: 'mappings', value: modelMappings() }, { id: 'custom.cellOptions', value: { type: 'color-text' } }]
        : []),
      ...(options.link ? [{ id: 'links', value: [{ ...options.link, targetBlank: false }] }] : []),
    ]);
  for (const column of columns) {
    const properties: dashboard.DynamicConfigValue[] = [{ id: 'unit', value: column.unit }];
    if (column.decimals !== undefined) properties.push({ id: 'decimals', value: column.decimals });
    if (column.width !== undefined) properties.push({ id: 'custom.width', value: column.width });
    if (column.mappings) properties.push({ id: 'mappings', value: column.mappings });
    if (column.steps) {
      properties.push({ id: 'thresholds', value: thresholds(column.steps).build() });
      properties.push({ id: 'color', value: { mode: 'thresholds' } });
    }
    if (column.steps || column.mappings) {
      properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
    }
    panel.overrideByName(column.title, properties);
  }
  return panel;
}

/** A table of one instant query with a row for each value of one label and a column for each of another. */
export function matrixPanel(about: About, expr: string, row: string, column: string, decimals: number): table.PanelBuilder {
  return describe(new table.PanelBuilder(), about)
    .cellHeight(common.TableCellHeight.Sm)
    .decimals(decimals)
    .withTarget(query(expr, 'A').format(prometheus.PromQueryFormat.Table).instant())
    .withTransformation({ id: 'groupingToMatrix', options: { columnField: column, rowField: row, valueField: 'Value' } })
    .withTransformation({
      id: 'organize',
      options: { excludeByName: {}, indexByName: {}, renameByName: { [`${row}\\${column}`]: row } },
    });
}

/** Maps numbers to words in colours. */
export function words(options: Record<string, { text: string; color: string }>): dashboard.ValueMapping[] {
  return [
    {
      type: dashboard.MappingType.ValueToText,
      options: Object.fromEntries(Object.entries(options).map(([value, result], index) => [value, { ...result, index }])),
    },
  ];
}
