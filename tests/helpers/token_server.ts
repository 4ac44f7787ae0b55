/**
 * A token server as registries use them: checks who asks, and signs what they may do.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @module
 */
import { Hono } from "hono";
import { PASSWORD, USERNAME } from "./registry.ts";

/** What somebody asked the token server for. */
export interface TokenCall {
  method: string;
  scopes: string[];
  /** Who, as far as the password was right; undefined for anybody. */
  user: string | undefined;
  grant: string | undefined;
}

/** A running token server. Anybody may pull from `public/…`, {@linkcode USERNAME} may do everything. */
export interface TokenServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  url: string;
  calls: TokenCall[];
  /** What a login may get in place of its password; undefined gives none. */
  refreshToken: string | undefined;
  /** Seconds that tokens last. */
  lifeS: number;
  /** Repositories that tokens are good for in no case. */
  forbidden: Set<string>;
}

/** Starts one that signs with `directory`'s server.key. */
export async function startTokenServer(directory: string): Promise<TokenServer> {
  const sign = await openSigner(directory);
  const app = new Hono();
  const calls: TokenCall[] = [];
  app.on(["GET", "POST"], "/token", async (c) => {
    const form = c.req.method === "POST" ? await c.req.parseBody() : {};
    const grant = form["grant_type"] as string | undefined;
    const scopes = grant === undefined
      ? c.req.queries("scope") ?? []
      : String(form["scope"] ?? "").split(" ").filter((scope) => scope !== "");
    const header = c.req.header("authorization");
    const isUser = grant === "refresh_token"
      ? form["refresh_token"] === server.refreshToken
      : header === `Basic ${btoa(`${USERNAME}:${PASSWORD}`)}`;
    calls.push({ method: c.req.method, scopes, user: isUser ? USERNAME : undefined, grant });
    if (!isUser && (header !== undefined || grant !== undefined)) {
      return c.json({ details: "incorrect username or password" }, 401);
    }
    const access = scopes.map((scope) => grantScope(scope, isUser))
      .filter((one) => one !== null && !server.forbidden.has(one.name)) as Access[];
    const token = await sign({ access, lifeS: server.lifeS });
    const isOffline = c.req.query("offline_token") === "true";
    return c.json({
      token,
      expires_in: server.lifeS,
      ...isUser && isOffline && server.refreshToken && { refresh_token: server.refreshToken },
    });
  });
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  const server: TokenServer = {
    url: `http://127.0.0.1:${http.addr.port}`,
    calls,
    refreshToken: undefined,
    lifeS: 300,
    forbidden: new Set(),
    [Symbol.asyncDispose]: () => http.shutdown(),
  };
  return server;
}

interface Access {
  type: string;
  name: string;
  actions: string[];
}

function grantScope(scope: string, isUser: boolean): Access | null {
  const [type, name, actions] = scope.split(":") as [string, string, string];
  if (isUser) return { type, name, actions: actions.split(",") };
  return name.startsWith("public/") ? { type, name, actions: ["pull"] } : null;
}

/** Signs as ES256, with the certificate in the header, which the registry checks against its bundle. */
async function openSigner(
  directory: string,
): Promise<(claims: { access: Access[]; lifeS: number }) => Promise<string>> {
  const pem = await Deno.readTextFile(`${directory}/server.key`);
  const certificate = await Deno.readTextFile(`${directory}/server.crt`);
  const key = await crypto.subtle.importKey(
    "pkcs8",
    Uint8Array.fromBase64(body(pem)),
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["sign"],
  );
  return async ({ access, lifeS }) => {
    const now = Math.floor(Date.now() / 1000);
    const head = { typ: "JWT", alg: "ES256", x5c: [body(certificate)] };
    const claims = {
      iss: "dhow-test",
      sub: "",
      aud: "dhow-test",
      exp: now + lifeS,
      nbf: now - 10,
      iat: now,
      jti: crypto.randomUUID(),
      access,
    };
    const text = [head, claims].map((part) => encode(JSON.stringify(part))).join(".");
    const signature = await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      key,
      new TextEncoder().encode(text),
    );
    return `${text}.${encode(new Uint8Array(signature))}`;
  };
}

function body(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, "");
}

function encode(data: string | Uint8Array): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return (bytes as Uint8Array<ArrayBuffer>).toBase64({ alphabet: "base64url", omitPadding: true });
}
