import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as table from '@grafana/grafana-foundation-sdk/table';

import { modelMappings } from './models';
import { describe, none, query, refIds, thresholds, type About, type Step } from './panels';

/** How the values of a column look. */
export interface Cell {
  unit?: string;
  decimals?: number;
  steps?: Step[];
  width?: number;
  mappings?: dashboard.ValueMapping[];
  /** In place of a value that there is not. */
  noValue?: string;
  /** What stands above the column, where that has a variable in it. */
  heading?: string;
  /** Where a click leads. */
  link?: Link;
  /** Kept for links to read, and not shown. */
  hidden?: boolean;
}

export interface Link {
  title: string;
  url: string;
}

/** A column of a table: an instant query and how its values look. */
export interface Column extends Cell {
  title: string;
  expr: string;
  unit: string;
}

export interface TableOptions {
  /** Label that makes a row, and its heading. */
  row: string;
  rowTitle: string;
  rowWidth?: number;
  /** Where a row's name leads. */
  link?: Link;
  /** Column to sort by, and whether the largest comes first. */
  sort?: string;
  descending?: boolean;
  /** Least width of a column in pixels: so many of them as have to be seen at once. */
  minWidth?: number;
}

function properties(cell: Cell): dashboard.DynamicConfigValue[] {
  const all: dashboard.DynamicConfigValue[] = [];
  const add = (id: string, value: unknown) => value !== undefined && all.push({ id, value });
  add('unit', cell.unit);
  add('decimals', cell.decimals);
  add('custom.width', cell.width);
  add('mappings', cell.mappings);
  add('noValue', cell.noValue);
  add('displayName', cell.heading);
  add('custom.hidden', cell.hidden);
  if (cell.link) add('links', [{ ...cell.link, targetBlank: false }]);
  if (cell.steps) {
    add('thresholds', thresholds(cell.steps).build());
    add('color', { mode: 'thresholds' });
  }
  if (cell.steps || cell.mappings) add('custom.cellOptions', { type: 'color-text' });
  return all;
}

/** A table says its sentence where all of it is empty; a cell without a value is a dash. */
function frame(about: About, minWidth: number): table.PanelBuilder {
  return describe(new table.PanelBuilder(), about)
    .cellHeight(common.TableCellHeight.Sm)
    .minWidth(minWidth)
    .overrideByRegexp('/.*/', [{ id: 'noValue', value: none }]);
}

/** A table of instant queries, joined by the label that makes a row. */
export function tablePanel(about: About, columns: Column[], options: TableOptions): table.PanelBuilder {
  const panel = frame(about, options.minWidth ?? 80).sortBy([
    new common.TableSortByFieldStateBuilder().displayName(options.sort ?? options.rowTitle).desc(options.descending ?? false),
  ]);
  const renameByName: Record<string, string> = { [options.row]: options.rowTitle };
  const indexByName: Record<string, number> = { [options.row]: 0 };
  columns.forEach((column, i) => {
    panel.withTarget(query(column.expr, refIds[i]!).format(prometheus.PromQueryFormat.Table).instant());
    // A single query keeps the name Value; merging several adds their letters.
    const field = columns.length === 1 ? 'Value' : `Value #${refIds[i]}`;
    renameByName[field] = column.title;
    indexByName[field] = i + 1;
  });
  const ofModels: Cell = options.row === 'model' ? { mappings: modelMappings() } : {};
  panel
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({ id: 'organize', options: { excludeByName: { Time: true }, indexByName, renameByName } })
    .overrideByName(options.rowTitle, properties({ width: options.rowWidth ?? 130, link: options.link, ...ofModels }));
  for (const column of columns) panel.overrideByName(column.title, properties(column));
  return panel;
}

/** A column to sort by, of those that are alike by the ones before it. */
export interface Sort {
  by: string;
  descending?: boolean;
}

/**
 * A table of the labels of an instant query, which has those that are given and no others, in that order. `Value` may be
 * one of them. Where there are further queries, whose labels are among those of the first, values are `Value #A`, `Value #B` and so on.
 */
export function labelsPanel(
  about: About, exprs: string | string[], columns: Record<string, Cell & { title: string }>, sort: string | Sort[], minWidth = 70,
): table.PanelBuilder {
  const sorts = typeof sort === 'string' ? [{ by: sort }] : sort;
  const panel = frame(about, minWidth).sortBy(
    sorts.map(({ by, descending }) => new common.TableSortByFieldStateBuilder().displayName(by).desc(descending ?? false)),
  );
  const all = [exprs].flat();
  all.forEach((expr, i) => panel.withTarget(query(expr, refIds[i]!).format(prometheus.PromQueryFormat.Table).instant()));
  if (all.length > 1) panel.withTransformation({ id: 'merge', options: {} });
  const names = Object.keys(columns);
  panel.withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true, ...(names.some((name) => name.startsWith('Value')) ? {} : { Value: true }) },
      indexByName: Object.fromEntries(names.map((name, i) => [name, i])),
      renameByName: Object.fromEntries(names.map((name) => [name, columns[name]!.title])),
    },
  });
  for (const { title, ...cell } of Object.values(columns)) panel.overrideByName(title, properties(cell));
  return panel;
}

/** A table of one instant query with a row for each value of one label and a column for each of another. */
export function matrixPanel(about: About, expr: string, row: string, column: string, decimals: number): table.PanelBuilder {
  return frame(about, 99)
    .decimals(decimals)
    .withTarget(query(expr, 'A').format(prometheus.PromQueryFormat.Table).instant())
    .withTransformation({ id: 'groupingToMatrix', options: { columnField: column, rowField: row, valueField: 'Value' } })
    .withTransformation({
      id: 'organize',
      options: { excludeByName: {}, indexByName: {}, renameByName: { [`${row}\\${column}`]: row } },
    })
    .overrideByName(row, [{ id: 'custom.width', value: 183 }]);
}
