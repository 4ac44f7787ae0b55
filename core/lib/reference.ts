/**
 * Image references, `[REGISTRY/]NAME[:TAG][@DIGEST]`, with docker's grammar, defaults and wording.
 *
 * @see https://github.com/distribution/reference/blob/main/normalize.go
 * @module
 */
import { DhowError } from "../errors.ts";
import type { Digest } from "../spec/image.ts";
import { parseDigest } from "./digest.ts";

/** A reference with everything that docker leaves out filled in, but for the tag. */
export interface Reference {
  /** `docker.io`, `localhost:5000`. */
  domain: string;
  /** `library/busybox`. */
  repository: string;
  tag?: string;
  digest?: Digest;
}

const DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const DIGEST = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const REFERENCE = new RegExp(
  `^(${DOMAIN})/(${PATH_PART}(?:/${PATH_PART})*)(?::(\\w[\\w.-]{0,127}))?(?:@(${DIGEST}))?$`,
);
const NAME_MAX = 255;

function invalid(message: string): DhowError {
  return new DhowError("invalid_argument", message);
}

/**
 * Reads a reference as docker does: `busybox` is `docker.io/library/busybox`. The tag stays open if none is given.
 *
 * @throws {DhowError} `invalid_argument` in docker's words: `invalid reference format`.
 */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw invalid(
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  // No reference is longer than name, tag and digest together; and a regular expression need not see more.
  if (text.length > 1024) throw invalid("invalid reference format");
  const { domain, rest } = splitDomain(text);
  const colon = rest.indexOf(":");
  const remote = colon < 0 ? rest : rest.slice(0, colon);
  if (remote.toLowerCase() !== remote) {
    throw invalid(`invalid reference format: repository name (${remote}) must be lowercase`);
  }
  const match = REFERENCE.exec(`${domain}/${rest}`);
  if (match === null) throw invalid("invalid reference format");
  const [, matchedDomain, repository, tag, digest] = match as unknown as [
    ...[string, string, string],
    string | undefined,
    string | undefined,
  ];
  if (matchedDomain.length + 1 + repository.length > NAME_MAX) {
    throw invalid(`repository name must not be more than ${NAME_MAX} characters`);
  }
  if (digest !== undefined) parseDigest(digest);
  return {
    domain: matchedDomain,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** The part before the first slash is a registry only if it looks like a host: `a.b/c`, `a:1/c`, `localhost/c`, `A/c`. */
function splitDomain(text: string): { domain: string; rest: string } {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  const isDomain = slash >= 0 &&
    (/[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first);
  let domain = isDomain ? first : "docker.io";
  let rest = isDomain ? text.slice(slash + 1) : text;
  if (domain === "index.docker.io") domain = "docker.io";
  if (domain === "docker.io" && !rest.includes("/")) rest = `library/${rest}`;
  return { domain, rest };
}

/** `docker.io/library/busybox:latest`: the whole of it, with tag `latest` where neither tag nor digest is given. */
export function canonicalReference(reference: Reference): string {
  const { domain, repository, tag, digest } = reference;
  const tagged = tag ?? (digest === undefined ? "latest" : undefined);
  return `${domain}/${repository}${tagged === undefined ? "" : ":" + tagged}${
    digest === undefined ? "" : "@" + digest
  }`;
}

/** Would be taken for another registry, or for an image's id, if it stood alone. */
const MISLEADING = /^([^/]*\.[^/]*\/|localhost\/|library\/[a-f0-9]{64}$)/;

/** The repository as docker shows it: without `docker.io/` and `library/`. */
export function familiarName(reference: Reference): string {
  const { domain, repository } = reference;
  if (domain !== "docker.io" || MISLEADING.test(repository)) return `${domain}/${repository}`;
  const official = /^library\/([^/]+)$/.exec(repository);
  return official?.[1] ?? repository;
}

/** `busybox:latest`: as docker shows a canonical reference of the store. */
export function familiarReference(reference: Reference): string {
  const { tag, digest } = reference;
  return `${familiarName(reference)}${tag === undefined ? "" : ":" + tag}${
    digest === undefined ? "" : "@" + digest
  }`;
}
