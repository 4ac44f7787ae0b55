/**
 * Archives for tests, member by member.
 *
 * @module
 */
import type { TarEntry } from "../../core/layer/tar_entry.ts";
import { encodeTarEntry, TAR_END, tarPadding } from "../../core/layer/tar_writer.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a member may say beside kind and path. */
export type MemberValues = Partial<TarEntry> & { content?: string | Bytes };

/** One member: headers, content, padding. Owned by who runs the test, so that nobody needs to be root. */
export function member(kind: TarEntry["kind"], path: string, values: MemberValues = {}): Bytes {
  const { content = "", ...rest } = values;
  const bytes: Bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const header = encodeTarEntry({
    kind,
    path,
    linkPath: "",
    mode: kind === "directory" ? 0o755 : 0o644,
    uid: Deno.uid() ?? 0,
    gid: Deno.gid() ?? 0,
    userName: "",
    groupName: "",
    sizeBytes: bytes.length,
    mtime: { seconds: 1_000_000_000, nanoseconds: 0 },
    major: 0,
    minor: 0,
    ...rest,
  });
  return join([header, bytes, tarPadding(bytes.length)]);
}

/** A whole archive. */
export function archive(...members: Bytes[]): Bytes {
  return join([...members, TAR_END]);
}

/** Joins bytes. */
export function join(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Bytes as a stream of pieces. */
export function streamOf(bytes: Bytes, pieceBytes = 65536): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
  });
}

/** Runs a program; false if it is not installed. */
export async function hasProgram(name: string): Promise<boolean> {
  try {
    await new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    return false;
  }
}

/** A random but repeatable sequence of numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
