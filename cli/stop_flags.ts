/**
 * How a container is to be stopped: what `stop` and `restart` share.
 *
 * @module
 */
import type { FlagTable } from "./flags.ts";

/** The flags. */
export const stopFlags = {
  signal: { type: "string", short: "s", help: "Signal to send to the container" },
  timeout: {
    type: "int",
    short: "t",
    aliases: ["time"],
    help: "Seconds to wait before killing the container",
  },
} as const satisfies FlagTable;

/** What they say, for the engine. */
export function stopOptions(
  flags: { signal: string; timeout: number },
  given: (flag: "timeout") => boolean,
): { signalName?: string; timeoutSeconds?: number } {
  return {
    ...(flags.signal !== "" && { signalName: flags.signal }),
    ...(given("timeout") && { timeoutSeconds: flags.timeout }),
  };
}
