import type { DataFrame, GrafanaTheme2, TimeRange } from '@grafana/data';

import type { Event } from './annotations';
import type { Values } from './variables';

/** A panel with what it shows. */
export interface View {
  panel: any;
  data: DataFrame[];
  theme: GrafanaTheme2;
  timeRange: TimeRange;
  values: Values;
  /** What Prometheus said against its queries. */
  errors: string[];
  /** What is marked on it, if it is a graph. */
  events: Event[];
  /** Series that have been and are no more. */
  gone: string[];
}
