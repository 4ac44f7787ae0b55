/**
 * What registries and token servers say: headers, refusals, tokens, lists.
 *
 * @module
 */
import { parseChallenge } from "../../../core/registry/challenge.ts";
import { refusalError, retryAfterMs } from "../../../core/registry/errors.ts";
import { readPages } from "../../../core/registry/pages.ts";
import { fetchToken } from "../../../core/registry/tokens.ts";
import type { Transport } from "../../../core/registry/transport.ts";
import {
  attemptAsync,
  type FuzzTarget,
  inputsOf,
  insist,
  insistPrintable,
  textOf,
} from "../target.ts";

/** A header's value, an empty line, a body. */
export const registry: FuzzTarget = {
  name: "registry",
  maxBytes: 1 << 14,
  seeds: () =>
    inputsOf(
      'Bearer realm="https://a.b/token",service="s",scope="repository:a:pull,push"\n\n{"token":"t"}',
      'Basic realm="x", Bearer realm=https\n\n{"access_token":"a","expires_in":3600}',
      '</v2/a/tags/list?n=2&last=b>; rel="next"\n\n{"tags":["a","b"]}',
      '120\n\n{"errors":[{"code":"DENIED","message":"no","detail":{}}]}',
      'Wed, 21 Oct 2025 07:28:00 GMT\n\n{"details":"incorrect username or password"}',
    ),
  dictionary: [
    ...[
      '"',
      "\\",
      ",",
      "=",
      " ",
      "\t",
      ",,,,",
      "Bearer ",
      "Basic ",
      "realm=",
      'error="insufficient_scope"',
    ],
    ...[
      "<",
      ">",
      ";",
      "rel=next",
      "?n=1",
      "//",
      "http://x/",
      "\n\n",
      "null",
      "[]",
      "{}",
      "1",
      "\x1b]0;",
    ],
    ...[
      '"errors":',
      '"tags":',
      '"token":',
      "\r",
      "\0",
      "é",
      "a".repeat(1000),
      "\u202e",
      "%",
      "[::",
    ],
  ],
  async run(input) {
    const text = textOf(input);
    const cut = text.indexOf("\n\n");
    const header = cut < 0 ? text : text.slice(0, cut);
    const body = cut < 0 ? text : text.slice(cut + 2);
    const challenge = parseChallenge(header);
    if (challenge?.kind === "bearer") {
      insist(typeof challenge.realm === "string", "realms are texts");
    }
    const after = retryAfterMs(header);
    insist(after === undefined || after >= 0 && Number.isFinite(after), "one waits a time");
    const headers = headersOf(header);
    for (const status of [200, 401, 404, 429, 502]) {
      insistPrintable(refusalError(new Response(null, { status, headers }), body).message);
    }
    await checkToken(body);
    await checkPages(headers, body);
  },
};

/** What no header can be never gets here. */
function headersOf(value: string): Headers {
  const headers = new Headers();
  for (const name of ["www-authenticate", "retry-after", "link"]) {
    try {
      headers.set(name, value);
    } catch {
      headers.set(name, value.replace(/[^ -~]/g, ""));
    }
  }
  return headers;
}

async function checkToken(body: string): Promise<void> {
  const request = {
    realm: new URL("https://a.b/token"),
    service: "s",
    scope: "repository:a:pull",
    credentials: undefined,
  };
  const answer = await attemptAsync(() =>
    fetchToken(request, () => Promise.resolve(new Response(body)))
  );
  if (answer === undefined) return;
  new Headers().set("authorization", `Bearer ${answer.token}`);
  insist(answer.expiresAt > performance.now(), "a token lasts");
}

async function checkPages(headers: Headers, body: string): Promise<void> {
  let count = 0;
  const transport = {
    base: new URL("https://a.b/"),
    send: ({ path }: { path: string }) => {
      insist(/^\/(?!\/)/.test(path), "a list leads to no other server");
      insist(++count < 20_000, "a list ends");
      return Promise.resolve(new Response(body, { headers }));
    },
  } as unknown as Transport;
  await attemptAsync(async () => {
    for await (const name of readPages(transport, { path: "/v2/a/tags/list" }, "tags")) {
      insist(typeof name === "string", "names are texts");
    }
  });
}
