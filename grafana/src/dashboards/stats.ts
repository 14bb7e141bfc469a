import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';

import { modelOverrides, type Override } from './models';
import { describe, query, refIds, thresholds, unknown, words, type About, type Series, type Step } from './panels';

export interface StatOptions {
  steps?: Step[];
  mappings?: dashboard.ValueMapping[];
  decimals?: number;
  /** Fills the whole tile with the colour of the value. */
  filled?: boolean;
  /** Shows this label of the series, which say nothing but by their labels, in place of a value. */
  label?: string;
  /** Shows the series' name beside its value. */
  text?: common.BigValueTextMode;
  /** Height of the figures, and of the names beside them, in pixels, where they are not to follow from the tile's. */
  size?: number;
  nameSize?: number;
  overrides?: Override[];
}

/**
 * Figures of one moment: what they say and the state that they are shown in come from the same instant, so that what has
 * failed since is not shown as it was.
 */
export function statPanel(about: About, series: Series[], options: StatOptions = {}): stat.PanelBuilder {
  const panel = describe(new stat.PanelBuilder(), about)
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(options.filled ? common.BigValueColorMode.Background : common.BigValueColorMode.Value)
    .textMode(options.text ?? common.BigValueTextMode.Auto)
    // Side by side, a name and a value share a line, and both are small.
    .wideLayout(false)
    .reduceOptions(
      new common.ReduceDataOptionsBuilder()
        .calcs(['lastNotNull'])
        .fields(options.label ? `/^${options.label}$/` : '')
        .values(false),
    );
  series.forEach(({ expr, legend }, i) => {
    const target = query(expr, refIds[i]!).legendFormat(legend).instant();
    panel.withTarget(options.label ? target.format(prometheus.PromQueryFormat.Table) : target);
  });
  if (options.steps) panel.thresholds(thresholds(options.steps));
  if (options.mappings) panel.mappings(options.mappings);
  if (options.decimals !== undefined) panel.decimals(options.decimals);
  if (options.size !== undefined || options.nameSize !== undefined) {
    const sizes = new common.VizTextDisplayOptionsBuilder();
    if (options.size !== undefined) sizes.valueSize(options.size);
    if (options.nameSize !== undefined) sizes.titleSize(options.nameSize);
    panel.text(sizes);
  }
  options.overrides?.forEach((override) => panel.withOverride(override));
  return panel;
}

/** One bar a model, over the visible period. */
export function barPanel(about: About, series: Series): bargauge.PanelBuilder {
  const panel = describe(new bargauge.PanelBuilder(), about)
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .valueMode(common.BarGaugeValueMode.Text)
    .showUnfilled(false)
    .min(0)
    .decimals(2)
    // Where there is nothing at all, in place of a sentence in the first colour of the palette.
    .mappings(words({}, unknown))
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false))
    .colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.PaletteClassic))
    .withTarget(query(series.expr, 'A').legendFormat(series.legend).instant());
  modelOverrides().forEach((override) => panel.withOverride(override));
  return panel;
}
