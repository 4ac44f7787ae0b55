/**
 * `dhow container exec`.
 *
 * @module
 */
import { DhowError } from "../../../core/errors.ts";
import type { ExecConfig } from "../../../core/spec/docker_api.ts";
import { assertTty, join, terminalSize } from "../../attach.ts";
import { command } from "../../command.ts";
import { collectEnv } from "../../env_file.ts";
import { ExitError } from "../../errors.ts";
import { checkEnv } from "../../flag_checks.ts";

/** Execute a command in a running container. */
export const exec = command({
  name: "exec",
  summary: "Execute a command in a running container",
  args: "CONTAINER COMMAND [ARG...]",
  flags: {
    detach: { type: "bool", short: "d", help: "Detached mode: run command in the background" },
    detachKeys: { type: "string", help: "Override the key sequence for detaching a container" },
    env: { type: "list", short: "e", help: "Set environment variables", check: checkEnv },
    envFile: { type: "list", help: "Read in a file of environment variables" },
    interactive: { type: "bool", short: "i", help: "Keep STDIN open even if not attached" },
    privileged: { type: "bool", help: "Give extended privileges to the command" },
    tty: { type: "bool", short: "t", help: "Allocate a pseudo-TTY" },
    user: {
      type: "string",
      short: "u",
      help: 'Username or UID (format: "<name|uid>[:<group|gid>]")',
    },
    workdir: { type: "string", short: "w", help: "Working directory inside the container" },
  },
  interspersed: false,
  async run({ args, flags, engine, out, err }) {
    const [name, ...words] = args as [string, ...string[]];
    const { interactive: stdin, tty, detach } = flags;
    if (!detach) assertTty({ stdin, tty });
    const size = tty && !detach ? terminalSize() : undefined;
    const config: ExecConfig = {
      AttachStdin: stdin && !detach,
      AttachStdout: !detach,
      AttachStderr: !detach,
      Tty: tty,
      Env: collectEnv(flags.envFile, flags.env),
      Cmd: words,
      Privileged: flags.privileged,
      User: flags.user,
      WorkingDir: flags.workdir,
      ...(flags.detachKeys !== "" && { DetachKeys: flags.detachKeys }),
      ...(size !== undefined && { ConsoleSize: [size.rows, size.columns] as [number, number] }),
    };
    try {
      if (detach) {
        await engine.containers.execDetached(name, config);
        return 0;
      }
      await using stream = await engine.containers.exec(name, config, {
        stdin,
        stdout: true,
        stderr: true,
        ...(size !== undefined && { consoleSize: size }),
      });
      const { detachKeys } = flags;
      const joined = await join(stream, { tty, stdin, detachKeys, sigProxy: false, out, err });
      return joined.kind === "exited" ? joined.exitCode : 0;
    } catch (error) {
      throw detach ? error : toExecError(error);
    }
  },
});

/** Docker's status for a command that is not there (127) or no program (126). */
function toExecError(error: unknown): unknown {
  if (!(error instanceof DhowError)) return error;
  if (error.code === "command_not_found") return new ExitError(127, error.message);
  if (error.code === "command_not_executable") return new ExitError(126, error.message);
  return error;
}
