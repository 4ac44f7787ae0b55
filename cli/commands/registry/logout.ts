/**
 * `dhow logout`.
 *
 * @module
 */
import { authKey, parseServer } from "../../../core/registry/hosts.ts";
import { eraseCredentials } from "../../../core/registry/save_credentials.ts";
import { command } from "../../command.ts";

/** Log out from a registry. */
export const logout = command({
  name: "logout",
  summary: "Log out from a registry",
  description: "Log out from a registry.\nIf no server is specified, the default is Docker Hub.",
  args: "[SERVER]",
  flags: {},
  async run({ args, out, err }) {
    const domain = parseServer(args[0] ?? "");
    out.line(`Removing login credentials for ${authKey(domain)}`);
    for (const path of await eraseCredentials(domain)) {
      err.line(
        `WARNING: credentials for ${domain} are also in '${path}', which dhow reads but leaves alone`,
      );
    }
  },
});
