// The reader's choices, and texts with them filled in.

import type { Prometheus } from './prometheus';

export type Values = Record<string, string[]>;

/** Fills in $name, ${name}, ${name:format} and [[name]]. What has no value stays as it is. */
export function interpolate(text: string, values: Values, list: (values: string[]) => string = (all) => all.join(',')): string {
  return text.replace(/\$(\w+)|\$\{(\w+)(?:\.[^:}]+)?(?::([^}]+))?\}|\[\[(\w+)\]\]/g, (whole, plain, braced, format, old) => {
    const found = values[plain ?? braced ?? old];
    if (!found) return whole;
    switch (format) {
      case 'regex':
        return found.map(escapeRegex).join('|');
      case 'pipe':
        return found.join('|');
      case 'csv':
      case 'raw':
        return found.join(',');
      case 'queryparam':
        return found.map((v) => `var-${plain ?? braced}=${encodeURIComponent(v)}`).join('&');
      default:
        return found.length === 1 ? found[0]! : list(found);
    }
  });
}

const escapeRegex = (text: string): string => text.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&');

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
      return query.split(/(?<!\\),/).map((part: string) => {
        const [, value] = /^.*?\s:\s(.*)$/.exec(part.trim()) ?? [];
        return value ?? part.trim();
      });
    case 'query': {
      const labels = /^label_values\((?:(.+),\s*)?(\w+)\)$/.exec(query);
      if (labels) {
        const found = await prometheus.labelValues(labels[2]!, labels[1] && inQuery(labels[1], values));
        return [...new Set(filtered(variable.regex, found))].sort((a, b) => a.localeCompare(b));
      }
      const result = /^query_result\((.+)\)$/.exec(query);
      if (result) {
        const found = await prometheus.instant(inQuery(result[1]!, values));
        const texts = found.map(({ metric: { __name__, ...labels }, points }) => {
          const pairs = Object.entries(labels).map(([k, v]) => `${k}="${v}"`);
          return `${__name__ ?? ''}{${pairs.join(',')}} ${points[0]?.[1]} ${(points[0]?.[0] ?? 0) * 1000}`;
        });
        return [...new Set(filtered(variable.regex, texts))].sort((a, b) => a.localeCompare(b));
      }
      throw new Error(`variable ${variable.name}: ${query} cannot be asked`);
    }
    default:
      return [query];
  }
}

function filtered(regex: string | undefined, values: string[]): string[] {
  if (!regex) return values;
  const expression = new RegExp(regex.replace(/^\/(.*)\/\w*$/, '$1'));
  return values.flatMap((value) => {
    const match = expression.exec(value);
    return match ? [match.groups?.['value'] ?? match[1] ?? match[0]] : [];
  });
}

/** What every variable of a dashboard has when it is opened, but for what the reader chose. */
export async function choose(dashboard: any, chosen: Record<string, string>, given: Values, prometheus: Prometheus): Promise<Values> {
  const values: Values = { ...given };
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
