/**
 * Bearer tokens: fetched from the server that the registry names, kept for as long as they are good.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 * @module
 */
import { DhowError } from "../errors.ts";
import { readBounded, readErrorText } from "./body.ts";
import type { Credentials } from "./credentials.ts";
import { refusalError, RegistryError } from "./errors.ts";

/** What a token is asked for. */
export interface TokenRequest {
  realm: URL;
  service: string;
  /** `repository:library/busybox:pull`, several divided by blanks; empty to log in only. */
  scope: string;
  credentials: Credentials | undefined;
  /** Asks for a refresh token too, as `login` does. */
  offline?: boolean;
  signal?: AbortSignal | undefined;
}

/** A token server's answer. */
export interface Token {
  token: string;
  /** What may be kept instead of a password. */
  refreshToken?: string;
  /** Of `performance.now()`. */
  expiresAt: number;
}

/** Sends what {@linkcode fetchToken} wants sent. */
export type TokenFetch = (
  url: URL,
  init: { method: "GET" | "POST"; headers: Record<string, string>; body?: string },
) => Promise<Response>;

/** Who asks, in OAuth2's terms. */
const CLIENT_ID = "dhow";

/** Tokens last at least so long, whatever the server says: docker's rule, for clocks that are wrong. */
const LIFE_MIN_S = 60;

/** A token is not used in its last seconds. */
const MARGIN_MS = 5_000;

/** No token is larger; some carry a list of groups. */
const ANSWER_MAX = 1 << 20;

/** Tokens of this process, by everything that they depend on. */
const cache = new Map<string, { user: string; token: Promise<Token> }>();

/**
 * The token for `request`: a kept one if it is still good.
 *
 * @param stale A token that the registry has just refused; it is not given again.
 * @throws {DhowError} `unauthorized` if the server refuses; `unavailable` if it cannot be reached.
 */
export async function getToken(
  request: TokenRequest,
  send: TokenFetch,
  stale?: string,
): Promise<Token> {
  const { realm, service, scope, credentials, offline = false } = request;
  const user = JSON.stringify(credentials ?? null);
  const key = JSON.stringify([realm.href, service, scope, offline]);
  const known = cache.get(key);
  if (known?.user === user) {
    const token = await known.token.catch(() => undefined);
    if (token !== undefined && token.token !== stale && token.expiresAt > performance.now()) {
      return token;
    }
  }
  if (cache.size > 1000) cache.clear();
  const token = fetchToken(request, send);
  const entry = { user, token };
  cache.set(key, entry);
  // One failure is not remembered: the next request asks again.
  token.catch(() => cache.get(key) === entry && cache.delete(key));
  return await token;
}

/** Fetches a token, whatever is kept. */
export async function fetchToken(request: TokenRequest, send: TokenFetch): Promise<Token> {
  const { realm, credentials } = request;
  const askedAt = performance.now();
  const response = credentials?.kind === "identity_token"
    ? await send(realm, oauthRequest(request, credentials.token))
    : await send(...basicRequest(request));
  if (response.status !== 200) {
    const error = refusalError(response, await readErrorText(response.body));
    throw new RegistryError(
      error.code,
      `Get "${realm.origin}${realm.pathname}": ${error.message}`,
      {
        cause: error,
        status: response.status,
        registryCodes: error.registryCodes,
        isTemporary: error.isTemporary,
        ...error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs },
      },
    );
  }
  const bytes = await readBounded(response.body, ANSWER_MAX);
  return readToken(realm, bytes, askedAt);
}

function basicRequest(request: TokenRequest): Parameters<TokenFetch> {
  const { realm, service, scope, credentials, offline = false } = request;
  const url = new URL(realm);
  if (service !== "") url.searchParams.set("service", service);
  for (const part of scope.split(" ")) {
    if (part !== "") url.searchParams.append("scope", part);
  }
  const headers: Record<string, string> = {};
  if (credentials?.kind === "password") {
    url.searchParams.set("account", credentials.username);
    if (offline) {
      url.searchParams.set("offline_token", "true");
      url.searchParams.set("client_id", CLIENT_ID);
    }
    headers["authorization"] = basicHeader(credentials);
  }
  return [url, { method: "GET", headers }];
}

function oauthRequest(request: TokenRequest, refreshToken: string): Parameters<TokenFetch>[1] {
  const { service, scope } = request;
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: refreshToken,
    service,
    client_id: CLIENT_ID,
    ...scope !== "" && { scope },
  }).toString();
  return {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body,
  };
}

function readToken(realm: URL, bytes: Uint8Array | undefined, askedAt: number): Token {
  const fail = (why: string) =>
    new DhowError("unavailable", `Get "${realm.origin}${realm.pathname}": ${why}`);
  if (bytes === undefined) throw fail("the token server's answer is larger than 1 MiB");
  let answer: Record<string, unknown>;
  try {
    answer = JSON.parse(new TextDecoder().decode(bytes)) ?? {};
  } catch {
    throw fail("the token server's answer is no JSON");
  }
  const token = answer["token"] || answer["access_token"];
  // What goes into a header must not end it.
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) {
    throw fail("authorization server did not include a token in the response");
  }
  const { expires_in: life, refresh_token: refreshToken } = answer;
  const lifeS = typeof life === "number" && life > LIFE_MIN_S ? life : LIFE_MIN_S;
  return {
    token,
    expiresAt: askedAt + lifeS * 1000 - MARGIN_MS,
    ...typeof refreshToken === "string" && refreshToken !== "" && { refreshToken },
  };
}

/** `Authorization` for a password. */
export function basicHeader(credentials: { username: string; password: string }): string {
  const bytes = new TextEncoder().encode(`${credentials.username}:${credentials.password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
}
