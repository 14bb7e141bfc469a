import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

import { modelOverrides, type Override } from './models';
import { describe, none, query, refIds, thresholds, type About, type Series, type Step } from './panels';

export interface GraphOptions {
  /** Stacked bars instead of lines: for counts of events. */
  bars?: boolean;
  /** Values hold until the next one, as a gauge written once a cycle does. */
  steps?: boolean;
  /** Values that come once a cycle, or once in a few, are joined where they lie no further apart than this, in milliseconds. */
  join?: number;
  /** Shortest distance of two points, where it is not that of scrapes. */
  interval?: string;
  /** Doublings are equally far apart: for models whose figures differ by more than that. */
  doubling?: boolean;
  max?: number;
  /** Range that is shown even where the values take up less of it. */
  least?: number;
  most?: number;
  /** Looks of series that are not models, by name. Those with a fixed name get one without being listed. */
  colors?: Record<string, string>;
  overrides?: Override[];
  /** Below the graph where it is not said. */
  legend?: common.LegendPlacement;
  /** Line at which the reader should look up. */
  mark?: Step[];
}

/** Turns further apart than this, in milliseconds, are not joined by a line. */
export const hour = 3_600_000;

/** Of the two roles of exo's processes. */
export const roleColors = { node: '#5794F2', runner: '#FF9830', 'node, PSS': '#8AB8FF', 'runner, PSS': '#FFCB7D' };

/** Colours of series that are no models: on dark and on white, and apart from one another. */
const colors = ['#5794F2', '#FF9830', '#73BF69', '#B877D9', '#F2495C', '#FADE2A'];

/** Grafana before 12 paints the swatches of a palette by name all alike, so that every name which is known has a colour of its own. */
function colorOverrides(series: Series[], given: Record<string, string>): Override[] {
  const named = series.map(({ legend }) => legend).filter((legend) => !legend.includes('{{'));
  const all = { ...Object.fromEntries(named.map((legend, i) => [legend, colors[i % colors.length]!])), ...given };
  return Object.entries(all).map(([name, fixedColor]) => ({
    matcher: { id: 'byName', options: name },
    properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
  }));
}

/** How a line that is none of measured values looks: thin and dotted. */
export const dotted = [
  { id: 'custom.lineStyle', value: { fill: 'dot', dash: [0, 6] } },
  { id: 'custom.lineWidth', value: 1.5 },
];

/** A line that says where a bound lies: dotted, not in the legend. */
export function boundLine(pattern: string): Override {
  return {
    matcher: { id: 'byRegexp', options: pattern },
    properties: [
      ...dotted,
      { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } },
    ],
  };
}

/** A series that is there so that the graph is not empty. */
export function helper(name: string): Override {
  return { matcher: { id: 'byName', options: name }, properties: [{ id: 'custom.hideFrom', value: { legend: true, tooltip: true, viz: false } }] };
}

/** A count on an axis of its own, beside what it is the number of samples of. */
export function sampleCount(name: string): Override {
  return {
    matcher: { id: 'byName', options: name },
    properties: [
      { id: 'unit', value: 'short' },
      { id: 'custom.axisPlacement', value: 'right' },
      { id: 'custom.lineWidth', value: 1 },
      { id: 'custom.lineStyle', value: { fill: 'dot', dash: [0, 6] } },
      { id: 'color', value: { mode: 'fixed', fixedColor: '#8E8E8E' } },
    ],
  };
}

