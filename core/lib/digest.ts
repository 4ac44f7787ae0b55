/**
 * Digests: `sha256:` and 64 hex digits, checked once where they enter.
 *
 * @module
 */
import { DhowError } from "../errors.ts";
import type { Digest } from "../spec/image.ts";

/** A digest taken apart. */
export interface ParsedDigest {
  algorithm: "sha256" | "sha512";
  /** Lower-case hex of the algorithm's full length. */
  hex: string;
}

const HEX_LENGTH = { sha256: 64, sha512: 128 } as const;

/**
 * Checks a digest's grammar, algorithm and length.
 *
 * @throws {DhowError} `invalid_argument`, in the words of docker's go-digest.
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
 */
export function parseDigest(text: string): ParsedDigest {
  const match = /^([a-z0-9]+(?:[.+_-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(text);
  if (match === null) throw new DhowError("invalid_argument", "invalid checksum digest format");
  const [, algorithm, hex] = match as unknown as [string, string, string];
  if (algorithm !== "sha256" && algorithm !== "sha512") {
    throw new DhowError("invalid_argument", "unsupported digest algorithm");
  }
  if (hex.length !== HEX_LENGTH[algorithm]) {
    throw new DhowError("invalid_argument", "invalid checksum digest length");
  }
  if (!/^[0-9a-f]+$/.test(hex)) {
    throw new DhowError("invalid_argument", "invalid checksum digest format");
  }
  return { algorithm, hex };
}

/** Whether `text` is a digest that {@linkcode parseDigest} takes. */
export function isDigest(text: string): boolean {
  return /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
}

/** The hex half of a sha256 digest: the name of its blob. @throws {DhowError} `invalid_argument` for any other. */
export function blobName(digest: Digest): string {
  const { algorithm, hex } = parseDigest(digest);
  if (algorithm !== "sha256") {
    throw new DhowError("invalid_argument", `unsupported digest algorithm: ${algorithm}`);
  }
  return hex;
}
