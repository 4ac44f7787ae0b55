/**
 * `dhow system events`.
 *
 * @module
 */
import { parseTimestamp } from "../../../core/lib/duration.ts";
import type { EventMessage } from "../../../core/spec/docker_api.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { checkFilter } from "../../flag_checks.ts";
import { INSPECT_FORMAT_HELP } from "../../output/format_help.ts";
import { formatRows, toFilters } from "../../output/rows.ts";
import { formatLocal } from "../../output/time.ts";

/** Get real time events from the engine. */
export const events = command({
  name: "events",
  summary: "Get real time events from the engine",
  args: "",
  flags: {
    filter: {
      type: "list",
      short: "f",
      hint: "filter",
      help: "Filter output based on conditions provided",
      check: checkFilter,
    },
    format: { type: "string", help: INSPECT_FORMAT_HELP },
    since: { type: "string", help: "Show all events created since timestamp" },
    until: { type: "string", help: "Stream events until this timestamp" },
  },
  async run({ flags, engine, out }) {
    const show = flags.format === ""
      ? (event: EventMessage) => formatEvent(event) + "\n"
      : flags.format === "json"
      ? (event: EventMessage) => JSON.stringify(event) + "\n"
      : (event: EventMessage) =>
        formatRows([{ ...event }], {
          format: flags.format,
          columns: [],
          headers: {},
          typeName: "*events.Message",
        });
    const options = {
      ...(flags.since !== "" && { since: parseTime(flags.since) }),
      ...(flags.until !== "" && { until: parseTime(flags.until) }),
      filters: toFilters(flags.filter),
    };
    for await (const event of engine.system.events(options)) out.write(await show(event));
  },
});

function parseTime(text: string): bigint {
  try {
    return parseTimestamp(text, Date.now());
  } catch (error) {
    throw new ExitError(1, (error as Error).message);
  }
}

function formatEvent({ Type: type, Action: action, Actor: actor, time, timeNano }: EventMessage) {
  // timeNano is beyond what a number holds exactly; the seconds are right in any case.
  const nanos = BigInt(time) * 1_000_000_000n + BigInt(Math.round(timeNano % 1e9));
  const attributes = Object.keys(actor.Attributes).sort()
    .map((key) => `${key}=${actor.Attributes[key]}`);
  const tail = attributes.length > 0 ? ` (${attributes.join(", ")})` : "";
  return `${formatLocal(nanos)} ${type} ${action} ${actor.ID}${tail}`;
}
