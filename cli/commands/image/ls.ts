/**
 * `dhow image ls`, better known as `dhow images`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { checkFilter } from "../../flag_checks.ts";
import { FORMAT_HELP } from "../../output/format_help.ts";
import { imageColumns, imageHeaders, toImageRows } from "../../output/image_row.ts";
import { formatRows, toFilters } from "../../output/rows.ts";

/** List images. */
export const listImages = command({
  name: "ls",
  summary: "List images",
  args: "[REPOSITORY[:TAG]]",
  flags: {
    all: { type: "bool", short: "a", help: "Show all images (default hides intermediate images)" },
    digests: { type: "bool", help: "Show digests" },
    filter: {
      type: "list",
      short: "f",
      hint: "filter",
      help: "Filter output based on conditions provided",
      check: checkFilter,
    },
    format: { type: "string", help: FORMAT_HELP },
    noTrunc: { type: "bool", help: "Don't truncate output" },
    quiet: { type: "bool", short: "q", help: "Only show image IDs" },
  },
  async run({ args, flags, engine, out }) {
    const filters = toFilters(flags.filter);
    if (args[0] !== undefined) (filters["reference"] ??= []).push(args[0]);
    const images = await engine.images.list({ all: flags.all, filters, digests: flags.digests });
    const options = {
      truncate: !flags.noTrunc,
      digests: flags.digests || usesDigest(flags.format),
    };
    const rows = images.flatMap((image) => toImageRows(image, options));
    const format = flags.quiet && flags.format === "" ? "{{.ID}}" : flags.format;
    out.write(
      await formatRows(rows, {
        format,
        columns: flags.digests ? imageColumns.toSpliced(2, 0, "Digest") : imageColumns,
        headers: imageHeaders,
        typeName: "*formatter.imageContext",
      }),
    );
  },
});

/** As docker: a format that asks for the digest gets a row for each. */
function usesDigest(format: string): boolean {
  return format.includes("{{.Digest}}") || format.includes(".Digest ");
}
