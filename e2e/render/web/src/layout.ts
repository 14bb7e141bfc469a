// Where Grafana puts the panels of a dashboard on the screen.

import { interpolate, type Values } from './variables';

export interface Placed {
  panel: any;
  /** Pixels. */
  x: number;
  y: number;
  w: number;
  h: number;
  /** In a row that is closed until the reader opens it. */
  folded: boolean;
}

const columns = 24;
const row = 30;
const gap = 8;
const margin = 16;
/** Narrower than this, in pixels, panels stand below one another. */
export const narrow = 769;

/** Places all panels; rows that are closed are shown open, or as they are. */
export function place(dashboard: any, width: number, values: Values, open: boolean): Placed[] {
  const stacked = width < narrow;
  const cell = (width - 2 * margin - (columns - 1) * gap) / columns;
  const placed: Placed[] = [];
  let pushed = 0;
  let below = 0; // the panels that are stacked so far
  const put = (one: any, folded: boolean, shift: number) => {
    const { x, y, w, h } = one.gridPos;
    placed.push({
      panel: { ...one, title: interpolate(one.title ?? '', values) },
      x: stacked ? margin : margin + x * (cell + gap),
      y: stacked ? below : (y + shift) * (row + gap),
      w: stacked ? width - 2 * margin : w * cell + (w - 1) * gap,
      h: h * row + (h - 1) * gap,
      folded,
    });
    below += h * (row + gap);
  };
  const all = [...(dashboard.panels ?? [])].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  for (const panel of all) {
    put(panel, false, pushed);
    const inside: any[] = panel.type === 'row' && panel.collapsed ? (panel.panels ?? []) : [];
    if (inside.length === 0 || !open) continue;
    const top = Math.min(...inside.map((p) => p.gridPos.y));
    const bottom = Math.max(...inside.map((p) => p.gridPos.y + p.gridPos.h));
    for (const one of inside) put(one, true, pushed + panel.gridPos.y + 1 - top);
    pushed += bottom - top;
  }
  return placed;
}
