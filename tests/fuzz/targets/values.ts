/**
 * Values of flags and lines of files: ports, mounts, networks, sizes, times, variables.
 *
 * @module
 */
import { parseDetachKeys } from "../../../cli/detach_keys.ts";
import { readEnvFile } from "../../../cli/env_file.ts";
import { parseUlimit } from "../../../cli/flag_checks.ts";
import { parseNetworkOption } from "../../../cli/network_flags.ts";
import { parseDevice, parseExpose, parseRestartPolicy } from "../../../cli/run_values.ts";
import { parseMode, resolveOwner } from "../../../core/build/copy_owner.ts";
import { resolveUser } from "../../../core/container/users.ts";
import { parseUsernsMode } from "../../../core/host/nested_ids.ts";
import { applyChanges } from "../../../core/image/changes.ts";
import { parseCpuSet } from "../../../core/lib/cpu_set.ts";
import { splitCsv } from "../../../core/lib/csv.ts";
import { parseDuration, parseTimestamp } from "../../../core/lib/duration.ts";
import { printable } from "../../../core/lib/printable.ts";
import { parseSignal } from "../../../core/lib/signal.ts";
import { parseBytes } from "../../../core/lib/units.ts";
import { parsePublish, portRequests } from "../../../core/network/port_spec.ts";
import {
  canonicalAddress,
  contains,
  formatSubnet,
  parseCidr,
  parseSubnet,
} from "../../../core/network/subnet.ts";
import { parseSecurityOptions } from "../../../core/runtime/security_options.ts";
import {
  parseBind,
  parseTmpfsOptions,
  parseVolumesFrom,
  splitVolume,
} from "../../../core/volume/mount_spec.ts";
import { parseMount } from "../../../core/volume/parse_mount.ts";
import { attempt, type FuzzTarget, type Input, inputsOf, insist, textOf } from "../target.ts";

/** One text, as each of them. */
export const values: FuzzTarget = {
  name: "values",
  seeds: () =>
    inputsOf(
      ...["127.0.0.1:8000-8010:80-90/tcp", "target=80,published=8080,protocol=udp", "[::1]:80:80"],
      ...["/a/b:/c:ro,rshared", "vol:/data:nocopy", "size=64m,mode=1777", "name=n,ip=10.0.0.2"],
      ...['type=volume,src=v,dst=/d,volume-opt="o=a,b",readonly', "10.1.2.0/24", "2001:db8::/32"],
      ...[
        "::ffff:1.2.3.4",
        "1h30m1.5s",
        "1.5GiB",
        "2024-01-02T03:04:05.678Z",
        "0-3,7",
        "nofile=1:2",
      ],
      ...["root:x:0:0::/root:/bin/sh\nroot:x:5:a,b\na:x:99999999999:7::", "a:b\na:x:1:2:c:/a:"],
      ...["SIGRTMIN+3", "u=rwX,go-w", "root:users", "/dev/sda:/dev/xvda:rwm", "on-failure:3"],
      ...[
        "# c\nA=b\nC\n\ufeffD=e f\n",
        "keep-id:uid=1,gid=2",
        "ctrl-p,ctrl-q",
        "seccomp=unconfined",
      ],
      ...['ENV a=b c="d e"\nCMD ["x"]', "HEALTHCHECK --interval=1s CMD x", 'a,"b ""c""",d'],
    ),
  dictionary: [
    ...[":", "/", ",", "=", "-", ".", '"', '""', "\n", "\0", "\\", "'", " ", "é", "\x1b]0;x\x07"],
    ...[
      "65535",
      "65536",
      "0",
      "-1",
      "9".repeat(40),
      "9".repeat(400),
      "255",
      "::",
      "1.2.3.4",
      "/0",
      "/128",
    ],
    ...[
      "type=",
      "ro",
      "tcp",
      "udp",
      "h",
      "ns",
      "µs",
      "kib",
      "p",
      "__proto__",
      "constructor=1",
      "u+s",
    ],
    ...["LABEL ", "EXPOSE ", "ENV ", "USER ", "ONBUILD ", "VOLUME ", "WORKDIR ", "STOPSIGNAL "],
  ],
  run(input) {
    const text = textOf(input);
    checkAddresses(text);
    checkNumbers(text);
    attempt(() => portRequests({ exposed: {}, bindings: parsePublish([text]), all: true }));
    attempt(() => parseExpose(text));
    const bind = attempt(() => parseBind(text));
    insist(bind === undefined || bind.Target.startsWith("/"), "a mount's target is absolute");
    for (const parse of [splitVolume, parseVolumesFrom, parseTmpfsOptions, parseNetworkOption]) {
      attempt(() => void parse(text));
    }
    attempt(() => parseMount(text, (path) => `/${path}`));
    for (const parse of [parseDevice, parseRestartPolicy, parseUlimit, parseUsernsMode]) {
      attempt(() => void parse(text));
    }
    attempt(() => parseSecurityOptions([text]));
    attempt(() => parseDetachKeys(text));
    const user = attempt(() => resolveUser(text.split("\n")[0]!, () => text, ["a"]));
    insist(user === undefined || user.uid >= 0 && user.gid >= 0, "ids are numbers");
    attempt(() => resolveOwner(text.slice(0, 64), () => text));
    const mode = attempt(() => parseMode(text))?.(0o644, false) ?? 0;
    insist(mode >= 0 && mode <= 0o7777, "a mode has 12 bits");
    attempt(() => applyChanges({}, text.split("\n")));
    const fields = text.split("\n")[0]!.split(",");
    const line = fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(",");
    insist(splitCsv(line).join() === fields.join(), "what is quoted is itself");
    attempt(() => splitCsv(text));
    // deno-lint-ignore no-control-regex
    insist(!/[\0-\x1f\x7f-\x9f]/.test(printable(text)), "what is printed has no controls");
    insist([...printable(text, 10)].length <= 10, "what is printed is short");
    checkEnvFile(input);
  },
};

function checkAddresses(text: string): void {
  const address = canonicalAddress(text);
  if (address !== undefined) insist(canonicalAddress(address) === address, `${address} is itself`);
  const cidr = parseCidr(text);
  if (cidr !== undefined) {
    insist(contains(cidr.subnet, cidr.address), "an address is in its subnet");
    const again = parseSubnet(formatSubnet(cidr.subnet));
    insist(again !== undefined && again.base === cidr.subnet.base, "a subnet is itself");
  }
}

function checkNumbers(text: string): void {
  const bytes = attempt(() => parseBytes(text)) ?? 0;
  insist(bytes >= 0 && bytes <= 2 ** 63, `${bytes} bytes`);
  const nanos = attempt(() => parseDuration(text)) ?? 0;
  insist(Math.abs(nanos) <= 2 ** 63, `${nanos} ns`);
  attempt(() => parseTimestamp(text, 0));
  const signal = attempt(() => parseSignal(text)) ?? 1;
  insist(signal >= 1 && signal <= 64, `signal ${signal}`);
  insist((parseCpuSet(text.slice(0, 200)) ?? []).every((cpu) => cpu < 8192), "CPUs are numbers");
}

let envFile: string | undefined;

function checkEnvFile(input: Input): void {
  if (envFile === undefined) {
    const made = envFile = Deno.makeTempFileSync({ prefix: "dhow-fuzz-" });
    globalThis.addEventListener("unload", () => Deno.removeSync(made));
  }
  Deno.writeFileSync(envFile, input);
  for (const entry of attempt(() => readEnvFile(envFile!)) ?? []) {
    insist(/^[^=\s]+(=|$)/.test(entry), `an entry has a name: ${JSON.stringify(entry)}`);
  }
}
