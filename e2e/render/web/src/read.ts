// What a reader reads on the page: texts, colours, axes, legends, and what of it cannot be seen.

import type { GrafanaTheme2 } from '@grafana/data';

import type { Marks } from './annotations';
import { headingCut } from './heading';
import { heatmapTicks, lanes } from './heatmap';
import type { Placed } from './layout';
import { tilesOf } from './stat';
import type { Values } from './variables';
import type { View } from './view';

export interface Text {
  text: string;
  color: string;
  /** Of the background, where it is one of its own. */
  background?: string;
  /** It does not fit where it stands. */
  cut?: boolean;
  /** Where a click leads. */
  link?: string;
}

export interface Tile extends Text {
  title: string;
  numeric: number | null;
  /** Sizes of the largest and of the smallest text, in pixels. */
  size: number;
  least: number;
}

export interface Column {
  name: string;
  /** All of it lies within the panel. */
  visible: boolean;
  cut: boolean;
}

export interface PanelSight {
  id: number;
  type: string;
  title: string;
  folded: boolean;
  /** Pixels from the top of the dashboard's panels. */
  top: number;
  height: number;
  /** The title does not fit. */
  titleCut?: boolean;
  errors: string[];
  gone: string[];
  /** What the panel has to say where there is nothing. */
  noValues: string[];
  message?: string;
  tiles?: Tile[];
  columns?: Column[];
  rows?: Text[][];
  /** Rows that there are, and how many of them are on the screen. */
  rowCount?: number;
  rowsOnScreen?: number;
  /** Of the values; fixed where the panel says from where to where it goes, asked where it is what the panel wants at the least. */
  axis?: { min: number; max: number; ticks: string[]; log?: boolean; fixed?: boolean; asked?: boolean };
  times?: string[];
  legend?: Text[];
  /** Least and greatest value that is drawn. */
  drawn?: { min: number; max: number };
  /** Values of thresholds that are drawn. */
  lines?: number[];
  lanes?: { name: string; states: string[]; last: string; lastColor: string }[];
  text?: string;
}

export interface Sight {
  uid: string;
  title: string;
  /** Of the window, and of all that is on the page: where that is wider, it has to be pushed to and fro. */
  width: number;
  pageWidth: number;
  values: Values;
  /** Colours that mean that all is well. */
  greens: string[];
  /** What is marked on every graph. */
  marks: Marks[];
  panels: PanelSight[];
}

/** Whether some of the texts of an element are wider than what they stand in shows of them. */
function cut(element: Element): boolean {
  return written(element).some((e) => {
    const range = document.createRange();
    range.selectNodeContents(e);
    const text = range.getBoundingClientRect();
    for (let box: Element | null = e; box && element.contains(box); box = box.parentElement) {
      const shown = box.getBoundingClientRect();
      if (getComputedStyle(box).overflowX !== 'visible' && (text.right > shown.right + 1 || text.left < shown.left - 1)) return true;
    }
    return false;
  });
}

/** The elements that have text of their own. */
function written(element: Element): Element[] {
  return [element, ...element.querySelectorAll('*')].filter((e) =>
    [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent!.trim() !== ''),
  );
}

/** The element whose text is the largest, of those that have text of their own. */
function loudest(element: Element): Element | undefined {
  const size = (e: Element) => parseFloat(getComputedStyle(e).fontSize);
  return written(element).sort((a, b) => size(b) - size(a))[0];
}

function hex(color: string): string {
  const parts = /^rgba?\((\d+), (\d+), (\d+)/.exec(color);
  if (!parts) return color.toLowerCase();
  return `#${parts
    .slice(1, 4)
    .map((p) => Number(p).toString(16).padStart(2, '0'))
    .join('')}`;
}

/** The background that the element has of its own, with gradients as their first colour. */
function background(element: Element): string | undefined {
  for (const e of [element, ...element.querySelectorAll('*')]) {
    const { backgroundColor, backgroundImage } = getComputedStyle(e);
    const gradient = /rgba?\([^)]*\)/.exec(backgroundImage);
    if (gradient) return hex(gradient[0]);
    if (!/, 0\)$|transparent/.test(backgroundColor)) return hex(backgroundColor);
  }
  return undefined;
}

function tiles(root: Element, view: View): Tile[] {
  const named = tilesOf(view);
  return [...root.querySelectorAll('[data-tile]')].map((tile, i) => {
    const main = loudest(tile);
    const filled = view.panel.options?.colorMode?.startsWith('background');
    return {
      title: named[i]?.title ?? '',
      text: (tile as HTMLElement).innerText.trim().replace(/\s+/g, ' '),
      numeric: named[i]?.numeric ?? null,
      color: filled ? (background(tile) ?? '') : main ? hex(getComputedStyle(main).color) : '',
      background: named[i]?.color ? hexOf(named[i]!.color) : undefined,
      size: main ? parseFloat(getComputedStyle(main).fontSize) : 0,
      least: Math.min(...written(tile).map((e) => parseFloat(getComputedStyle(e).fontSize))),
      cut: cut(tile),
    };
  });
}

const hexOf = (color: string): string => hex(color.toLowerCase());

