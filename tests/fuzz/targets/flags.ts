/**
 * Command lines.
 *
 * @module
 */
import { FlagError } from "../../../cli/errors.ts";
import { parseFlags } from "../../../cli/flags.ts";
import { createFlags } from "../../../cli/run_flags.ts";
import { attempt, type FuzzTarget, inputsOf, insist, textOf } from "../target.ts";

/** Words divided by NULs, as the command line of `create`. */
export const flags: FuzzTarget = {
  name: "flags",
  seeds: () =>
    inputsOf(
      "-it\0--rm\0-v\0/a:/b:ro\0--name=x\0busybox\0sh\0-c\0ls",
      "--env\0A=b\0-e=C\0--memory\x0064m\0--cpus=1.5\0--label=a=b\0-p\x008080:80\0img",
      "--mount\0type=bind,src=/a,dst=/b\0--ulimit\0nofile=1:2\0--network\0name=a,ip=10.0.0.1\0i",
      "--add-host=a:1.2.3.4\0--annotation\0a=b\0--sysctl=net.a=1\0--blkio-weight=5\0--\0-x",
      "--health-interval=1m30s\0--restart\0no\0--device-read-bps=/dev/sda:1mb\0--link\0a:b\0i",
    ),
  dictionary: [
    ...[
      "\0",
      "-",
      "--",
      "=",
      ":",
      ",",
      "\0-",
      "\0--",
      "true",
      "false",
      "0x7fffffffffffffff",
      "1e9",
    ],
    ...[
      "--memory=",
      "--annotation=",
      "__proto__=x",
      "constructor",
      "--help",
      "-h",
      "--publish=",
      "65536",
    ],
    ...[
      "--cpus=",
      "--ulimit=",
      "nofile=",
      "--shm-size=",
      "999999999999999p",
      "-1",
      "1h1m",
      "\x1b[2J",
    ],
    ...[
      "--network=",
      "--add-host=",
      "--filter",
      "[::1]",
      "é",
      "\ufffd",
      "--no-such",
      "host-gateway",
    ],
  ],
  run(input) {
    const argv = textOf(input).split("\0");
    for (const interspersed of [true, false]) {
      const parsed = attempt(
        () => parseFlags(createFlags, argv, { interspersed }),
        (error) => error instanceof FlagError,
      );
      if (parsed === undefined) continue;
      insist(parsed.args.every((word) => argv.includes(word)), "arguments are words");
      insist(Object.keys(parsed.flags).length === Object.keys(createFlags).length, "all are there");
      for (const [name, value] of Object.entries(parsed.flags)) {
        if (typeof value === "number") insist(Number.isFinite(value), `${name} is a number`);
      }
      if (parsed.given.has("annotation")) {
        insist(Object.keys(parsed.flags.annotation).length > 0, "what was given is there");
      }
    }
  },
};
