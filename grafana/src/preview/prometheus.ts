// Asks Prometheus what Grafana would ask.

export interface Sample {
  labels: Record<string, string>;
  /** Times in seconds, with values. */
  points: [number, number][];
}

export interface Period {
  from: number;
  to: number;
  step: number;
}

interface Answer {
  data: { result: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[] };
}

export async function ask(server: string, expr: string, period: Period, instant: boolean): Promise<Sample[]> {
  const url = new URL(instant ? '/api/v1/query' : '/api/v1/query_range', server);
  url.searchParams.set('query', expr);
  const when: Record<string, number> = instant ? { time: period.to } : { start: period.from, end: period.to, step: period.step };
  Object.entries(when).forEach(([name, value]) => url.searchParams.set(name, String(value)));
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${expr}: ${await response.text()}`);
  const { data } = (await response.json()) as Answer;
  return data.result.map(({ metric, value, values }) => ({
    labels: metric,
    points: (values ?? (value ? [value] : [])).map(([t, v]): [number, number] => [t, Number(v)]),
  }));
}
