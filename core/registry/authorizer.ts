/**
 * Who we are, for one registry: answers its challenges, once it makes any.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { parseChallenge } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { isLoopback } from "./hosts.ts";
import { mergeScopes } from "./scope.ts";
import { basicHeader, getToken, type TokenFetch } from "./tokens.ts";

/** What an {@linkcode Authorizer} works with. */
export interface AuthorizerOptions {
  /** Asked once, and only if the registry wants to know. */
  credentials(): Promise<Credentials | undefined>;
  /** Sends requests to token servers. */
  send: TokenFetch;
  /** The user allows plain http to this registry. */
  isInsecure: boolean;
  /** Asks for a refresh token too, as `login` does. @default false */
  offline?: boolean;
}

/** Makes the `Authorization` header of requests to one registry. */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  #challenge: Challenge | undefined;
  #credentials: Promise<Credentials | undefined> | undefined;
  #refreshToken: string | undefined;
  /** What the registry asked for beyond what we would. */
  readonly #asked = new Map<string, string>();

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /**
   * The header for a request of `scope`; undefined while the registry has not asked for one.
   *
   * @param stale The header that the registry has just refused.
   * @throws {DhowError} `unauthorized` if there is nothing to answer with.
   */
  async header(base: URL, scope: string, stale?: string): Promise<string | undefined> {
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    const credentials = await (this.#credentials ??= this.#options.credentials());
    this.#assertPrivate(base, credentials);
    if (challenge.kind === "basic") {
      if (credentials?.kind !== "password") {
        throw new DhowError("unauthorized", "no basic auth credentials");
      }
      return basicHeader(credentials);
    }
    if (credentials?.kind === "registry_token") return `Bearer ${credentials.token}`;
    const realm = this.#checkRealm(base, challenge.realm);
    const asked = this.#asked.get(scope) ?? "";
    const request = {
      realm,
      service: challenge.service,
      scope: mergeScopes(scope, asked),
      credentials,
      ...this.#options.offline && { offline: true },
    };
    const { token, refreshToken } = await getToken(
      request,
      this.#options.send,
      stale?.replace(/^Bearer /, ""),
    );
    this.#refreshToken = refreshToken ?? this.#refreshToken;
    return `Bearer ${token}`;
  }

  /** What a token server gave to be kept instead of the password. */
  get refreshToken(): string | undefined {
    return this.#refreshToken;
  }

  /**
   * Learns from an answer of status 401.
   *
   * @returns The header to try next; undefined if another try would be the same again.
   */
  async answer(
    base: URL,
    response: Response,
    request: { scope: string; sent: string | undefined },
  ): Promise<string | undefined> {
    const text = response.headers.get("www-authenticate");
    const challenge = parseChallenge(text);
    if (challenge === undefined) return undefined;
    this.#challenge = challenge;
    if (challenge.kind === "bearer") {
      const isNew = this.#asked.get(request.scope) !== challenge.scope;
      // The token says all that we may; another one would say the same.
      const isRefusal = text!.includes('error="insufficient_scope"');
      if (isRefusal && request.sent !== undefined && !isNew) return undefined;
      this.#asked.set(request.scope, challenge.scope);
    }
    const header = await this.header(base, request.scope, request.sent);
    return header === request.sent ? undefined : header;
  }

  /** A password never travels in the clear, but for registries that the user called insecure, and within this machine. */
  #assertPrivate(base: URL, credentials: Credentials | undefined): void {
    if (credentials === undefined || base.protocol === "https:") return;
    if (this.#options.isInsecure || isLoopback(base.host)) return;
    throw new DhowError("unauthorized", `Refusing to send credentials to ${base.host} over http`);
  }

  /** A token server is reached over https, or belongs to the registry that is reached by http itself. */
  #checkRealm(base: URL, realm: string): URL {
    let url: URL | undefined;
    try {
      url = new URL(realm);
    } catch {
      // Said below.
    }
    const isOwn = url?.protocol === "http:" && base.protocol === "http:" && url.host === base.host;
    const isLocal = url?.protocol === "http:" && isLoopback(url.host) && isLoopback(base.host);
    if (url?.protocol === "https:" || isOwn || isLocal) return url!;
    throw new DhowError(
      "unauthorized",
      `${base.host} sends us to the token server ${
        JSON.stringify(realm.slice(0, 200))
      }, which is not reached over https: refusing to ask it`,
    );
  }
}
