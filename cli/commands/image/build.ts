/**
 * `dhow build`, also known as `dhow image build` and `dhow builder build`.
 *
 * @module
 */
import { lazy } from "../../../core/lib/lazy.ts";
import { buildFlags } from "../../build/flags.ts";
import { command } from "../../command.ts";

/** Build an image from a Dockerfile. */
export const buildImage = command({
  name: "build",
  summary: "Build an image from a Dockerfile",
  args: "PATH | URL | -",
  count: [1, 1],
  flags: buildFlags,
  async run({ args, flags, engine, out, err, globals }) {
    const { runBuild } = await lazy<typeof import("../../build/run_build.ts")>(
      "../../build/run_build.ts",
      import.meta.url,
    );
    const { root, debug } = globals;
    return await runBuild({ source: args[0]!, flags, engine, out, err, root, debug });
  },
});
