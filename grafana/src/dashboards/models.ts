import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

/** How a model is drawn, the same on every panel of every dashboard. */
interface Look {
  readonly model: string;
  readonly color: string;
  /** Dash pattern in pixels: tells models apart where colours do not. */
  readonly dash?: readonly number[];
}

/**
 * The five models of the standard workload. The colours keep a CIE76 distance of at least 33 from
 * one another under normal vision and simulated deuteranopia, protanopia and tritanopia, and a
 * contrast of at least 3.9 on dark and 2.2 on white; those that are pale on white are dashed. Other models take colours from Grafana's palette by their name.
 */
const looks: readonly Look[] = [
  { model: 'llama-3.1-8b', color: '#924FFF' },
  { model: 'llama-3.2-1b', color: '#00BBFE', dash: [10, 4] },
  { model: 'mistral-7b', color: '#BE9E0C', dash: [4, 4] },
  { model: 'qwen-1.5-7b', color: '#568850' },
  { model: 'deepseek-r1', color: '#E300A4', dash: [14, 4, 2, 4] },
];

/** What a panel builder's withOverride takes. */
export interface Override {
  matcher: dashboard.MatcherConfig;
  properties: dashboard.DynamicConfigValue[];
}

/** Overrides that give every series whose name begins with a model's name that model's look. */
export function modelOverrides(options: { dashes?: boolean } = {}): Override[] {
  return looks.map(({ model, color, dash }) => {
    const properties: dashboard.DynamicConfigValue[] = [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }];
    if (options.dashes && dash) {
      properties.push({ id: 'custom.lineStyle', value: { fill: 'dash', dash: [...dash] } });
    }
    return { matcher: { id: 'byRegexp', options: `/^${model.replaceAll('.', '\\.')}( |$)/` }, properties };
  });
}

/** Value mappings that print each model's name in its colour, for the first column of a table. */
export function modelMappings(): dashboard.ValueMapping[] {
  const options = Object.fromEntries(looks.map(({ model, color }, index) => [model, { color, index }]));
  return [{ type: dashboard.MappingType.ValueToText, options }];
}
