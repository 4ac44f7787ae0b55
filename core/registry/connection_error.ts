/**
 * Why a registry could not be reached, in the words docker (that is, Go) has for it.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import { RegistryError } from "./errors.ts";

/** Pieces of Deno's messages, and what Go says; the first that fits counts. */
const REASONS: readonly [
  RegExp,
  (url: URL, match: RegExpExecArray) => string,
  isTemporary?: boolean,
][] = [
  [
    /corrupt message of type InvalidContentType/,
    () => "http: server gave HTTP response to HTTPS client",
  ],
  [/Connection refused/i, (url) => `dial tcp ${address(url)}: connect: connection refused`],
  [
    /dns error|failed to lookup|ENOTFOUND|EAI_/i,
    (url) => `dial tcp: lookup ${url.hostname}: no such host`,
  ],
  [
    /UnknownIssuer|self.?signed/i,
    () => "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  ],
  [
    /NotValidForName|not valid for name/i,
    (url) =>
      `tls: failed to verify certificate: x509: certificate is not valid for ${url.hostname}`,
  ],
  [
    /certificate.*(expired|not valid yet)|Expired|NotValidYet/i,
    () => "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  ],
  [
    /received fatal alert: (\w+)/,
    (_url, [, alert = ""]) =>
      `remote error: tls:${alert.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)}`,
  ],
  [/Network is unreachable/i, (url) => `dial tcp ${address(url)}: connect: network is unreachable`],
  [/No route to host/i, (url) => `dial tcp ${address(url)}: connect: no route to host`],
  [/timed out/i, (url) => `dial tcp ${address(url)}: i/o timeout`, true],
  [/Connection reset|ECONNRESET/i, () => "read: connection reset by peer", true],
  [/Broken pipe|EPIPE/i, () => "write: broken pipe", true],
  [
    /connection closed|unexpected end|IncompleteMessage|UnexpectedEof|close_notify|SendRequest/i,
    () => "unexpected EOF",
    true,
  ],
];

/**
 * Explains why no answer came.
 *
 * @param what `Get "https://registry.example/v2/"`.
 * @param error What fetch or a body's reader threw.
 * @returns `isTemporary` tells that the connection broke rather than could not be made.
 */
export function connectionError(what: string, url: URL, error: unknown): DhowError {
  if (error instanceof DhowError) return error;
  const cause = (error as { cause?: unknown })?.cause ?? error;
  const text = cause instanceof Error ? cause.message : String(cause);
  for (const [pattern, reason, isTemporary = false] of REASONS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    return new RegistryError("unavailable", `${what}: ${reason(url, match)}`, {
      cause: error,
      isTemporary,
    });
  }
  // Deno's own prefix repeats the address.
  const rest = text.replace(/^error sending request(?: from \S+)? for url \(.*?\): /, "")
    .replace(/^client error \(\w+\): /, "");
  return new RegistryError("unavailable", `${what}: ${rest}`, { cause: error, isTemporary: true });
}

function address(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`;
}
