/**
 * Options of the volume driver `local`: `type`, `device` and `o`, as mount(8) takes them.
 *
 * What an ordinary user may mount in a user namespace is what dhow can: bind mounts and tmpfs. It is mounted by the init
 * of the first container that uses the volume; a tmpfs those that come later take from it, and with the last it is gone.
 *
 * @see https://docs.docker.com/reference/cli/docker/volume/create/#opt
 * @module
 */
import { DhowError } from "../errors.ts";
import type { SpecMount } from "../spec/runtime.ts";

/** Options, and which others each needs. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  type: ["device"],
  device: ["type"],
  o: ["device", "type"],
  size: [],
};

/**
 * Checks the options of a volume to be.
 *
 * @throws {DhowError} `invalid_argument` in docker's words.
 */
export function assertVolumeOptions(name: string, options: Readonly<Record<string, string>>): void {
  const fail = (why: string) => new DhowError("invalid_argument", `create ${name}: ${why}`);
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(OPTIONS, key));
  if (unknown !== undefined) throw fail(`invalid option: ${JSON.stringify(unknown)}`);
  for (const key of Object.keys(options)) {
    const missing = OPTIONS[key]!.find((other) => !Object.hasOwn(options, other));
    if (missing !== undefined) throw fail(`missing required option: ${JSON.stringify(missing)}`);
  }
  if (Object.hasOwn(options, "size")) throw fail("quota size requested but no quota support");
}

/** What is to be mounted for a volume with options: without a destination, and nothing for one without options. */
export type VolumeMount =
  & Required<Pick<SpecMount, "type" | "source" | "options">>
  & Pick<SpecMount, "subpath">;

/**
 * The mount that a volume's options describe.
 *
 * @param data Where the volume's own directory is; for the message.
 * @param exists Whether a path is there.
 * @throws {DhowError} `unsupported` for what only root of the machine can mount, `command_not_found` (docker exits with
 *   127) for a device that is not there; in docker's words, with the reason.
 */
export function volumeMount(
  data: string,
  options: Readonly<Record<string, string>>,
  exists: (path: string) => boolean,
): VolumeMount | undefined {
  const { type = "", device = "", o = "" } = options;
  if (device === "") return undefined;
  const words = o.split(",").filter((word) => word !== "");
  const fail = (code: "unsupported" | "command_not_found", details: string, why: string) =>
    new DhowError(
      code,
      `error while mounting volume '${data}': failed to mount local volume: mount ${device}:${data}${details}: ${why}`,
    );
  if (words.includes("bind") || words.includes("rbind")) {
    if (!exists(device)) {
      throw fail("command_not_found", ", flags: 0x1000", "no such file or directory");
    }
    const rest = words.filter((word) => !["bind", "rbind"].includes(word));
    return {
      type: "bind",
      source: device,
      options: [words.includes("rbind") ? "rbind" : "bind", ...rest],
    };
  }
  if (type === "tmpfs") return { type, source: device, options: words };
  const hint = type === "nfs" || type === "nfs4" || type === "cifs"
    ? `; let root of this machine mount it, and use type=none,o=bind,device=PATH`
    : "";
  throw fail(
    "unsupported",
    o === "" ? "" : `, data: ${o}`,
    `operation not permitted: the kernel lets no user namespace mount "${type}", only tmpfs and bind mounts${hint}`,
  );
}
