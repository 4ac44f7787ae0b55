/**
 * Keeping and forgetting credentials: in docker's config file, or in the helpers it names.
 *
 * @module
 */
import { type AuthEntry, type AuthFile, authFiles, loginFile, readAuthFile } from "./auth_file.ts";
import { eraseFromHelper, storeInHelper } from "./credential_helper.ts";
import type { Credentials } from "./credentials.ts";
import { authKey, keyHost } from "./hosts.ts";

/** Where credentials went. */
export interface Saved {
  path: string;
  /** They are new, and readable for whoever reads the file. */
  isPlain: boolean;
}

/**
 * Keeps credentials of the registry `domain`.
 *
 * The file is for its owner alone, replaced whole, and keeps what it says of other things.
 *
 * @throws {DhowError} `invalid_argument` if the file makes no sense; `unavailable` if a helper fails.
 */
export async function saveCredentials(domain: string, credentials: Credentials): Promise<Saved> {
  const path = loginFile();
  const file = await readAuthFile(path) ?? {};
  const key = authKey(domain);
  const helper = helperFor(file, key, domain);
  if (helper !== undefined) {
    await storeInHelper(helper, key, credentials);
    // Docker leaves an empty entry, so that one sees where one is logged in.
    await write(path, file, { ...file.auths, [key]: {} });
    return { path, isPlain: false };
  }
  const entry = toEntry(credentials);
  if (JSON.stringify(file.auths?.[key]) === JSON.stringify(entry)) return { path, isPlain: false };
  await write(path, file, { ...file.auths, [key]: entry });
  return { path, isPlain: credentials.kind === "password" };
}

/**
 * Forgets credentials of the registry `domain`; it is no error if there are none.
 *
 * @returns Other files that hold credentials for it: those of other tools are left alone.
 */
export async function eraseCredentials(domain: string): Promise<string[]> {
  const path = loginFile();
  const file = await readAuthFile(path);
  const key = authKey(domain);
  if (file !== undefined) {
    const helper = helperFor(file, key, domain);
    if (helper !== undefined) await eraseFromHelper(helper, key);
    const auths = { ...file.auths };
    // With the hub's, docker forgets those under its short names too.
    for (const name of Object.keys(auths)) {
      if (name === key || keyHost(name) === keyHost(key)) delete auths[name];
    }
    if (Object.keys(auths).length !== Object.keys(file.auths ?? {}).length) {
      await write(path, file, auths);
    }
  }
  const others: string[] = [];
  for (const other of authFiles()) {
    if (other === path) continue;
    const auths = (await readAuthFile(other).catch(() => undefined))?.auths ?? {};
    if (auths[key] !== undefined || auths[domain] !== undefined) others.push(other);
  }
  return others;
}

function helperFor(file: AuthFile, key: string, domain: string): string | undefined {
  return file.credHelpers?.[key] ?? file.credHelpers?.[domain] ?? (file.credsStore || undefined);
}

function toEntry(credentials: Credentials): AuthEntry {
  switch (credentials.kind) {
    case "password": {
      const text = `${credentials.username}:${credentials.password}`;
      return { auth: new TextEncoder().encode(text).toBase64() };
    }
    case "identity_token":
      return { identitytoken: credentials.token };
    case "registry_token":
      return { registrytoken: credentials.token };
  }
}

async function write(
  path: string,
  file: AuthFile,
  auths: Record<string, AuthEntry>,
): Promise<void> {
  const sorted = Object.fromEntries(Object.entries(auths).sort(([a], [b]) => a < b ? -1 : 1));
  const text = JSON.stringify({ ...file, auths: sorted }, undefined, "\t");
  // The file may be a link into somebody's collection of such files.
  const target = await Deno.realPath(path).catch(() => path);
  const directory = target.slice(0, target.lastIndexOf("/")) || ".";
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = `${directory}/.${crypto.randomUUID()}.tmp`;
  try {
    using out = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await out.write(bytes.subarray(at));
    await out.sync();
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    throw error;
  }
}
