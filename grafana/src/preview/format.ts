// Values and colours as Grafana's dark theme shows them.

import type * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

export const theme = {
  canvas: '#111217',
  panel: '#181b1f',
  border: '#2c3038',
  grid: '#2a2e35',
  text: '#ccccdc',
  faint: '#8e93a0',
} as const;

const named: Record<string, string> = {
  green: '#73BF69',
  'dark-green': '#37872D',
  yellow: '#FADE2A',
  orange: '#FF9830',
  red: '#F2495C',
  blue: '#5794F2',
  text: theme.text,
};

export function color(name: string): string {
  return named[name] ?? name;
}

export type Properties = ReadonlyMap<string, unknown>;

/** The properties of a field: the panel's defaults with the overrides that match the name. */
export function properties(panel: dashboard.Panel, name: string): Properties {
  const found = new Map<string, unknown>(Object.entries(panel.fieldConfig?.defaults ?? {}));
  for (const { matcher, properties: own } of panel.fieldConfig?.overrides ?? []) {
    const expected = String(matcher.options);
    const matches = matcher.id === 'byName' ? expected === name : new RegExp(expected.slice(1, -1)).test(name);
    if (matches) own.forEach(({ id, value }) => found.set(id, value));
  }
  return found;
}

export interface Shown {
  text: string;
  color?: string;
}

/** What a value map says of a value, if anything. */
function mapped(own: Properties, value: number | string): Shown | undefined {
  for (const mapping of (own.get('mappings') as dashboard.ValueMapping[] | undefined) ?? []) {
    const result = mapping.type === 'value' ? (mapping as dashboard.ValueMap).options[String(value)] : undefined;
    if (result) return { text: result.text ?? String(value), color: result.color && color(result.color) };
  }
  return undefined;
}

export function show(own: Properties, value: number | string): Shown {
  const special = mapped(own, value);
  if (special || typeof value === 'string') return special ?? { text: String(value) };
  const steps = (own.get('thresholds') as dashboard.ThresholdsConfig | undefined)?.steps ?? [];
  const step = steps.filter((s) => s.value === null || value >= s.value).at(-1);
  return { text: number(value, String(own.get('unit') ?? 'none'), own.get('decimals') as number | undefined), color: step && color(step.color) };
}

/** Formats a value in one of Grafana's units. */
export function number(value: number, unit: string, decimals?: number): string {
  if (unit.startsWith('suffix:')) return `${value.toFixed(decimals ?? 1)}${unit.slice('suffix:'.length)}`;
  switch (unit) {
    case 'percentunit':
      return `${(value * 100).toFixed(decimals ?? 1)}%`;
    case 's':
      return value !== 0 && Math.abs(value) < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(decimals ?? 1)} s`;
    case 'bytes': {
      const prefixes = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
      const power = value === 0 ? 0 : Math.min(prefixes.length - 1, Math.floor(Math.log2(Math.abs(value)) / 10));
      return `${(value / 2 ** (10 * power)).toFixed(decimals ?? 1)} ${prefixes[power]}`;
    }
    default:
      return value.toFixed(decimals ?? (Number.isInteger(value) ? 0 : 1));
  }
}
