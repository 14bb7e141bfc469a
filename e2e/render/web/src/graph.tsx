import { FieldType, type DataFrame } from '@grafana/data';
import { TimeSeries } from '@grafana/ui';
import React from 'react';

import { draw } from './annotations';
import type { View } from './view';

/** Keeps a graph's uPlot where the reading finds it, and marks on it what happened. */
function Keep({ config, view }: { config: any; view: View }): null {
  React.useLayoutEffect(() => {
    config.addHook('draw', (u: any) => draw(u, view.events, view.theme));
    config.addHook('ready', (u: any) => {
      ((window as any).plots ??= new Map()).set(view.panel.id, u);
    });
  }, [config]);
  return null;
}

/** Fields that can be drawn, as the panel picks them: times and numbers. */
export function graphable(data: DataFrame[]): DataFrame[] {
  return data
    .filter((frame) => frame.fields.some((f) => f.type === FieldType.time) && frame.fields.some((f) => f.type === FieldType.number))
    .map(
      (frame) =>
        ({
          ...frame,
          fields: frame.fields.map((f) =>
            f.type === FieldType.number ? { ...f, values: [...(f.values as any)].map((v) => (Number.isFinite(v) ? v : null)) } : f,
          ),
        }) as DataFrame,
    );
}

export function Graph({ view, width, height }: { view: View; width: number; height: number }): React.ReactElement {
  const { panel, data, timeRange } = view;
  const legend = { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [], ...panel.options?.legend };
  return (
    <TimeSeries
      frames={graphable(data)}
      structureRev={1}
      timeRange={timeRange}
      timeZone="utc"
      width={width}
      height={height}
      legend={legend as any}
      options={panel.options}
    >
      {(config: any) => <Keep config={config} view={view} />}
    </TimeSeries>
  );
}
