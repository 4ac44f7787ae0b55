/**
 * Files named on the command line, read as streams.
 *
 * @module
 */
import { ExitError } from "./errors.ts";

const REASONS: Record<string, string> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
};

/** Opens a file for reading; `-` is stdin. @throws {ExitError} In docker's words: `open x: no such file or directory`. */
export async function openInput(path: string): Promise<ReadableStream<Uint8Array>> {
  if (path === "-") return Deno.stdin.readable;
  try {
    const file = await Deno.open(path);
    if ((await file.stat()).isDirectory) {
      file.close();
      throw new ExitError(1, `read ${path}: is a directory`);
    }
    return chunks(file);
  } catch (error) {
    const reason = REASONS[(error as { code?: string }).code ?? ""];
    if (reason === undefined) throw error;
    throw new ExitError(1, `open ${path}: ${reason}`, { cause: error });
  }
}

/** As `file.readable`, in larger pieces: 64 KiB cost more in promises than in reading. */
function chunks(file: Deno.FsFile): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(1 << 20);
      const n = await file.read(buffer);
      if (n !== null) return controller.enqueue(buffer.subarray(0, n));
      controller.close();
      file.close();
    },
    cancel: () => file.close(),
  }, { highWaterMark: 1 });
}
