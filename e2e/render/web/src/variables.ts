// The reader's choices, and texts with them filled in.

import { getFieldDisplayValuesProxy, type DataFrame, type Field } from '@grafana/data';

import type { Prometheus } from './prometheus';

export type Values = Record<string, string[]>;

/** Fills in $name and ${name}. What has no value stays as it is. */
export function interpolate(text: string, values: Values, list: (values: string[]) => string = (all) => all.join(',')): string {
  return text.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, plain, braced) => {
    const found = values[plain ?? braced];
    if (!found) return whole;
    return found.length === 1 ? found[0]! : list(found);
  });
}

/** Where a text stands, as Grafana tells it to whoever fills it in. */
interface Scoped {
  __dataContext?: { value: { frame: DataFrame; field: Field; rowIndex?: number } };
}

/** The same with what is in the row of a link: ${__value.raw}, ${__data.fields.name} and ${__data.fields["name"]}. */
export function interpolateAt(text: string, values: Values, scoped: Scoped = {}): string {
  const { frame, field, rowIndex } = scoped.__dataContext?.value ?? {};
  if (!frame || !field || rowIndex === undefined) return interpolate(text, values);
  const cells = getFieldDisplayValuesProxy({ frame, rowIndex });
  const filled = text
    .replaceAll('${__value.raw}', String(field.values[rowIndex]))
    .replace(/\$\{__data\.fields(?:\.(\w+)|\["([^"]*)"\])\}/g, (whole, plain, quoted) => String(cells[plain ?? quoted] ?? whole));
  return interpolate(filled, values);
}

/** As Grafana does it in queries to Prometheus. */
export const inQuery = (text: string, values: Values): string => interpolate(text, values, (all) => `(${all.join('|')})`);

const everything = '$__all';

function current(variable: any): string[] {
  const value = variable.current?.value;
  return value === undefined ? [] : Array.isArray(value) ? value : [String(value)];
}

async function options(variable: any, values: Values, prometheus: Prometheus): Promise<string[]> {
  const query = typeof variable.query === 'string' ? variable.query : (variable.query?.query ?? '');
  switch (variable.type) {
    case 'custom':
      return query.split(',');
    case 'query': {
      const labels = /^label_values\((.+), (\w+)\)$/.exec(query);
      if (!labels) throw new Error(`variable ${variable.name}: ${query} cannot be asked`);
      const found = await prometheus.labelValues(labels[2]!, inQuery(labels[1]!, values));
      return found.sort((a, b) => a.localeCompare(b));
    }
    default:
      return [query];
  }
}

/** What every variable of a dashboard has when it is opened, but for what the reader chose. */
export async function choose(dashboard: any, chosen: Record<string, string>, prometheus: Prometheus): Promise<Values> {
  const values: Values = {};
  for (const variable of dashboard.templating?.list ?? []) {
    if (variable.type === 'datasource') {
      values[variable.name] = current(variable);
      continue;
    }
    const offered = await options(variable, values, prometheus);
    const wanted = chosen[variable.name] !== undefined ? [chosen[variable.name]!] : current(variable);
    if (wanted.includes(everything)) {
      values[variable.name] = variable.allValue ? [variable.allValue] : offered;
      continue;
    }
    const kept = ['textbox', 'constant'].includes(variable.type) ? wanted : wanted.filter((value) => offered.includes(value));
    values[variable.name] = kept.length > 0 || offered.length === 0 ? (kept.length > 0 ? kept : ['']) : [offered[0]!];
  }
  return values;
}
