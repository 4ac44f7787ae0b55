/**
 * `dhow container attach`.
 *
 * @module
 */
import { assertTty, join, terminalSize } from "../../attach.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";

/** Attach local standard input, output, and error streams to a running container. */
export const attach = command({
  name: "attach",
  summary: "Attach local standard input, output, and error streams to a running container",
  args: "CONTAINER",
  flags: {
    detachKeys: { type: "string", help: "Override the key sequence for detaching a container" },
    noStdin: { type: "bool", help: "Do not attach STDIN" },
    sigProxy: { type: "bool", default: true, help: "Proxy all received signals to the process" },
  },
  async run({ args, flags, engine, out, err }) {
    const name = args[0]!;
    const { Config: config, State: state } = await engine.containers.inspect(name);
    const cannot = (why: string) => new ExitError(1, `You cannot attach to a ${why}`);
    if (!state.Running) throw cannot("stopped container, start it first");
    if (state.Paused) throw cannot("paused container, unpause it first");
    if (state.Restarting) throw cannot("restarting container, wait until it is running");
    const { Tty: tty } = config;
    const stdin = !flags.noStdin && config.OpenStdin;
    assertTty({ stdin, tty });
    const size = tty ? terminalSize() : undefined;
    await using stream = await engine.containers.attach(name, {
      stdin,
      stdout: true,
      stderr: true,
      ...(size !== undefined && { consoleSize: size }),
    });
    const { detachKeys, sigProxy } = flags;
    const joined = await join(stream, { tty, stdin, detachKeys, sigProxy, out, err });
    if (joined.kind === "exited") return joined.exitCode;
    throw new ExitError(1, "read escape sequence");
  },
});
