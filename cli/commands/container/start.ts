/**
 * `dhow container start`.
 *
 * @module
 */
import { assertTty, join, terminalSize } from "../../attach.ts";
import { command, type CommandContext } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import type { FlagTable } from "../../flags.ts";
import { errorText } from "../../for_each.ts";

const flags = {
  attach: { type: "bool", short: "a", help: "Attach STDOUT/STDERR and forward signals" },
  detachKeys: { type: "string", help: "Override the key sequence for detaching a container" },
  interactive: { type: "bool", short: "i", help: "Attach container's STDIN" },
} as const satisfies FlagTable;

/** Start one or more stopped containers. */
export const start = command({
  name: "start",
  summary: "Start one or more stopped containers",
  args: "CONTAINER [CONTAINER...]",
  flags,
  async run(context) {
    const { args, flags, engine, out, err } = context;
    if (flags.attach || flags.interactive) {
      if (args.length > 1) {
        throw new ExitError(1, "you cannot start and attach multiple containers at once");
      }
      return await startAttached(context);
    }
    const failed: string[] = [];
    for (const name of args) {
      try {
        await engine.containers.start(name);
        out.line(name);
      } catch (error) {
        err.line(errorText(error));
        failed.push(name);
      }
    }
    if (failed.length === 0) return 0;
    err.line(`Error: failed to start containers: ${failed.join(", ")}`);
    return 1;
  },
});

async function startAttached(
  { args, flags: given, engine, out, err }: CommandContext<typeof flags>,
): Promise<number> {
  const name = args[0]!;
  const { Config: config } = await engine.containers.inspect(name);
  const { Tty: tty } = config;
  const stdin = given.interactive && config.OpenStdin;
  assertTty({ stdin, tty });
  const size = tty ? terminalSize() : undefined;
  await using stream = await engine.containers.startAttached(name, {
    stdin,
    stdout: true,
    stderr: true,
    ...(size !== undefined && { consoleSize: size }),
  });
  const { detachKeys } = given;
  const joined = await join(stream, { tty, stdin, detachKeys, sigProxy: true, out, err });
  return joined.kind === "exited" ? joined.exitCode : 0;
}
