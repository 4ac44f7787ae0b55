/**
 * Credentials for registries: where people keep them, read only once a registry asks.
 *
 * @see https://docs.docker.com/reference/cli/docker/login/
 * @see https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md
 * @module
 */
import { type AuthEntry, authFiles, readAuthFile } from "./auth_file.ts";
import { getFromHelper } from "./credential_helper.ts";
import { authKey, keyHost } from "./hosts.ts";

/** What opens a registry. */
export type Credentials =
  | { kind: "password"; username: string; password: string }
  /** An OAuth2 refresh token. */
  | { kind: "identity_token"; token: string }
  /** A token for the registry itself. */
  | { kind: "registry_token"; token: string };

/** Finds credentials of a repository's registry. */
export type CredentialSource = (
  name: { domain: string; repository?: string },
) => Promise<Credentials | undefined>;

/**
 * Looks through docker's config file and the containers tools' auth.json, in this order; in each, helpers come before
 * what is written down.
 *
 * @throws {DhowError} `invalid_argument` if a file cannot be understood; `unavailable` if a helper fails.
 */
export async function findCredentials(
  name: { domain: string; repository?: string },
): Promise<Credentials | undefined> {
  const keys = candidateKeys(name);
  for (const path of authFiles()) {
    const file = await readAuthFile(path);
    if (file === undefined) continue;
    for (const key of keys) {
      const helper = file.credHelpers?.[key];
      if (helper !== undefined) {
        const found = await getFromHelper(helper, key);
        if (found !== undefined) return found;
      }
    }
    if (file.credsStore) {
      const found = await getFromHelper(file.credsStore, authKey(name.domain));
      if (found !== undefined) return found;
    }
    const found = keys.map((key) => file.auths?.[key]).map(toCredentials).find(Boolean) ??
      findByHost(file.auths ?? {}, keys);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names to look under, the most special first: containers' auth.json knows namespaces of a registry. */
function candidateKeys({ domain, repository }: { domain: string; repository?: string }): string[] {
  const keys: string[] = [];
  const parts = repository?.split("/") ?? [];
  for (let n = parts.length; n > 0; n--) keys.push(`${domain}/${parts.slice(0, n).join("/")}`);
  const key = authKey(domain);
  if (key !== domain) keys.push(key);
  keys.push(domain);
  return keys;
}

/** Docker's second look: keys that were written with a scheme or a path. */
function findByHost(
  auths: Record<string, AuthEntry>,
  keys: readonly string[],
): Credentials | undefined {
  const hosts = new Set(keys.map((key) => keyHost(key)));
  for (const [key, entry] of Object.entries(auths)) {
    // `quay.io/team` is for a namespace, and has been looked at.
    if (!/^https?:\/\//.test(key) || !hosts.has(keyHost(key))) continue;
    const found = toCredentials(entry);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** An entry of `auths`; an empty one stands for a helper. */
function toCredentials(entry: AuthEntry | undefined): Credentials | undefined {
  if (entry === undefined) return undefined;
  if (entry.identitytoken) return { kind: "identity_token", token: entry.identitytoken };
  if (entry.registrytoken) return { kind: "registry_token", token: entry.registrytoken };
  if (entry.auth) {
    const decoded = decodeAuth(entry.auth);
    if (decoded !== undefined) return { kind: "password", ...decoded };
  }
  if (entry.username) {
    return { kind: "password", username: entry.username, password: entry.password ?? "" };
  }
  return undefined;
}

function decodeAuth(auth: string): { username: string; password: string } | undefined {
  try {
    const text = new TextDecoder().decode(Uint8Array.from(atob(auth), (c) => c.charCodeAt(0)));
    const colon = text.indexOf(":");
    if (colon < 1) return undefined;
    return {
      username: text.slice(0, colon),
      password: text.slice(colon + 1).replace(/\0+$/, ""),
    };
  } catch {
    return undefined;
  }
}
