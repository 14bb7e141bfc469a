import { FieldType, getDisplayValueAlignmentFactors, getFieldDisplayValues, type DataFrame, type FieldDisplay } from '@grafana/data';
import { BarGauge, BigValue, VizRepeater } from '@grafana/ui';
import React from 'react';

import type { View } from './view';
import { interpolate } from './variables';

function displays({ panel, data, theme, values }: View, sparkline: boolean): FieldDisplay[] {
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig,
    reduceOptions: { calcs: ['lastNotNull'], ...panel.options?.reduceOptions },
    theme,
    data,
    replaceVariables: (text: string) => interpolate(text, values),
    sparkline,
    timeZone: 'utc',
  } as any);
}

export function Stat(view: View & { width: number; height: number }): React.ReactElement {
  const { panel, theme, data, width, height } = view;
  const options = {
    graphMode: 'area',
    colorMode: 'value',
    justifyMode: 'auto',
    textMode: 'auto',
    wideLayout: true,
    orientation: 'auto',
    ...panel.options,
  };
  const named = options.textMode === 'auto' && (panel.fieldConfig?.defaults?.displayName || !panel.title);
  const render = ({ value, alignmentFactors, width, height, count }: any) => {
    if (value.sparkline) value.sparkline.timeRange = view.timeRange;
    return (
      <div data-tile="">
        <BigValue
          value={value.display}
          count={count}
          sparkline={value.sparkline}
          colorMode={options.colorMode}
          graphMode={options.graphMode}
          justifyMode={options.justifyMode}
          textMode={named ? 'value_and_name' : options.textMode}
          alignmentFactors={alignmentFactors}
          text={options.text}
          width={width}
          height={height}
          theme={theme}
          {...({ disableWideLayout: !options.wideLayout } as any)}
        />
      </div>
    );
  };
  return (
    <VizRepeater
      getValues={() => displays(view, options.graphMode !== 'none') as any}
      getAlignmentFactors={getDisplayValueAlignmentFactors as any}
      renderValue={render}
      width={width}
      height={height}
      source={data}
      itemSpacing={3}
      renderCounter={0}
      autoGrid
      orientation={options.orientation as any}
    />
  );
}

export function Bars(view: View & { width: number; height: number }): React.ReactElement {
  const { panel, theme, data, width, height } = view;
  const options = {
    displayMode: 'gradient',
    valueMode: 'color',
    namePlacement: 'auto',
    showUnfilled: true,
    orientation: 'auto',
    ...panel.options,
  };
  const render = ({ value, alignmentFactors, width, height, orientation, count }: any) => (
    <div data-tile="">
      <BarGauge
        value={value.display}
        width={width}
        height={height}
        orientation={orientation}
        field={value.field}
        text={options.text}
        display={value.view?.getFieldDisplayProcessor?.(value.colIndex)}
        theme={theme}
        itemSpacing={10}
        lcdCellWidth={12}
        displayMode={options.displayMode as any}
        alignmentFactors={count > 1 ? alignmentFactors : undefined}
        showUnfilled={options.showUnfilled}
        valueDisplayMode={options.valueMode as any}
        {...({ namePlacement: options.namePlacement } as any)}
      />
    </div>
  );
  return (
    <VizRepeater
      getValues={() => displays(view, false) as any}
      getAlignmentFactors={getDisplayValueAlignmentFactors as any}
      renderValue={render}
      width={width}
      height={height}
      minVizHeight={16}
      minVizWidth={8}
      source={data}
      itemSpacing={10}
      renderCounter={0}
      orientation={options.orientation as any}
    />
  );
}

/** What the stats and bars show, before pixels: of each the name, the value and the colour. */
export function tilesOf(view: View): { title: string; color: string; numeric: number | null }[] {
  return displays(view, false).map(({ display, name }: any) => ({
    title: String(display.title ?? name ?? ''),
    color: display.color ?? '',
    numeric: Number.isFinite(display.numeric) ? display.numeric : null,
  }));
}

export const hasNumbers = (data: DataFrame[]): boolean =>
  data.some((f) => f.length > 0 && f.fields.some((x) => x.type === FieldType.number));
