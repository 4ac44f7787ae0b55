/**
 * `WORKDIR`: the directory that it names, made if it is missing.
 *
 * @module
 */
import { lazy } from "../lib/lazy.ts";
import type { BuildSession } from "./session.ts";
import { useLowers } from "./sources.ts";
import type { FileStep } from "./step.ts";

/** Makes a step of a WORKDIR. @param path Absolute. @param user Whose a new directory is. */
export function workdirStep(
  path: string,
  user: string,
  { session }: { session: BuildSession },
): FileStep {
  return {
    key: () => Promise.resolve(["workdir", path, user]),
    type: "regular",
    createdBy: `WORKDIR ${path}`,
    perform: async (state, { upper }) => {
      using stack = new DisposableStack();
      const { base, names } = useLowers(session, state.layers, stack);
      const { isThereAlready } = await lazy<typeof import("./find_directory.ts")>(
        "./find_directory.ts",
        import.meta.url,
      );
      if (isThereAlready(names.map((name) => `${base}/${name}`), path)) {
        await Deno.mkdir(upper, { mode: 0o755 });
        return;
      }
      const target = { kind: session.overlay, base, names, upper, scratch: session.newDirectory() };
      const mkdir = { target, path, ...user !== "" && { owner: user } };
      await session.helper.do({ kind: "mkdir", mkdir });
    },
  };
}
