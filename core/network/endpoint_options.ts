/**
 * Options of a container's place in a network: `--network name=NET,driver-opt=...`.
 *
 * @see https://docs.docker.com/engine/network/#drivers
 * @module
 */
import * as C from "../../ffi/abi/constants.ts";
import { DhowError } from "../errors.ts";
import { visit } from "./namespace.ts";

const INTERFACE_NAME = "com.docker.network.endpoint.ifname";
const SYSCTLS = "com.docker.network.endpoint.sysctls";
/** `net.ipv4.conf.IFNAME.log_martians=1`. */
const SYSCTL = /^(net\.(?:ipv4|ipv6|mpls)\.[a-z]+)\.IFNAME\.([a-z0-9_]+)=([\w.-]*)$/;

/** The name asked for an endpoint's interface. */
export function askedInterface(options: Readonly<Record<string, string>> = {}): string | undefined {
  return options[INTERFACE_NAME] || undefined;
}

/** What is wrong with the options, in docker's words; empty if nothing is. */
export function endpointOptionErrors(options: Readonly<Record<string, string>> = {}): string[] {
  const name = askedInterface(options);
  const isName = name === undefined ||
    /^[^\s/:%]{1,15}$/.test(name) && !/^\.{1,2}$|^lo$/.test(name);
  return [
    ...isName ? [] : [
      `invalid interface name ${JSON.stringify(name)}: at most 15 characters, no spaces, / or :`,
    ],
    ...split(options).filter((setting) => !SYSCTL.test(setting)).map((setting) =>
      `unrecognised network interface sysctl '${setting}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`
    ),
  ];
}

function split(options: Readonly<Record<string, string>>): string[] {
  return (options[SYSCTLS] ?? "").split(",").filter((setting) => setting !== "");
}

/**
 * Writes what is asked for of the kernel's settings for an interface.
 *
 * @param there Descriptors of the namespaces it is in.
 * @throws {DhowError} `invalid_argument` if the kernel does not take one.
 */
export function writeInterfaceSysctls(
  there: { userns: number; netns: number },
  interfaceName: string,
  options: Readonly<Record<string, string>> = {},
): void {
  for (const setting of split(options)) {
    const [, base, name, value] = SYSCTL.exec(setting) ?? [];
    if (base === undefined) continue; // refused when the container was made
    const path = `/proc/sys/${base.replaceAll(".", "/")}/${interfaceName}/${name}`;
    try {
      visit((inside) => {
        inside.enter(there.userns, C.CLONE_NEWUSER, "enter the user namespace");
        inside.enter(there.netns, C.CLONE_NEWNET, "enter the network namespace");
        inside.write(path, value!);
        return [];
      });
    } catch (error) {
      throw new DhowError(
        "invalid_argument",
        `failed to set the sysctl ${setting.replace("IFNAME", interfaceName)}: ${
          (error as Error).message
        }`,
        { cause: error },
      );
    }
  }
}
