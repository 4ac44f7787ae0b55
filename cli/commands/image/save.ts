/**
 * `dhow image save`.
 *
 * @module
 */
import { formatPlatform, parsePlatform } from "../../../core/lib/platform.ts";
import { command } from "../../command.ts";
import { assertTarget, writeArchive } from "../../output_file.ts";

/** Save one or more images to a tar archive. */
export const saveImages = command({
  name: "save",
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  args: "IMAGE [IMAGE...]",
  flags: {
    format: {
      type: "string",
      default: "docker-archive",
      help: 'Layout of the archive ("docker-archive", "oci")',
      check: (text) => {
        if (text === "docker-archive" || text === "oci") return;
        throw new Error('must be "docker-archive" or "oci"');
      },
    },
    output: { type: "string", short: "o", help: "Write to a file, instead of STDOUT" },
    platform: {
      type: "string",
      help: "Save only the given platform variant. " +
        'Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
  },
  async run({ args, flags, engine, out }) {
    const target = { path: flags.output, out, doing: "save image" };
    assertTarget(target);
    const stream = await engine.images.save(args, {
      format: flags.format === "oci" ? "oci" : "docker-archive",
      ...flags.platform !== "" && { platform: formatPlatform(parsePlatform(flags.platform)) },
    });
    await writeArchive(stream, target);
  },
});
