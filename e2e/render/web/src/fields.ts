// Field configuration: what Grafana's app registers at its start and the packages leave out.

import {
  applyFieldOverrides,
  FieldConfigOptionsRegistry,
  identityOverrideProcessor,
  standardEditorsRegistry,
  standardFieldConfigEditorRegistry,
  standardTransformers,
  stringOverrideProcessor,
  type DataFrame,
  type GrafanaTheme2,
} from '@grafana/data';
import { firstValueFrom, of } from 'rxjs';

import { interpolate, interpolateAt, type Values } from './variables';

const standard = [
  'unit',
  'min',
  'max',
  'fieldMinMax',
  'decimals',
  'displayName',
  'color',
  'noValue',
  'links',
  'actions',
  'mappings',
  'thresholds',
  'filterable',
  'description',
];

/** Texts in which Grafana fills in the reader's choices. */
const texts = ['displayName', 'noValue', 'description'];

function item(id: string, isCustom: boolean): any {
  return {
    id,
    path: isCustom ? id.replace(/^custom\./, '') : id,
    name: id,
    isCustom,
    editor: () => null,
    override: () => null,
    process: texts.includes(id) ? stringOverrideProcessor : identityOverrideProcessor,
    shouldApply: () => true,
    settings: { expandTemplateVars: true },
  };
}

export function setUp(): void {
  standardEditorsRegistry.setInit(() => []);
  standardFieldConfigEditorRegistry.setInit(() => standard.map((id) => item(id, false)));
}

function paths(value: object, before = ''): string[] {
  return Object.keys(value).map((key) => before + key);
}

/** The options that a panel's configuration speaks of, whatever its plugin calls them. */
function registryOf(config: any): FieldConfigOptionsRegistry {
  const custom = new Set([
    ...paths(config.defaults?.custom ?? {}, 'custom.'),
    ...(config.overrides ?? []).flatMap(({ properties }: any) =>
      properties.map(({ id }: any) => id).filter((id: string) => id.startsWith('custom.')),
    ),
  ]);
  return new FieldConfigOptionsRegistry(() => [...standard.map((id) => item(id, false)), ...[...custom].map((id) => item(id, true))]);
}

/** What Grafana's panels have as defaults of their own fields. */
const pluginDefaults: Record<string, object> = {
  timeseries: {
    drawStyle: 'line',
    lineInterpolation: 'linear',
    lineWidth: 1,
    fillOpacity: 0,
    gradientMode: 'none',
    barAlignment: 0,
    barWidthFactor: 0.6,
    spanNulls: false,
    insertNulls: false,
    showPoints: 'auto',
    showValues: false,
    pointSize: 5,
    stacking: { mode: 'none', group: 'A' },
    axisPlacement: 'auto',
    axisLabel: '',
    axisColorMode: 'text',
    axisBorderShow: false,
    axisCenteredZero: false,
    scaleDistribution: { type: 'linear' },
    hideFrom: { tooltip: false, viz: false, legend: false },
    thresholdsStyle: { mode: 'off' },
  },
  table: { align: 'auto', inspect: false, cellOptions: { type: 'auto' } },
  'state-timeline': { lineWidth: 0, fillOpacity: 70 },
};

/** Names of old schemes of colour that the panels' defaults have. */
const colorModes: Record<string, object> = { timeseries: { mode: 'palette-classic' }, 'state-timeline': { mode: 'thresholds' } };

/** JSON has no infinity: the first step of thresholds is kept as null. */
function infinite(thresholds: any): void {
  for (const step of thresholds?.steps ?? []) step.value ??= -Infinity;
}

export function configure(panel: any, data: DataFrame[], values: Values, theme: GrafanaTheme2): DataFrame[] {
  const config = structuredClone(panel.fieldConfig ?? { defaults: {}, overrides: [] });
  config.defaults ??= {};
  config.overrides ??= [];
  config.defaults.custom = { ...(pluginDefaults[panel.type] ?? {}), ...(config.defaults.custom ?? {}) };
  config.defaults.color ??= colorModes[panel.type] ?? { mode: 'thresholds' };
  config.defaults.thresholds ??= { mode: 'absolute', steps: [{ value: -Infinity, color: 'green' }] };
  infinite(config.defaults.thresholds);
  for (const { properties } of config.overrides) for (const { id, value } of properties) if (id === 'thresholds') infinite(value);
  return applyFieldOverrides({
    data,
    fieldConfig: config,
    fieldConfigRegistry: registryOf(config),
    theme,
    timeZone: 'utc',
    replaceVariables: (text: string, scoped?: any) => interpolateAt(text, values, scoped),
  } as any);
}

export async function transform(panel: any, data: DataFrame[], values: Values): Promise<DataFrame[]> {
  for (const { id, options, disabled } of panel.transformations ?? []) {
    if (disabled) continue;
    const found: any = Object.values(standardTransformers as any).find((t: any) => t.id === id);
    if (!found) throw new Error(`no transformation ${id}`);
    const context = { interpolate: (text: string) => interpolate(text, values) };
    data = (await firstValueFrom(of(data).pipe(found.operator({ ...found.defaultOptions, ...options }, context)) as any)) as DataFrame[];
  }
  return data;
}