/** A graph over time. Series named after a model take that model's look. */
export function graphPanel(about: About, series: Series[], options: GraphOptions = {}): timeseries.PanelBuilder {
  const panel = describe(new timeseries.PanelBuilder(), about)
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassic))
    .drawStyle(options.bars ? common.GraphDrawStyle.Bars : common.GraphDrawStyle.Line)
    .lineInterpolation(options.steps ? common.LineInterpolation.StepAfter : common.LineInterpolation.Linear)
    .lineWidth(options.bars ? 0 : 2)
    .fillOpacity(options.bars ? 80 : 0)
    .showPoints(options.join === undefined ? common.VisibilityMode.Never : common.VisibilityMode.Auto)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(options.legend ?? common.LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending));
  series.forEach(({ expr, legend }, i) => {
    panel.withTarget(query(expr, refIds[i]!).legendFormat(legend).range());
  });
  // Bars that are a scrape wide cannot be seen, and records of models come once a minute.
  const interval = options.interval ?? (options.bars || options.join !== undefined ? '1m' : undefined);
  if (interval !== undefined) panel.interval(interval);
  if (options.bars) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'));
  if (options.join !== undefined) panel.spanNulls(options.join);
  if (options.doubling) {
    panel.scaleDistribution(new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(2));
  }
  if (options.max !== undefined) panel.max(options.max);
  if (options.least !== undefined) panel.axisSoftMin(options.least);
  if (options.most !== undefined) panel.axisSoftMax(options.most);
  if (options.mark) {
    panel
      .thresholds(thresholds(options.mark))
      .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder().mode(common.GraphThresholdsStyleMode.Dashed));
  }
  const looks = [...modelOverrides({ dashes: !options.bars }), ...colorOverrides(series, options.colors ?? {})];
  for (const override of [...looks, ...(options.overrides ?? [])]) panel.withOverride(override);
  return panel;
}

/** All lanes on one page, which the builder refuses to say: a pager, which Grafana has by default, takes the height of two of them. */
class Lanes extends statetimeline.PanelBuilder {
  constructor() {
    super();
    this.internal.options.perPage = 0;
  }
}

/**
 * What something was in the course of time, in words and colours: a gap is a time of which nothing is known. The scheme of colours
 * must not be that of thresholds: Grafana then merges the values that pass the same one, and neither words nor colours of mappings are
 * seen. The fixed colour is that of gaps in the legend.
 */
export function timelinePanel(about: About, series: Series[], mappings: dashboard.ValueMapping[]): statetimeline.PanelBuilder {
  const panel = describe(new Lanes(), about)
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Fixed).fixedColor('transparent'))
    .mappings(mappings)
    // Grafana's legend lists a gap, too, by its noValue: not what the whole panel says when it is empty. One that can be read as a
    // number, such as an empty one, would be drawn as if it had been measured.
    .withOverride({ matcher: { id: 'byType', options: 'number' }, properties: [{ id: 'noValue', value: none }] })
    // An answer without series is a frame without a time to Grafana, which it complains of; without the frame it says noValue.
    .withTransformation({ id: 'filterFieldsByName', options: { exclude: { pattern: '^$' } } })
    .showValue(common.VisibilityMode.Never)
    .mergeValues(true)
    .rowHeight(0.8)
    .fillOpacity(80)
    .lineWidth(0)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .calcs([]),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Single).sort(common.SortOrder.None));
  series.forEach(({ expr, legend }, i) => panel.withTarget(query(expr, refIds[i]!).legendFormat(legend).range()));
  return panel;
}

export interface HeatmapOptions {
  /** Least value that is shown, in the panel's unit: a few samples far below would take most of the axis. */
  from?: number;
}

/**
 * A native histogram over time. Its format is time_series: that of heatmaps is for classic buckets in Grafana before 10.3,
 * which tells native ones by what they are, as newer ones do.
 */
export function heatmapPanel(about: About, expr: string, options: HeatmapOptions = {}): heatmap.PanelBuilder {
  const axis = new heatmap.YAxisConfigBuilder().unit(about.unit).axisPlacement(common.AxisPlacement.Left);
  if (options.from !== undefined) axis.min(options.from);
  return describe(new heatmap.PanelBuilder(), about)
    .interval('5m')
    .withTarget(query(expr, 'A').legendFormat('__auto').format(prometheus.PromQueryFormat.TimeSeries).range())
    .calculate(false)
    .color(
      new heatmap.HeatmapColorOptionsBuilder()
        .mode(heatmap.HeatmapColorMode.Scheme)
        .scheme('Cool')
        .fill('dark-orange')
        .scale(heatmap.HeatmapColorScale.Exponential)
        .exponent(0.5)
        .steps(64),
    )
    .yAxis(axis)
    .cellValues(new heatmap.CellValuesBuilder().unit('short')) // counts; Grafana's scale of colours says them in the axis' unit otherwise
    .cellGap(0)
    .tooltip(new heatmap.HeatmapTooltipBuilder().mode(common.TooltipDisplayMode.Single).yHistogram(true));
}
