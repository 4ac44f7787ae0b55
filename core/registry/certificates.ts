/**
 * Certificates for registries: docker's certs.d, and what the system trusts.
 *
 * @see https://docs.docker.com/engine/security/certificates/
 * @module
 */
import { DhowError } from "../errors.ts";

/** What TLS to one host takes beyond Deno's own list of authorities. */
export interface Certificates {
  /** Authorities, PEM. */
  caCerts: string[];
  /** A client certificate and its key, PEM. */
  client?: { cert: string; key: string };
}

/** Where distributions keep the authorities that the administrator trusts. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/**
 * Reads the certificates for `host[:port]`: `*.crt` are authorities, `X.cert` with `X.key` shows who we are.
 *
 * The system's authorities count too, unless `DENO_TLS_CA_STORE` says which do.
 *
 * @throws {DhowError} `invalid_argument` if a certificate lacks its key, in docker's words.
 */
export async function readCertificates(host: string): Promise<Certificates> {
  const caCerts: string[] = [];
  const system = await readSystemBundle();
  if (system !== undefined) caCerts.push(system);
  let client: Certificates["client"];
  for (const directory of certsDirectories(host)) {
    const names = await listNames(directory);
    for (const name of names) {
      const path = `${directory}/${name}`;
      if (name.endsWith(".crt")) caCerts.push(await Deno.readTextFile(path));
      const base = name.slice(0, name.lastIndexOf("."));
      if (name.endsWith(".cert")) {
        if (!names.includes(`${base}.key`)) {
          throw invalid(
            `missing key ${base}.key for client certificate ${name}. CA certificates must use the extension .crt`,
          );
        }
        const key = await Deno.readTextFile(`${directory}/${base}.key`);
        client ??= { cert: await Deno.readTextFile(path), key };
      }
      if (name.endsWith(".key") && !names.includes(`${base}.cert`)) {
        throw invalid(`missing client certificate ${base}.cert for key ${name}`);
      }
    }
  }
  return { caCerts, ...client && { client } };
}

/** The user's directories come first: of two client certificates the first counts. */
function certsDirectories(host: string): string[] {
  if (!/^[\w[][\w.:[\]-]*$/.test(host)) return [];
  const home = Deno.env.get("HOME");
  const config = Deno.env.get("XDG_CONFIG_HOME") || (home && `${home}/.config`);
  return [
    ...config ? [`${config}/docker`, `${config}/containers`] : [],
    "/etc/docker",
    "/etc/containers",
  ].map((directory) => `${directory}/certs.d/${host}`);
}

async function listNames(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name)).sort();
  } catch (error) {
    const { name } = error as Error;
    if (name === "NotFound" || name === "NotADirectory" || name === "PermissionDenied") return [];
    throw error;
  }
}

async function readSystemBundle(): Promise<string | undefined> {
  if (Deno.env.get("DENO_TLS_CA_STORE")) return undefined;
  for (const path of [Deno.env.get("SSL_CERT_FILE"), ...SYSTEM_BUNDLES]) {
    if (!path) continue;
    try {
      return await Deno.readTextFile(path);
    } catch {
      // The next one, or none: Deno has a list of its own.
    }
  }
  return undefined;
}

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}
