/**
 * `dhow container export`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { assertTarget, writeArchive } from "../../output_file.ts";

/** Export a container's filesystem as a tar archive. */
export const exportContainer = command({
  name: "export",
  summary: "Export a container's filesystem as a tar archive",
  args: "CONTAINER",
  flags: {
    output: { type: "string", short: "o", help: "Write to a file, instead of STDOUT" },
  },
  async run({ args, flags, engine, out }) {
    const target = { path: flags.output, out, doing: "export container" };
    assertTarget(target);
    await writeArchive(await engine.containers.export(args[0]!), target);
  },
});
