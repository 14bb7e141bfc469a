// Asks Prometheus as Grafana's data source does.

export interface Period {
  /** Seconds since the epoch. */
  from: number;
  to: number;
}

export interface Series {
  metric: Record<string, string>;
  points: [number, number][];
  /** Of native histograms: at a time, cells with bounds and count. */
  histograms: [number, [number, number, number][]][];
}

interface Result {
  metric: Record<string, string>;
  value?: [number, string];
  values?: [number, string][];
  histogram?: [number, { buckets?: [number, string, string, string][] }];
  histograms?: [number, { buckets?: [number, string, string, string][] }][];
}

const number = (text: string): number => (text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text));

/** The browser drops what is under way when a network comes or goes on the machine, of which others may have many. */
async function persistently(url: string, more = 4): Promise<Response> {
  try {
    return await fetch(url);
  } catch (error) {
    if (more === 0) throw error;
    return persistently(url, more - 1);
  }
}

async function get(server: string, path: string, parameters: [string, string][]): Promise<any> {
  const response = await persistently(`${server}${path}?${new URLSearchParams(parameters)}`);
  const answer = await response.json();
  if (answer.status !== 'success') throw new Error(answer.error);
  return answer.data;
}

function series(result: Result[]): Series[] {
  return result.map(({ metric, value, values, histogram, histograms }) => ({
    metric,
    points: (values ?? (value ? [value] : [])).map(([t, v]) => [t, number(v)]),
    histograms: (histograms ?? (histogram ? [histogram] : [])).map(([t, h]) => [
      t,
      (h.buckets ?? []).map(([, low, high, count]) => [Number(low), Number(high), Number(count)]),
    ]),
  }));
}

export class Prometheus {
  constructor(
    readonly server: string,
    readonly period: Period,
  ) {}

  async range(query: string, step: number): Promise<Series[]> {
    const start = Math.floor(this.period.from / step) * step;
    const end = Math.floor(this.period.to / step) * step;
    const data = await get(this.server, '/api/v1/query_range', [
      ['query', query],
      ['start', String(start)],
      ['end', String(end)],
      ['step', String(step)],
    ]);
    return series(data.result);
  }

  async instant(query: string): Promise<Series[]> {
    const data = await get(this.server, '/api/v1/query', [
      ['query', query],
      ['time', String(this.period.to)],
    ]);
    if (data.resultType === 'scalar') return series([{ metric: {}, value: data.result }]);
    return series(data.result);
  }

  async labelValues(label: string, match: string): Promise<string[]> {
    const { from, to } = this.period;
    return get(this.server, `/api/v1/label/${label}/values`, [
      ['start', String(from)],
      ['end', String(to)],
      ['match[]', match],
    ]);
  }
}
