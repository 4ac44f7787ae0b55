/**
 * Docker's config.json and the containers tools' auth.json: where they are, and what they hold.
 *
 * @module
 */
import { DhowError } from "../errors.ts";

/** One registry's line. */
export interface AuthEntry {
  /** `user:password` in base64. */
  auth?: string;
  username?: string;
  password?: string;
  /** An OAuth2 refresh token. */
  identitytoken?: string;
  /** A bearer token for the registry itself. */
  registrytoken?: string;
}

/** The part of the file that is about registries; the rest is kept as it is. */
export interface AuthFile {
  auths?: Record<string, AuthEntry>;
  /** Name of the helper for everything: `secretservice` is `docker-credential-secretservice`. */
  credsStore?: string;
  /** Helpers by registry. */
  credHelpers?: Record<string, string>;
}

/** Nobody has that many registries. */
const SIZE_MAX = 4 << 20;

/** Docker's config file: `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`; undefined without a home. */
export function dockerConfigPath(): string | undefined {
  const directory = Deno.env.get("DOCKER_CONFIG");
  if (directory) return `${directory}/config.json`;
  const home = Deno.env.get("HOME");
  return home ? `${home}/.docker/config.json` : undefined;
}

/** The file that `login` writes: `$REGISTRY_AUTH_FILE` where that is set, else docker's. */
export function loginFile(): string {
  const path = Deno.env.get("REGISTRY_AUTH_FILE") || dockerConfigPath();
  if (path !== undefined) return path;
  throw new DhowError(
    "invalid_argument",
    "Cannot tell where credentials are kept: HOME is not set; set it, or DOCKER_CONFIG to a directory",
  );
}

/** All files that may hold credentials, the first to be asked first. Not all need exist. */
export function authFiles(): string[] {
  const env = (name: string) => Deno.env.get(name) || undefined;
  const config = env("XDG_CONFIG_HOME") ?? (env("HOME") && `${env("HOME")}/.config`);
  const files = [
    env("REGISTRY_AUTH_FILE"),
    dockerConfigPath(),
    env("XDG_RUNTIME_DIR") && `${env("XDG_RUNTIME_DIR")}/containers/auth.json`,
    config && `${config}/containers/auth.json`,
  ].filter((path) => path !== undefined);
  return [...new Set(files)];
}

/**
 * Reads one of them; undefined if there is none.
 *
 * @throws {DhowError} `invalid_argument` if it cannot be read or understood.
 */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let text: string;
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) throw new Error("it is no file");
    if (size > SIZE_MAX) throw new Error("it is larger than 4 MiB");
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const { name, message } = cause as Error;
    if (name === "NotFound" || name === "NotADirectory") return undefined;
    throw new DhowError("invalid_argument", `Cannot read credentials in "${path}": ${message}`, {
      cause,
    });
  }
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may be a password.
    throw invalid(path, "it is no JSON");
  }
  if (!isObject(value)) throw invalid(path, "it is no JSON object");
  const { auths, credsStore, credHelpers } = value;
  if (auths !== undefined && auths !== null && !isObjectOf(auths, isObject)) {
    throw invalid(path, '"auths" is no object of objects');
  }
  if (credHelpers !== undefined && !isObjectOf(credHelpers, (name) => typeof name === "string")) {
    throw invalid(path, '"credHelpers" is no object of strings');
  }
  if (credsStore !== undefined && typeof credsStore !== "string") {
    throw invalid(path, '"credsStore" is no string');
  }
  return value as AuthFile;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isObjectOf(value: unknown, test: (item: unknown) => boolean): boolean {
  return isObject(value) && Object.values(value).every(test);
}

function invalid(path: string, why: string): DhowError {
  return new DhowError("invalid_argument", `Cannot read credentials in "${path}": ${why}`);
}
