/**
 * Platforms: `linux/arm64/v8`, as docker writes and reads them.
 *
 * @see https://github.com/containerd/platforms
 * @module
 */
import { DhowError } from "../errors.ts";
import type { Platform } from "../spec/image.ts";

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  armhf: "arm",
  armel: "arm",
  i386: "386",
  i686: "386",
};

/** This machine: what images are chosen for if nothing else is asked. */
export function hostPlatform(): Platform {
  return { os: "linux", architecture: Deno.build.arch === "x86_64" ? "amd64" : "arm64" };
}

/**
 * Reads `OS[/ARCH[/VARIANT]]` or `ARCH`; what is left out is this machine's.
 *
 * @throws {DhowError} `invalid_argument`, `unsupported` for another system than linux.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || !parts.every((part) => /^[a-z0-9_.-]+$/.test(part))) {
    throw new DhowError(
      "invalid_argument",
      `"${text}": cannot parse platform specifier: invalid argument`,
    );
  }
  const namesSystem = parts.length > 1 || ["linux", "windows", "darwin"].includes(parts[0]!);
  const os = namesSystem ? parts[0]! : "linux";
  if (os !== "linux") throw new DhowError("unsupported", "operating system is not supported");
  const [name, variant] = namesSystem ? parts.slice(1) : parts;
  const architecture = name === undefined
    ? hostPlatform().architecture
    : Object.hasOwn(ARCHITECTURES, name)
    ? ARCHITECTURES[name]!
    : name;
  const plain = variant ?? (name === "armhf" ? "v7" : name === "armel" ? "v6" : undefined);
  return { os, architecture, ...(plain !== undefined && { variant: plain }) };
}

/** `linux/arm64/v8`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

/** How well an image for `offered` runs where `wanted` is asked for: the more, the better; 0 is not at all. */
export function platformFit(wanted: Platform, offered: Platform): number {
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return 0;
  const [want, have] = [variantOf(wanted), variantOf(offered)];
  if (want === have) return 100;
  if (wanted.variant === undefined && wanted.architecture !== "arm") return have === "" ? 99 : 50;
  // Older ones run too: v7 takes v6, amd64/v3 takes v2.
  const [newest, older] = [Number(want.slice(1)), Number(have.slice(1) || 1)];
  return older < newest ? 50 + older : 0;
}

/** Each architecture has a variant that need not be said. */
function variantOf({ architecture, variant = "" }: Platform): string {
  if (architecture === "arm64" && variant === "v8") return "";
  if (architecture === "amd64" && variant === "v1") return "";
  if (architecture === "arm" && variant === "") return "v7";
  // What comes from strangers may be anything.
  return typeof variant === "string" ? variant : "";
}
