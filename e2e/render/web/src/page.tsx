// The page in the browser: shows one dashboard and says what is to be read on it.

import { createTheme, dateTime, renderMarkdown, type DataFrame } from '@grafana/data';
import { PanelChrome, Table, ThemeContext } from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';

import { annotate, marks, type Event } from './annotations';
import { ask } from './ask';
import { configure, setUp, transform } from './fields';
import { frames } from './frames';
import { Graph, graphable } from './graph';
import { Heatmap, heatmapTicks, Timeline } from './heatmap';
import { narrow, place, type Placed } from './layout';
import { Prometheus } from './prometheus';
import { read, type Sight } from './read';
import { Bars, hasNumbers, Stat } from './stat';
import { choose, interpolate, type Values } from './variables';
import type { View } from './view';

import '../node_modules/@fontsource/inter/400.css';
import '../node_modules/@fontsource/inter/500.css';
import 'uplot/dist/uPlot.min.css';

export interface Order {
  dashboard: any;
  prometheus: string;
  /** Seconds since the epoch; from is the dashboard's own when left out. */
  to: number;
  from?: number;
  width: number;
  /** Whether closed rows are shown open. */
  open: boolean;
  /** What the reader chose, by variable. */
  chosen: Record<string, string>;
  /** A line at the top. */
  caption?: string;
}

const theme = createTheme({ colors: { mode: 'dark' } } as any);

/** What a panel without data says, in Grafana's words unless it has its own. */
function emptyMessage(view: View): string | undefined {
  const { panel, data } = view;
  const noValue = panel.fieldConfig?.defaults?.noValue ?? 'No data';
  switch (panel.type) {
    case 'timeseries':
      return graphable(data).some((f) => f.length > 0) ? undefined : noValue;
    case 'table':
      return data.some((f) => f.fields.length > 0 && f.length > 0) ? undefined : noValue;
    case 'heatmap':
      return heatmapTicks(view) ? undefined : 'No data';
    case 'state-timeline':
      return hasNumbers(data) || data.some((f) => f.length > 0) ? undefined : noValue;
    default:
      return undefined;
  }
}

function Content({ view, width, height }: { view: View; width: number; height: number }): React.ReactElement {
  const message = emptyMessage(view);
  if (message !== undefined) {
    return (
      <div
        data-message=""
        style={{
          height,
          display: 'flex',
          alignItems: 'center',
          justifyContent: 'center',
          fontSize: 16,
          color: theme.colors.text.secondary,
          textAlign: 'center',
        }}
      >
        {message}
      </div>
    );
  }
  const { panel } = view;
  switch (panel.type) {
    case 'stat':
      return <Stat {...view} width={width} height={height} />;
    case 'bargauge':
      return <Bars {...view} width={width} height={height} />;
    case 'timeseries':
      return <Graph view={view} width={width} height={height} />;
    case 'heatmap':
      return <Heatmap view={view} width={width} height={height} />;
    case 'state-timeline':
      return <Timeline view={view} width={width} height={height} />;
    case 'table':
      return (
        <Table
          data={view.data[panel.options?.frameIndex ?? 0] ?? view.data[0]!}
          width={width}
          height={height}
          noHeader={panel.options?.showHeader === false}
          initialSortBy={panel.options?.sortBy}
          cellHeight={panel.options?.cellHeight}
          showTypeIcons={false}
          timeRange={view.timeRange}
          columnMinWidth={150}
          {...({ fieldConfig: panel.fieldConfig } as any)}
        />
      );
    case 'text':
      return (
        <div
          className="markdown-html"
          dangerouslySetInnerHTML={{ __html: renderMarkdown(interpolate(panel.options?.content ?? '', view.values)) }}
        />
      );
    default:
      return <div>{`no component for ${panel.type}`}</div>;
  }
}

/** A panel whose component fails says so, and the others stay. */
class Guard extends React.Component<{ children: React.ReactNode; onError: (message: string) => void }, { error?: string }> {
  override state: { error?: string } = {};
  static getDerivedStateFromError(error: Error): { error: string } {
    return { error: error.message };
  }
  override componentDidCatch(error: Error): void {
    this.props.onError(error.message);
  }
  override render(): React.ReactNode {
    return this.state.error ?? this.props.children;
  }
}

function Shown({ placed, view }: { placed: Placed; view: View | undefined }): React.ReactElement {
  const { panel, x, y, w, h } = placed;
  const style: React.CSSProperties = { position: 'absolute', left: x, top: y, width: w, height: h };
  if (panel.type === 'row') {
    return (
      <div
        data-panel={panel.id}
        style={{ ...style, lineHeight: '30px', fontSize: 18, fontWeight: 500 }}
      >{`${panel.collapsed ? '›' : '⌄'} ${panel.title}`}</div>
    );
  }
  return (
    <div data-panel={panel.id} style={style}>
      <Guard onError={(message) => view!.errors.push(`component: ${message}`)}>
        <PanelChrome
          title={panel.title}
          width={w}
          height={h}
          description={panel.description || undefined}
          // In Grafana it keeps the room of its button.
          menu={<></>}
          displayMode={panel.transparent ? 'transparent' : 'default'}
          {...(panel.title ? {} : { hoverHeader: true })}
        >
          {(innerWidth: number, innerHeight: number) => <Content view={view!} width={innerWidth} height={innerHeight} />}
        </PanelChrome>
      </Guard>
    </div>
  );
}

