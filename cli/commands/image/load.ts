/**
 * `dhow image load`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import { openInput } from "../../input.ts";

/** Load an image from a tar archive or STDIN. */
export const loadImage = command({
  name: "load",
  summary: "Load an image from a tar archive or STDIN",
  args: "",
  flags: {
    input: { type: "string", short: "i", help: "Read from tar archive file, instead of STDIN" },
    platform: {
      type: "string",
      help: "Load only the given platform variant. " +
        'Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
    quiet: { type: "bool", short: "q", help: "Suppress the load output" },
  },
  async run({ flags, engine, out }) {
    if (flags.input === "" && Deno.stdin.isTerminal()) {
      throw new ExitError(1, "requested load from stdin, but stdin is empty");
    }
    const tar = await openInput(flags.input === "" ? "-" : flags.input);
    await engine.images.load(tar, {
      onProgress: (line) => out.line(line),
      ...flags.platform !== "" && { platform: flags.platform },
    });
  },
});
