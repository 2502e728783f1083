import Table from 'cli-table3';
import { fitList } from './format.js';

export interface Column {
  readonly title: string;
  readonly align?: 'right';
  /** Left out where the terminal is too narrow; the last such column goes first. */
  readonly isOptional?: boolean;
}

/** A list is shortened to the space that is left; it belongs into the last column. */
export type Cell = string | readonly string[];

const GAP = 2;
const MIN_LIST_WIDTH = 16;

/** Lines of aligned columns without borders, no wider than `width` where that can be had. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  head = (text: string) => text,
): string {
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...rows.map((row) => cellWidth(row[i]))));
  const kept = keepColumns(columns, widths, width);
  const used = kept.slice(0, -1).reduce((sum, i) => sum + (widths[i] ?? 0) + GAP, 0);
  const text = (cell: Cell | undefined): string =>
    typeof cell === 'object' ? fitList(cell, Math.max(MIN_LIST_WIDTH, width - used)) : (cell ?? '');
  const table = new Table({
    head: kept.map((i) => head(columns[i]?.title ?? '')),
    colAligns: kept.map((i) => columns[i]?.align ?? 'left'),
    chars: BORDERLESS,
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': GAP },
  });
  for (const row of rows) table.push(kept.map((i) => text(row[i])));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const BORDERLESS = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
    .map((name) => [name, '']),
);

function cellWidth(cell: Cell | undefined): number {
  return typeof cell === 'object' ? Math.min(MIN_LIST_WIDTH, cell.join(' ').length) : (cell?.length ?? 0);
}

/** The columns that fit, by index. */
function keepColumns(columns: readonly Column[], widths: readonly number[], width: number): number[] {
  const kept = columns.map((_, i) => i);
  const total = (): number => kept.reduce((sum, i) => sum + (widths[i] ?? 0) + GAP, -GAP);
  while (total() > width) {
    const drop = kept.findLastIndex((i) => columns[i]?.isOptional);
    if (drop < 0) break;
    kept.splice(drop, 1);
  }
  return kept;
}
