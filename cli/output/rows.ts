/**
 * Lists of objects in docker's formats: a table, `table TEMPLATE`, `json`, or a template a row.
 *
 * @module
 */
import { lazy } from "../../core/lib/lazy.ts";
import { ExitError } from "../errors.ts";
import { formatJsonRow } from "./json.ts";
import { formatTable } from "./table.ts";

/** A row: fields by the names templates use; functions are template methods and stay out of JSON. */
export type Row = Readonly<Record<string, unknown>>;

/** How a kind of object is shown. */
export interface RowFormat {
  /** `--format`; empty for the default table. */
  format: string;
  /** Fields of the default table, in order. */
  columns: readonly string[];
  /** Column titles by field. */
  headers: Readonly<Record<string, unknown>>;
  /** Go's name of the row's type, for error messages. */
  typeName: string;
}

/**
 * Formats all rows, with the final line feed.
 *
 * @throws {ExitError} If the template is wrong, in docker's words.
 */
export async function formatRows(rows: readonly Row[], spec: RowFormat): Promise<string> {
  const { format, columns, headers } = spec;
  if (format === "" || format === "table") {
    const cells = rows.map((row) => columns.map((column) => String(row[column])));
    return formatTable([columns.map((column) => String(headers[column])), ...cells]);
  }
  if (format === "json") return rows.map((row) => formatJsonRow(row) + "\n").join("");
  const isTable = format.startsWith("table");
  const source = isTable ? format.slice(5).trim() : format;
  const render = await compile(source.replaceAll("\\t", "\t").replaceAll("\\n", "\n"), spec);
  if (!isTable) return rows.map((row) => render(row) + "\n").join("");
  const lines = [headers, ...rows].flatMap((row) => render(row).split("\n"));
  return formatTable(lines.map((line) => line.split("\t")));
}

async function compile(source: string, spec: RowFormat): Promise<(row: Row) => string> {
  const { compileTemplate } = await lazy<typeof import("./template.ts")>(
    "./template.ts",
    import.meta.url,
  );
  try {
    const template = compileTemplate(source, { typeName: spec.typeName });
    return (row) => {
      try {
        return template(row);
      } catch (error) {
        throw new ExitError(1, `failed to execute template: ${(error as Error).message}`);
      }
    };
  } catch (error) {
    throw new ExitError(1, `failed to parse template: ${(error as Error).message}`);
  }
}

/** Docker's shortening: the last character makes room for an ellipsis. */
export function ellipsis(text: string, max: number): string {
  const characters = [...text];
  if (characters.length <= max) return text;
  return characters.slice(0, max - 1).join("") + "…";
}

/** The twelve digits of an id that people use. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

/** `--filter`s by name, as the engine takes them. */
export function toFilters(filters: readonly string[]): Record<string, string[]> {
  const map: Record<string, string[]> = {};
  for (const filter of filters) {
    const equals = filter.indexOf("=");
    if (equals > 0) (map[filter.slice(0, equals)] ??= []).push(filter.slice(equals + 1));
  }
  return map;
}
