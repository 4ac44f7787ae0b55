/**
 * `dhow search`.
 *
 * @module
 */
import { search as find, type SearchResult } from "../../../core/registry/search.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { checkFilter } from "../../flag_checks.ts";
import { ellipsis, formatRows, type Row, toFilters } from "../../output/rows.ts";
import type { Output } from "../../output/stream.ts";

const HEADERS = {
  Name: "NAME",
  Description: "DESCRIPTION",
  StarCount: "STARS",
  IsOfficial: "OFFICIAL",
} as const;

const DESCRIPTION_MAX = 45;

/** Search Docker Hub for images. */
export const search = command({
  name: "search",
  summary: "Search Docker Hub for images",
  description: "Search Docker Hub for images, or the registry that TERM begins with\n" +
    "(localhost:5000/foo): by its own search, else through its catalog",
  args: "TERM",
  flags: {
    filter: {
      type: "list",
      short: "f",
      hint: "filter",
      help: "Filter output based on conditions provided",
      check: checkFilter,
    },
    format: { type: "string", help: "Pretty-print search using a Go template" },
    limit: { type: "int", help: "Max number of search results" },
    noTrunc: { type: "bool", help: "Don't truncate output" },
  },
  async run({ args, flags, given, out, err }) {
    const filters = toFilters(flags.filter);
    const isWanted = readFilters(filters, err);
    const limit = given("limit") && flags.limit !== 0 ? flags.limit : 25;
    // There are no such images any more, so nobody need be asked.
    const isVain = filters["is-automated"]?.some((value) => value === "true" || value === "1");
    const results = isVain ? [] : (await find(args[0]!, { limit })).filter(isWanted);
    const isJson = flags.format === "json" || /\{\{\s*json\s+\.\s*\}\}/.test(flags.format);
    const rows = results.map((result) => toRow(result, { isJson, truncate: !flags.noTrunc }));
    try {
      out.write(
        await formatRows(rows, {
          format: flags.format,
          columns: Object.keys(HEADERS),
          headers: HEADERS,
          typeName: "*registry.searchContext",
        }),
      );
    } catch (error) {
      // Search has its own words for this.
      if (!(error instanceof ExitError)) throw error;
      const message = error.message.replace(
        /^failed to execute template/,
        "template parsing error",
      );
      throw new ExitError(error.exitCode, message, { cause: error });
    }
  },
});

/** @param options `isJson`: what is official is then said in words. */
function toRow(result: SearchResult, options: { isJson: boolean; truncate: boolean }): Row {
  const { name, description, stars, isOfficial } = result;
  return {
    Description: options.truncate ? ellipsis(description, DESCRIPTION_MAX) : description,
    IsOfficial: options.isJson ? String(isOfficial) : isOfficial ? "[OK]" : "",
    Name: name,
    StarCount: String(stars),
  };
}

/** Docker's filters, and its words for others. */
function readFilters(
  filters: Record<string, string[]>,
  err: Output,
): (result: SearchResult) => boolean {
  const tests: ((result: SearchResult) => boolean)[] = [];
  for (const [name, values] of Object.entries(filters)) {
    switch (name) {
      case "is-official": {
        const wanted = readBoolean(name, values);
        tests.push((result) => result.isOfficial === wanted);
        break;
      }
      case "is-automated":
        readBoolean(name, values);
        err.line(
          `WARNING: the "is-automated" filter is deprecated, and searching for "is-automated=true" ` +
            "will not yield any results in future.",
        );
        break;
      case "stars": {
        const least = Math.max(...values.map(readStars));
        tests.push((result) => result.stars >= least);
        break;
      }
      default:
        throw new ExitError(1, `invalid filter '${name}'`);
    }
  }
  return (result) => tests.every((test) => test(result));
}

function readBoolean(name: string, values: readonly string[]): boolean {
  const wanted = values.map((value) => {
    if (value === "1" || value === "true") return true;
    if (value === "0" || value === "false") return false;
    throw new ExitError(1, `invalid filter '${name}=[${values.join(" ")}]'`);
  });
  if (new Set(wanted).size > 1) {
    throw new ExitError(1, `invalid filter '${name}=[${values.join(" ")}]'`);
  }
  return wanted[0]!;
}

function readStars(value: string): number {
  if (/^[+-]?\d{1,18}$/.test(value)) return Number(value);
  throw new ExitError(
    1,
    `invalid filter 'stars=${value}': strconv.Atoi: parsing ${
      JSON.stringify(value)
    }: invalid syntax`,
  );
}
