/**
 * `dhow login`.
 *
 * @module
 */
import { type Credentials, findCredentials } from "../../../core/registry/credentials.ts";
import { parseServer } from "../../../core/registry/hosts.ts";
import { login as tryLogin } from "../../../core/registry/login.ts";
import { saveCredentials } from "../../../core/registry/save_credentials.ts";
import { command } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import type { Output } from "../../output/stream.ts";
import { ask, askSecretly } from "../../prompt.ts";

type Password = Extract<Credentials, { kind: "password" }>;

/** Authenticate to a registry. */
export const login = command({
  name: "login",
  summary: "Authenticate to a registry",
  description: "Authenticate to a registry.\nDefaults to Docker Hub if no server is specified.",
  args: "[SERVER]",
  flags: {
    password: {
      type: "string",
      short: "p",
      help: "Password or Personal Access Token (PAT)",
    },
    passwordStdin: {
      type: "bool",
      help: "Take the Password or Personal Access Token (PAT) from stdin",
    },
    username: { type: "string", short: "u", help: "Username" },
  },
  async run({ args, flags, out, err }) {
    const domain = parseServer(args[0] ?? "");
    if (flags.password !== "" && flags.passwordStdin) {
      throw new ExitError(
        1,
        "conflicting options: cannot specify both --password and --password-stdin",
      );
    }
    if (flags.passwordStdin && flags.username === "") {
      throw new ExitError(1, "the --password-stdin option requires --username to be set");
    }
    if (flags.password !== "") {
      err.line("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    }
    const password = flags.passwordStdin ? await readPassword() : flags.password;
    const known = flags.username === "" && password === ""
      ? await findCredentials({ domain })
      : undefined;
    if (known !== undefined && await tryKnown(domain, known, err)) {
      return out.line("Login Succeeded");
    }
    const credentials = await complete(domain, { username: flags.username, password }, err);
    const keep = await tryLogin(domain, credentials);
    const { path, isPlain } = await saveCredentials(domain, keep);
    if (isPlain) {
      err.line(
        `\nWARNING! Your credentials are stored unencrypted in '${path}'.\n` +
          "Configure a credential helper to remove this warning. See\n" +
          "https://docs.docker.com/go/credential-store/\n",
      );
    }
    out.line("Login Succeeded");
  },
});

async function readPassword(): Promise<string> {
  const text = await new Response(Deno.stdin.readable).text();
  return text.replace(/\n$/, "").replace(/\r$/, "");
}

/** Docker's first try: who has logged in before need not type anything. */
async function tryKnown(domain: string, known: Credentials, err: Output): Promise<boolean> {
  const user = known.kind === "password" ? ` [Username: ${known.username}]` : "";
  err.line(`Authenticating with existing credentials...${user}`);
  err.line(
    "\n Info -> To login with a different account, run 'dhow logout' followed by 'dhow login'\n\n",
  );
  try {
    await tryLogin(domain, known);
    return true;
  } catch (error) {
    err.line(`Login did not succeed, error: ${(error as Error).message}`);
    return false;
  }
}

/** Asks for what is missing. */
async function complete(
  domain: string,
  given: { username: string; password: string },
  err: Output,
): Promise<Password> {
  let { username, password } = given;
  if (username === "" || password === "") {
    if (!Deno.stdin.isTerminal()) {
      throw new ExitError(1, "Error: Cannot perform an interactive login from a non TTY device");
    }
    if (username === "" && domain === "docker.io") {
      err.line(
        "Log in with your Docker ID or email address to push and pull images from Docker Hub.\n" +
          "You can log in with your password or a Personal Access Token (PAT).\n",
      );
    }
    if (username === "") username = (await ask("Username: ", err)).trim();
    if (username === "") throw new ExitError(1, "Error: username is required");
    if (password === "") password = await askSecretly("Password: ", err);
    if (password === "") throw new ExitError(1, "Error: password is required");
  }
  if (username.includes(":")) throw new ExitError(1, "Error: a user name cannot contain a colon");
  return { kind: "password", username, password };
}
