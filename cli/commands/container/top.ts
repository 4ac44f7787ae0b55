/**
 * `dhow container top`.
 *
 * @module
 */
import { command } from "../../command.ts";
import { formatTable } from "../../output/table.ts";

/** Display the running processes of a container. */
export const top = command({
  name: "top",
  summary: "Display the running processes of a container",
  args: "CONTAINER [ps OPTIONS]",
  count: [1, Infinity],
  flags: {},
  interspersed: false,
  async run({ args, engine, out }) {
    const [name, ...psArgs] = args as [string, ...string[]];
    const { titles, processes } = await engine.containers.top(name, psArgs);
    out.write(formatTable([titles, ...processes], { minWidth: 20 }));
  },
});
