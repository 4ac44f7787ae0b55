/**
 * Docker's credential helpers: programs `docker-credential-NAME` that keep passwords somewhere better than in a file.
 *
 * Secrets pass through pipes only.
 *
 * @see https://github.com/docker/docker-credential-helpers#development
 * @module
 */
import { DhowError } from "../errors.ts";
import { printable } from "../lib/printable.ts";
import type { Credentials } from "./credentials.ts";

/** What helpers answer if they have nothing. */
const NOT_FOUND = "credentials not found in native keychain";

/** The user name that marks a refresh token. */
const TOKEN_USER = "<token>";

/** Asks a helper; undefined if it knows nothing of `key`. @throws {DhowError} `unavailable` if it fails. */
export async function getFromHelper(helper: string, key: string): Promise<Credentials | undefined> {
  const { success, out } = await call(helper, "get", key);
  if (!success) {
    if (out === NOT_FOUND) return undefined;
    throw failed(helper, "get", key, out);
  }
  let answer: { Username?: unknown; Secret?: unknown };
  try {
    answer = JSON.parse(out);
  } catch {
    throw failed(helper, "get", key, "its answer is no JSON");
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== "string" || typeof secret !== "string") {
    throw failed(helper, "get", key, "its answer has no Username and Secret");
  }
  return username === TOKEN_USER
    ? { kind: "identity_token", token: secret }
    : { kind: "password", username, password: secret };
}

/** Gives a helper something to keep. @throws {DhowError} `unavailable` if it fails. */
export async function storeInHelper(
  helper: string,
  key: string,
  credentials: Credentials,
): Promise<void> {
  const [username, secret] = credentials.kind === "password"
    ? [credentials.username, credentials.password]
    : [TOKEN_USER, credentials.token];
  const input = JSON.stringify({ ServerURL: key, Username: username, Secret: secret });
  const { success, out } = await call(helper, "store", input);
  if (!success) throw failed(helper, "store", key, out);
}

/** Makes a helper forget; that it knew nothing is no error. @throws {DhowError} `unavailable` if it fails. */
export async function eraseFromHelper(helper: string, key: string): Promise<void> {
  const { success, out } = await call(helper, "erase", key);
  if (!success && out !== NOT_FOUND) throw failed(helper, "erase", key, out);
}

async function call(
  helper: string,
  verb: "get" | "store" | "erase",
  input: string,
): Promise<{ success: boolean; out: string }> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(helper)) {
    throw new DhowError("invalid_argument", `Invalid name of a credential helper: "${helper}"`);
  }
  const program = `docker-credential-${helper}`;
  try {
    const child = new Deno.Command(program, {
      args: [verb],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    // A helper that does not read has its reason, which it tells by its status.
    const written = writer.write(new TextEncoder().encode(input)).then(() => writer.close())
      .catch(() => {});
    const { success, stdout } = await child.output();
    await written;
    return { success, out: new TextDecoder().decode(stdout).trim() };
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new DhowError(
      "unavailable",
      `error getting credentials - err: exec: "${program}": executable file not found in $PATH; ` +
        'install it, or remove it from "credsStore" and "credHelpers" of docker\'s config.json',
      { cause },
    );
  }
}

function failed(helper: string, verb: string, key: string, out: string): DhowError {
  return new DhowError(
    "unavailable",
    `Cannot ${verb} credentials of ${key}: docker-credential-${helper}: ${
      printable(out, 500) || "it failed without a word"
    }`,
  );
}