function table(root: Element, view: View): Pick<PanelSight, 'columns' | 'rows' | 'rowCount' | 'rowsOnScreen'> {
  const frame = root.getBoundingClientRect();
  const columns = [...root.querySelectorAll('[role=columnheader]')].map((e) => {
    const box = e.getBoundingClientRect();
    return { name: (e as HTMLElement).innerText.trim(), visible: box.right <= frame.right + 1 && box.left >= frame.left - 1, cut: cut(e) || headingCut(e, view) };
  });
  const lines = [...root.querySelectorAll('[role=row]')].filter((row) => row.querySelector('[role=cell]'));
  const onScreen = lines.filter((row) => row.getBoundingClientRect().bottom <= frame.bottom + 2);
  const rows = lines.map((row) =>
    [...row.querySelectorAll('[role=cell]')].map((cell) => {
      const main = loudest(cell) ?? cell;
      return {
        text: (cell as HTMLElement).innerText.trim(),
        color: hex(getComputedStyle(main).color),
        cut: cut(cell),
        link: cell.querySelector('a')?.getAttribute('href') ?? undefined,
        ...(/background/.test(cell.outerHTML.slice(0, 400)) ? { background: background(cell) } : {}),
      };
    }),
  );
  const count = view.data[view.panel.options?.frameIndex ?? 0]?.length ?? 0;
  return { columns, rows, rowCount: count, rowsOnScreen: onScreen.length };
}

/** Texts that were painted on a canvas, with where they are aligned. */
interface Painted {
  text: string;
  align: string;
  x: number;
}

function graph(root: Element, view: View): Partial<PanelSight> {
  const u = (window as any).plots?.get(view.panel.id);
  const canvas = root.querySelector('canvas');
  if (!u || !canvas) return {};
  const painted: Painted[] = (canvas as any).painted ?? [];
  const scales = Object.entries(u.scales).filter(([key]) => key !== 'x') as [string, any][];
  const [, scale] = scales.find(([, { min }]) => Number.isFinite(min)) ?? [];
  const texts = (align: string[]) =>
    [...new Set(painted.filter((p) => align.includes(p.align)).map(({ text }) => text))].filter((text) => text.trim() !== '');
  const legend = [...root.querySelectorAll('[data-testid="series-icon"], [data-testid*="legend"] [data-testid="series-icon"]')].map(
    (icon) => {
      const item = icon.closest('button, li, div[class*="LegendLabel"], div')?.parentElement ?? icon.parentElement!;
      const { backgroundColor, backgroundImage, color } = getComputedStyle(icon);
      const gradient = /rgba?\([^)]*\)/.exec(backgroundImage);
      return {
        text: (item as HTMLElement).innerText.trim(),
        color: hex(gradient ? gradient[0] : /, 0\)$|transparent/.test(backgroundColor) ? color : backgroundColor),
        cut: cut(item),
      };
    },
  );
  // Lines of thresholds are drawn as well as the series.
  const { thresholds, custom } = view.panel.fieldConfig?.defaults ?? {};
  const lines = (custom?.thresholdsStyle?.mode ?? 'off') === 'off' ? [] : (thresholds?.steps ?? []).map(({ value }: any) => value).filter(Number.isFinite);
  const drawn = [...lines, ...u.data.slice(1).flatMap((values: any) => [...(values ?? [])])].filter((v: any) => Number.isFinite(v));
  return {
    axis: scale && {
      min: scale.min,
      max: scale.max,
      log: scale.distr === 3,
      fixed: view.panel.fieldConfig?.defaults?.max !== undefined,
      asked: scale.min >= custom?.axisSoftMin && scale.max <= custom?.axisSoftMax,
      ticks: texts(['right', 'left']),
    },
    times: texts(['center']),
    legend,
    lines,
    ...(drawn.length > 0 ? { drawn: { min: Math.min(...drawn), max: Math.max(...drawn) } } : {}),
  };
}

function noValues(view: View): string[] {
  const { defaults = {}, overrides = [] } = view.panel.fieldConfig ?? {};
  const own = overrides.flatMap(({ properties }: any) =>
    properties.filter(({ id }: any) => id === 'noValue').map(({ value }: any) => value),
  );
  return [defaults.noValue, ...own].filter(Boolean);
}

function panel(placed: Placed, view: View): PanelSight {
  const root = document.querySelector(`[data-panel="${placed.panel.id}"]`)!;
  const sight: PanelSight = {
    id: placed.panel.id,
    type: placed.panel.type,
    title: placed.panel.title,
    folded: placed.folded,
    top: placed.y,
    height: placed.h,
    errors: view.errors,
    gone: view.gone,
    noValues: noValues(view),
    titleCut: [...root.querySelectorAll('h2, h6')].some(cut),
  };
  const message = root.querySelector('[data-message]');
  if (message) return { ...sight, message: (message as HTMLElement).innerText };
  switch (sight.type) {
    case 'stat':
    case 'bargauge':
      return { ...sight, tiles: tiles(root, view) };
    case 'table':
      return { ...sight, ...table(root, view) };
    case 'timeseries':
      return { ...sight, ...graph(root, view) };
    case 'heatmap':
      return { ...sight, axis: { ...heatmapTicks(view)!, log: true } };
    case 'state-timeline':
      return {
        ...sight,
        lanes: lanes(view).map(({ name, spans }) => ({
          name,
          states: [...new Set(spans.map(({ text }) => text))],
          last: spans.at(-1)?.text ?? '',
          lastColor: hexOf(spans.at(-1)?.color ?? ''),
        })),
      };
    default:
      return { ...sight, text: (root as HTMLElement).innerText };
  }
}

export function read(dashboard: any, placed: Placed[], views: (View | undefined)[], values: Values, theme: GrafanaTheme2): Omit<Sight, 'marks'> {
  const shades = ['', 'dark-', 'semi-dark-', 'light-', 'super-light-'];
  return {
    uid: dashboard.uid,
    title: dashboard.title,
    width: document.documentElement.clientWidth,
    pageWidth: document.documentElement.scrollWidth,
    values,
    greens: shades.map((shade) => theme.visualization.getColorByName(`${shade}green`).toLowerCase()),
    panels: placed.flatMap((p, i) => (views[i] ? [panel(p, views[i]!)] : [])),
  };
}
