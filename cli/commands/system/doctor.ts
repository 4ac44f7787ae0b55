/**
 * `dhow doctor`.
 *
 * @module
 */
import { command } from "../../command.ts";

const MARKS = { ok: "ok  ", warning: "WARN", failed: "FAIL" } as const;
const NAME_WIDTH = 18;

/** Say what this machine lacks for containers, and what mends it. */
export const doctor = command({
  name: "doctor",
  summary: "Say what this machine lacks for containers, and what mends it",
  args: "",
  flags: {},
  async run({ engine, out }) {
    let isHealthy = true;
    for await (const { name, state, found, remedy } of engine.system.check()) {
      isHealthy &&= state !== "failed";
      const mend = remedy === undefined ? "" : ` -> ${remedy}`;
      out.line(`${MARKS[state]}  ${name.padEnd(NAME_WIDTH)}  ${found}${mend}`);
    }
    return isHealthy ? 0 : 1;
  },
});
