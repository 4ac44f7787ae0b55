/**
 * `WWW-Authenticate`: how a registry wants to be asked.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @module
 */

/** One way in. */
export type Challenge =
  | { kind: "basic" }
  | { kind: "bearer"; realm: string; service: string; scope: string };

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(
  `^\\s*,?\\s*(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN}))`,
);

/**
 * The best challenge of the header that we can answer: Bearer before Basic. Undefined if there is none.
 *
 * Malformed pieces are passed over: nothing here decides more than which question to ask next.
 */
export function parseChallenge(header: string | null): Challenge | undefined {
  let rest = (header ?? "").slice(0, 8192);
  let found: Challenge | undefined;
  while (rest !== "") {
    const scheme = new RegExp(`^[\\s,]*(${TOKEN})(?:\\s+|$)`).exec(rest);
    if (scheme === null) {
      rest = rest.slice(1);
      continue;
    }
    rest = rest.slice(scheme[0].length);
    const parameters = new Map<string, string>();
    for (let match; (match = PARAMETER.exec(rest)) !== null;) {
      rest = rest.slice(match[0].length);
      const value = match[2]?.replace(/\\(.)/g, "$1") ?? match[3]!;
      parameters.set(match[1]!.toLowerCase(), value);
    }
    const kind = scheme[1]!.toLowerCase();
    if (kind === "basic") found ??= { kind };
    const realm = parameters.get("realm");
    if (kind === "bearer" && realm !== undefined) {
      const service = parameters.get("service") ?? "";
      found = { kind, realm, service, scope: parameters.get("scope") ?? "" };
    }
  }
  return found;
}
