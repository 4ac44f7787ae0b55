/**
 * Columns as docker prints them: at least ten wide, three blanks between, nothing after the last.
 *
 * @module
 */

const PADDING = 3;

/** How to align. */
export interface TableOptions {
  /**
   * Width no column goes below, padding included.
   * @default {10}
   */
  minWidth?: number;
}

/**
 * Aligns rows of cells; each line of the result ends in a line feed.
 *
 * As Go's text/tabwriter: a column is as wide as its widest cell in the run of neighbouring rows that have it, and the
 * last cell of a row belongs to no column.
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const widths = rows.map((): number[] => []);
  const columns = Math.max(0, ...rows.map((row) => row.length)) - 1;
  for (let column = 0; column < columns; column++) {
    for (let start = 0; start < rows.length; start++) {
      if (!hasColumn(rows[start]!, column)) continue;
      let end = start;
      let width = options.minWidth ?? 10;
      while (end < rows.length && hasColumn(rows[end]!, column)) {
        width = Math.max(width, cellWidth(rows[end++]![column]!) + PADDING);
      }
      for (let row = start; row < end; row++) widths[row]![column] = width;
      start = end;
    }
  }
  let text = "";
  for (const [index, row] of rows.entries()) {
    for (const [column, cell] of row.entries()) {
      const width = widths[index]![column];
      text += width === undefined ? cell : cell + " ".repeat(width - cellWidth(cell));
    }
    text += "\n";
  }
  return text;
}

function hasColumn(row: readonly string[], column: number): boolean {
  return row.length > column + 1;
}

/** Characters, not UTF-16 units. */
function cellWidth(cell: string): number {
  // deno-lint-ignore no-control-regex
  return /^[\x00-\x7f]*$/.test(cell) ? cell.length : [...cell].length;
}
