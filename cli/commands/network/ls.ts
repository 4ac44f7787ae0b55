/**
 * `dhow network ls`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { checkFilter } from "../../flag_checks.ts";
import { FORMAT_HELP } from "../../output/format_help.ts";
import {
  compareNames,
  networkColumns,
  networkHeaders,
  toNetworkRow,
} from "../../output/network_row.ts";
import { formatRows, toFilters } from "../../output/rows.ts";

/** List networks. */
export const listNetworks = command({
  name: "ls",
  summary: "List networks",
  args: "",
  flags: {
    filter: {
      type: "list",
      short: "f",
      hint: "filter",
      help: 'Provide filter values (e.g. "driver=bridge")',
      check: checkFilter,
    },
    format: { type: "string", help: FORMAT_HELP },
    noTrunc: { type: "bool", help: "Do not truncate the output" },
    quiet: { type: "bool", short: "q", help: "Only display network IDs" },
  },
  async run({ flags, engine, out }) {
    const networks = await engine.networks.list({ filters: toFilters(flags.filter) });
    const rows = networks.sort((a, b) => compareNames(a.Name, b.Name))
      .map((network) => toNetworkRow(network, { truncate: !flags.noTrunc }));
    out.write(
      await formatRows(rows, {
        format: flags.quiet && flags.format === "" ? "{{.ID}}" : flags.format,
        columns: networkColumns,
        headers: networkHeaders,
        typeName: "*network.networkContext",
      }),
    );
  },
});