async function viewOf({ panel, w }: Placed, values: Values, prometheus: Prometheus, timeRange: any, events: Event[]): Promise<View> {
  const asked = await ask(panel, w, values, prometheus);
  let data: DataFrame[] = frames(asked.answers);
  try {
    data = await transform(panel, data, values);
    data = configure(panel, data, values, theme);
  } catch (error) {
    asked.errors.push(`transformation: ${error instanceof Error ? error.message : String(error)}`);
  }
  return { panel, data, theme, timeRange, values, events, errors: asked.errors, gone: asked.gone };
}

let shown: { unmount(): void } | undefined;

const settled = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

/** Waits until nothing moves any more: icons come late and take place from titles. */
async function quiet(root: HTMLElement): Promise<void> {
  const widths = () => [...root.querySelectorAll('h2, h6, svg')].map((e) => e.getBoundingClientRect().width).join();
  let before = '';
  for (let same = 0, frame = 0; same < 15 && frame < 600; frame++) {
    await settled();
    const now = widths();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}

function lasting(seconds: number): string {
  return seconds < 2 * 86400 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 86400)} days`;
}

export async function show(order: Order): Promise<Sight> {
  setUp();
  const { dashboard, to } = order;
  const hours = /^now-(\d+)([smhdw])$/.exec(dashboard.time?.from ?? 'now-6h')!;
  const unit = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }[hours[2]!]!;
  const period = { from: order.from ?? to - Number(hours[1]) * unit, to };
  const prometheus = new Prometheus(order.prometheus, period);
  const values = await choose(dashboard, order.chosen, prometheus);
  const placed = place(dashboard, order.width, values, order.open);
  const timeRange = {
    from: dateTime(period.from * 1000),
    to: dateTime(to * 1000),
    raw: { from: dateTime(period.from * 1000), to: dateTime(to * 1000) },
  };
  const events = await annotate(dashboard, order.width, values, prometheus);
  const views = await Promise.all(
    placed.map((p) => (p.panel.type === 'row' ? Promise.resolve(undefined) : viewOf(p, values, prometheus, timeRange, events))),
  );

  const head = order.width < narrow ? 150 : 96;
  // Sizes of texts are measured with the fonts that there are.
  await Promise.all(['400 14px Inter', '500 14px Inter'].map((font) => document.fonts.load(font)));
  shown?.unmount();
  (window as any).plots = new Map();
  document.body.style.margin = '0';
  const root = document.createElement('div');
  const height = head + Math.max(...placed.map(({ y, h }) => y + h)) + 16;
  const { canvas } = theme.colors.background;
  root.style.cssText = `position: relative; width: ${order.width}px; height: ${height}px; background: ${canvas}`;
  document.body.replaceChildren(root);
  const choices = (dashboard.templating?.list ?? [])
    .filter((v: any) => v.hide !== 2)
    .map((v: any) => `${v.label ?? v.name}: ${values[v.name]?.join(', ') ?? ''}`);
  const mounted = createRoot(root);
  shown = mounted;
  mounted.render(
    <ThemeContext.Provider value={theme}>
      <div style={{ padding: '12px 16px', color: theme.colors.text.primary }}>
        <div style={{ fontSize: 20, fontWeight: 500 }}>{dashboard.title}</div>
        <div style={{ fontSize: 12, marginTop: 6, color: theme.colors.text.secondary }}>
          {[...choices, order.from ? `last ${lasting(to - order.from)}` : `${dashboard.time?.from ?? ''} to now`].join(
            ' · ',
          )}
        </div>
        {order.caption && <div style={{ fontSize: 13, marginTop: 4, color: '#FF9830', fontWeight: 500 }}>{order.caption}</div>}
      </div>
      <div style={{ position: 'absolute', top: head, left: 0 }}>
        {placed.map((p, i) => (
          <Shown key={`${p.panel.id}-${p.x}-${p.y}`} placed={p} view={views[i]} />
        ))}
      </div>
    </ThemeContext.Provider>,
  );
  const graphs = views.filter((view) => view?.panel.type === 'timeseries' && emptyMessage(view) === undefined);
  // Graphs are drawn some frames after they are mounted; one whose component has failed never is.
  for (let frame = 0; frame < 600 && (window as any).plots.size < graphs.length; frame++) await settled();
  await quiet(root);
  return { ...read(dashboard, placed, views, values, theme), marks: marks(events, period) };
}

(window as any).show = show;
