/**
 * `dhow container ls`, better known as `dhow ps`.
 *
 * @module
 */
import type { ListContainersOptions } from "../../../core/engine/engine.ts";
import { command } from "../../command.ts";
import { checkFilter } from "../../flag_checks.ts";
import { containerColumns, containerHeaders, toContainerRow } from "../../output/container_row.ts";
import { formatRows, toFilters } from "../../output/rows.ts";
import { FORMAT_HELP } from "../../output/format_help.ts";

/** List containers. */
export const listContainers = command({
  name: "ls",
  summary: "List containers",
  args: "",
  flags: {
    all: { type: "bool", short: "a", help: "Show all containers (default shows just running)" },
    filter: {
      type: "list",
      short: "f",
      hint: "filter",
      help: "Filter output based on conditions provided",
      check: checkFilter,
    },
    format: { type: "string", help: FORMAT_HELP },
    last: {
      type: "int",
      short: "n",
      default: -1,
      help: "Show n last created containers (includes all states)",
    },
    latest: {
      type: "bool",
      short: "l",
      help: "Show the latest created container (includes all states)",
    },
    noTrunc: { type: "bool", help: "Don't truncate output" },
    quiet: { type: "bool", short: "q", help: "Only display container IDs" },
    size: { type: "bool", short: "s", help: "Display total file sizes" },
  },
  async run({ flags, given, engine, out, err }) {
    const { all, size, quiet, format } = flags;
    const options: ListContainersOptions = { all, size: size || wantsSize(format) };
    const last = flags.latest && !given("last") ? 1 : flags.last;
    if (last > 0) options.last = last;
    if (flags.filter.length > 0) options.filters = toFilters(flags.filter);
    const containers = await engine.containers.list(options);
    const rows = containers.map((one) => toContainerRow(one, { truncate: !flags.noTrunc }));
    if (quiet) {
      if (given("format")) {
        err.line("WARNING: Ignoring custom format, because both --format and --quiet are set.");
      }
      out.write(rows.map((row) => row["ID"] + "\n").join(""));
      return;
    }
    out.write(
      await formatRows(rows, {
        format,
        columns: size ? [...containerColumns, "Size"] : containerColumns,
        headers: containerHeaders,
        typeName: "*formatter.ContainerContext",
      }),
    );
  },
});

/** Sizes take time: they are asked for only where they are shown. */
function wantsSize(format: string): boolean {
  return format.includes(".Size") || format.includes("json .");
}
