/**
 * Names of images, digests, platforms, addresses of repositories.
 *
 * @module
 */
import { parseGitSource } from "../../../core/build/context/git_source.ts";
import { parseSshTarget } from "../../../core/image/ssh_remote.ts";
import { blobName, isDigest, parseDigest } from "../../../core/lib/digest.ts";
import { formatPlatform, parsePlatform, platformFit } from "../../../core/lib/platform.ts";
import {
  canonicalReference,
  familiarReference,
  parseReference,
} from "../../../core/lib/reference.ts";
import { attempt, attemptStrictly, type FuzzTarget, inputsOf, insist, textOf } from "../target.ts";

const HEX = "0123456789abcdef".repeat(4);

/** One text, as each of them. */
export const reference: FuzzTarget = {
  name: "reference",
  maxBytes: 1 << 15,
  seeds: () =>
    inputsOf(
      "busybox",
      `localhost:5000/a/b-c__d:v1.2@sha256:${HEX}`,
      "[2001:db8::1]:443/a/b:x",
      `sha256:${HEX}`,
      `sha512:${HEX}${HEX}`,
      "linux/arm64/v8",
      "https://github.com/a/b.git#main:dir/sub",
      "git@host:a/b.git#v1",
      "ssh://user@host:22/busybox:latest",
    ),
  dictionary: [
    ...["/", ":", "@", ".", "-", "_", "__", "--", "a", "A", "docker.io/", "library/", "localhost"],
    ...[
      "sha256:",
      "[",
      "]",
      "::",
      "#",
      "?",
      "..",
      "git://",
      "-o",
      "ssh://",
      ".git",
      "\n",
      " ",
      "é",
    ],
    ...[
      "0".repeat(64),
      "a".repeat(128),
      "index.docker.io/",
      "linux",
      "arm",
      "%2f",
      "\0",
      "--upload-pack",
    ],
  ],
  run(input) {
    const text = textOf(input);
    const name = attemptStrictly(() => parseReference(text));
    if (name !== undefined) {
      const whole = canonicalReference(name);
      insist(canonicalReference(parseReference(whole)) === whole, `${whole} is itself`);
      const short = familiarReference(name);
      insist(canonicalReference(parseReference(short)) === whole, `${short} is ${whole}`);
      insist(!/[\s\0]|\.\.\//.test(whole), "a reference leads nowhere");
    }
    const digest = attemptStrictly(() => parseDigest(text));
    insist((digest !== undefined) === isDigest(text), "a digest is one everywhere");
    const blob = attemptStrictly(() => blobName(text as `sha256:${string}`));
    insist(blob === undefined || /^[0-9a-f]{64}$/.test(blob), "a blob's name is one");
    const platform = attemptStrictly(() => parsePlatform(text));
    if (platform !== undefined) {
      insist(platformFit(platform, platform) > 0, "a platform fits itself");
      const again = parsePlatform(formatPlatform(platform));
      insist(formatPlatform(again) === formatPlatform(platform), "a platform is itself");
    }
    const git = attemptStrictly(() => parseGitSource(text));
    insist(!git?.remote.startsWith("-"), "a repository is no option");
    const target = attempt(() => parseSshTarget(text));
    insist(!target?.host.startsWith("-") && !target?.user?.startsWith("-"), "nor is a host");
  },
};
