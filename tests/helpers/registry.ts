/**
 * A real registry, Debian's docker-registry, for one test: plain, with TLS, with passwords, with tokens.
 *
 * @module
 */
import { makeCertificates } from "./certificates.ts";
import { startTokenServer, type TokenServer } from "./token_server.ts";

/** How to reach a registry, and what it needs. */
export interface RegistryOptions {
  /** Serves https with a certificate of its own authority; `client` asks for a certificate of that authority too. */
  tls?: boolean | "client";
  /** Asks for {@linkcode USERNAME} and {@linkcode PASSWORD}. */
  htpasswd?: boolean;
  /** Sends clients to a token server of the test. */
  token?: boolean;
  /** Lets manifests and blobs be deleted. */
  delete?: boolean;
}

/** Whom registries with passwords let in. */
export const USERNAME = "dhow";

/** The password; with a blank and a colon in it, which some programs divide at. */
export const PASSWORD = "s3cret: pass";

/** {@linkcode USERNAME} and {@linkcode PASSWORD}, by bcrypt. */
const HTPASSWD = "dhow:$2y$04$nNUKfJrrRm/K4fKU9gZ1p.X2tBjHLvzgRjyU92ofJ0DJjleSSSoEK\n";

const PROGRAM = findProgram();

function findProgram(): string | undefined {
  for (const path of ["/usr/bin/docker-registry", "/usr/local/bin/docker-registry"]) {
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not there.
    }
  }
  return undefined;
}

/** A test that needs docker-registry; skipped aloud where it is not installed, unless `DHOW_MUST_WORK=1`. */
export function registryTest(name: string, fn: () => Promise<void>): void {
  const ignore = PROGRAM === undefined && Deno.env.get("DHOW_MUST_WORK") !== "1";
  Deno.test(ignore ? `${name} (skipped: docker-registry is not installed)` : name, {
    ignore,
  }, fn);
}

/** A running registry; stops, and takes its files along, when disposed. */
export class Registry implements AsyncDisposable {
  /** `127.0.0.1:PORT`; `localhost:PORT` with TLS. */
  readonly host: string;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Everything of it: `data`, and with TLS `ca.crt`, `client.crt`, `client.key`. */
  readonly directory: string;
  /** Where tokens come from, with `token`. */
  readonly tokens: TokenServer | undefined;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<unknown>;

  constructor(parts: {
    address: string;
    directory: string;
    child: Deno.ChildProcess;
    log: Promise<unknown>;
    isTls: boolean;
    tokens: TokenServer | undefined;
  }) {
    this.host = parts.isTls ? parts.address.replace("127.0.0.1", "localhost") : parts.address;
    this.url = `${parts.isTls ? "https" : "http"}://${this.host}`;
    this.directory = parts.directory;
    this.tokens = parts.tokens;
    this.#child = parts.child;
    this.#log = parts.log;
  }

  /** Stops the program without a word to its clients, as a crash would. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has gone.
    }
    await this.#child.status;
    await this.#log;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.tokens?.[Symbol.asyncDispose]();
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** Starts a registry on a free port of 127.0.0.1. */
export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  if (PROGRAM === undefined) throw new Error("docker-registry is not installed");
  const directory = await Deno.makeTempDir({ prefix: "dhow-registry-" });
  let tokens: TokenServer | undefined;
  try {
    if (options.tls || options.token) await makeCertificates(directory);
    if (options.htpasswd) await Deno.writeTextFile(`${directory}/htpasswd`, HTPASSWD);
    if (options.token) tokens = await startTokenServer(directory);
    const file = `${directory}/config.yml`;
    await Deno.writeTextFile(file, JSON.stringify(config(directory, options, tokens)));
    const child = new Deno.Command(PROGRAM, {
      args: ["serve", file],
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { address, log } = await readAddress(child);
    return new Registry({ address, directory, child, log, isTls: !!options.tls, tokens });
  } catch (error) {
    await tokens?.[Symbol.asyncDispose]();
    await Deno.remove(directory, { recursive: true });
    throw error;
  }
}

/** The configuration; JSON is YAML. */
function config(directory: string, options: RegistryOptions, tokens?: TokenServer): unknown {
  const tls = {
    certificate: `${directory}/server.crt`,
    key: `${directory}/server.key`,
    ...options.tls === "client" && { clientcas: [`${directory}/ca.crt`] },
  };
  return {
    version: "0.1",
    log: { level: "info", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: `${directory}/data` },
      delete: { enabled: options.delete ?? false },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: "127.0.0.1:0", ...options.tls && { tls } },
    ...options.htpasswd && {
      auth: { htpasswd: { realm: "test", path: `${directory}/htpasswd` } },
    },
    ...tokens && {
      auth: {
        token: {
          realm: `${tokens.url}/token`,
          service: "dhow-test",
          issuer: "dhow-test",
          rootcertbundle: `${directory}/ca.crt`,
        },
      },
    },
  };
}

/** Reads the log until it says where the registry listens, and then to its end, so that the pipe never fills. */
async function readAddress(
  child: Deno.ChildProcess,
): Promise<{ address: string; log: Promise<unknown> }> {
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`docker-registry did not start:\n${text}`);
    text += value;
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(text)?.[1];
    if (address === undefined) continue;
    const drain = async () => {
      while (!(await reader.read()).done);
    };
    return { address, log: drain() };
  }
}
