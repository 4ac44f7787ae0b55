/**
 * `dhow container run`.
 *
 * @module
 */
import type { Engine } from "../../../core/engine/engine.ts";
import { assertTty, join, terminalSize } from "../../attach.ts";
import { command } from "../../command.ts";
import {
  createContainer,
  type CreateContext,
  type Created,
  toRunError,
} from "../../create_container.ts";
import { ExitError } from "../../errors.ts";
import type { Output } from "../../output/stream.ts";
import { createFlags } from "../../run_flags.ts";

/** Create and run a new container from an image. */
export const run = command({
  name: "run",
  summary: "Create and run a new container from an image",
  args: "IMAGE [COMMAND] [ARG...]",
  count: [1, Infinity],
  flags: {
    ...createFlags,
    detach: {
      type: "bool",
      short: "d",
      help: "Run container in background and print container ID",
    },
    detachKeys: { type: "string", help: "Override the key sequence for detaching a container" },
    explain: {
      type: "bool",
      help: "Print the system calls that would start the container, and start nothing",
    },
    sigProxy: { type: "bool", default: true, help: "Proxy received signals to the process" },
  },
  interspersed: false,
  async run(context) {
    const { flags, engine, out, err, path } = context;
    if (flags.explain) return await explain(context);
    if (!flags.detach) {
      const stdin = flags.interactive || flags.attach.includes("stdin");
      assertTty({ stdin, tty: flags.tty });
    } else if (flags.attach.length > 0) {
      throw new ExitError(1, "conflicting options: cannot specify both --attach and --detach");
    }
    try {
      const created = await createContainer(context, ({ config, hostConfig }) => {
        if (flags.detach) {
          config.AttachStdin = config.AttachStdout = config.AttachStderr = false;
          config.StdinOnce = false;
        }
        const size = flags.tty ? terminalSize() : undefined;
        if (size !== undefined) hostConfig.ConsoleSize = [size.rows, size.columns];
      });
      if (flags.detach) {
        try {
          await engine.containers.start(created.id);
        } finally {
          out.line(created.id); // as docker: also that of one that does not start
        }
        return 0;
      }
      return await runAttached(created, { engine, out, err, ...flags });
    } catch (error) {
      throw toRunError(error, path);
    }
  },
});

/** Creates the container, for its paths to be true, and removes it again. */
async function explain(context: CreateContext & { out: Output }): Promise<number> {
  const { engine, out, path } = context;
  try {
    const { id } = await createContainer(context, ({ hostConfig }) => {
      hostConfig.AutoRemove = false;
    });
    try {
      out.write(await engine.containers.explain(id));
    } finally {
      await engine.containers.remove(id, { force: true, volumes: true });
    }
    return 0;
  } catch (error) {
    throw toRunError(error, path);
  }
}

async function runAttached(
  { id, request: { config } }: Created,
  options: { engine: Engine; out: Output; err: Output; detachKeys: string; sigProxy: boolean },
): Promise<number> {
  const { engine, out, err, detachKeys, sigProxy } = options;
  const { AttachStdin: stdin, AttachStdout: stdout, AttachStderr: stderr, Tty: tty } = config;
  if (!stdout && !stderr) out.line(id);
  const size = tty ? terminalSize() : undefined;
  await using stream = await engine.containers.startAttached(id, {
    stdin,
    stdout,
    stderr,
    ...(size !== undefined && { consoleSize: size }),
  });
  const joined = await join(stream, { tty, stdin, detachKeys, sigProxy, out, err });
  return joined.kind === "exited" ? joined.exitCode : 0;
}
