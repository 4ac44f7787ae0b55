/**
 * `dhow image history`.
 *
 * @module
 */
import { formatHumanDuration } from "../../../core/lib/duration.ts";
import { printable } from "../../../core/lib/printable.ts";
import { formatSize } from "../../../core/lib/units.ts";
import type { ImageHistoryItem } from "../../../core/spec/docker_api.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { FORMAT_HELP } from "../../output/format_help.ts";
import { ellipsis, formatRows, type Row, shortId } from "../../output/rows.ts";
import { formatLocal } from "../../output/time.ts";

const HEADERS = {
  ID: "IMAGE",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
};

/** Show the history of an image. */
export const imageHistory = command({
  name: "history",
  summary: "Show the history of an image",
  args: "IMAGE",
  flags: {
    format: { type: "string", help: FORMAT_HELP },
    human: {
      type: "bool",
      short: "H",
      default: true,
      help: "Print sizes and dates in human readable format",
    },
    noTrunc: { type: "bool", help: "Don't truncate output" },
    quiet: { type: "bool", short: "q", help: "Only show image IDs" },
  },
  async run({ args, flags, engine, out }) {
    const steps = await engine.images.history(args[0]!);
    const isTerminal = out.isTerminal();
    const show = (text: string) => isTerminal ? printable(text) : text;
    const rows = steps.map((step) => toRow(step, { ...flags, show }));
    if (flags.quiet) {
      out.write(rows.map((row) => `${row.ID}\n`).join(""));
      return;
    }
    const created = flags.human ? "CreatedSince" : "CreatedAt";
    try {
      out.write(
        await formatRows(rows, {
          format: flags.format,
          columns: ["ID", created, "CreatedBy", "Size", "Comment"],
          headers: HEADERS,
          typeName: "*image.historyContext",
        }),
      );
    } catch (error) {
      if (!(error instanceof ExitError)) throw error;
      // Docker's words here differ from those of its other lists.
      throw new ExitError(
        1,
        error.message.replace(/^failed to (execute|parse) template/, "template parsing error"),
      );
    }
  },
});

function toRow(
  step: ImageHistoryItem,
  options: { human: boolean; noTrunc: boolean; show: (text: string) => string },
): Row {
  const { human, noTrunc, show } = options;
  const createdBy = show(step.CreatedBy).replaceAll("\t", " ");
  return {
    Comment: show(step.Comment),
    CreatedAt: step.Created === 0
      ? "N/A"
      : formatLocal(BigInt(step.Created) * 1_000_000_000n).replace(".000000000", ""),
    CreatedBy: noTrunc ? createdBy : ellipsis(createdBy, 45),
    CreatedSince: step.Created === 0
      ? "N/A"
      : `${formatHumanDuration(Date.now() / 1000 - step.Created)} ago`,
    ID: noTrunc || step.Id === "<missing>" ? step.Id : shortId(step.Id),
    Size: human ? formatSize(step.Size) : String(step.Size),
  };
}
